/** A tag that nobody defined is drawn as nothing, silently. So: who draws an element imports it, by name. */
import { globSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { assert, it } from "vitest"

const root = import.meta.dirname
const files = globSync("**/*.ts", { cwd: root }).filter((path) => !path.endsWith(".test.ts"))
const source = new Map(files.map((path) => [path, readFileSync(join(root, path), "utf8")]))

/** Tag → the file that defines it. */
const defined = new Map(
  [...source].flatMap(([path, text]) =>
    [...text.matchAll(/customElements\.define\("([a-z-]+)"/g)].map((match) => [match[1]!, path] as const)
  )
)

/** Drawn by templates that are not their own module's to define: the router loads pages, the root loads what comes before the frame. */
const lazily = (path: string, tag: string) =>
  tag.startsWith("page-") && (path === "routes.ts" || path === "frame/flowlens-console.ts")

it("every element a file draws is defined there or imported by it", () => {
  const missing: Array<string> = []
  for (const [path, text] of source) {
    const imported = new Set([...text.matchAll(/import (?:\{[^}]*\} from )?"([^"]+)"/g)].map((match) => basename(match[1]!)))
    for (const tag of new Set([...text.matchAll(/<([a-z]+-[a-z-]+)[\s>]/g)].map((match) => match[1]!))) {
      const where = defined.get(tag)
      if (where === undefined) missing.push(`${path} draws <${tag}>, which nobody defines`)
      else if (where !== path && !imported.has(basename(where)) && !lazily(path, tag))
        missing.push(`${path} draws <${tag}> without importing ${where}`)
    }
  }
  assert.deepStrictEqual(missing, [])
})
