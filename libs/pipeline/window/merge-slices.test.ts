import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makePortRanks } from "#domain/PortRank.ts"
import type { SliceExporter, WindowSlice } from "#domain/Window.ts"
import { randomFrom, type TestRecord, toBatch } from "../../../test/rig/flow-records.ts"
import { services } from "../enrich/services.ts"
import { makeMerger } from "./merge-slices.ts"
import { makeWindows } from "./window.ts"

const ranks = makePortRanks(services)
const noon = Date.UTC(2023, 10, 14, 12)

/** Two of them are one device. */
const names: ReadonlyArray<SliceExporter> = [
  { address: "192.0.2.1", protocol: "netflow9" },
  { address: "192.0.2.1", protocol: "sflow5" },
  { address: "192.0.2.2", protocol: "ipfix" },
  { address: "192.0.2.3", protocol: "netflow5" }
]

/** `first`: the exporter that this worker numbers 0. */
const makeWorker = (worker: string, seed: number, first = 0) => {
  const windows = makeWindows({
    boot: "boot",
    worker,
    windowSeconds: 300,
    latenessSeconds: 60,
    ranks,
    seed,
    exporter: (index) => names[(index + first) % 4]!
  })
  return {
    fold: (record: TestRecord) => {
      const exporters = { skewMs: new Float64Array(4), sampling: new Uint32Array(4) }
      windows.fold(toBatch([{ ...record, exporter: (record.exporter - first + 4) % 4 }]), exporters, noon + 1000)
    },
    flush: () => windows.flush(noon + 1000, 9)
  }
}

const randomRecord = (random: (below: number) => number): TestRecord => ({
  exporter: random(4),
  family: random(2) === 0 ? 4 : 6,
  source: random(5),
  destination: random(5),
  // few ports, most of which say nothing about who serves
  sourcePort: [443, 50_001, 50_002, 50_003][random(4)]!,
  destinationPort: [443, 50_001, 50_002, 50_003][random(4)]!,
  protocol: [6, 17, 1][random(3)]!,
  flags: random(256),
  bytes: random(1_000_000),
  packets: random(100),
  start: noon + random(500),
  end: noon + 500 + random(400),
  sampling: [0, 1, 100][random(3)]!,
  direction: random(3) === 0 ? 1 : 0
})

const address = (slice: WindowSlice, family: number, value: number) =>
  family === 4 ? `v4:${value}` : `v6:${Array.from(slice.ipv6.subarray(value * 16, value * 16 + 16)).join(".")}`

/** Sums of every conversation by its two ends, whichever is called `a`: what merging must not change. */
const conversations = (slices: ReadonlyArray<WindowSlice>) => {
  const all = new Map<string, Record<string, number>>()
  let rows = 0
  for (const slice of slices) {
    const c = slice.columns
    const outOf = new Map(Array.from(slice.egress?.row ?? [], (row, i) => [row, i]))
    assert.strictEqual(outOf.size, slice.egress?.row.length ?? 0)
    rows += slice.rows
    for (let row = 0; row < slice.rows; row++) {
      const folded = c.folded[row]!
      const [family, protocol, aPort, bPort] = [c.family[row]!, c.protocol[row]!, c.aPort[row]!, c.bPort[row]!]
      const a = `${address(slice, family, c.a[row]!)} ${folded === 1 ? "*" : aPort}`
      const b = `${address(slice, family, c.b[row]!)} ${bPort}`
      const turned = folded === 0 && a > b
      const key = `${Object.values(slice.exporters[c.exporter[row]!]!)} ${protocol} ${folded} ${turned ? `${b} ${a}` : `${a} ${b}`}`
      const [ab, ba] = turned ? (["Ba", "Ab"] as const) : (["Ab", "Ba"] as const)
      const [beganAb, beganBa] = turned ? ([c.beganB, c.beganA] as const) : ([c.beganA, c.beganB] as const)
      const sums = all.get(key) ?? { first: Number.MAX_VALUE }
      all.set(key, sums)
      const add = (name: string, value: number) => (sums[name] = (sums[name] ?? 0) + value)
      for (const [name, way] of [
        ["there", ab],
        ["back", ba]
      ] as const) {
        for (const kind of ["records", "bytes", "packets", "syn", "synAck"] as const)
          add(`${kind} ${name}`, c[`${kind}${way}`][row]!)
        sums[`flags ${name}`] = (sums[`flags ${name}`] ?? 0) | c[`flags${way}`][row]!
        const i = outOf.get(row)
        for (const kind of ["records", "bytes", "packets"] as const)
          add(`egress ${kind} ${name}`, i === undefined ? 0 : slice.egress![`${kind}${way}`][i]!)
      }
      add("began there", beganAb[row]!)
      add("began back", beganBa[row]!)
      add("rawBytes", c.rawBytes[row]!)
      add("rawPackets", c.rawPackets[row]!)
      sums["sampling"] = Math.max(sums["sampling"] ?? 0, c.sampling[row]!)
      sums["first"] = Math.min(sums["first"]!, c.first[row]!)
      sums["last"] = Math.max(sums["last"] ?? 0, c.last[row]!)
    }
  }
  return { all, rows }
}

