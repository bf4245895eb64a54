/** What people decided about an exporter, done to the rows of its datagram before they are folded: left out, or with another rate. */
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

export const makeRulings = (exporters: ExporterTable, batch: FlowBatch): Rulings => {
  let exporter = -1
  let first = 0
  const apply = (): void => {
    if (exporter < 0 || batch.length <= first) return
    if (exporters.withheld(exporter)) batch.length = first
    const rate = exporters.replacedRate(exporter)
    if (rate > 0) batch.sampling.fill(rate, first, batch.length)
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
