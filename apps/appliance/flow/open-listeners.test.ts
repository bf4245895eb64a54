import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { ListenerReading } from "#pipeline/ingest/UdpListener.ts"
import { openListeners } from "./open-listeners.ts"

const listener = (port: number, state: "starting" | "running") => ({ port, state }) as ListenerReading

describe("open listeners", () => {
  it.effect("are waited for until they are there and their ports are known", () =>
    Effect.gen(function* () {
      let now: ReadonlyArray<ListenerReading> = []
      const waiting = yield* Effect.forkChild(openListeners(Effect.sync(() => now)))
      yield* TestClock.adjust("2 seconds")
      assert.isUndefined(waiting.pollUnsafe())
      now = [listener(2055, "running"), listener(0, "starting")]
      yield* TestClock.adjust("2 seconds")
      assert.isUndefined(waiting.pollUnsafe())
      now = [listener(2055, "running"), listener(40_000, "running")]
      yield* TestClock.adjust("2 seconds")
      const open = yield* Fiber.join(waiting)
      assert.deepStrictEqual(
        open.map(({ port }) => port),
        [2055, 40_000]
      )
    })
  )
})
