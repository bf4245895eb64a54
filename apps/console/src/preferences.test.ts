import { assert, it } from "vitest"
import { defaults, readPreferences } from "./preferences.ts"

it("takes what it can read and leaves the rest at its default", () => {
  assert.deepStrictEqual(readPreferences(null), defaults)
  assert.deepStrictEqual(readPreferences("not json"), defaults)
  assert.deepStrictEqual(readPreferences("[]"), defaults)
  assert.deepStrictEqual(readPreferences(`{"theme":"light","density":"huge","unknown":1,"keys":false}`), {
    ...defaults,
    theme: "light",
    keys: false
  })
})
