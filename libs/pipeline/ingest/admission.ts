/**
 * How many datagrams a second each exporter may have decoded: the operator's limit, and while the kernel drops datagrams because this
 * thread is too slow, a fair share as well. Then those who send most are held to one level, found so that what is taken fits what could be
 * taken; who sends no more than the average is never held. Pure: the time is an argument.
 */

/** Of what could be taken in the last second, what the next one is planned with. */
const HEADROOM = 0.9
/** The level rises by this each second without drops, until nobody reaches it. */
const RELAX = 1.25
/** Seconds' worth that may come at once while the kernel drops. */
const BURST_WHILE_DROPPING = 0.1

/**
 * The level at which `counts`, each cut to it, add up to `capacity`; never below their average, for with equal senders nobody is to blame.
 * Infinity when they fit.
 */
export const fairLevel = (counts: ReadonlyArray<number>, capacity: number): number => {
  const rising = counts.filter((count) => count > 0).sort((a, b) => a - b)
  const total = rising.reduce((sum, count) => sum + count, 0)
  if (rising.length < 2 || total <= capacity) return Number.POSITIVE_INFINITY
  let left = capacity
  for (let i = 0; i < rising.length; i++) {
    const level = left / (rising.length - i)
    if (rising[i]! > level) return Math.max(level, total / rising.length)
    left -= rising[i]!
  }
  return Number.POSITIVE_INFINITY
}

/** One exporter's share. Counts are of the second that runs. */
export interface Share {
  /** Datagrams that came, and those of them that were let through. */
  offered: number
  taken: number
  tokens: number
  filledMs: number
}

export const makeShare = (): Share => ({ offered: 0, taken: 0, tokens: Number.POSITIVE_INFINITY, filledMs: 0 })

export interface Admission {
  /** Datagrams a second one exporter may have now; Infinity: as many as it sends. */
  readonly limit: () => number
  readonly admit: (share: Share, steadyMs: number) => boolean
  /** Once a second, with all shares and whether the kernel dropped datagrams since the last call. */
  readonly balance: (shares: ReadonlyArray<Share>, dropping: boolean, steadyMs: number) => void
}

/** `maxRate` 0: no limit. */
export const makeAdmission = (maxRate: number): Admission => {
  const most = maxRate > 0 ? maxRate : Number.POSITIVE_INFINITY
  let level = Number.POSITIVE_INFINITY
  let limit = most
  return {
    limit: () => limit,
    admit: (share, steadyMs) => {
      share.offered++
      if (limit === Number.POSITIVE_INFINITY) {
        share.taken++
        return true
      }
      // A second's worth may come at once: exporters send when their timer runs, not evenly.
      const filled = share.tokens + ((steadyMs - share.filledMs) * limit) / 1000
      share.filledMs = steadyMs
      share.tokens = Math.min(filled, limit)
      if (share.tokens < 1) return false
      share.tokens--
      share.taken++
      return true
    },
    balance: (shares, dropping, steadyMs) => {
      const offered = shares.map((share) => share.offered)
      if (dropping) {
        const taken = shares.reduce((sum, share) => sum + share.taken, 0)
        level = Math.min(level, fairLevel(offered, taken * HEADROOM))
      } else if (level !== Number.POSITIVE_INFINITY) {
        level *= RELAX
        if (offered.every((count) => count < level)) level = Number.POSITIVE_INFINITY
      }
      limit = Math.min(most, level)
      for (const share of shares) {
        // What was saved up before there was a limit would undo its first second.
        if (dropping && share.tokens > limit * BURST_WHILE_DROPPING) {
          share.tokens = limit * BURST_WHILE_DROPPING
          share.filledMs = steadyMs
        }
        share.offered = 0
        share.taken = 0
      }
    }
  }
}
