/** Pages that must not drift from the code. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { warningKinds } from "../apps/appliance/health/warnings.ts"

const page = (name: string) => readFileSync(join(import.meta.dirname, "..", name), "utf8")

describe("documentation", () => {
  it("has a troubleshooting section for every warning, and no other", () => {
    const sections = [...page("docs/troubleshoot.md").matchAll(/^### (\S+)$/gm)].map((m) => m[1]!)
    assert.deepStrictEqual([...sections].sort(), Object.keys(warningKinds).sort())
  })

  it("names only scripts that exist in its shell lines", () => {
    const scripts = Object.keys(JSON.parse(page("package.json")).scripts as Record<string, string>)
    for (const name of ["README.md", "docs/start.md", "docs/install.md", "docs/operate.md", "docs/troubleshoot.md"]) {
      for (const [, script] of page(name).matchAll(/npm run (?:-s )?([a-z:-]+)/g)) assert.include(scripts, script!, name)
    }
  })
})
