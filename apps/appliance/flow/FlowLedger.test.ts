import { assert, describe, it } from "vitest"
import type { FlowWorkerReport } from "../flow-worker/messages.ts"
import { makeFlowLedger } from "./FlowLedger.ts"

const report = (datagrams: number, folded: number): FlowWorkerReport =>
  ({
    at: 0,
    worker: "worker-1",
    exporters: [
      {
        address: "10.0.0.1",
        protocol: "netflow9",
        state: "heard",
        firstSeen: 1,
        lastSeen: 2,
        datagrams,
        octets: 0,
        records: folded,
        recordsPerSecond: 7,
        sequenceLost: 1,
        sequenceResets: 0,
        malformed: 2,
        malformedReasons: { "set-length": 2 },
        heldSets: 0,
        heldDropped: 0,
        templates: 1,
        unknownElements: { "9.12232": 3 },
        proven: true,
        optionsRecords: 0,
        sampling: 1,
        clockSkewMs: 0,
        observationDomains: [1],
        sequences: [[1, 7]],
        blocked: 0
      }
    ],
    listeners: [],
    actors: [],
    datagrams: { datagrams, decoded: datagrams, malformed: 0, refused: 0, failed: 0, kernelDropped: 0, records: folded },
    windows: { folded, late: 0 }
  }) as unknown as FlowWorkerReport

describe("FlowLedger", () => {
  it("goes on counting when a thread is replaced, and says what was lost with it", () => {
    const ledger = makeFlowLedger()
    ledger.report(report(10, 100), [])
    ledger.handedOver("worker-1", 60)
    ledger.written("worker-1", 60)
    ledger.threadEnded("worker-1")
    ledger.report(report(3, 30), [])
    const totals = ledger.totals()
    assert.strictEqual(totals.datagrams, 13)
    assert.strictEqual(totals.folded, 130)
    assert.strictEqual(totals.written, 60)
    assert.strictEqual(totals.lost, 40)
    const [exporter] = ledger.exporters()
    assert.strictEqual(exporter?.datagrams, 13)
    assert.strictEqual(exporter?.recordsPerSecond, 7)
    assert.deepStrictEqual(exporter?.malformedReasons, { "set-length": 4 })
    assert.deepStrictEqual(exporter?.unknownElements, { "9.12232": 6 })
  })

  it("loses nothing when a thread handed over all it had", () => {
    const ledger = makeFlowLedger()
    ledger.report(report(10, 100), [])
    ledger.handedOver("worker-1", 100)
    ledger.threadEnded("worker-1")
    ledger.threadEnded("worker-1")
    assert.strictEqual(ledger.totals().lost, 0)
    assert.strictEqual(ledger.totals().datagrams, 10)
  })
})
