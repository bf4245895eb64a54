/** Every parser that reads octets from the network or from a file, for a moment of each run; `npm run fuzz` goes on for longer. */
import { assert, describe, it } from "vitest"
import { fuzz, type SubjectName, subjects } from "./run.ts"

const seconds = Number(process.env["FLOWLENS_FUZZ_SECONDS"] ?? 1)

describe("under broken input", () => {
  for (const protocol of Object.keys(subjects) as ReadonlyArray<SubjectName>) {
    it(
      `the reader of ${protocol} neither throws nor loops, stays within its bounds, and its accounts add up`,
      async () => {
        const run = await fuzz(protocol, seconds, 1)
        assert.deepStrictEqual(run.finds, [])
        assert.isAbove(run.executions, 100)
        assert.isAbove(run.behaviours, 1)
      },
      (seconds + 60) * 1000
    )
  }
})
