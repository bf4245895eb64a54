/**
 * The life of one actor: run, fail, pause, run again, give up. Its supervisor says when it begins and ends.
 *
 * - A failure, a defect, or a service that returns is followed by a restart after a growing, jittered pause. An interrupt is not: it
 *   is how an actor is asked to end.
 * - More restarts in the window than the policy allows, and the actor gives up. Its entry says so with the cause.
 *
 * Each run of a body has its own scope, closed before the next run. Make mailboxes outside the body: they outlive the restart.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import { type ActorGivenUp, describeCause } from "./ActorEntry.ts"
import type { MailboxReading } from "./Mailbox.ts"
import type { Registry, Seat } from "./Registry.ts"
import { actorPolicy, admit, pauseMillis, type RestartPolicy } from "./restart-policy.ts"

/** What a body knows of itself. */
export interface ActorSelf {
  readonly path: string
  /** Turns `starting` into `running`; only with `signalsReady`. */
  readonly ready: Effect.Effect<void>
  /** A number shown with the actor for the rest of this run. */
  readonly gauge: (name: string, read: () => number) => Effect.Effect<void, never, Scope.Scope>
}

export interface ActorOptions {
  readonly policy?: Partial<RestartPolicy>
  /** The mailbox it reads, shown with it. */
  readonly mailbox?: { readonly read: () => MailboxReading }
  readonly gauges?: Readonly<Record<string, () => number>>
  /** A `service` (default) never returns, and returning is a failure; a `task` may return, and is then stopped. */
  readonly kind?: "service" | "task"
  /** True when the body says itself that it is ready; else it counts as running once it is started. */
  readonly signalsReady?: boolean
}

/** What a supervisor does with an actor or a group below it. */
export interface Child {
  /** Starts it unless it runs already, or was stopped by name. */
  readonly launch: Effect.Effect<void>
  /** Ends it and waits for its end; it can be launched again. */
  readonly halt: Effect.Effect<void>
}

export interface Actor extends Child {
  /** Ends it for good: only `restart` brings it back. */
  readonly stop: Effect.Effect<void>
  readonly restart: Effect.Effect<void>
}

export interface ActorPlace {
  readonly path: string
  readonly body: (self: ActorSelf) => Effect.Effect<unknown, unknown, Scope.Scope>
  readonly options: ActorOptions
  readonly registry: Registry["Service"]
  /** Holds the seat and the fiber. */
  readonly scope: Scope.Closeable
  /** Services the body needs, from where it was started. */
  readonly context: Context.Context<never>
  readonly gaveUp: (given: ActorGivenUp) => Effect.Effect<void>
  /** Runs what begins or ends an actor of the group one at a time. */
  readonly inTurn: (effect: Effect.Effect<void>) => Effect.Effect<void>
}

export const countRestart = (actor: string) => Metric.update(Metric.withAttributes(restarts, { actor }), 1)
const restarts = Metric.counter("actor_restarts_total", { description: "Restarts of an actor after a failure", incremental: true })

/** Takes the path in the registry; the actor does not run before it is launched. */
export const seatActor = Effect.fnUntraced(function* (place: ActorPlace) {
  const { path, body, options, registry, scope, context, gaveUp, inTurn } = place
  const policy = { ...actorPolicy, ...options.policy }
  let fiber: Fiber.Fiber<void> | undefined
  let wanted = true
  const seat: Seat = yield* Scope.provide(
    registry.enter({
      path,
      mailbox: options.mailbox,
      gauges: options.gauges,
      restart: Effect.suspend(() => Effect.asVoid(Effect.forkIn(restart, scope)))
    }),
    scope
  )
  const self: ActorSelf = { path, ready: seat.set("running"), gauge: seat.gauge }
  const oneRun = Effect.gen(function* () {
    yield* seat.set(options.signalsReady ? "starting" : "running")
    yield* Effect.scoped(body(self))
    if (options.kind !== "task") return yield* Effect.die(new Error("the actor returned"))
  })

  const live = Effect.gen(function* () {
    let stamps: ReadonlyArray<number> = []
    for (let restarts = 0; ; restarts++) {
      const exit = yield* Effect.exit(oneRun)
      if (Exit.isSuccess(exit)) return yield* seat.set("stopped")
      if (Cause.hasInterruptsOnly(exit.cause)) {
        yield* seat.set("stopped")
        return yield* Effect.interrupt
      }
      const now = yield* Clock.currentTimeMillis
      const error = { message: describeCause(exit.cause), at: now }
      const counted = admit(policy, stamps, now)
      if (counted === undefined) {
        yield* seat.set("given-up", error)
        yield* Effect.logError("gives up after too many restarts", { restarts: stamps.length, cause: error.message })
        return yield* gaveUp({ path, since: now, restarts, cause: error.message })
      }
      stamps = counted
      const pause = pauseMillis(policy, counted.length - 1, yield* Random.next)
      yield* seat.set("restarting", error)
      yield* Effect.logWarning("restarts after a failure", {
        restart: stamps.length,
        pauseMs: Math.round(pause),
        cause: error.message
      })
      yield* Effect.sleep(pause)
      yield* seat.countRestart
      yield* countRestart(path)
    }
  }).pipe(
    Effect.onInterrupt(() => seat.set("stopped")),
    Effect.annotateLogs({ actor: path }),
    Effect.provide(context)
  )

  const halt = Effect.suspend(() => {
    const running = fiber
    fiber = undefined
    return running === undefined ? Effect.void : Fiber.interrupt(running)
  }).pipe(Effect.andThen(seat.set("stopped")))
  const launch = Effect.suspend(() => {
    if (!wanted || (fiber !== undefined && fiber.pollUnsafe() === undefined)) return Effect.void
    return Effect.flatMap(Effect.forkIn(live, scope), (started) => Effect.sync(() => void (fiber = started)))
  })
  const want = (yes: boolean) => Effect.sync(() => void (wanted = yes))
  const restart = inTurn(halt.pipe(Effect.andThen(seat.countRestart), Effect.andThen(want(true)), Effect.andThen(launch)))
  const stop = inTurn(Effect.andThen(want(false), halt))
  return { launch, halt, restart, stop } satisfies Actor
})
