/**
 * The body of `flow/fold`: traffic of known dependencies that waits in the journal is added to the tables when its time has come, also when
 * no slice comes any more, and at the start what an earlier run left there.
 */
import { Effect, Schedule } from "effect"
import { limited } from "#pipeline/actor/limited-log.ts"
import { Resolver } from "#pipeline/resolve/Resolver.ts"
import type { RaisedWarning } from "../health/derive-warnings.ts"

/** Seconds that the totals of known dependencies may be behind: who asks for slices every second wants to see them soon. */
export const foldSeconds = (flushIntervalSeconds: number): number => Math.min(60, 6 * flushIntervalSeconds)

/** How folding goes; outlives the runs of the actor. */
export interface FoldState {
  /** Times in a row that it failed. */
  failures: number
  lastError: string | undefined
}

export const makeFoldState = (): FoldState => ({ failures: 0, lastError: undefined })

/** Half a minute of them: a database that is restarted is no trouble of the journal's. */
const failuresWorthSaying = 15

export const foldWarnings = (state: FoldState, unreadable: number): ReadonlyArray<RaisedWarning> => {
  const raised: Array<RaisedWarning> = []
  const say = (code: RaisedWarning["code"], detail: string) => raised.push({ code, subject: "flow/fold", detail })
  if (state.failures >= failuresWorthSaying) say("journal-lags", `${state.failures} tries failed; ${state.lastError}`)
  if (unreadable > 0) say("journal-unreadable", `${unreadable} entries of window_journal`)
  return raised
}

/** `folded`: lists and the map have changed. */
export const keepFolding = (folded: Effect.Effect<void>, state: FoldState) =>
  Effect.flatMap(Resolver, (resolver) => resolver.fold()).pipe(
    Effect.flatMap(({ edges }) => {
      state.failures = 0
      state.lastError = undefined
      return edges > 0 ? folded : Effect.void
    }),
    Effect.catch((error) => {
      state.failures++
      state.lastError = error.message
      return limited("fold")(Effect.logWarning("could not fold the journal, it is tried again", error))
    }),
    Effect.repeat(Schedule.spaced("2 seconds"))
  )

/** At a clean end; two windows of 50,000 conversations take 2 to 7 s. What stays in the journal is folded at the next start. */
export const foldLast = Effect.flatMap(Resolver, (resolver) => resolver.fold(true)).pipe(
  Effect.timeout("15 seconds"),
  Effect.catch((error) => Effect.logWarning("leaves traffic in the journal for the next start", error))
)
