/**
 * The body of `flow/fold`: traffic of known dependencies that waits in the journal is added to the tables when its time has come, also when
 * no slice comes any more, and at the start what an earlier run left there.
 */
import { Effect, Schedule } from "effect"
import { limited } from "#pipeline/actor/limited-log.ts"
import { Resolver } from "#pipeline/resolve/Resolver.ts"

/** Seconds that the totals of known dependencies may be behind: who asks for slices every second wants to see them soon. */
export const foldSeconds = (flushIntervalSeconds: number): number => Math.min(60, 6 * flushIntervalSeconds)

/** `folded`: lists and the map have changed. */
export const keepFolding = (folded: Effect.Effect<void>) =>
  Effect.flatMap(Resolver, (resolver) => resolver.fold()).pipe(
    Effect.flatMap(({ edges }) => (edges > 0 ? folded : Effect.void)),
    Effect.catch((error) => limited("fold")(Effect.logWarning("could not fold the journal, it is tried again", error))),
    Effect.repeat(Schedule.spaced("2 seconds"))
  )

/** At a clean end. What stays in the journal is folded at the next start. */
export const foldLast = Effect.flatMap(Resolver, (resolver) => resolver.fold(true)).pipe(
  Effect.timeout("5 seconds"),
  Effect.catch((error) => Effect.logWarning("leaves traffic in the journal for the next start", error))
)
