import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Metric, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { type ActorGivenUp, givenUp } from "./ActorEntry.ts"
import * as Mailbox from "./Mailbox.ts"
import { Registry } from "./Registry.ts"
import { actorPolicy, admit, pauseMillis, type RestartPolicy } from "./restart-policy.ts"
import * as Supervisor from "./Supervisor.ts"

const entry = (path: string) =>
  Effect.gen(function* () {
    const found = (yield* (yield* Registry).snapshot).find((one) => one.path === path)
    return found ?? assert.fail(`no entry at ${path}`)
  })

const settle = TestClock.adjust(0)
const steady: Partial<RestartPolicy> = { base: "1 second", cap: "1 second", maxRestarts: 2, within: "1 minute" }

describe("restart policy", () => {
  const Chance = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 0.999_999 }))
  const Attempt = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 }))

  it.prop(
    "pauses grow until the cap, whatever the jitter, and never pass it",
    { n: Attempt, a: Chance, b: Chance },
    ({ n, a, b }) => {
      const policy: RestartPolicy = { ...actorPolicy, base: 100, cap: 60_000 }
      const [first, second] = [pauseMillis(policy, n, a), pauseMillis(policy, n + 1, b)]
      assert.isAtMost(second, 60_000)
      assert.isAbove(first, 0)
      if (100 * 2 ** (n + 1) <= 60_000) assert.isAbove(second, first)
      else assert.isAtLeast(second, 45_000)
    }
  )

  it("admits as many restarts in the window as the policy says, and forgets those before it", () => {
    const policy: RestartPolicy = { ...actorPolicy, maxRestarts: 2, within: 1000 }
    assert.deepStrictEqual(admit(policy, [], 5000), [5000])
    assert.deepStrictEqual(admit(policy, [4500, 4900], 5000), undefined)
    assert.deepStrictEqual(admit(policy, [4000, 4900], 5000), [4900, 5000])
  })

  it("does not count restarts from before the clock was set back", () => {
    const policy: RestartPolicy = { ...actorPolicy, maxRestarts: 1, within: 1000 }
    assert.deepStrictEqual(admit(policy, [900_000], 5000), [5000])
  })
})

