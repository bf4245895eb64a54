import { assert, describe, it } from "vitest"
import { coverageOf } from "#domain/coverage.ts"
import type { ExporterTotals } from "../flow/FlowLedger.ts"
import { makeCoverageLedger } from "./CoverageLedger.ts"

const windowSeconds = 60
const start = Date.UTC(2026, 0, 5, 10)
const silentAfterMs = 90_000

const exporter = (fields: Partial<ExporterTotals>): ExporterTotals =>
  ({
    address: "192.0.2.1",
    protocol: "netflow9",
    state: "heard",
    firstSeen: start,
    lastSeen: start,
    datagrams: 0,
    records: 0,
    sequenceLost: 0,
    malformed: 0,
    heldSets: 0,
    heldDropped: 0,
    sampling: 0,
    clockSkewMs: null,
    blocked: 0,
    overLimit: 0,
    recordsRefused: 0,
    ...fields
  }) as ExporterTotals

/** An exporter that sends a datagram of ten records a second while `sends` says so. */
const played = (sends: (second: number) => boolean, lost: (second: number) => number = () => 0) => {
  const ledger = makeCoverageLedger({ windowSeconds, silentAfterMs: () => silentAfterMs })
  let [second, datagrams, sequenceLost, lastSeen, folded] = [0, 0, 0, start, 0]
  const changes: Array<number> = []
  return {
    ledger,
    changes,
    /** Seconds since `start`; each is told once. */
    to: (end: number, pressure = 1) => {
      for (; second < end; second++) {
        const at = start + second * 1000
        if (sends(second)) {
          datagrams++
          lastSeen = at
          folded += 10
        }
        sequenceLost += lost(second)
        const one = exporter({ datagrams, records: datagrams * 10, sequenceLost, lastSeen })
        const totals = { datagrams, kernelDropped: 0, folded, lost: 0 }
        if (ledger.take({ at, exporters: datagrams === 0 ? [] : [one], totals, pressure })) changes.push(second)
      }
    },
    rows: () =>
      new Map(
        ledger
          .read()
          .rows.map((row) => [(row.start - start) / 60_000, row.terms] as const)
          .sort(([a], [b]) => a - b)
      ),
    spans: () => ledger.read().spans.map(({ since, until, open }) => [(since - start) / 1000, (until - start) / 1000, open])
  }
}

