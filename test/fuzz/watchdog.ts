/** A thread beside the fuzzed one: where an input does not come to its end, it is this one that can still say which. */
import { writeSync } from "node:fs"
import { workerData } from "node:worker_threads"

const { counts, input, seconds } = workerData as { counts: Int32Array; input: Uint8Array; seconds: number }
let last = -1
setInterval(() => {
  const now = Atomics.load(counts, 0)
  if (now === last) {
    writeSync(
      2,
      `an input has not come to its end in ${seconds} s: ${Buffer.from(input.subarray(0, Atomics.load(counts, 1))).toString("hex")}\n`
    )
    process.exit(1)
  }
  last = now
}, seconds * 1000)
