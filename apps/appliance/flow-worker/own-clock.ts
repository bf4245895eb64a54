/**
 * This machine's clock, which people and NTP set while we count on it. It tells when it was set, against a clock that only moves forward,
 * so that intervals (flushes, expiry, silence) are measured by the latter and everybody can be told by how much the former moved.
 */

/** Moved by more than this between two looks is set; less is drawn right, and of no consequence. */
const SET_MS = 500
/** Time between two calls that cannot pass unnoticed otherwise: the worker ticks once a second. */
const LONG_MS = 2000

export interface OwnClock {
  /** ms since 1970 */
  readonly now: () => number
  /** The same moment on a clock that only moves forward. */
  readonly steady: (nowMs: number) => number
  /** Looks whether the clock was set; `now` does so too where that is likely. */
  readonly check: () => void
  /** Times it was set, and what by the last time, ms. */
  readonly steps: () => number
  readonly lastStepMs: () => number
}

/** `set` is called before the new time is told to anybody. */
export const makeOwnClock = (wall: () => number, monotonic: () => number, set: (byMs: number) => void): OwnClock => {
  let ahead = wall() - monotonic()
  let latest = wall()
  let stepsMs = 0
  let steps = 0
  let lastStepMs = 0

  const look = (at: number): void => {
    const moved = at - monotonic() - ahead
    ahead += moved
    latest = at
    if (Math.abs(moved) < SET_MS) return
    const by = Math.round(moved)
    stepsMs += by
    steps++
    lastStepMs = by
    set(by)
  }

  return {
    now: () => {
      const at = wall()
      if (at < latest - SET_MS || at > latest + LONG_MS) look(at)
      else if (at > latest) latest = at
      return at
    },
    steady: (nowMs) => nowMs - stepsMs,
    check: () => look(wall()),
    steps: () => steps,
    lastStepMs: () => lastStepMs
  }
}
