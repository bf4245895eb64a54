import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, References, Schema } from "effect"
import { TestClock } from "effect/testing"
import { LogLimits, limited, makeLimits } from "./limited-log.ts"

interface Line {
  readonly at: number
  readonly message: string
  readonly suppressed: number
}

const rig = <A, E>(body: (lines: Array<Line>) => Effect.Effect<A, E>) =>
  Effect.suspend(() => {
    const lines: Array<Line> = []
    const logger = Logger.make<unknown, void>(({ message, date, fiber }) => {
      const suppressed = fiber.getRef(References.CurrentLogAnnotations)["suppressed"] as number | undefined
      lines.push({ at: date.getTime(), message: String(message), suppressed: suppressed ?? 0 })
    })
    return body(lines).pipe(Effect.provide(Logger.layer([logger])), Effect.provideService(LogLimits, makeLimits()))
  })

const say = (n: number) => Effect.log(`malformed ${n}`).pipe(limited("malformed"))

describe("limited log", () => {
  it.effect("logs a repeated message three times in thirty seconds, then the latest with the number held back", () =>
    rig((lines) =>
      Effect.gen(function* () {
        for (let n = 1; n <= 1000; n++) yield* say(n)
        assert.deepStrictEqual(
          lines.map((line) => line.message),
          ["malformed 1", "malformed 2", "malformed 3"]
        )
        yield* TestClock.adjust("29 seconds")
        assert.strictEqual(lines.length, 3)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(lines.slice(3), [{ at: 30_000, message: "malformed 1000", suppressed: 997 }])
        yield* say(1001)
        assert.strictEqual(lines.length, 5, "two more may be said in these thirty seconds")
      })
    )
  )

  it.effect("keeps keys apart", () =>
    rig((lines) =>
      Effect.gen(function* () {
        for (let n = 0; n < 5; n++) for (const key of ["a", "b"]) yield* Effect.log(key).pipe(limited(key, 1, 10))
        assert.deepStrictEqual(
          lines.map((line) => line.message),
          ["a", "b"]
        )
      })
    )
  )

  const Gaps = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20_000 })))
  it.effect.prop("never says more than three in any thirty seconds, and accounts for every message", [Gaps], ([gaps]) =>
    rig((lines) =>
      Effect.gen(function* () {
        for (const [n, gap] of gaps.entries()) {
          yield* TestClock.adjust(gap)
          yield* say(n)
        }
        yield* TestClock.adjust("1 minute")
        for (let i = 3; i < lines.length; i++) assert.isAtLeast(lines[i]!.at - lines[i - 3]!.at, 30_000)
        // A line that stands for `suppressed` held-back messages is itself one of them.
        assert.strictEqual(
          lines.reduce((sum, line) => sum + (line.suppressed === 0 ? 1 : line.suppressed), 0),
          gaps.length
        )
      })
    )
  )

  it.effect("holds a bounded number of keys, whatever an attacker makes up", () =>
    rig((lines) =>
      Effect.gen(function* () {
        const limits = yield* LogLimits
        for (let n = 0; n < 10_000; n++) yield* Effect.log("x").pipe(limited(`from ${n}`))
        assert.isAtMost(limits.byKey.size, 4097)
        assert.strictEqual(lines.length, 4096 + 3)
        yield* TestClock.adjust("31 seconds")
        yield* Effect.log("later").pipe(limited("from another"))
        assert.isBelow(limits.byKey.size, 10, "what is over is forgotten")
        assert.strictEqual(lines.at(-1)?.message, "later")
      })
    )
  )
})
