/**
 * Runs every test and ends with one plain line, `N passed, N failed, N skipped`. Each skip is named with its reason, because a skipped
 * test is a claim that nobody checked.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

if (!process.version.startsWith("v26.")) {
  console.error(`flowlens: the tests run on Node 26, this is ${process.version}; start them with npm test`)
  process.exit(1)
}

interface Assertion {
  readonly fullName: string
  readonly status: "passed" | "failed" | "skipped" | "pending" | "todo"
}
interface Report {
  readonly success: boolean
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly status: string
    readonly message: string
    readonly assertionResults: ReadonlyArray<Assertion>
  }>
}

const root = join(import.meta.dirname, "..")
const folder = mkdtempSync(join(tmpdir(), "flowlens-test-"))
const file = join(folder, "report.json")
const run = spawnSync(
  process.execPath,
  [
    join(root, "node_modules/vitest/vitest.mjs"),
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${file}`,
    ...process.argv.slice(2)
  ],
  { cwd: root, stdio: "inherit" }
)

let passed = 0
let failed = 0
const skipped: Array<string> = []
try {
  const report = JSON.parse(readFileSync(file, "utf8")) as Report
  for (const suite of report.testResults) {
    // a file that could not be loaded has no assertions but is a failure
    if (suite.assertionResults.length === 0 && suite.status === "failed") {
      failed++
      console.log(`failed to load ${suite.name.slice(root.length + 1)}: ${suite.message.split("\n")[0]}`)
    }
    for (const test of suite.assertionResults) {
      if (test.status === "passed") passed++
      else if (test.status === "failed") failed++
      else skipped.push(`${suite.name.slice(root.length + 1)}: ${test.fullName}`)
    }
  }
} catch (error) {
  console.error(`flowlens: the test runner left no report: ${error}`)
  failed++
} finally {
  rmSync(folder, { recursive: true, force: true })
}
for (const name of skipped) console.log(`skipped ${name}`)
console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`)
process.exit(run.status === 0 && failed === 0 && passed > 0 ? 0 : 1)
