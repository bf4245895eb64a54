/**
 * Follows the sequence numbers of one observation domain: what did not arrive, what came late after all, and when the exporter began
 * anew. Numbers are unsigned 32 bits and wrap.
 *
 * Protocols say what is counted: datagrams (v9, sFlow) or records (v5, IPFIX). Exporters do as they like: softflowd and Open vSwitch count
 * datagrams in v5 and IPFIX, some v9 exporters count flows. So the other unit is watched as well; when the last steps fit that one exactly
 * and ours never, the domain is followed in that one. What looks lost in steps that fit the other unit is held back until then.
 */

export interface SequenceTrack {
  /** The number the next datagram should have; -1 while unknown. */
  expected: number
  /** Units believed lost in gaps that a reordered datagram may still close. */
  open: number
  lastMs: number
  uptimeMs: number
  /** The exporter counts in the unit that its protocol does not say. */
  other: boolean
  /** The last number, and how far each unit would have moved it (-1 unknown). */
  sequence: number
  step: number
  otherStep: number
  /** Steps in a row that fit the unit not followed and not the one followed, and what they seem to have lost. */
  misfits: number
  heldLost: number
  /** Datagrams of the exporter turned away by us when this domain was last followed. */
  overLimit: number
}

/** Of one datagram. `step` is how far the number moves with it, `otherStep` in the other unit; -1: unknown. `uptimeMs` 0: not said. */
export interface SequenceHeader {
  readonly sequence: number
  readonly step: number
  readonly otherStep: number
  readonly uptimeMs: number
}

/** `lost` may be negative: a datagram that had been counted lost came late. */
export interface SequenceVerdict {
  lost: number
  reset: boolean
}

export const makeSequenceTrack = (): SequenceTrack => ({
  expected: -1,
  open: 0,
  lastMs: 0,
  uptimeMs: 0,
  other: false,
  sequence: -1,
  step: -1,
  otherStep: -1,
  misfits: 0,
  heldLost: 0,
  overLimit: 0
})

/** Datagrams that may overtake each other on the way. */
export const REORDERED = 64
/** An exporter that sends more than this is not believed; a bigger jump is a new beginning. */
const UNITS_A_MS = { datagrams: 100, records: 2000 } as const
const SLACK = 65_536
/** Datagrams on the way differ by less. */
const SLACK_MS = 60_000

/** So many steps in a row do not fit by chance. */
const CONVINCED = 8

type Fit = "followed" | "other" | "neither"

/** Which unit the step to `sequence` fits; "neither" also where both agree or nobody knows. */
const fitOf = (track: SequenceTrack, sequence: number): Fit => {
  if (track.sequence < 0 || track.step < 0 || track.otherStep < 0 || track.step === track.otherStep) return "neither"
  const moved = (sequence - track.sequence) >>> 0
  if (moved === track.step) return track.other ? "other" : "followed"
  if (moved === track.otherStep) return track.other ? "followed" : "other"
  return "neither"
}

/** An uptime of 32 bits begins at 0 again after 49.7 days, without the exporter having done so. */
const wrapped = (track: SequenceTrack, uptimeMs: number, elapsed: number): boolean => {
  const late = uptimeMs + 0x1_0000_0000 - track.uptimeMs - elapsed
  return late > -SLACK_MS && late < SLACK_MS
}

const follow = (
  track: SequenceTrack,
  sequence: number,
  step: number,
  counts: "datagrams" | "records",
  uptimeMs: number,
  nowMs: number,
  into: SequenceVerdict
): void => {
  into.lost = 0
  into.reset = false
  const elapsed = Math.max(0, nowMs - track.lastMs)
  const restarted =
    uptimeMs !== 0 && track.uptimeMs !== 0 && uptimeMs + SLACK_MS < track.uptimeMs && !wrapped(track, uptimeMs, elapsed)
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
        return
      }
      into.reset = true
    }
  }
  if (into.reset) track.open = 0
  track.expected = next
  track.lastMs = nowMs
  if (uptimeMs !== 0) track.uptimeMs = uptimeMs
}

/**
 * Takes the header of one datagram. `step` is how far the number moves with it (1 for v9 and sFlow; its records for v5 and IPFIX; -1 when
 * unknown), `otherStep` how far it moves if the exporter counts in the other unit. `uptimeMs` 0: the protocol does not say.
 */
export const followSequence = (
  track: SequenceTrack,
  sequence: number,
  step: number,
  counts: "datagrams" | "records",
  uptimeMs: number,
  nowMs: number,
  into: SequenceVerdict,
  otherStep = -1
): SequenceVerdict => {
  const fit = fitOf(track, sequence)
  track.misfits = fit === "other" ? track.misfits + 1 : fit === "followed" ? 0 : track.misfits
  if (track.misfits >= CONVINCED) {
    track.other = !track.other
    track.misfits = 0
    track.heldLost = 0
    track.open = 0
    track.expected = -1
  }
  const unit = track.other ? (counts === "datagrams" ? "records" : "datagrams") : counts
  follow(track, sequence, track.other ? otherStep : step, unit, uptimeMs, nowMs, into)
  if (fit === "other" && track.misfits > 0) {
    track.heldLost += into.lost
    into.lost = 0
  } else if (fit === "followed") {
    into.lost += track.heldLost
    track.heldLost = 0
  }
  track.sequence = sequence
  track.step = step
  track.otherStep = otherStep
  return into
}
