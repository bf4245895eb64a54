/** A part of the worker under supervision in plain code: its state, restarts and last error, as the registry shows actors. */
import type { ActorEntry } from "#pipeline/actor/ActorEntry.ts"

export interface Part {
  /** Runs `work`; an exception is a bug: it is counted as a restart of this part and `undefined` is returned. */
  readonly guard: <A>(work: () => A) => A | undefined
  /** The same of a function with arguments: makes nothing when it is called. */
  readonly guarded: <P extends ReadonlyArray<unknown>, A>(work: (...of: P) => A) => (...of: P) => A | undefined
  readonly failed: (error: unknown) => void
  /** The next guarded call fails (tests of recovery). */
  readonly failNext: () => void
  readonly entry: (gauges: Readonly<Record<string, number>>, mailbox?: ActorEntry["mailbox"]) => ActorEntry
  readonly stopped: () => void
}

export const oneLine = (error: unknown): string => {
  const text = error instanceof Error ? (error.name === "Error" ? error.message : `${error.name}: ${error.message}`) : String(error)
  return text.replace(/\s+/g, " ").slice(0, 500)
}

export const makePart = (path: string, now: () => number): Part => {
  let since = now()
  let restarts = 0
  let lastError: ActorEntry["lastError"] = null
  let state: ActorEntry["state"] = "running"
  let failing = false
  const failed = (error: unknown): void => {
    restarts++
    since = now()
    lastError = { message: oneLine(error), at: since }
  }
  const guarded: Part["guarded"] =
    (work) =>
    (...of) => {
      try {
        if (failing) {
          failing = false
          throw new Error(`${path} was told to fail`)
        }
        return work(...of)
      } catch (error) {
        failed(error)
        return undefined
      }
    }
  return {
    guarded,
    guard: (work) => guarded(work)(),
    failed,
    failNext: () => {
      failing = true
    },
    entry: (gauges, mailbox = null) => ({
      path,
      state,
      since,
      restarts,
      lastError,
      mailbox,
      gauges,
      remote: true,
      restartable: false
    }),
    stopped: () => {
      state = "stopped"
      since = now()
    }
  }
}
