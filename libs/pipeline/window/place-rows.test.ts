import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { WindowSlice } from "#domain/Window.ts"
import { randomFrom, toBatch } from "../../../test/rig/flow-records.ts"
import { balanced, exporterColumns, flow, fold, makeTestWindows, noon, span, sum, totals } from "./windows.fixture.ts"

describe("the windows of a record", () => {
  it("splits a flow over the windows it lasted through, by the time it spent in each; it is counted where it ended", () => {
    const windows = makeTestWindows({ latenessSeconds: 700 })
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
    const windows = makeTestWindows()
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
    const windows = makeTestWindows({ latenessSeconds: 0 })
    fold(windows, [{ ...flow, start: noon - 900_000, end: noon + 100, bytes: 1000 }], noon + 200)
    assert.deepStrictEqual(
      windows.flush(noon + 200, 9).map((slice) => [slice.windowStart, slice.records, sum(slice.columns.bytesAb)]),
      [[noon, 1, 1000]]
    )
    assert.deepInclude(windows.account(), { folded: 1, moved: 1, late: 0 })
  })

  it.each([
    [300, 300],
    [501, 0]
  ])("splits records of %d conversations where there is room for 1000: %d", (conversations, split) => {
    const windows = makeTestWindows({ maxConversations: 1000 })
    const records = Array.from({ length: conversations }, (_, i) => ({ ...flow, source: i, bytes: 1001 }))
    const at = (start: number, end: number) => records.map((record) => ({ ...record, start, end }))
    fold(windows, at(noon - 20_000, noon - 10_000), noon - 9000)
    const before = windows.flush(noon - 8000, 9)
    // Past the edge all of them again, which began before it.
    fold(windows, at(noon - 5000, noon + 4999), noon + 5000)
    const after = windows.flush(noon + 6000, 9)
    assert.deepInclude(windows.account(), { folded: 2 * conversations, split, refusedConversations: 0, refusedParts: 0 })
    assert.strictEqual(totals([...before, ...after]).bytes, 2 * conversations * 1001)
    balanced(windows)
  })

  it("refuses a record without addresses once, however many windows it lasted through (fuzz)", () => {
    const windows = makeTestWindows({ latenessSeconds: 700 })
    fold(
      windows,
      [{ ...flow, family: 0, start: noon - span - 100_000, end: noon + 99_999, bytes: 5001, packets: 7 }],
      noon + 100_000
    )
    assert.deepInclude(windows.account(), { records: 1, folded: 0, refusedNoAddress: 1, split: 0 })
    balanced(windows)
  })

  it("takes records of a window until its lateness allowance is over, then counts them late", () => {
    const windows = makeTestWindows()
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
    const windows = makeTestWindows()
    const years = 5 * 365 * 24 * 3600 * 1000
    fold(windows, [{ ...flow, start: noon - years + 500, end: noon - years + 1000 }], noon + 2000, [years])
    const [slice] = windows.flush(noon + 3000, 9)
    assert.strictEqual(slice?.windowStart, noon)
    assert.strictEqual(slice?.columns.first[0], noon + 500)
    assert.strictEqual(slice?.columns.last[0], noon + 1000)
  })

  it("folds what lies beyond the next window, or before yesterday, at its arrival and counts it", () => {
    const windows = makeTestWindows()
    fold(windows, [{ ...flow, end: noon + 2 * span }, { ...flow, end: noon - 50 * 24 * 3600_000 }, flow], noon + 1000)
    const [slice] = windows.flush(noon + 1000, 9)
    assert.deepStrictEqual([slice?.windowStart, slice?.records], [noon, 3])
    const { future, implausible } = windows.account()
    assert.deepStrictEqual([future, implausible], [1, 1])
    balanced(windows)
  })

  it.prop(
    "sums over all windows, and what was late, are what was exported, whatever times and volumes records have",
    [Schema.Int],
    ([seed]) => {
      const random = randomFrom(seed)
      const windows = makeTestWindows({ latenessSeconds: random(2) * 400 })
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
        windows.fold(batch, exporterColumns([skew]), now)
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
