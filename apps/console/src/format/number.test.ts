import { assert, describe, it } from "vitest"
import { alone, briefly, decimalsOf, exactly, inUnit, perCent, tickText, unitFor, unitForAll } from "./number.ts"

describe("numbers", () => {
  it("shows three significant digits in one unit", () => {
    const unit = unitFor("bytes", [41_234_567])
    assert.strictEqual(unit.name, "MB")
    assert.deepStrictEqual(
      [41_234_567, 4_123_456, 412_345, 999_499_999].map((value) => inUnit(value, unit)),
      ["41.2", "4.12", "0.412", "999"]
    )
  })
  it("changes the unit where rounding would show four digits", () => {
    assert.strictEqual(alone("bytes", 999_499), "999 kB")
    assert.strictEqual(alone("bytes", 999_600), "1.00 MB")
    assert.strictEqual(alone("bits", 1_500_000_000), "1.50 Gbit/s")
  })
  it("tells zero, no data and too small apart", () => {
    const unit = unitFor("bytes", [5e12])
    assert.deepStrictEqual(
      [0, null, undefined, 1000].map((value) => inUnit(value, unit)),
      ["0", "–", "–", "<0.001"]
    )
  })
  it("keeps counts plain until they are long, and groups their digits", () => {
    assert.strictEqual(alone("count", 0), "0")
    assert.strictEqual(alone("count", 12_345), "12\u202f345")
    assert.strictEqual(alone("count", 2_345_678n), "2.35M")
  })
  it("chooses a column's unit by its middle, not by its giant", () => {
    assert.strictEqual(unitForAll("bytes", [7_100_000_000_000, 2e9, 3e9, 4e9, 1e6]).name, "GB")
    assert.strictEqual(unitForAll("bytes", [7_100_000_000_000_000, 2e3, 3e3]).name, "TB")
    assert.strictEqual(unitForAll("bytes", []).name, "B")
    assert.strictEqual(unitForAll("bytes", [null, 0]).name, "B")
  })
  it("keeps what is past 2^53 exact for title and clipboard", () => {
    assert.strictEqual(exactly(9_007_199_254_740_993n), "9007199254740993")
  })
  it("says rates briefly in the status line", () => {
    assert.deepStrictEqual([0, 999.4, 41_234, 1_000_000].map(briefly), ["0", "999", "41.2k", "1.00M"])
  })
  it("never rounds a share to certainty", () => {
    assert.deepStrictEqual([0, 0.004, 0.5, 0.996, 0.99999, 1].map(perCent), ["0 %", "0.4 %", "50 %", "99.6 %", "99.9 %", "100 %"])
  })
  it("writes ticks without zeros that say nothing, and counts decimals for padding", () => {
    assert.strictEqual(tickText(15_000_000, unitFor("bytes", [15_000_000])), "15")
    assert.strictEqual(tickText(2_500_000, unitFor("bytes", [15_000_000])), "2.5")
    assert.deepStrictEqual(["12", "1.2", "0.004"].map(decimalsOf), [0, 1, 3])
  })
})