describe("the coverage ledger", () => {
  it("counts what came in each window, from totals", () => {
    const play = played(() => true)
    play.to(150)
    const rows = play.rows()
    assert.deepStrictEqual(
      [...rows].map(([n, terms]) => [n, terms.datagrams, terms.records, Math.round(terms.heardSeconds)]),
      [
        [0, 60, 600, 60],
        [1, 60, 600, 60],
        [2, 30, 300, 29]
      ]
    )
    assert.deepStrictEqual(
      [...rows.values()].map((terms) => coverageOf(terms).state),
      ["good", "good", "good"]
    )
    assert.deepStrictEqual(play.spans(), [[0, 149, true]])
    assert.deepStrictEqual(play.changes, [0])
  })

  it("waits for the limit before it calls a pause silence, and then takes the time since the last datagram back", () => {
    const play = played((second) => second < 100)
    play.to(180)
    assert.strictEqual(coverageOf(play.rows().get(2)!).state, "good", "the pause is not a silence yet")
    assert.deepStrictEqual(play.spans(), [[0, 179, true]])
    play.to(200)
    assert.deepStrictEqual(play.changes, [0, 190])
    assert.deepStrictEqual(play.spans(), [[0, 99, false]])
    const rows = play.rows()
    assert.strictEqual(Math.round(rows.get(1)!.heardSeconds), 39)
    assert.deepStrictEqual([coverageOf(rows.get(1)!).state, coverageOf(rows.get(2)!).state], ["partial", "blind"])
    play.ledger.settle(true)
    play.to(600)
    assert.isFalse(play.rows().has(8), "nothing is kept of who stays silent")
  })

  it("hears an exporter that sends seldom, but within its limit", () => {
    const play = played((second) => second % 80 === 0)
    play.to(481)
    assert.deepStrictEqual(
      [...play.rows().values()].map((terms) => coverageOf(terms).state).filter((state) => state !== "good"),
      []
    )
    assert.deepStrictEqual(play.changes, [0])
  })

  it("begins a new time of looking where it is heard again", () => {
    const play = played((second) => second < 30 || second >= 300)
    play.to(310)
    assert.deepStrictEqual(play.spans(), [
      [0, 29, false],
      [300, 309, true]
    ])
  })

  it("does not look while more than half is lost, and looks again in the first window that is better", () => {
    const play = played(
      () => true,
      (second) => (second >= 60 && second < 120 ? 3 : 0)
    )
    play.to(240)
    const [first, second] = play.spans()
    assert.deepStrictEqual(first, [0, 60, false])
    assert.strictEqual(second![0], 120)
    assert.isTrue(second![2] as boolean)
    assert.strictEqual(coverageOf(play.rows().get(1)!).state, "partial")
  })

  it("has one time of looking where a window turns bad and good again, however often", () => {
    const burst = new Map([
      [5, 20],
      [25, 10],
      [91, 40],
      [105, 8]
    ])
    const play = played(
      () => true,
      (second) => burst.get(second) ?? 0
    )
    play.to(60)
    assert.deepStrictEqual(play.spans(), [[0, 59, true]])
    play.to(120)
    assert.deepStrictEqual(play.spans(), [
      [0, 60, false],
      [60, 119, true]
    ])
    assert.isAbove(play.changes.length, 4, "it was seen to change")
  })

  it("lays a gap that shows with the first datagram to the time before it", () => {
    const play = played(
      () => true,
      (second) => (second === 0 ? 5000 : 0)
    )
    play.to(10)
    assert.strictEqual(play.rows().get(0)!.sequenceLost, 0)
  })

  it("goes on in a window that an earlier run counted", () => {
    const play = played((second) => second >= 30)
    play.to(31)
    const before = { ...play.rows().get(0)!, datagrams: 7, records: 70, sequenceLost: 2, heardSeconds: 20 }
    const again = played((second) => second >= 30)
    again.ledger.resume([{ address: "192.0.2.1", protocol: "netflow9", start, terms: before }])
    again.to(60)
    const terms = again.rows().get(0)!
    assert.deepInclude(terms, { datagrams: 37, records: 370, sequenceLost: 2 })
    assert.strictEqual(Math.round(terms.heardSeconds), 49)
  })

  it("keeps what could not be stored, forgets what is settled", () => {
    const play = played(() => true)
    play.to(302)
    play.ledger.settle(false)
    assert.strictEqual(play.rows().size, 6)
    play.ledger.settle(true)
    assert.deepStrictEqual([...play.rows().keys()], [4, 5])
  })

  it("sees less of an exporter whose datagrams were turned away or whose records found no room", () => {
    const play = played(() => true)
    play.to(30)
    const totals = { datagrams: 60, kernelDropped: 0, folded: 600, lost: 0 }
    const one = exporter({ datagrams: 60, records: 600, overLimit: 20, recordsRefused: 150, lastSeen: start + 30_000 })
    play.ledger.take({ at: start + 30_000, exporters: [one], totals, pressure: 1 })
    const terms = play.rows().get(0)!
    assert.deepStrictEqual([terms.refused, terms.discardedShare], [20, 0.25])
  })

  it("stays in its window when the clock is set back", () => {
    const play = played(() => true)
    play.to(70)
    play.ledger.take({
      at: start - 3_600_000,
      exporters: [exporter({ datagrams: 75, records: 750, lastSeen: start + 69_000 })],
      totals: { datagrams: 75, kernelDropped: 0, folded: 0, lost: 0 },
      pressure: 1
    })
    assert.strictEqual(play.rows().size, 2)
    assert.strictEqual(play.rows().get(1)!.datagrams, 15)
  })
})
