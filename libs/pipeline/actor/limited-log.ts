/**
 * Says a repeated message at most so often, and says how often it was held back: a broken exporter can spoil a thousand datagrams a
 * second, and its log lines must not bury everybody else's.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

interface Held {
  /** When the lines of the last `perSeconds` were logged. */
  readonly span: number
  stamps: Array<number>
  suppressed: number
  latest: Effect.Effect<void>
  waking: boolean
}

/** Keys hold addresses that anybody can forge, so their number is bounded; beyond it messages share one key. */
const mostKeys = 4096
const shared = "(all others)"

interface Limits {
  readonly byKey: Map<string, Held>
  prunedAt: number
}

export const makeLimits = (): Limits => ({ byKey: new Map(), prunedAt: Number.NEGATIVE_INFINITY })

/** What was said lately; one for the process. */
export const LogLimits: Context.Reference<Limits> = Context.Reference("pipeline/actor/LogLimits", { defaultValue: makeLimits })

/**
 * Runs the logging effect at most `times` in any span of `perSeconds` for this key. What is held back is counted, and as soon as the
 * limit allows, the latest of it is logged with `suppressed`: the number held back, itself included.
 *
 *     Effect.logWarning("malformed datagram", { exporter }).pipe(limited(`malformed ${exporter}`))
 */
export const limited =
  (key: string, times = 3, perSeconds = 30) =>
  <R>(log: Effect.Effect<void, never, R>): Effect.Effect<void, never, R> =>
    Effect.gen(function* () {
      const span = perSeconds * 1000
      const limits = yield* LogLimits
      const now = yield* Clock.currentTimeMillis
      const held = heldOf(limits, key, now, span)
      held.stamps = recent(held.stamps, now, span)
      if (held.suppressed === 0 && held.stamps.length < times) {
        held.stamps.push(now)
        return yield* log
      }
      held.suppressed++
      held.latest = Effect.provide(log, yield* Effect.context<R>())
      if (held.waking) return
      held.waking = true
      const pause = held.stamps.length < times ? 0 : held.stamps[0]! + span - now
      yield* Effect.forkDetach(Effect.andThen(Effect.sleep(pause), sayHeldBack(held)))
    })

const sayHeldBack = (held: Held): Effect.Effect<void> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const { suppressed, latest } = held
    held.waking = false
    held.suppressed = 0
    held.latest = Effect.void
    held.stamps = [...recent(held.stamps, now, held.span), now]
    yield* Effect.annotateLogs(latest, { suppressed })
  })

/** A clock that was set back leaves stamps in the future: they no longer count. */
const recent = (stamps: ReadonlyArray<number>, now: number, span: number) => stamps.filter((at) => at <= now && now - at < span)

const heldOf = (limits: Limits, key: string, now: number, span: number): Held => {
  const { byKey } = limits
  const known = byKey.get(key)
  if (known !== undefined) return known
  if (byKey.size >= mostKeys && key !== shared) {
    // Once a second at most: a flood of new keys must not pay for a walk over all of them each time.
    if (Math.abs(now - limits.prunedAt) >= 1000) {
      limits.prunedAt = now
      for (const [other, held] of byKey) if (!held.waking && recent(held.stamps, now, held.span).length === 0) byKey.delete(other)
    }
    if (byKey.size >= mostKeys) return heldOf(limits, shared, now, span)
  }
  const held: Held = { span, stamps: [], suppressed: 0, latest: Effect.void, waking: false }
  byKey.set(key, held)
  return held
}
