import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Registry } from "./Registry.ts"
import type { RestartPolicy } from "./restart-policy.ts"
import { entry, givenUp, rig, settle, steady } from "./Supervisor.fixture.ts"
import * as Supervisor from "./Supervisor.ts"

describe("a supervised group", () => {
  it.effect("restarts a whole group when one of it gives up, and gives up itself when that happens too often", () =>
    rig(
      Effect.gen(function* () {
        const runs = { bad: 0, good: 0 }
        const root = yield* Supervisor.make({ path: "" })
        const sibling = yield* root.start("other", () => Effect.never)
        const group = yield* root.group("flow", {
          policy: { base: "10 seconds", cap: "10 seconds", maxRestarts: 1, within: "1 hour" }
        })
        yield* group.start("good", () =>
          Effect.andThen(
            Effect.sync(() => void runs.good++),
            Effect.never
          )
        )
        yield* group.start(
          "bad",
          () =>
            Effect.andThen(
              Effect.sync(() => void runs.bad++),
              Effect.fail("no")
            ),
          { policy: steady }
        )
        yield* settle
        for (let i = 0; i < 3; i++) yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(runs, { bad: 3, good: 1 })
        assert.strictEqual((yield* entry("flow")).state, "restarting")
        assert.strictEqual((yield* entry("flow/good")).state, "stopped", "halted for the pause")
        for (let i = 0; i < 13; i++) yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(runs, { bad: 6, good: 2 })
        assert.deepInclude(yield* entry("flow"), { state: "given-up", restarts: 1 })
        const [warning, ...more] = yield* givenUp
        assert.deepInclude(warning, { path: "flow", cause: "flow/bad gave up: no" })
        assert.deepStrictEqual(more, [], "one fault is one warning")
        assert.strictEqual((yield* entry(sibling.path)).state, "running")
        yield* (yield* Registry).restart("flow")
        yield* settle
        assert.strictEqual((yield* entry("flow/good")).state, "running")
        assert.strictEqual((yield* entry("flow")).state, "running")
      })
    )
  )

  it.effect("restarts a group once when two of it give up together, and leaves down what was stopped by name", () =>
    rig(
      Effect.gen(function* () {
        const runs = { first: 0, second: 0, stopped: 0 }
        const count = (name: keyof typeof runs) => Effect.sync(() => void runs[name]++)
        const root = yield* Supervisor.make({ path: "" })
        const group = yield* root.group("flow", {
          policy: { base: "10 seconds", cap: "10 seconds", maxRestarts: 1, within: "1 hour" }
        })
        const once: Partial<RestartPolicy> = { ...steady, maxRestarts: 0 }
        yield* group.start("first", () => Effect.andThen(count("first"), runs.first > 0 ? Effect.never : Effect.fail("no")), {
          policy: once
        })
        yield* group.start("second", () => Effect.andThen(count("second"), runs.second > 0 ? Effect.never : Effect.fail("no")), {
          policy: once
        })
        const stopped = yield* group.start("stopped", () => Effect.andThen(count("stopped"), Effect.never))
        yield* stopped.stop
        for (let i = 0; i < 30; i++) yield* TestClock.adjust("1 second")
        assert.deepInclude(yield* entry("flow"), { state: "running", restarts: 1 })
        assert.deepInclude(runs, { first: 2, second: 2 })
        const before = runs.stopped
        assert.strictEqual((yield* entry("flow/stopped")).state, "stopped")
        yield* stopped.restart
        yield* settle
        assert.strictEqual(runs.stopped, before + 1)
      })
    )
  )

  // 0…2 crash that actor, 3…5 restart it by hand, 6 stops the first, 7 restarts the group, 8 lets two seconds pass.
  const Steps = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8 })))
  it.effect.prop("runs each actor at most once at a time, closes every run, and ends in a state that is true", [Steps], ([steps]) =>
    rig(
      Effect.gen(function* () {
        const registry = yield* Registry
        const scope = yield* Scope.make()
        const root = yield* Scope.provide(Supervisor.make({ path: "" }), scope)
        const group = yield* root.group("g", {
          policy: { base: "1 second", cap: "1 second", maxRestarts: 2, within: "10 seconds" }
        })
        const actors = yield* Effect.forEach(["a", "b", "c"], (name) =>
          Effect.gen(function* () {
            const actor = { name, alive: 0, opened: 0, closed: 0, crash: yield* Deferred.make<never, string>() }
            const handle = yield* group.start(
              name,
              () =>
                Effect.gen(function* () {
                  yield* Effect.acquireRelease(
                    Effect.sync(() => {
                      actor.opened++
                      assert.strictEqual(++actor.alive, 1, "two runs at once")
                    }),
                    () =>
                      Effect.andThen(
                        // A socket takes its time to close; the next run must wait for it.
                        Effect.sleep("100 millis"),
                        Effect.sync(() => {
                          actor.closed++
                          actor.alive--
                        })
                      )
                  )
                  actor.crash = yield* Deferred.make<never, string>()
                  return yield* Deferred.await(actor.crash)
                }),
              { policy: { base: "1 second", cap: "1 second", maxRestarts: 1, within: "10 seconds" } }
            )
            return { actor, handle }
          })
        )
        yield* settle
        for (const step of steps) {
          if (step < 3) yield* Deferred.fail(actors[step]!.actor.crash, "crash")
          else if (step < 6) yield* registry.restart(`g/${actors[step - 3]!.actor.name}`)
          else if (step === 6) yield* Effect.forkChild(actors[0]!.handle.stop)
          else if (step === 7) yield* registry.restart("g")
          else yield* TestClock.adjust("2 seconds")
          // Sometimes steps fall into the same instant.
          if (step % 2 === 0) yield* settle
        }
        for (let i = 0; i < 30; i++) yield* TestClock.adjust("1 second")
        for (const { actor, handle } of actors) {
          const { state } = yield* entry(handle.path)
          assert.strictEqual(state === "running", actor.alive === 1, `${handle.path} says ${state}`)
          assert.include(["running", "stopped", "given-up"], state)
        }
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(closing)
        for (const { actor } of actors) assert.deepStrictEqual([actor.alive, actor.opened], [0, actor.closed])
        assert.deepStrictEqual(yield* registry.snapshot, [])
      })
    )
  )
})
