/**
 * Follows the sequence numbers of one observation domain: what did not arrive, what came late after all, and when the exporter began
 * anew. Numbers are unsigned 32 bits and wrap.
 */

export interface SequenceTrack {
  /** The number the next datagram should have; -1 while unknown. */
  expected: number
  /** Units believed lost in gaps that a reordered datagram may still close. */
  open: number
  lastMs: number
  uptimeMs: number
}

/** `lost` may be negative: a datagram that had been counted lost came late. */
export interface SequenceVerdict {
  lost: number
  reset: boolean
}

export const makeSequenceTrack = (): SequenceTrack => ({ expected: -1, open: 0, lastMs: 0, uptimeMs: 0 })

/** Datagrams that may overtake each other on the way. */
const REORDERED = 64
/** An exporter that sends more than this is not believed; a bigger jump is a new beginning. */
const UNITS_A_MS = { datagrams: 100, records: 2000 } as const
const SLACK = 65_536

/**
 * Takes the header of one datagram. `step` is how far the number moves with it (1 for v9 and sFlow; its records for v5 and IPFIX; -1 when
 * unknown). `uptimeMs` 0: the protocol does not say.
 */
export const followSequence = (
  track: SequenceTrack,
  sequence: number,
  step: number,
  counts: "datagrams" | "records",
  uptimeMs: number,
  nowMs: number,
  into: SequenceVerdict
): SequenceVerdict => {
  into.lost = 0
  into.reset = false
  const elapsed = Math.max(0, nowMs - track.lastMs)
  const restarted = uptimeMs !== 0 && track.uptimeMs !== 0 && uptimeMs + 60_000 < track.uptimeMs
  const next = step < 0 ? -1 : (sequence + step) % 0x1_0000_0000
  if (track.expected >= 0) {
    const ahead = (sequence - track.expected) | 0
    if (restarted || ahead > SLACK + elapsed * UNITS_A_MS[counts]) {
      into.reset = true
    } else if (ahead > 0) {
      into.lost = ahead
      track.open += ahead
    } else if (ahead < 0) {
      if (-ahead <= REORDERED * Math.max(1, step)) {
        // Overtaken on the way: it closes what was taken for a gap, and the expected number stays.
        const closed = Math.min(track.open, Math.max(0, step))
        track.open -= closed
        into.lost = -closed
        track.lastMs = nowMs
        return into
      }
      into.reset = true
    }
  }
  if (into.reset) track.open = 0
  track.expected = next
  track.lastMs = nowMs
  if (uptimeMs !== 0) track.uptimeMs = uptimeMs
  return into
}
