/**
 * Decodes the corpus of real captures and compares with what other decoders made of them. The corpus is under other licences and never
 * part of the project: FLOWLENS_CORPUS names its folder (with `corpus/flows` and `tools/compare-flows.mjs`), else `../shared` is tried.
 */

import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"

const root = join(import.meta.dirname, "../..")
const shared = process.env["FLOWLENS_CORPUS"] ?? join(root, "../shared")
const flows = join(shared, "corpus/flows")
const compare = join(shared, "tools/compare-flows.mjs")
const missing = [flows, compare].filter((path) => !existsSync(path))
const found = missing.length === 0

/** The last line of the comparison: "99 of 99 cases agree; …". */
const verdict = /(\d+) of (\d+) cases agree/

describe("the corpus of real captures", () => {
  it.skipIf(!found)(
    found
      ? "is decoded as other decoders do"
      : `is decoded as other decoders do (no corpus: ${missing.join(", ")} missing; set FLOWLENS_CORPUS)`,
    { timeout: 180_000 },
    () => {
      const command = [process.execPath, join(root, "apps/appliance/cli/decode.ts")]
      const run = spawnSync(process.execPath, [compare, flows, "--", ...command], { encoding: "utf8", timeout: 170_000 })
      const lines = run.stdout.trim().split("\n")
      const [, agreeing, cases] = verdict.exec(lines.at(-1) ?? "") ?? []
      assert.isDefined(cases, run.stderr || run.stdout)
      assert.isAbove(Number(cases), 0)
      assert.strictEqual(agreeing, cases, run.stdout)
      assert.strictEqual(run.status, 0)
    }
  )
})
