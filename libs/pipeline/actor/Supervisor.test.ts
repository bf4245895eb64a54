import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Metric, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { ActorGivenUp } from "./ActorEntry.ts"
import * as Mailbox from "./Mailbox.ts"
import { Registry } from "./Registry.ts"
import { entry, givenUp, rig, settle, steady } from "./Supervisor.fixture.ts"
import * as Supervisor from "./Supervisor.ts"

describe("supervisor", () => {
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
        const seen = yield* givenUp
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
        assert.deepStrictEqual(yield* givenUp, [])
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
})
