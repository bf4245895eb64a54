/** Real time, moved: for tests whose database and sockets need time to pass, and whose sessions need a day to. */
import { Clock, Duration as D, type Duration, Effect } from "effect"

/** Runs the effect as if it were that much later. Sleeps take as long as ever. */
export const later =
  (by: Duration.Input) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.clockWith((clock) => {
      const ms = D.toMillis(by)
      const ns = BigInt(Math.round(ms)) * 1_000_000n
      return Effect.provideService(effect, Clock.Clock, {
        ...clock,
        sleep: (duration) => clock.sleep(duration),
        currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + ms,
        currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + ms),
        currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() + ns,
        currentTimeNanos: Effect.map(clock.currentTimeNanos, (now) => now + ns)
      })
    })
