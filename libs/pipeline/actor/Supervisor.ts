/**
 * Runs actors under a path and keeps them running.
 *
 * - A failure, a defect, or a service that returns is followed by a restart after a growing, jittered pause. An interrupt is not: it
 *   is how an actor is asked to end.
 * - More restarts in the window than the policy allows, and the actor gives up. Its entry says so with the cause, and its supervisor
 *   is told: a group restarts all its actors together, and when that happens too often gives up itself and tells the one above.
 * - One actor's end never touches its siblings, unless its group restarts because of it.
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
import * as Semaphore from "effect/Semaphore"
import { type ActorError, type ActorGivenUp, describeCause } from "./ActorEntry.ts"
import type { MailboxReading } from "./Mailbox.ts"
import { type ActorPathTaken, Registry, type Seat } from "./Registry.ts"
import { actorPolicy, admit, groupPolicy, pauseMillis, type RestartPolicy } from "./restart-policy.ts"

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

export interface ActorHandle {
  readonly path: string
  /** Ends this run and starts afresh, a given-up or stopped actor too. Returns once the new run is started. */
  readonly restart: Effect.Effect<void>
  /** Ends it; it stays visible as stopped. */
  readonly stop: Effect.Effect<void>
  /** Ends it and takes it out of the registry. */
  readonly remove: Effect.Effect<void>
}

export interface SupervisorOptions {
  /** Path of the group; its actors live below it. Empty for a root that is not shown. */
  readonly path: string
  readonly policy?: Partial<RestartPolicy>
  /** When an actor below gives up: restart the whole group (default of a group), or leave it down (default of a root). */
  readonly whenGivenUp?: "restart all" | "leave down"
  /** Told when an actor is left down, or when the group itself gives up: a root's way to escalate beyond this process. */
  readonly escalate?: (given: ActorGivenUp) => Effect.Effect<void>
}

export interface Supervisor {
  readonly path: string
  readonly start: <E, R>(
    name: string,
    body: (self: ActorSelf) => Effect.Effect<unknown, E, R>,
    options?: ActorOptions
  ) => Effect.Effect<ActorHandle, ActorPathTaken, Exclude<R, Scope.Scope>>
  /** A group below this one. It escalates here. */
  readonly group: (
    name: string,
    options?: Omit<SupervisorOptions, "path" | "escalate">
  ) => Effect.Effect<Supervisor, ActorPathTaken>
}

interface Child {
  readonly launch: Effect.Effect<void>
  readonly halt: Effect.Effect<void>
}

const restarted = Metric.counter("actor_restarts_total", { description: "Restarts of an actor after a failure", incremental: true })

/** A root supervisor; everything below it ends with the scope. */
export const make = Effect.fnUntraced(function* (options: SupervisorOptions) {
  const registry = yield* Registry
  const scope = yield* Effect.scope
  const { supervisor } = yield* build({ whenGivenUp: "leave down", ...options }, registry, scope)
  return supervisor
})

