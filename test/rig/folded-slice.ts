/** Flow records as a worker folds them into the slice of a window: what resolve/collapse/collapse.ts is given. */
import { makePortRanks } from "#domain/PortRank.ts"
import type { SliceExporter, WindowSlice } from "#domain/Window.ts"
import { services } from "#pipeline/enrich/services.ts"
import { makeWindows } from "#pipeline/window/window.ts"
import { type TestRecord, toBatch } from "./flow-records.ts"

export const ranks = makePortRanks(services)
/** The start of a window of five minutes. */
export const noon = Date.UTC(2023, 10, 14, 12)
export const windowMs = 300_000

/** A connection of 10.0.0.1 to port 443 of 10.0.0.2, as one record. */
export const flow = (fields: Partial<TestRecord> = {}): TestRecord => ({
  exporter: 0,
  family: 4,
  source: 0x0a000001,
  destination: 0x0a000002,
  sourcePort: 40_000,
  destinationPort: 443,
  protocol: 6,
  flags: 0x1b,
  bytes: 1000,
  packets: 10,
  start: 0,
  end: noon,
  sampling: 1,
  ...fields
})

export const reply = (record: TestRecord, fields: Partial<TestRecord> = {}): TestRecord => ({
  ...record,
  source: record.destination,
  destination: record.source,
  sourcePort: record.destinationPort,
  destinationPort: record.sourcePort,
  ...fields
})

const nine = (index: number): SliceExporter => ({ address: `192.0.2.${index + 1}`, protocol: "netflow9" })

export interface FoldedOptions {
  readonly exporter?: (index: number) => SliceExporter
  readonly worker?: string
  /** How many windows after `noon` it is; the records' times need not say so. */
  readonly window?: number
}

/** All of them in one slice. */
export const foldedSlice = (
  records: ReadonlyArray<TestRecord>,
  { exporter = nine, window = 0, worker = "worker-1" }: FoldedOptions = {}
): WindowSlice => {
  const windows = makeWindows({
    boot: "boot",
    worker,
    windowSeconds: windowMs / 1000,
    latenessSeconds: 60,
    ranks,
    seed: 3,
    exporter
  })
  windows.fold(toBatch(records), { skewMs: new Float64Array(8), sampling: new Uint32Array(8) }, noon)
  return { ...windows.flush(noon, 1)[0]!, windowStart: noon + window * windowMs }
}
