import { assert, describe, it } from "vitest"
import { inUnit } from "../format/number.ts"
import { type Column, measure, padding } from "./column.ts"
import { matches } from "./net-palette.ts"

const column: Column<number> = { key: "v", label: "Volume", track: "1fr", number: { quantity: "bytes", of: (row) => row } }

describe("a number column", () => {
  it("has one unit and aligns its points", () => {
    const rows = [12_300_000, 1_180_000, 345_000_000, 0]
    const { decimals, unit } = measure(column, rows)!
    assert.strictEqual(unit.name, "MB")
    const shown = rows.map((row) => inUnit(row, unit))
    assert.deepStrictEqual(shown, ["12.3", "1.18", "345", "0"])
    assert.deepStrictEqual(
      shown.map((text) => (text + padding(text, decimals)).split(".")[1]?.length),
      [2, 2, 2, 2]
    )
  })
  it("is measured without rows", () => assert.strictEqual(measure(column, [])?.decimals, 0))
})

it("the palette matches letters in their order", () => {
  assert.isTrue(matches("Dependencies", "dep"))
  assert.isTrue(matches("Theme: dark", "td"))
  assert.isFalse(matches("Map", "pam"))
})