const build = (
  options: SupervisorOptions,
  registry: Registry["Service"],
  scope: Scope.Scope
): Effect.Effect<{ readonly supervisor: Supervisor; readonly child: Child }, ActorPathTaken> =>
  Effect.gen(function* () {
    const policy = { ...groupPolicy, ...options.policy }
    const children = new Map<string, Child>()
    const permit = Semaphore.makeUnsafe(1)
    const pathOf = (name: string) => (options.path === "" ? name : `${options.path}/${name}`)
    let stamps: ReadonlyArray<number> = []
    let recovery: Fiber.Fiber<void> | undefined
    let recovering = false

    const launchAll = Effect.suspend(() => Effect.forEach([...children.values()], (child) => child.launch, { discard: true }))
    const haltAll = Effect.suspend(() => Effect.forEach([...children.values()].reverse(), (child) => child.halt, { discard: true }))

    const halt: Effect.Effect<void> = Effect.suspend(() => {
      const running = recovery
      recovery = undefined
      recovering = false
      return running === undefined ? Effect.void : Fiber.interrupt(running)
    }).pipe(Effect.andThen(permit.withPermit(haltAll)), Effect.andThen(Effect.suspend(() => set("stopped"))))
    const launch: Effect.Effect<void> = Effect.suspend(() => {
      stamps = []
      return permit.withPermit(Effect.andThen(set("running"), launchAll))
    })

    const seat =
      options.path === ""
        ? undefined
        : yield* Scope.provide(
            registry.enter({
              path: options.path,
              restart: Effect.asVoid(Effect.forkIn(Effect.andThen(halt, launch), scope))
            }),
            scope
          )
    const set = (state: Parameters<Seat["set"]>[0], error?: ActorError) => seat?.set(state, error) ?? Effect.void
    yield* set("running")

    const restartAll = Effect.fnUntraced(function* (given: ActorGivenUp) {
      recovering = true
      const now = yield* Clock.currentTimeMillis
      const counted = admit(policy, stamps, now)
      const error = { message: `${given.path} gave up: ${given.cause}`, at: now }
      if (counted === undefined) {
        yield* haltAll
        recovering = false
        yield* set("given-up", error)
        yield* Effect.logError("the group gives up", { restarts: stamps.length, cause: error.message })
        yield* escalate({ path: options.path, since: now, restarts: stamps.length, cause: error.message })
        return
      }
      stamps = counted
      const pause = pauseMillis(policy, counted.length - 1, yield* Random.next)
      yield* set("restarting", error)
      yield* Effect.logWarning("restarts the whole group", { after: given.path, pauseMs: Math.round(pause), cause: given.cause })
      yield* haltAll
      yield* Effect.sleep(pause)
      if (seat !== undefined) yield* seat.countRestart
      yield* Metric.update(Metric.withAttributes(restarted, { actor: options.path }), 1)
      yield* set("running")
      recovering = false
      yield* launchAll
    })

    const escalate = (given: ActorGivenUp) => options.escalate?.(given) ?? Effect.void

    /** Runs in a fiber of the group: the one that gave up is about to be halted with the rest. */
    const gaveUp = (given: ActorGivenUp) =>
      options.whenGivenUp === "leave down"
        ? escalate(given)
        : Effect.suspend(() => {
            // A second one that gives up while the group restarts is restarted with it.
            if (recovering) return Effect.void
            return permit.withPermit(restartAll(given)).pipe(
              Effect.annotateLogs({ actor: options.path }),
              Effect.forkIn(scope),
              Effect.flatMap((fiber) => Effect.sync(() => void (recovery = fiber)))
            )
          })

    const start: Supervisor["start"] = (name, body, actorOptions) =>
      Effect.gen(function* () {
        const context = yield* Effect.context<never>()
        const own = yield* Scope.fork(scope)
        const runBody = body as (self: ActorSelf) => Effect.Effect<unknown, unknown, Scope.Scope>
        const actor = yield* seatActor(
          pathOf(name),
          runBody,
          actorOptions ?? {},
          registry,
          own,
          context,
          gaveUp,
          permit.withPermit
        ).pipe(Effect.onError(() => Scope.close(own, Exit.void)))
        children.set(name, actor)
        yield* actor.launch
        const halted = permit.withPermit(actor.halt)
        return {
          path: pathOf(name),
          restart: actor.restart,
          stop: halted,
          remove: Effect.andThen(
            halted,
            Effect.suspend(() => {
              if (children.get(name) === actor) children.delete(name)
              return Scope.close(own, Exit.void)
            })
          )
        }
      })

    const group: Supervisor["group"] = (name, groupOptions) =>
      Effect.gen(function* () {
        const own = yield* Scope.fork(scope)
        const upwards = groupOptions?.whenGivenUp === "leave down" ? {} : { escalate: gaveUp }
        const below = yield* build({ ...groupOptions, path: pathOf(name), ...upwards }, registry, own).pipe(
          Effect.onError(() => Scope.close(own, Exit.void))
        )
        children.set(name, below.child)
        return below.supervisor
      })

    return { supervisor: { path: options.path, start, group }, child: { launch, halt } }
  })

const seatActor = Effect.fnUntraced(function* (
  path: string,
  body: (self: ActorSelf) => Effect.Effect<unknown, unknown, Scope.Scope>,
  options: ActorOptions,
  registry: Registry["Service"],
  scope: Scope.Closeable,
  context: Context.Context<never>,
  gaveUp: (given: ActorGivenUp) => Effect.Effect<void>,
  inTurn: (effect: Effect.Effect<void>) => Effect.Effect<void>
) {
  const policy = { ...actorPolicy, ...options.policy }
  let fiber: Fiber.Fiber<void> | undefined
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
      yield* Metric.update(Metric.withAttributes(restarted, { actor: path }), 1)
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
    if (fiber !== undefined && fiber.pollUnsafe() === undefined) return Effect.void
    return Effect.flatMap(Effect.forkIn(live, scope), (started) => Effect.sync(() => void (fiber = started)))
  })
  const restart = inTurn(halt.pipe(Effect.andThen(seat.countRestart), Effect.andThen(launch)))
  return { launch, halt, restart }
})
