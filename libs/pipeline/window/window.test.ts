import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makePortRanks } from "#domain/PortRank.ts"
import type { WindowSlice } from "#domain/Window.ts"
import { randomFrom, type TestRecord, toBatch } from "../../../test/rig/flow-records.ts"
import { services } from "../enrich/services.ts"
import { makeWindows, type WindowOptions, type Windows } from "./window.ts"

const ranks = makePortRanks(services)
const span = 300_000
const noon = 1_700_000_100_000 - (1_700_000_100_000 % span)

const make = (options: Partial<WindowOptions> = {}): Windows =>
  makeWindows({
    maxConversations: 10_000,
    boot: "boot",
    worker: "worker-1",
    windowSeconds: 300,
    latenessSeconds: 60,
    ranks,
    seed: 7,
    exporter: (index) => ({ address: `192.0.2.${index + 1}`, protocol: "netflow9" }),
    ...options
  })

const flow: TestRecord = {
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
  end: 0,
  sampling: 1
}

const columns = (skewMs: ReadonlyArray<number> = [0, 0, 0, 0]) => ({
  skewMs: Float64Array.from(skewMs),
  sampling: new Uint32Array(skewMs.length)
})

const fold = (windows: Windows, records: ReadonlyArray<TestRecord>, arrival: number, skew?: ReadonlyArray<number>) =>
  windows.fold(toBatch(records), columns(skew), arrival)

const balanced = (windows: Windows) => {
  const { failed, folded, late, records, refusedConversations, refusedNoAddress, skipped } = windows.account()
  assert.strictEqual(records, folded + late + refusedConversations + refusedNoAddress + skipped)
  assert.strictEqual(failed, 0)
}
const sum = (values: ArrayLike<number>) => Array.from(values).reduce((all, one) => all + one, 0)
const totals = (slices: ReadonlyArray<WindowSlice>) =>
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

