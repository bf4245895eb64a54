/**
 * Runs actors under a path and keeps them running (`Actor.ts` says how one lives). When an actor gives up, its supervisor is told: a
 * group restarts all its actors together, and when that happens too often gives up itself and tells the one above; a root leaves it
 * down, where the health page shows it. One actor's end never touches its siblings, unless its group restarts because of it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { type ActorOptions, type ActorSelf, type Child, countRestart, seatActor } from "./Actor.ts"
import type { ActorError, ActorGivenUp } from "./ActorEntry.ts"
import { type ActorPathTaken, Registry, type Seat } from "./Registry.ts"
import { admit, groupPolicy, pauseMillis, type RestartPolicy } from "./restart-policy.ts"

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
      yield* countRestart(options.path)
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
            recovering = true
            return permit.withPermit(restartAll(given)).pipe(
              Effect.annotateLogs({ actor: options.path }),
              Effect.forkIn(scope),
              Effect.flatMap((fiber) => Effect.sync(() => void (recovery = fiber)))
            )
          })

    const start: Supervisor["start"] = (name, body, actorOptions) =>
      Effect.gen(function* () {
        const own = yield* Scope.fork(scope)
        const actor = yield* seatActor({
          path: pathOf(name),
          body: body as (self: ActorSelf) => Effect.Effect<unknown, unknown, Scope.Scope>,
          options: actorOptions ?? {},
          registry,
          scope: own,
          context: yield* Effect.context<never>(),
          gaveUp,
          inTurn: permit.withPermit
        }).pipe(Effect.onError(() => Scope.close(own, Exit.void)))
        children.set(name, actor)
        yield* actor.launch
        const forget = Effect.suspend(() => {
          if (children.get(name) === actor) children.delete(name)
          return Scope.close(own, Exit.void)
        })
        return { path: pathOf(name), restart: actor.restart, stop: actor.stop, remove: Effect.andThen(actor.stop, forget) }
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
