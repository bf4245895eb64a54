import { assert, describe, it } from "vitest"
import { keyWords, shortcuts } from "./keys.ts"
import { nav } from "./routes.ts"

describe("the table of keys", () => {
  it("has one action a key within what can be on one page", () => {
    const everywhere = shortcuts.filter((one) => one.group !== "Map" && one.group !== "Lists")
    for (const group of ["Map", "Lists"] as const) {
      const together = [...everywhere, ...shortcuts.filter((one) => one.group === group)].map((one) => one.keys)
      assert.strictEqual(new Set(together).size, together.length, group)
    }
    assert.strictEqual(new Set(shortcuts.map((one) => one.action)).size, shortcuts.length)
  })
  it("leads to every page of the nav", () => {
    for (const { key, name } of nav) assert.strictEqual(shortcuts.find((one) => one.action === `go.${name}`)?.keys, key)
  })
  it("uses no modifier", () => {
    for (const { keys } of shortcuts) assert.notMatch(keys, /ctrl|meta|alt|shift/i)
  })
  it("writes keys as people see them", () => {
    assert.deepStrictEqual(keyWords("g o"), ["g", "o"])
    assert.deepStrictEqual(keyWords("Enter"), ["↵"])
    assert.deepStrictEqual(keyWords("Escape"), ["esc"])
  })
})
