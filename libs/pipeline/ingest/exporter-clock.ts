/**
 * How far an exporter's clock is behind ours, from arrival minus export time. What delays a datagram (a queue, a busy collector) and what
 * cuts its clock to whole seconds only ever makes that longer, so the shortest of the last samples is the measure: ten late datagrams do
 * not move it. It follows a clock that is slowly drawn right within two spans.
 *
 * A sample far off is either one datagram that is not what it says (a replayed capture, a broken header), which is corrected by itself
 * alone, or a clock that was set: then all further ones agree with it.
 */

/** Off by more than this is not jitter. */
const FAR_MS = 60_000
/** So many in a row agree: the clock was set. */
const CONVINCED = 8
/** A span ends after so many samples and so long: fewer could all be late, shorter would show the cut to whole seconds as a sawtooth. */
const SPAN_SAMPLES = 8
const SPAN_MS = 5000

export interface ClockTrack {
  /** The measure, ms; NaN before the first sample. */
  skewMs: number
  /** Shortest sample of the span that runs and of the one before. */
  low: number
  lowBefore: number
  samples: number
  sinceMs: number
  /** Far samples in a row that agree, and the shortest of them. */
  far: number
  farMs: number
  /** Times it was set. */
  jumps: number
}

export const makeClockTrack = (): ClockTrack => ({
  skewMs: Number.NaN,
  low: 0,
  lowBefore: Number.POSITIVE_INFINITY,
  samples: 0,
  sinceMs: 0,
  far: 0,
  farMs: 0,
  jumps: 0
})

const begin = (track: ClockTrack, sample: number, steadyMs: number): void => {
  track.skewMs = sample
  track.low = sample
  track.lowBefore = Number.POSITIVE_INFINITY
  track.samples = 1
  track.sinceMs = steadyMs
  track.far = 0
}

/** Takes arrival minus export time of one datagram. Returns what to add to the times of its records. */
export const takeSample = (track: ClockTrack, sample: number, steadyMs: number): number => {
  const off = sample - track.skewMs
  if (off >= -FAR_MS && off <= FAR_MS) {
    track.far = 0
    if (sample < track.low) track.low = sample
    if (++track.samples >= SPAN_SAMPLES && steadyMs - track.sinceMs >= SPAN_MS) {
      track.lowBefore = track.low
      track.low = sample
      track.samples = 0
      track.sinceMs = steadyMs
    }
    track.skewMs = Math.min(track.low, track.lowBefore)
    return track.skewMs
  }
  if (Number.isNaN(off)) {
    begin(track, sample, steadyMs)
    return sample
  }
  if (track.far > 0 && Math.abs(sample - track.farMs) <= FAR_MS) {
    track.far++
    if (sample < track.farMs) track.farMs = sample
  } else {
    track.far = 1
    track.farMs = sample
  }
  if (track.far < CONVINCED) return sample
  track.jumps++
  begin(track, track.farMs, steadyMs)
  return track.skewMs
}

/** Our own clock was set by `byMs`: no exporter's was. */
export const shiftClock = (track: ClockTrack, byMs: number): void => {
  track.skewMs += byMs
  track.low += byMs
  track.lowBefore += byMs
  track.farMs += byMs
}
