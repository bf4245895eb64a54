import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Metric, Schema, Scope, Stream } from "effect"
import * as Mailbox from "./Mailbox.ts"

const policies = ["refuse", "slide", "wait"] as const

const holds = (box: Mailbox.Mailbox<number>) => {
  const { offered, taken, refused, depth, capacity } = box.read()
  assert.strictEqual(offered, taken + refused + depth)
  assert.isAtMost(depth, capacity)
}

/** 0…5 offer, 6 take one, 7 take all, 8 interrupt the oldest producer that waits. */
const Steps = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8 })))
const Capacity = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4 }))

describe("mailbox", () => {
  for (const policy of policies) {
    it.effect.prop(
      `offered = taken + refused + depth whatever the order of steps (${policy})`,
      [Capacity, Steps],
      ([capacity, steps]) =>
        Effect.gen(function* () {
          const box = yield* Mailbox.make<number>({ actor: "law", name: policy, capacity, policy })
          const producers: Array<Fiber.Fiber<boolean>> = []
          const received: Array<number> = []
          let next = 0
          for (const step of steps) {
            if (step < 6) {
              producers.push(yield* Effect.forkChild(box.offer(next++), { startImmediately: true }))
            } else if (step === 6) {
              if (box.read().depth > 0) received.push(yield* box.take)
            } else if (step === 7) {
              if (box.read().depth > 0) received.push(...(yield* box.takeAll))
            } else {
              const waiting = producers.find((fiber) => fiber.pollUnsafe() === undefined)
              if (waiting !== undefined) yield* Fiber.interrupt(waiting)
            }
            holds(box)
          }
          assert.deepStrictEqual(
            received,
            [...received].sort((a, b) => a - b)
          )
          assert.strictEqual(received.length, box.read().taken)
          if (policy === "wait") assert.strictEqual(box.read().refused, 0)
        }).pipe(Effect.scoped)
    )
  }

  it.effect("refuses the newest message when full and says so", () =>
    Effect.gen(function* () {
      const box = yield* Mailbox.make<number>({ actor: "a", name: "datagrams", capacity: 2, policy: "refuse" })
      assert.strictEqual(yield* box.offerAll([1, 2, 3, 4]), 2)
      assert.strictEqual(box.offerUnsafe(5), false)
      assert.deepStrictEqual(box.read(), {
        name: "datagrams",
        policy: "refuse",
        capacity: 2,
        depth: 2,
        offered: 5,
        taken: 0,
        refused: 3
      })
      assert.deepStrictEqual(yield* box.takeAll, [1, 2])
    })
  )

  it.effect("slides the oldest message out when full", () =>
    Effect.gen(function* () {
      const box = yield* Mailbox.make<number>({ actor: "a", name: "latest", capacity: 2, policy: "slide" })
      assert.strictEqual(yield* box.offerAll([1, 2, 3]), 0)
      assert.strictEqual(box.read().refused, 1)
      assert.deepStrictEqual(yield* box.takeAll, [2, 3])
      holds(box)
    })
  )

  it.effect("makes a producer wait until there is room", () =>
    Effect.gen(function* () {
      const box = yield* Mailbox.make<number>({ actor: "a", name: "closed windows", capacity: 1, policy: "wait" })
      const producer = yield* Effect.forkChild(box.offerAll([1, 2, 3]), { startImmediately: true })
      assert.strictEqual(producer.pollUnsafe(), undefined)
      assert.strictEqual(box.offerUnsafe(9), false)
      assert.deepStrictEqual([yield* box.take, yield* box.take, yield* box.take], [1, 2, 3])
      assert.strictEqual(yield* Fiber.join(producer), 0)
      assert.strictEqual(box.read().refused, 1)
      holds(box)
    })
  )

  it.effect("counts in the metrics what it counts for the registry, and takes its series away with it", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const box = yield* Scope.provide(
        Mailbox.make<number>({ actor: "flow/worker-1", name: "datagrams", capacity: 2, policy: "refuse" }),
        scope
      )
      yield* box.offerAll([1, 2, 3])
      yield* box.take
      const seen = (yield* Metric.snapshot).map((one) => [
        one.id,
        one.attributes?.["actor"],
        one.type === "Counter" ? one.state.count : one.type === "Gauge" ? one.state.value : undefined
      ])
      assert.deepStrictEqual(seen, [
        ["actor_mailbox_offered_total", "flow/worker-1", 3],
        ["actor_mailbox_taken_total", "flow/worker-1", 1],
        ["actor_mailbox_refused_total", "flow/worker-1", 1],
        ["actor_mailbox_depth", "flow/worker-1", 1],
        ["actor_mailbox_capacity", "flow/worker-1", 2]
      ])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* Metric.snapshot, [])
      assert.strictEqual(box.read().refused, 2, "what was never taken is accounted for")
      assert.strictEqual(yield* box.offer(4), false)
      holds(box)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  )

  it.effect("keeps what a reader of the stream had not come to", () =>
    Effect.gen(function* () {
      const box = yield* Mailbox.make<number>({ actor: "a", name: "observations", capacity: 8, policy: "refuse" })
      yield* box.offerAll([1, 2, 3, 4])
      const crashed = yield* Effect.exit(
        Stream.runForEach(box.messages, (n) => (n === 2 ? Effect.die("bad message") : Effect.void))
      )
      assert.isTrue(Exit.isFailure(crashed))
      assert.deepStrictEqual(yield* box.takeAll, [3, 4])
    })
  )

  it.effect("cannot be made without room for a message", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(Mailbox.make({ actor: "a", name: "none", capacity: 0, policy: "refuse" }))
      assert.isTrue(Exit.hasDies(exit))
    })
  )
})
