import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { WindowSlice } from "#domain/Window.ts"
import { randomFrom, type TestRecord } from "../../../test/rig/flow-records.ts"
import { balanced, flow, fold, makeTestWindows, noon, span, totals } from "./windows.fixture.ts"

describe("window", () => {
  it("reports a window in which nothing came, once it is over", () => {
    const windows = makeTestWindows()
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

  it.each([1, 2, 3, 4, 5, 6, 7])("takes %d rows as they are, whatever was in the rows behind them before", (count) => {
    const windows = makeTestWindows()
    // No address; IPv6 and late; on the way out: all that is listed by its row.
    const before: ReadonlyArray<TestRecord> = Array.from({ length: 8 }, (_, i) =>
      i % 2 === 0
        ? { ...flow, family: 0 }
        : i % 4 === 1
          ? { ...flow, family: 6, end: noon - 2 * span }
          : { ...flow, source: i, direction: 1 }
    )
    fold(windows, [...before, flow], noon + 1)
    const was = windows.account()
    assert.deepStrictEqual([was.folded, was.late, was.refusedNoAddress], [3, 2, 4])
    windows.flush(noon + 2, 9)
    fold(
      windows,
      Array.from({ length: count }, () => flow),
      noon + 3
    )
    const slices = windows.flush(noon + 4, 9)
    assert.deepStrictEqual(
      slices.map(({ egress, records, rows }) => [records, rows, egress]),
      [[count, 1, undefined]]
    )
    assert.deepStrictEqual({ ...windows.account(), records: 0, folded: 0 }, { ...was, records: 0, folded: 0 })
    balanced(windows)
  })

  it("keeps merged what may not leave yet, oldest window first", () => {
    const windows = makeTestWindows()
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
    const windows = makeTestWindows()
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
    const windows = makeTestWindows()
    fold(windows, [flow], noon + 10 * span)
    windows.flush(noon + 10 * span, 9)
    windows.flush(noon, 9)
    fold(windows, [flow], noon)
    assert.strictEqual(windows.account().late, 0)
  })

  it("under pressure keeps one of N, multiplies what it keeps, marks the slice, and counts the rest", () => {
    const windows = makeTestWindows()
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
    const windows = makeTestWindows({ maxConversations: 10 })
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
    const windows = makeTestWindows()
    fold(windows, [flow], noon + 1)
    assert.deepStrictEqual(
      windows.close(noon + 2).map((slice) => [slice.records, slice.final]),
      [[1, false]]
    )
  })

  it.prop("sums of all slices are the sums of all records, however they come", [Schema.Int], ([seed]) => {
    const random = randomFrom(seed)
    const windows = makeTestWindows()
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
})
