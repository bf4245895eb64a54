/** An edge's figures as the tables can hold them, and its small fields packed into few numbers. */
import { mostHistory, mostPortRank } from "#domain/direction.ts"
import type { Edge } from "./edges.ts"

/** Fields of `bits`. */
export const bit = {
  bothDirections: 1,
  declared: 2,
  companion: 4,
  /** Not `symmetric`: of two rows of one edge either says so. */
  portsDiffer: 64,
  /** portRank + portRankBias in three bits. */
  portRankShift: 3,
  portRankBias: 3,
  flagsToServerShift: 8,
  flagsToClientShift: 16,
  /** history + historyBias in five bits. */
  historyShift: 24,
  historyBias: 15
} as const

/** Fields of `bits` that are no flags: of two rows of one edge the latest stand. */
export const latestBits = (7 << bit.portRankShift) | (31 << bit.historyShift)

/** `fanIn` travels with `fanInAgainst` in its low bits, so that the larger of two has the larger fan-in. */
export const againstShift = 11
export const mostFanIn = 2 ** 20 - 1
export const mostAgainst = 2 ** againstShift - 1
export const fanInOf = (edge: Edge): number =>
  (Math.min(mostFanIn, small(edge.fanIn)) << againstShift) | Math.min(mostAgainst, small(edge.fanInAgainst))

/**
 * A count from the wire as the tables can hold it. An exporter may claim 2^64 octets, and a slice that the database refuses for one
 * such record would be offered for ever: no honest edge moves 2^53 octets in a slice.
 */
export const whole = (value: number): number => (value > 0 ? Math.min(Math.round(value), Number.MAX_SAFE_INTEGER + 1) : 0)
export const small = (value: number): number => (value > 0 ? Math.min(Math.round(value), 0x7fffffff) : 0)
export const signed = (value: number): number => (value < 0 ? -whole(-value) : whole(value))
export const instant = (value: number): number => (Number.isFinite(value) ? value : 0)

/** Counter columns saturate at 2^62 − 1 (`LEAST(a, 4611686018427387903 - b) + b` in the statements), so that two still add up. */
const mostTotal = 2n ** 61n

/** Most edges have a few SYNs: one number instead of six. -1: more than fits. */
export const packEvidence = (edge: Edge): number => {
  const a = small(edge.synForward)
  const b = small(edge.synReverse)
  const c = small(edge.synAckForward)
  const d = small(edge.synAckReverse)
  const e = small(edge.beganForward)
  const f = small(edge.beganReverse)
  return (a | b | c | d | e | f) > 31 ? -1 : a | (b << 5) | (c << 10) | (d << 15) | (e << 20) | (f << 25)
}

const within = (value: number, most: number): number => Math.max(-most, Math.min(most, value))

export const bitsOf = (edge: Edge): number =>
  (edge.bothDirections ? bit.bothDirections : 0) |
  (edge.declared ? bit.declared : 0) |
  (edge.companion ? bit.companion : 0) |
  (edge.symmetric ? 0 : bit.portsDiffer) |
  ((within(edge.portRank, mostPortRank) + bit.portRankBias) << bit.portRankShift) |
  (edge.flagsToServer << bit.flagsToServerShift) |
  (edge.flagsToClient << bit.flagsToClientShift) |
  ((within(edge.history, mostHistory) + bit.historyBias) << bit.historyShift)

/** Exact sums of doubles that hold whole numbers: a `number` until it nears 2^53. */
export class Adder {
  private recent = 0
  private settled = 0n

  add(value: number): void {
    const next = this.recent + whole(value)
    if (next > Number.MAX_SAFE_INTEGER) {
      this.settled += BigInt(this.recent)
      this.recent = whole(value)
    } else this.recent = next
  }

  total(): bigint {
    const sum = this.settled + BigInt(this.recent)
    return sum < mostTotal ? sum : mostTotal
  }
}
