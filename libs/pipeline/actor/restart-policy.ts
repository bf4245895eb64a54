/** When a failed actor is tried again, and when that stops being sensible. Pure: the time and the chance are arguments. */
import * as Duration from "effect/Duration"

export interface RestartPolicy {
  /** Pause before the first restart; each further one in the window waits twice as long. */
  readonly base: Duration.Input
  /** No pause is longer. */
  readonly cap: Duration.Input
  /** Restarts that are tolerated within the window; one more failure and the actor gives up. */
  readonly maxRestarts: number
  readonly within: Duration.Input
}

/** Five restarts take about five seconds: a fault that passes has passed by then, and one that stays is not hidden for long. */
export const actorPolicy: RestartPolicy = { base: "200 millis", cap: "30 seconds", maxRestarts: 5, within: "1 minute" }

/** A group restarts all its actors, which is worth less often. */
export const groupPolicy: RestartPolicy = { base: "1 second", cap: "1 minute", maxRestarts: 3, within: "5 minutes" }

/**
 * Pause in ms before restart number `attempt` (0 is the first). `chance` in [0, 1) takes up to a quarter off, so that actors which
 * failed together do not come back together; a doubled pause less a quarter is still longer than the one before.
 */
export const pauseMillis = (policy: RestartPolicy, attempt: number, chance: number): number => {
  const full = Math.min(Duration.toMillis(policy.cap), Duration.toMillis(policy.base) * 2 ** attempt)
  return full * (1 - chance / 4)
}

/**
 * The restarts that still count at `now` (ms), this failure's included, or undefined when it is one too many. A clock that was set
 * back makes earlier restarts look as if they were to come: they no longer count.
 */
export const admit = (policy: RestartPolicy, earlier: ReadonlyArray<number>, now: number): ReadonlyArray<number> | undefined => {
  const within = Duration.toMillis(policy.within)
  const counted = earlier.filter((at) => at <= now && now - at < within)
  return counted.length >= policy.maxRestarts ? undefined : [...counted, now]
}
