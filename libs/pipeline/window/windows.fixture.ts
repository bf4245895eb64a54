/** Windows of five minutes around noon, and records to fold into them, for tests of this room. */
import { assert } from "@effect/vitest"
import type { WindowSlice } from "#domain/Window.ts"
import { type TestRecord, toBatch } from "../../../test/rig/flow-records.ts"
import { flow as flowWith, noon, ranks, windowMs } from "../../../test/rig/folded-slice.ts"
import type { ExporterColumns } from "./conversation-table.ts"
import { makeWindows, type WindowOptions, type Windows } from "./window.ts"

export { noon, ranks, windowMs as span }

export const makeTestWindows = (options: Partial<WindowOptions> = {}): Windows =>
  makeWindows({
    maxConversations: 10_000,
    boot: "boot",
    worker: "worker-1",
    windowSeconds: windowMs / 1000,
    latenessSeconds: 60,
    ranks,
    seed: 7,
    exporter: (index) => ({ address: `192.0.2.${index + 1}`, protocol: "netflow9" }),
    ...options
  })

/** A record of HTTPS that says no times. */
export const flow: TestRecord = flowWith({ end: 0 })

export const exporterColumns = (skewMs: ReadonlyArray<number> = [0, 0, 0, 0]): ExporterColumns => ({
  skewMs: Float64Array.from(skewMs),
  sampling: new Uint32Array(skewMs.length)
})

export const fold = (windows: Windows, records: ReadonlyArray<TestRecord>, arrival: number, skew?: ReadonlyArray<number>): void =>
  windows.fold(toBatch(records), exporterColumns(skew), arrival)

/** Every record is somewhere. */
export const balanced = (windows: Windows): void => {
  const { failed, folded, late, records, refusedConversations, refusedNoAddress, skipped } = windows.account()
  assert.strictEqual(records, folded + late + refusedConversations + refusedNoAddress + skipped)
  assert.strictEqual(failed, 0)
}

export const sum = (values: ArrayLike<number>) => Array.from(values).reduce((all, one) => all + one, 0)

export const totals = (slices: ReadonlyArray<WindowSlice>) =>
  slices.reduce(
    (all, slice) => ({
      records: all.records + slice.records,
      rowRecords: all.rowRecords + sum(slice.columns.recordsAb) + sum(slice.columns.recordsBa),
      bytes: all.bytes + sum(slice.columns.bytesAb) + sum(slice.columns.bytesBa),
      packets: all.packets + sum(slice.columns.packetsAb) + sum(slice.columns.packetsBa),
      rawBytes: all.rawBytes + sum(slice.columns.rawBytes)
    }),
    { records: 0, rowRecords: 0, bytes: 0, packets: 0, rawBytes: 0 }
  )
