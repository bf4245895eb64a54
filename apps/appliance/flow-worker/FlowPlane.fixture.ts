/** A flow plane without sockets, on clocks that a test moves. */
import { assert } from "vitest"
import type { WindowSlice } from "#domain/Window.ts"
import { makeFlowPlane } from "./FlowPlane.ts"
import type { FlowWorkerReport, FlowWorkerSettings, FromFlowWorker } from "./messages.ts"

/** Of a worker that opens no port, knows nobody and takes everything. */
export const quietSettings: FlowWorkerSettings = {
  boot: "00000000-0000-4000-8000-000000000000",
  worker: "worker-1",
  bindAddress: "127.0.0.1",
  ports: [],
  receiveBufferBytes: 65_536,
  reusePort: false,
  windowSeconds: 300,
  latenessSeconds: 60,
  flushIntervalSeconds: 60,
  templates: [],
  exporters: { requireApproval: false, policies: [] }
}

/** 2023-11-14T22:15:00Z, the start of a window of five minutes. */
export const tuesday = 1_700_000_100_000

export const makeTestPlane = (change: Partial<FlowWorkerSettings> = {}, startMs = tuesday) => {
  let [wall, passed] = [startMs, 0]
  const said: Array<FromFlowWorker> = []
  const plane = makeFlowPlane(
    { ...quietSettings, ...change },
    (message) => said.push(message),
    () => wall,
    () => passed
  )
  const slices = (): ReadonlyArray<WindowSlice> => said.flatMap((message) => (message.type === "slice" ? [message.slice] : []))
  return {
    plane,
    said,
    now: () => wall,
    /** By the clock that only moves forward. */
    passed: () => passed,
    wait: (ms: number) => {
      wall += ms
      passed += ms
    },
    /** Somebody sets the wall clock. */
    set: (byMs: number) => {
      wall += byMs
    },
    slices,
    /** Takes all that was said and accepts its slices, as the corridor does once they are written. */
    accept: (): ReadonlyArray<WindowSlice> => {
      const fresh = slices()
      said.length = 0
      plane.handle({ type: "windows-accepted", sequences: fresh.map(({ sequence }) => sequence) })
      return fresh
    }
  }
}

/** Every datagram and every record is in one account. */
export const accounted = ({ datagrams: d, windows: w }: FlowWorkerReport): void => {
  assert.strictEqual(d.datagrams, d.decoded + d.malformed + d.refused + d.failed)
  assert.strictEqual(d.records, w.records + d.recordsFailed)
  assert.strictEqual(w.records, w.folded + w.late + w.refusedConversations + w.refusedNoAddress + w.skipped + w.failed)
}
