/** What an exporter says again from other interfaces is taken out of its datagram's rows (window/repeats.ts), and counted all the same. */
import type { FlowBatch } from "#pipeline/decode/FlowBatch.ts"
import type { ExporterTable } from "#pipeline/ingest/ExporterTable.ts"
import type { Measurer } from "#pipeline/ingest/measure.ts"
import { makeRepeats } from "#pipeline/window/repeats.ts"
import type { Windows } from "#pipeline/window/window.ts"
import type { Part } from "./part.ts"
import type { Tally } from "./report.ts"

export interface SifterOptions {
  readonly batch: FlowBatch
  readonly exporters: ExporterTable
  readonly windows: Windows
  readonly whole: Part
  readonly measurer: Measurer
  readonly tally: Tally
  readonly now: () => number
  readonly fold: () => void
}

export interface Sifter {
  /** The next rows are of that observation domain. `steadyMs` only moves forward. */
  readonly begin: (domain: number, steadyMs: number) => void
  readonly sift: (exporter: number, from: number) => void
  /** Folds rows that were held because they may only say again: those that waited long enough, or all. */
  readonly release: (steadyMs: number, all: boolean) => void
  readonly forget: (exporter: number) => void
  /** On which interfaces it says things twice, or "". */
  readonly where: (exporter: number) => string
}

export const makeSifter = ({ batch, exporters, fold, measurer, now, tally, whole, windows }: SifterOptions): Sifter => {
  const repeats = makeRepeats({
    seed: (Math.random() * 0x1_0000_0000) | 0,
    repeated: (of, row) => {
      tally.records++
      measurer.repeated(of.exporter[row]!)
      windows.repeat(of, row, exporters.columns(), now())
    }
  })
  const sift = whole.guarded(repeats.sift)
  let domain = 0
  let at = 0
  return {
    begin: (of, steadyMs) => {
      domain = of
      at = steadyMs
    },
    sift: (exporter, from) => {
      sift(exporter, domain, batch, from, at)
    },
    release: (steadyMs, all) => {
      if (repeats.held() === 0) return
      fold()
      repeats.release(batch, steadyMs, all)
      fold()
    },
    forget: repeats.forget,
    where: repeats.where
  }
}
