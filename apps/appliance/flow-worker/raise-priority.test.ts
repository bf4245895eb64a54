import { constants, getPriority, setPriority } from "node:os"
import { Worker } from "node:worker_threads"
import { assert, it } from "vitest"

interface Raised {
  readonly allowed: boolean
  readonly before: number
  readonly after: number
}

/** Runs in a thread of its own: the priority it raises stays raised. */
const raiseInThread = (): Promise<Raised> =>
  new Promise((done, fail) => {
    const module = new URL("raise-priority.ts", import.meta.url).href
    const source = `
      import { parentPort } from "node:worker_threads"
      import { readlinkSync } from "node:fs"
      import { getPriority } from "node:os"
      import { raisePriority } from ${JSON.stringify(module)}
      const thread = Number(readlinkSync("/proc/thread-self").split("/").at(-1))
      const before = getPriority(thread)
      const allowed = raisePriority()
      parentPort.postMessage({ allowed, before, after: getPriority(thread) })`
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
    worker.once("message", done)
    worker.once("error", fail)
  })

/** Whether this account may raise a priority at all; asked of the system, not guessed from the user. */
const mayRaise = (): boolean => {
  const own = getPriority()
  if (own === constants.priority.PRIORITY_HIGHEST) return true
  try {
    setPriority(0, own - 1)
    setPriority(0, own)
    return true
  } catch {
    return false
  }
}

it.skipIf(process.platform !== "linux")(
  "the calling thread goes first where the system lets it, and the others stay as they were",
  async () => {
    const main = getPriority()
    const { after, allowed, before } = await raiseInThread()
    assert.strictEqual(allowed, mayRaise())
    assert.strictEqual(after, allowed ? Math.max(constants.priority.PRIORITY_HIGHEST, before - 10) : before)
    assert.strictEqual(getPriority(), main)
  }
)