describe("window", () => {
  it("splits a flow over the windows it lasted through, by the time it spent in each; it is counted where it ended", () => {
    const windows = make({ latenessSeconds: 700 })
    fold(windows, [{ ...flow, start: noon - span - 100_000, end: noon + 99_999, bytes: 5001, packets: 7 }], noon + 100_000)
    assert.deepStrictEqual(
      windows
        .flush(noon + 100_000, 9)
        .map(({ columns: c, records, windowStart }) => [windowStart, records, c.bytesAb[0], c.packetsAb[0], c.first[0], c.last[0]]),
      [
        [noon - 2 * span, 0, 1000, 1, noon - span - 100_000, noon - span - 1],
        [noon - span, 0, 3000, 4, noon - span, noon - 1],
        [noon, 1, 1001, 2, noon - span - 100_000, noon + 99_999]
      ]
    )
    assert.deepInclude(windows.account(), { folded: 1, split: 1, moved: 0, refusedParts: 0 })
  })

  it("knows where an edge is: a last millisecond before it, on it, and flows of no time at all", () => {
    const windows = make()
    const placed = (start: number, end: number) => {
      fold(windows, [{ ...flow, start, end, bytes: 10, packets: 10 }], noon + 10)
      return windows
        .flush(noon + 10, 9)
        .map((slice) => [(slice.windowStart - noon) / span, slice.records, sum(slice.columns.bytesAb)])
    }
    assert.deepStrictEqual(placed(noon - 10, noon - 1), [[-1, 1, 10]])
    assert.deepStrictEqual(placed(noon - 9, noon), [
      [-1, 0, 9],
      [0, 1, 1]
    ])
    assert.deepStrictEqual(placed(noon, noon), [[0, 1, 10]])
    assert.deepStrictEqual(placed(noon - 1, noon - 1), [[-1, 1, 10]])
    // no start; a start after the end; a start of another age
    for (const start of [0, noon + 5000, noon - 3 * 24 * 3600_000]) assert.deepStrictEqual(placed(start, noon), [[0, 1, 10]])
  })

  it("moves the share of a window that is closed into the oldest open one, and counts the record", () => {
    const windows = make({ latenessSeconds: 0 })
    fold(windows, [{ ...flow, start: noon - 900_000, end: noon + 100, bytes: 1000 }], noon + 200)
    assert.deepStrictEqual(
      windows.flush(noon + 200, 9).map((slice) => [slice.windowStart, slice.records, sum(slice.columns.bytesAb)]),
      [[noon, 1, 1000]]
    )
    assert.deepInclude(windows.account(), { folded: 1, moved: 1, late: 0 })
  })

  it("refuses a record without addresses once, however many windows it lasted through (fuzz)", () => {
    const windows = make({ latenessSeconds: 700 })
    fold(
      windows,
      [{ ...flow, family: 0, start: noon - span - 100_000, end: noon + 99_999, bytes: 5001, packets: 7 }],
      noon + 100_000
    )
    assert.deepInclude(windows.account(), { records: 1, folded: 0, refusedNoAddress: 1, split: 0 })
    balanced(windows)
  })

  it("takes records of a window until its lateness allowance is over, then counts them late", () => {
    const windows = make()
    const record = { ...flow, end: noon + span - 1 }
    fold(windows, [record], noon + span + 59_000)
    const [first] = windows.flush(noon + span + 59_999, 9)
    assert.deepStrictEqual([first?.windowStart, first?.final, first?.records], [noon, false, 1])
    const [last] = windows.flush(noon + span + 60_000, 9)
    assert.deepStrictEqual([last?.windowStart, last?.final, last?.rows], [noon, true, 0])
    fold(windows, [record], noon + span + 61_000)
    assert.strictEqual(windows.account().late, 1)
    assert.deepStrictEqual(windows.flush(noon + span + 62_000, 9), [])
    balanced(windows)
  })

  it("corrects an exporter's clock, so that a capture of another year lands where it arrives", () => {
    const windows = make()
    const years = 5 * 365 * 24 * 3600 * 1000
    fold(windows, [{ ...flow, start: noon - years + 500, end: noon - years + 1000 }], noon + 2000, [years])
    const [slice] = windows.flush(noon + 3000, 9)
    assert.strictEqual(slice?.windowStart, noon)
    assert.strictEqual(slice?.columns.first[0], noon + 500)
    assert.strictEqual(slice?.columns.last[0], noon + 1000)
  })

  it("folds what lies beyond the next window, or before yesterday, at its arrival and counts it", () => {
    const windows = make()
    fold(windows, [{ ...flow, end: noon + 2 * span }, { ...flow, end: noon - 50 * 24 * 3600_000 }, flow], noon + 1000)
    const [slice] = windows.flush(noon + 1000, 9)
    assert.deepStrictEqual([slice?.windowStart, slice?.records], [noon, 3])
    const { future, implausible } = windows.account()
    assert.deepStrictEqual([future, implausible], [1, 1])
    balanced(windows)
  })

  it("reports a window in which nothing came, once it is over", () => {
    const windows = make()
    fold(windows, [flow], noon + 61_000)
    windows.flush(noon + 61_000, 9)
    const after = windows.flush(noon + 2 * span + 60_000, 9)
    assert.deepStrictEqual(
      after.map((slice) => [slice.windowStart, slice.final, slice.records]),
      [
        [noon, true, 0],
        [noon + span, true, 0]
      ]
    )
  })

  it("keeps merged what may not leave yet, oldest window first", () => {
    const windows = make()
    fold(windows, [{ ...flow, end: noon - 1 }, flow], noon + 1)
    assert.deepStrictEqual(
      windows.flush(noon + 2, 1).map((slice) => slice.windowStart),
      [noon - span]
    )
    fold(windows, [flow], noon + 3)
    assert.deepStrictEqual(
      windows.flush(noon + 4, 1).map((slice) => [slice.windowStart, slice.records, slice.rows]),
      [[noon, 2, 1]]
    )
  })

  it("numbers its slices, and names the exporters of each", () => {
    const windows = make()
    fold(
      windows,
      [
        { ...flow, exporter: 3 },
        { ...flow, exporter: 1 }
      ],
      noon + 1
    )
    const first = windows.flush(noon + 1, 9)[0]!
    assert.strictEqual(first.exporters.map(({ address }) => address).join(), "192.0.2.4,192.0.2.2")
    assert.deepStrictEqual([...first.columns.exporter], [0, 1])
    fold(windows, [flow], noon + 2)
    assert.deepStrictEqual([first.sequence, windows.flush(noon + 2, 9)[0]?.sequence], [0, 1])
  })

  it("opens its past again when the clock is set back", () => {
    const windows = make()
    fold(windows, [flow], noon + 10 * span)
    windows.flush(noon + 10 * span, 9)
    windows.flush(noon, 9)
    fold(windows, [flow], noon)
    assert.strictEqual(windows.account().late, 0)
  })

  it("under pressure keeps one of N, multiplies what it keeps, marks the slice, and counts the rest", () => {
    const windows = make()
    windows.keepOneOf(10)
    for (let i = 0; i < 100; i++)
      fold(
        windows,
        Array.from({ length: 100 }, (_, n) => ({ ...flow, source: n })),
        noon + 1
      )
    const [slice] = windows.flush(noon + 2, 9)
    assert.strictEqual(slice?.pressureSampling, 10)
    const { folded, skipped } = windows.account()
    assert.strictEqual(folded + skipped, 10_000)
    // A binomial of 10,000 with 0.1: 1,000 ± 30; six deviations.
    assert.isTrue(Math.abs(folded - 1000) < 180, String(folded))
    assert.strictEqual(totals([slice!]).bytes, folded * 10_000)
    windows.keepOneOf(1)
    fold(windows, [flow], noon + 3)
    windows.flush(noon + 3, 9)
    fold(windows, [flow], noon + 4)
    assert.strictEqual(windows.flush(noon + 4, 9)[0]?.pressureSampling, 1)
    balanced(windows)
  })

  it("holds no more conversations than it may in all windows together, and takes more after a flush", () => {
    const windows = make({ maxConversations: 10 })
    const many = (end: number) => Array.from({ length: 8 }, (_, n) => ({ ...flow, source: n + 1, end }))
    fold(windows, [...many(noon - 1), ...many(noon)], noon + 1)
    assert.strictEqual(windows.account().refusedConversations, 6)
    assert.strictEqual(windows.conversations(), 10)
    windows.flush(noon + 2, 9)
    fold(windows, many(noon + 2), noon + 3)
    assert.strictEqual(windows.account().refusedConversations, 6)
    balanced(windows)
  })

  it("leaves a window that is not over to whoever starts next when it closes", () => {
    const windows = make()
    fold(windows, [flow], noon + 1)
    assert.deepStrictEqual(
      windows.close(noon + 2).map((slice) => [slice.records, slice.final]),
      [[1, false]]
    )
  })

  it.prop("sums of all slices are the sums of all records, however they come", [Schema.Int], ([seed]) => {
    const random = randomFrom(seed)
    const windows = make()
    const slices: Array<WindowSlice> = []
    let bytes = 0
    let rawBytes = 0
    let packets = 0
    let records = 0
    let now = noon
    for (let batch = 0; batch < 20; batch++) {
      now += random(90_000)
      const rows = Array.from({ length: random(40) }, (): TestRecord => {
        const ago = random(50_000)
        return {
          ...flow,
          exporter: random(4),
          source: random(20),
          destination: random(20),
          sourcePort: random(65_536),
          destinationPort: [443, 53, random(65_536)][random(3)]!,
          protocol: [6, 17, 1][random(3)]!,
          bytes: random(100_000),
          packets: random(100),
          start: random(3) === 0 ? 0 : now - ago - random(10_000),
          end: random(3) === 0 ? 0 : now - ago,
          sampling: [0, 1, 100][random(3)]!
        }
      })
      fold(windows, rows, now)
      records += rows.length
      for (const row of rows) {
        bytes += row.bytes * Math.max(1, row.sampling)
        packets += row.packets * Math.max(1, row.sampling)
        rawBytes += row.bytes
      }
      if (random(3) === 0) slices.push(...windows.flush(now, 1 + random(2)))
    }
    slices.push(...windows.close(now))
    balanced(windows)
    assert.strictEqual(windows.account().late, 0)
    assert.deepStrictEqual(totals(slices), { records, rowRecords: records, bytes, packets, rawBytes })
    assert.deepStrictEqual(
      slices.map((slice) => slice.sequence),
      slices.map((_, i) => i)
    )
  })

  it.prop(
    "sums over all windows, and what was late, are what was exported, whatever times and volumes records have",
    [Schema.Int],
    ([seed]) => {
      const random = randomFrom(seed)
      const windows = make({ latenessSeconds: random(2) * 400 })
      const slices: Array<WindowSlice> = []
      const exported = { bytes: 0, packets: 0, back: 0 }
      const late = { bytes: 0, packets: 0, back: 0 }
      let now = noon
      let records = 0
      const skew = random(1000) - 500
      for (let i = 0; i < 60; i++) {
        now += random(40_000)
        const time = () =>
          [
            0,
            86_400_000,
            now * 2,
            now - random(500),
            now - random(2_000_000),
            now - (now % span) - skew,
            now - random(400_000_000)
          ][random(7)]!
        const record = {
          ...flow,
          family: ([4, 6] as const)[random(2)]!,
          source: random(5),
          bytes: random(2) === 0 ? random(100) : random(0x7fff_ffff) * random(1000),
          packets: random(2) === 0 ? random(5) : random(1_000_000),
          start: time(),
          end: time()
        }
        const batch = toBatch([record])
        batch.reverseBytes[0] = random(3) === 0 ? random(1_000_000) : 0
        const back = batch.reverseBytes[0]!
        const lateBefore = windows.account().late
        windows.fold(batch, columns([skew]), now)
        const into = windows.account().late > lateBefore ? late : exported
        into.bytes += record.bytes
        into.packets += record.packets
        into.back += back
        records++
        if (random(3) === 0) slices.push(...windows.flush(now, 9))
      }
      slices.push(...windows.close(now))
      balanced(windows)
      const held = totals(slices)
      assert.deepStrictEqual(
        [held.bytes, held.packets, held.rawBytes],
        [exported.bytes + exported.back, exported.packets, exported.bytes + exported.back]
      )
      assert.strictEqual(held.records + windows.account().late, records)
      assert.strictEqual(windows.account().refusedParts, 0)
    }
  )
})