describe("supervisor", () => {
  const rig = <A, E>(body: Effect.Effect<A, E, Registry | Scope.Scope>) =>
    body.pipe(Effect.scoped, Effect.provide(Registry.layer), Effect.provideService(Metric.MetricRegistry, new Map()))

  for (const [what, fault] of [
    ["a failure", Effect.fail(new Error("port lost"))],
    ["a defect", Effect.die(new Error("port lost"))],
    ["returning", Effect.void]
  ] as const) {
    it.effect(`restarts a service after ${what}, after a pause`, () =>
      rig(
        Effect.gen(function* () {
          let runs = 0
          const root = yield* Supervisor.make({ path: "" })
          yield* root.start("listener", () => Effect.suspend(() => (++runs === 1 ? fault : Effect.never)), { policy: steady })
          yield* settle
          assert.strictEqual(runs, 1)
          assert.strictEqual((yield* entry("listener")).state, "restarting")
          yield* TestClock.adjust("700 millis")
          assert.strictEqual(runs, 1)
          yield* TestClock.adjust("300 millis")
          assert.strictEqual(runs, 2)
          const now = yield* entry("listener")
          assert.deepInclude(now, { state: "running", restarts: 1 })
          assert.deepStrictEqual(now.lastError, { message: what === "returning" ? "the actor returned" : "port lost", at: 0 })
          const counted = (yield* Metric.snapshot).find((one) => one.id === "actor_restarts_total")
          assert.deepStrictEqual(counted?.attributes, { actor: "listener" })
          assert.deepStrictEqual(counted?.state, { count: 1, incremental: true })
        })
      )
    )
  }

  it.effect("waits longer after each failure, never longer than the cap, and tries again and again while the window allows", () =>
    rig(
      Effect.gen(function* () {
        const starts: Array<number> = []
        const root = yield* Supervisor.make({ path: "" })
        const clock = yield* TestClock.testClockWith(Effect.succeed)
        yield* root.start(
          "flapping",
          () =>
            Effect.suspend(() => {
              starts.push(clock.currentTimeMillisUnsafe())
              return Effect.fail("down")
            }),
          { policy: { base: "1 second", cap: "10 seconds", maxRestarts: 8, within: "1 hour" } }
        )
        for (let i = 0; i < 1200; i++) yield* TestClock.adjust("100 millis")
        const pauses = starts.slice(1).map((at, i) => at - starts[i]!)
        assert.strictEqual(pauses.length, 8)
        for (const [i, pause] of pauses.entries()) {
          const full = Math.min(10_000, 1000 * 2 ** i)
          assert.isAtLeast(pause, full * 0.75)
          assert.isAtMost(pause, full + 100)
        }
        assert.strictEqual(new Set(pauses.map((pause, i) => pause / Math.min(10_000, 1000 * 2 ** i))).size > 1, true, "jittered")
      })
    )
  )

  it.effect("gives up when the window holds too many restarts, tells its supervisor, and is then a warning with the cause", () =>
    rig(
      Effect.gen(function* () {
        const told: Array<ActorGivenUp> = []
        const root = yield* Supervisor.make({ path: "flow", escalate: (given) => Effect.sync(() => void told.push(given)) })
        yield* root.start("udp:2055", () => Effect.fail(new Error("address in use", { cause: new Error("bind 2055") })), {
          policy: steady
        })
        yield* TestClock.adjust("10 seconds")
        const warning = {
          path: "flow/udp:2055",
          since: 2000,
          restarts: 2,
          cause: "address in use, caused by bind 2055"
        }
        const seen = givenUp(yield* (yield* Registry).snapshot)
        assert.strictEqual(seen.length, 1)
        assert.deepStrictEqual({ ...seen[0], since: 2000 }, warning)
        assert.deepStrictEqual(told, seen)
        assert.strictEqual((yield* entry("flow")).state, "running")
      })
    )
  )

  it.effect("does not give up when the failures are far apart", () =>
    rig(
      Effect.gen(function* () {
        let runs = 0
        const root = yield* Supervisor.make({ path: "" })
        yield* root.start(
          "hourly",
          () =>
            Effect.suspend(() => {
              runs++
              return Effect.andThen(Effect.sleep("1 hour"), Effect.fail("again"))
            }),
          { policy: steady }
        )
        for (let i = 0; i < 20; i++) yield* TestClock.adjust("61 minutes")
        assert.strictEqual(runs, 21)
        assert.deepInclude(yield* entry("hourly"), { state: "running", restarts: 20 })
      })
    )
  )

  it.effect("lets an interrupt pass: finalizers run once, nothing restarts, the entry leaves with the scope", () =>
    rig(
      Effect.gen(function* () {
        let released = 0
        let runs = 0
        const scope = yield* Scope.make()
        const root = yield* Scope.provide(Supervisor.make({ path: "flow" }), scope)
        yield* root.start("socket", () =>
          Effect.sync(() => void runs++).pipe(
            Effect.andThen(
              Effect.addFinalizer(() =>
                Effect.andThen(
                  Effect.sync(() => void released++),
                  Effect.die("late")
                )
              )
            ),
            Effect.andThen(Effect.never)
          )
        )
        yield* settle
        yield* Effect.exit(Scope.close(scope, Exit.void))
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual([runs, released], [1, 1])
        assert.deepStrictEqual(yield* (yield* Registry).snapshot, [])
      })
    )
  )

  it.effect("is stopped, not restarted, when the body is interrupted from within", () =>
    rig(
      Effect.gen(function* () {
        let runs = 0
        const root = yield* Supervisor.make({ path: "" })
        yield* root.start("reader", () =>
          Effect.andThen(
            Effect.sync(() => void runs++),
            Effect.interrupt
          )
        )
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(runs, 1)
        assert.deepInclude(yield* entry("reader"), { state: "stopped", restarts: 0 })
      })
    )
  )

  it.effect("closes what a run had opened before the next run starts", () =>
    rig(
      Effect.gen(function* () {
        const log: Array<string> = []
        const note = (text: string) => Effect.sync(() => void log.push(text))
        const root = yield* Supervisor.make({ path: "" })
        yield* root.start(
          "socket",
          () =>
            Effect.acquireRelease(note("open"), () => note("close")).pipe(
              Effect.andThen(log.length < 2 ? Effect.die("x") : Effect.never)
            ),
          { policy: steady }
        )
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(log, ["open", "close", "open"])
      })
    )
  )

  it.effect("leaves the siblings of a crashed actor alone", () =>
    rig(
      Effect.gen(function* () {
        let beats = 0
        const root = yield* Supervisor.make({ path: "flow" })
        yield* root.start("steady", () =>
          Effect.forever(
            Effect.andThen(
              Effect.sleep("1 second"),
              Effect.sync(() => void beats++)
            )
          )
        )
        yield* root.start("crashing", () => Effect.die("x"), { policy: steady })
        for (let i = 0; i < 60; i++) yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* entry("flow/crashing")).state, "given-up")
        assert.deepInclude(yield* entry("flow/steady"), { state: "running", restarts: 0 })
        assert.strictEqual(beats, 60)
      })
    )
  )

  it.effect("keeps the undelivered messages of an actor that is restarted", () =>
    rig(
      Effect.gen(function* () {
        const handled: Array<number> = []
        const root = yield* Supervisor.make({ path: "" })
        const box = yield* Mailbox.make<number>({ actor: "writer", name: "windows", capacity: 10, policy: "refuse" })
        yield* box.offerAll([1, 2, 3, 4])
        yield* root.start(
          "writer",
          () =>
            Effect.forever(
              Effect.flatMap(box.take, (n) => (n === 2 ? Effect.die("bad window") : Effect.sync(() => void handled.push(n))))
            ),
          { mailbox: box, policy: steady }
        )
        yield* settle
        assert.deepStrictEqual(handled, [1])
        yield* box.offer(5)
        assert.deepInclude((yield* entry("writer")).mailbox, { name: "windows", depth: 3, offered: 5, taken: 2, refused: 0 })
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(handled, [1, 3, 4, 5])
      })
    )
  )

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
        const [warning, ...more] = givenUp(yield* (yield* Registry).snapshot)
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

  it.effect("is starting until it says that it is ready", () =>
    rig(
      Effect.gen(function* () {
        const go = yield* Deferred.make<void>()
        const root = yield* Supervisor.make({ path: "" })
        yield* root.start("db", (self) => Deferred.await(go).pipe(Effect.andThen(self.ready), Effect.andThen(Effect.never)), {
          signalsReady: true
        })
        yield* settle
        assert.strictEqual((yield* entry("db")).state, "starting")
        yield* Deferred.succeed(go, undefined)
        yield* settle
        assert.strictEqual((yield* entry("db")).state, "running")
      })
    )
  )

  it.effect("restarts on request what has given up, with a fresh window", () =>
    rig(
      Effect.gen(function* () {
        let broken = true
        const root = yield* Supervisor.make({ path: "" })
        yield* root.start("probe", () => Effect.suspend(() => (broken ? Effect.die("no route") : Effect.never)), { policy: steady })
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* entry("probe")).state, "given-up")
        broken = false
        const registry = yield* Registry
        yield* Effect.all([registry.restart("probe"), registry.restart("probe")], { concurrency: "unbounded" })
        yield* settle
        assert.deepInclude(yield* entry("probe"), { state: "running", restarts: 4 })
        assert.deepStrictEqual(givenUp(yield* registry.snapshot), [])
      })
    )
  )

  it.effect("refuses a second actor at a path, lets a stopped one's be taken, and forgets a removed one", () =>
    rig(
      Effect.gen(function* () {
        const root = yield* Supervisor.make({ path: "" })
        const first = yield* root.start("job", () => Effect.never)
        const taken = yield* Effect.flip(root.start("job", () => Effect.never))
        assert.strictEqual(taken.message, "an actor runs at job already")
        yield* first.stop
        assert.strictEqual((yield* entry("job")).state, "stopped")
        const second = yield* root.start("job", () => Effect.void, { kind: "task" })
        yield* settle
        assert.strictEqual((yield* entry("job")).state, "stopped")
        yield* first.remove
        assert.strictEqual((yield* entry("job")).path, "job", "the second one's entry is not the first one's to take away")
        yield* second.remove
        assert.deepStrictEqual(yield* (yield* Registry).snapshot, [])
      })
    )
  )

  it.effect("an actor can stop itself", () =>
    rig(
      Effect.gen(function* () {
        const root = yield* Supervisor.make({ path: "" })
        const handle = yield* Deferred.make<Supervisor.ActorHandle>()
        yield* Deferred.succeed(handle, yield* root.start("once", () => Effect.flatMap(Deferred.await(handle), (own) => own.stop)))
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* entry("once")).state, "stopped")
        const again = yield* Effect.forkChild(root.start("next", () => Effect.never))
        yield* settle
        assert.strictEqual((yield* Fiber.join(again)).path, "next", "the supervisor is free again")
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
