import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { Registry } from "#pipeline/actor/Registry.ts"
import * as Supervisor from "#pipeline/actor/Supervisor.ts"
import { type LogSettings, loggingLayer } from "./logging.ts"

const logged = (settings: Partial<LogSettings>, body: Effect.Effect<unknown>) =>
  Effect.suspend(() => {
    const lines: Array<string> = []
    const layer = loggingLayer({ level: "info", format: "json", write: (line) => void lines.push(line), ...settings })
    return Effect.as(Effect.provide(body, layer), lines)
  })

const one = (body: Effect.Effect<unknown>) =>
  Effect.map(logged({}, body), ([line]) => JSON.parse(line ?? assert.fail("nothing logged")))

describe("logging", () => {
  it.effect("is one JSON object a line: time, level, actor, message, ids", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 10, 21, 1, 2, 3, 4))
      const lines = yield* logged(
        {},
        Effect.logWarning("malformed datagram", { exporter: "192.0.2.1", octets: 41n }).pipe(
          Effect.annotateLogs({ actor: "flow/worker-1/udp:2055", request: "r-7" })
        )
      )
      assert.deepStrictEqual(lines, [
        '{"time":"2026-11-21T01:02:03.004Z","level":"warning","actor":"flow/worker-1/udp:2055","message":"malformed datagram",' +
          '"request":"r-7","exporter":"192.0.2.1","octets":"41"}'
      ])
    })
  )

  it.effect("says nothing below its level", () =>
    Effect.gen(function* () {
      const all = Effect.all([
        Effect.logDebug("d"),
        Effect.logInfo("i"),
        Effect.logWarning("w"),
        Effect.logError("e"),
        Effect.logFatal("f")
      ])
      const levels = (level: LogSettings["level"]) =>
        Effect.map(logged({ level }, all), (lines) => lines.map((line) => JSON.parse(line).level))
      assert.deepStrictEqual(yield* levels("debug"), ["debug", "info", "warning", "error", "error"])
      assert.deepStrictEqual(yield* levels("info"), ["info", "warning", "error", "error"])
      assert.deepStrictEqual(yield* levels("warning"), ["warning", "error", "error"])
      assert.deepStrictEqual(yield* levels("error"), ["error", "error"])
    })
  )

  it.effect("never says a secret, wrapped or not, however deep", () =>
    Effect.gen(function* () {
      const lines = yield* logged(
        {},
        Effect.logInfo("login", Redacted.make("s3cret"), {
          url: Redacted.make("s3cret"),
          password: "s3cret",
          headers: { Authorization: "Bearer s3cret", cookie: "sid=s3cret" },
          list: [{ apiToken: "s3cret", snmpCommunity: "s3cret" }],
          tokens: 3
        })
      )
      assert.notInclude(lines.join(), "s3cret")
      assert.strictEqual(JSON.parse(lines[0]!).tokens, 3, "a number of tokens is no token")
    })
  )

  it.effect("tells a failure in one line, and a defect with its stack", () =>
    Effect.gen(function* () {
      const failure = yield* one(
        Effect.sandbox(Effect.fail(new Error("could not write", { cause: new Error("disk full") }))).pipe(
          Effect.catch((cause) => Effect.logError("window lost", cause))
        )
      )
      assert.deepInclude(failure, { message: "window lost", cause: "could not write, caused by disk full" })
      assert.notProperty(failure, "stack")
      const defect = yield* one(
        Effect.sandbox(Effect.die(new TypeError("x is undefined"))).pipe(Effect.catch((cause) => Effect.logError(cause)))
      )
      assert.deepInclude(defect, { message: "TypeError: x is undefined", cause: "TypeError: x is undefined" })
      assert.include(defect.stack, "logging.test.ts")
      assert.strictEqual((yield* one(Effect.logError("no", new Error("port in use")))).cause, "port in use")
    })
  )

  it.effect("tells with its path and its cause that an actor restarts", () =>
    Effect.gen(function* () {
      const lines = yield* logged(
        {},
        Effect.gen(function* () {
          const root = yield* Supervisor.make({ path: "flow" })
          yield* root.start("udp:2055", () => Effect.andThen(Effect.logInfo("listens"), Effect.die(new Error("socket closed"))))
          yield* TestClock.adjust(0)
        }).pipe(Effect.orDie, Effect.scoped, Effect.provide(Registry.layer))
      )
      const [first, second] = lines.map((line) => JSON.parse(line))
      assert.deepInclude(first, { actor: "flow/udp:2055", message: "listens" })
      assert.deepInclude(second, {
        level: "warning",
        actor: "flow/udp:2055",
        message: "restarts after a failure",
        restart: 1,
        cause: "socket closed"
      })
    })
  )

  it.effect("keeps a field from taking the place of the line's own", () =>
    Effect.gen(function* () {
      const line = yield* one(Effect.logInfo("kept", { message: "other", level: "none", time: 0 }))
      assert.deepInclude(line, { message: "kept", level: "info", message_: "other", level_: "none", time_: 0, actor: "appliance" })
    })
  )

  it.effect("cuts what is too long, too deep or looped", () =>
    Effect.gen(function* () {
      const loop: Record<string, unknown> = {
        text: "x".repeat(100_000),
        bytes: new Uint8Array(9),
        many: Array.from({ length: 1000 }, (_, i) => i)
      }
      loop["self"] = loop
      const lines = yield* logged({}, Effect.logInfo("big", loop))
      assert.isBelow(lines[0]!.length, 12_000)
      assert.deepInclude(JSON.parse(lines[0]!), { bytes: "9 octets" })
    })
  )

  it.effect("is readable text for a terminal, in which nobody can hide control characters", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 10, 21, 1, 2, 3, 4))
      const body = Effect.logWarning("host \u001b[2Jgone\nfake line", { exporter: "192.0.2.1", name: "core switch" }).pipe(
        Effect.annotateLogs({ actor: "flow" })
      )
      const [line] = yield* logged({ format: "text", colour: false }, body)
      assert.strictEqual(
        line,
        '01:02:03.004 warning flow host \\u001b[2Jgone\\u000afake line exporter=192.0.2.1 name="core switch"'
      )
      const [coloured] = yield* logged({ format: "text", colour: true }, body)
      assert.include(coloured, "\u001b[33mwarning\u001b[0m")
    })
  )
})
