/**
 * What is done to the rows of a datagram before they are folded: what people decided about their exporter, left out or with another rate;
 * then `sift` takes out what the exporter only says again.
 */
import type { FlowBatch } from "#pipeline/decode/FlowBatch.ts"
import type { ExporterTable } from "#pipeline/ingest/ExporterTable.ts"

export interface Rulings {
  /** The rows from `length` of the batch on are this exporter's, until `end`. */
  readonly begin: (exporter: number) => void
  /** Also when the batch is full in the middle of a datagram: what comes next stands at its start. */
  readonly full: (fold: () => void) => void
  /** First row of the datagram that is still in the batch. */
  readonly firstRow: () => number
  readonly end: () => void
}

export const makeRulings = (
  exporters: ExporterTable,
  batch: FlowBatch,
  sift: (exporter: number, from: number) => void
): Rulings => {
  let exporter = -1
  let first = 0
  const apply = (): void => {
    if (exporter < 0 || batch.length <= first) return
    if (exporters.withheld(exporter)) batch.length = first
    const rate = exporters.replacedRate(exporter)
    if (rate > 0) batch.sampling.fill(rate, first, batch.length)
    sift(exporter, first)
  }
  return {
    begin: (index) => {
      exporter = index
      first = batch.length
    },
    full: (fold) => {
      apply()
      fold()
      first = 0
    },
    firstRow: () => first,
    end: () => {
      apply()
      exporter = -1
    }
  }
}