const mergedOf = (slices: ReadonlyArray<WindowSlice>): WindowSlice => {
  const merger = makeMerger(11)
  for (const slice of slices) merger.add(slice)
  return merger.merged()!
}

describe("merge-slices", () => {
  it.prop("joins the rows of each conversation and changes no sum, however records were spread", [Schema.Int], ([seed]) => {
    const random = randomFrom(seed)
    const workers = [makeWorker("worker-1", seed, 0), makeWorker("worker-2", seed + 1, 2)]
    const slices: Array<WindowSlice> = []
    for (let i = 0; i < 300; i++) {
      workers[random(2)]!.fold(randomRecord(random))
      if (random(60) === 0) slices.push(...workers[random(2)]!.flush())
    }
    for (const worker of workers) slices.push(...worker.flush())
    const merged = mergedOf(slices)
    const before = conversations(slices)
    const after = conversations([merged])
    assert.deepStrictEqual(after.all, before.all)
    // joined wholly: no two rows say the same conversation
    assert.strictEqual(after.rows, after.all.size)
    assert.strictEqual(merged.rows, merged.columns.a.length)
    assert.strictEqual(
      merged.records,
      slices.reduce((sum, slice) => sum + slice.records, 0)
    )
  })

  it("is what one worker would have made of all records, but for what it saw from one to the next", () => {
    const random = randomFrom(5)
    const records = Array.from({ length: 500 }, () => randomRecord(random))
    const one = makeWorker("worker-1", 1)
    records.forEach(one.fold)
    const two = [makeWorker("worker-1", 2), makeWorker("worker-2", 3, 1)]
    records.forEach((record, i) => two[i % 2]!.fold(record))
    const strip = (slices: ReadonlyArray<WindowSlice>) =>
      [...conversations(slices).all].map(([key, { "began there": _, "began back": __, ...sums }]) => [key, sums] as const).sort()
    assert.deepStrictEqual(strip([mergedOf(two.flatMap((worker) => worker.flush()))]), strip(one.flush()))
  })

  it("knows that a folded end changed its port when each slice saw only one", () => {
    const worker = makeWorker("worker-1", 1)
    const random = randomFrom(1)
    const record = { ...randomRecord(random), family: 4 as const, source: 1, destination: 2, destinationPort: 443, protocol: 6 }
    worker.fold({ ...record, sourcePort: 50_001 })
    const [first] = worker.flush()
    worker.fold({ ...record, sourcePort: 50_002 })
    const merged = mergedOf([first!, ...worker.flush()])
    assert.deepStrictEqual([merged.rows, merged.columns.aPorts[0], merged.columns.aPort[0]], [1, 1, 50_001])
  })

  it("takes an exporter of an earlier version, which did not say its protocol, for the one at that address", () => {
    const worker = makeWorker("worker-1", 1)
    const record = { ...randomRecord(randomFrom(1)), exporter: 2 }
    worker.fold(record)
    const [told] = worker.flush()
    const untold = { ...told!, exporters: [{ address: "192.0.2.2" }] }
    for (const slices of [
      [told!, untold],
      [untold, told!]
    ]) {
      const merged = mergedOf(slices)
      assert.deepStrictEqual([merged.rows, merged.exporters], [1, [names[2]!]])
    }
    const other = { ...told!, exporters: [{ address: "192.0.2.2", protocol: "sflow5" as const }] }
    assert.strictEqual(mergedOf([untold, told!, other]).rows, 2)
  })

  it("is final when one of them is, and keeps the larger mark of sampling", () => {
    const worker = makeWorker("worker-1", 1)
    worker.fold(randomRecord(randomFrom(1)))
    const [slice] = worker.flush()
    const merged = mergedOf([
      { ...slice!, pressureSampling: 10 },
      { ...slice!, final: true }
    ])
    assert.deepStrictEqual([merged.final, merged.pressureSampling], [true, 10])
    assert.isUndefined(makeMerger().merged())
    assert.throws(() => mergedOf([slice!, { ...slice!, windowStart: slice!.windowStart + 300_000 }]))
  })
})
