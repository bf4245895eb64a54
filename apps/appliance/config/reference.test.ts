import * as NodeFs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { configTable, resolveConfig } from "../config.ts"
import { exampleFile, exampleProblem, referencePage } from "./reference.ts"
import { knobsOf, variableOf } from "./resolve.ts"

const page = new URL("../../../docs/configuration.md", import.meta.url)

describe("docs/configuration.md", () => {
  it("is what the table says (FLOWLENS_UPDATE=1 rewrites it)", () => {
    const expected = referencePage(configTable)
    if (process.env["FLOWLENS_UPDATE"] === "1") NodeFs.writeFileSync(page, expected)
    assert.strictEqual(NodeFs.readFileSync(page, "utf8"), expected)
  })

  it("names every knob, its variable and what is allowed, once", () => {
    const text = referencePage(configTable)
    for (const [name, knob] of knobsOf(configTable)) {
      assert.strictEqual(text.split(`| \`${name}\` |`).length, 2, name)
      assert.include(text, `\`${variableOf(name)}\` |`)
      assert.include(text, knob.description)
      assert.notMatch(knob.description, /\.$/)
    }
  })

  it("shows an example that is accepted and a problem that is told in these words", () => {
    assert.isTrue(Result.isSuccess(resolveConfig({ fileText: exampleFile, env: {} })))
    const told = resolveConfig({ fileText: exampleProblem.file, env: {} })
    assert.deepStrictEqual(Result.isFailure(told) && told.failure.map((one) => one.message), [exampleProblem.message])
  })
})
