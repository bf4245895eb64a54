/** A registry of its own, the test clock, and a policy that gives up after two restarts. */
import { assert } from "@effect/vitest"
import { Effect, Metric, type Scope } from "effect"
import { TestClock } from "effect/testing"
import type { ActorGivenUp } from "./ActorEntry.ts"
import { Registry } from "./Registry.ts"
import type { RestartPolicy } from "./restart-policy.ts"

export const rig = <A, E>(body: Effect.Effect<A, E, Registry | Scope.Scope>) =>
  body.pipe(Effect.scoped, Effect.provide(Registry.layer), Effect.provideService(Metric.MetricRegistry, new Map()))

export const entry = (path: string) =>
  Effect.gen(function* () {
    const found = (yield* (yield* Registry).snapshot).find((one) => one.path === path)
    return found ?? assert.fail(`no entry at ${path}`)
  })

/** Those that are down for good, as a supervisor tells of them. */
export const givenUp = Effect.gen(function* () {
  return (yield* (yield* Registry).snapshot)
    .filter(({ state }) => state === "given-up")
    .map(
      ({ path, since, restarts, lastError }): ActorGivenUp => ({
        path,
        since,
        restarts,
        cause: lastError?.message ?? "cause unknown"
      })
    )
})

export const settle = TestClock.adjust(0)
export const steady: Partial<RestartPolicy> = { base: "1 second", cap: "1 second", maxRestarts: 2, within: "1 minute" }
