import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { type ActorEntry, describeError } from "./ActorEntry.ts"
import { type ActorChange, Registry } from "./Registry.ts"
import * as Supervisor from "./Supervisor.ts"

const rig = <A, E>(body: Effect.Effect<A, E, Registry | Scope.Scope>) => body.pipe(Effect.scoped, Effect.provide(Registry.layer))

const remote = (path: string, fields: Partial<ActorEntry> = {}): ActorEntry => ({
  path,
  state: "running",
  since: 0,
  restarts: 0,
  lastError: null,
  mailbox: null,
  gauges: {},
  remote: false,
  restartable: false,
  ...fields
})

describe("registry", () => {
  it.effect("shows an actor's numbers as they are when it is asked", () =>
    rig(
      Effect.gen(function* () {
        const registry = yield* Registry
        let heard = 3
        const seat = yield* registry.enter({ path: "flow/udp:2055", gauges: { exporters: () => heard } })
        const scope = yield* Scope.make()
        yield* Scope.provide(
          seat.gauge("broken", () => {
            throw new Error("socket closed")
          }),
          scope
        )
        heard = 4
        assert.deepStrictEqual((yield* registry.snapshot)[0]?.gauges, { exporters: 4, broken: Number.NaN })
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual((yield* registry.snapshot)[0]?.gauges, { exporters: 4 })
      })
    )
  )

  it.effect("shows the actors another thread reports in the same tree, and forgets those a new report leaves out", () =>
    rig(
      Effect.gen(function* () {
        const registry = yield* Registry
        yield* registry.enter({ path: "flow/worker-1" })
        yield* registry.report("flow/worker-1", [remote("flow/worker-1"), remote("flow/worker-1/udp:2055"), remote("udp:6343")])
        assert.deepStrictEqual(
          (yield* registry.snapshot).map((one) => [one.path, one.remote]),
          [
            ["flow/worker-1", false],
            ["flow/worker-1/udp:2055", true],
            ["flow/worker-1/udp:6343", true]
          ]
        )
        yield* registry.report("flow/worker-1", [remote("flow/worker-1/udp:6343", { state: "given-up" })])
        assert.deepStrictEqual(
          (yield* registry.snapshot).map((one) => [one.path, one.state]),
          [
            ["flow/worker-1", "starting"],
            ["flow/worker-1/udp:6343", "given-up"]
          ]
        )
        yield* registry.withdraw("flow/worker-1")
        assert.strictEqual((yield* registry.snapshot).length, 1)
      })
    )
  )

  it.effect("sends a restart of a remote actor to the nearest control, and says when nothing can do it", () =>
    rig(
      Effect.gen(function* () {
        const registry = yield* Registry
        const asked: Array<string> = []
        const scope = yield* Scope.make()
        yield* registry.report("flow/worker-1", [remote("flow/worker-1/udp:2055")])
        yield* registry.control("flow", (path) => Effect.sync(() => void asked.push(`far ${path}`)))
        yield* Scope.provide(
          registry.control("flow/worker-1", (path) => Effect.sync(() => void asked.push(`near ${path}`))),
          scope
        )
        assert.isTrue((yield* registry.snapshot)[0]?.restartable)
        yield* registry.restart("flow/worker-1/udp:2055")
        yield* Scope.close(scope, Exit.void)
        yield* registry.restart("flow/worker-1/udp:2055")
        assert.deepStrictEqual(asked, ["near flow/worker-1/udp:2055", "far flow/worker-1/udp:2055"])
        assert.strictEqual((yield* Effect.flip(registry.restart("probe"))).message, "no actor has the path probe")
        yield* registry.enter({ path: "store" })
        assert.strictEqual((yield* Effect.flip(registry.restart("store"))).message, "nothing here can restart store")
      })
    )
  )

  it.effect("tells a reader every actor first, then each that changed, with its latest state", () =>
    rig(
      Effect.gen(function* () {
        const registry = yield* Registry
        const seen: Array<string> = []
        const seat = yield* registry.enter({ path: "a" })
        yield* registry.enter({ path: "b" })
        yield* Effect.forkScoped(
          Stream.runForEach(registry.changes, ({ path, entry }) =>
            Effect.sync(() => void seen.push(`${path} ${entry?.state ?? "gone"}`))
          )
        )
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(seen.splice(0), ["a starting", "b starting"])
        yield* seat.set("running")
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(seen.splice(0), ["a running"])
        yield* registry.report("c", [remote("c")])
        yield* registry.report("c", [remote("c", { gauges: { depth: 5 } })])
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(seen.splice(0), ["c running"], "a number that moves is no change of state")
        yield* registry.report("c", [remote("c", { gauges: { depth: 9 } })])
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(seen.splice(0), [])
        yield* registry.withdraw("c")
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(seen.splice(0), ["c gone"])
      })
    )
  )

  it.effect("never makes an actor wait for a slow reader, which then sees the latest of each path", () =>
    rig(
      Effect.gen(function* () {
        const registry = yield* Registry
        const seat = yield* registry.enter({ path: "busy" })
        const other = yield* registry.enter({ path: "calm" })
        const gate = yield* Deferred.make<void>()
        const seen: Array<ActorChange> = []
        yield* Effect.forkScoped(
          Stream.runForEach(registry.changes, (change) =>
            Effect.andThen(
              Effect.sync(() => void seen.push(change)),
              Deferred.await(gate)
            )
          )
        )
        yield* TestClock.adjust(0)
        for (let i = 0; i < 10_000; i++) {
          yield* seat.countRestart
          yield* seat.set(i % 2 === 0 ? "restarting" : "running")
        }
        yield* other.set("running")
        yield* Deferred.succeed(gate, undefined)
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(
          seen.map(({ path, entry }) => [path, entry?.state, entry?.restarts]),
          [
            ["busy", "starting", 0],
            ["calm", "starting", 0],
            ["busy", "running", 10_000],
            ["calm", "running", 0]
          ]
        )
      })
    )
  )

  it.effect("lets go of a reader that ends", () =>
    rig(
      Effect.gen(function* () {
        const registry = yield* Registry
        yield* registry.enter({ path: "a" })
        const first = yield* Effect.forkChild(Stream.runCollect(Stream.take(registry.changes, 1)))
        assert.deepStrictEqual(
          (yield* Fiber.join(first)).map(({ path }) => path),
          ["a"]
        )
      })
    )
  )

  it.effect("is kept by a supervisor under its own path", () =>
    rig(
      Effect.gen(function* () {
        const root = yield* Supervisor.make({ path: "flow" })
        const worker = yield* root.group("worker-1")
        yield* worker.start("udp:2055", (self) =>
          Effect.andThen(
            self.gauge("datagrams", () => 7),
            Effect.never
          )
        )
        yield* TestClock.adjust(0)
        const paths = new Map((yield* (yield* Registry).snapshot).map((one) => [one.path, one.gauges]))
        assert.deepStrictEqual(paths.get("flow/worker-1/udp:2055"), { datagrams: 7 })
      })
    )
  )
})

describe("an actor's error", () => {
  it("says an error in one line, with what caused it, and ends", () => {
    const looped = new Error("could not write\nthe window")
    looped.cause = looped
    assert.strictEqual(describeError(looped), "could not write the window")
    assert.strictEqual(
      describeError({ _tag: "StoreAway", message: "", cause: new TypeError("no socket") }),
      "StoreAway, caused by TypeError: no socket"
    )
    assert.strictEqual(describeError("x".repeat(600)).length, 500)
    assert.strictEqual(describeError(undefined), "no message")
  })
})
