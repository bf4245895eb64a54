/**
 * Confidence of a dependency, 0..1: a documented function of its stored terms (ConfidenceTerms, Dependency.ts), so that anyone
 * can recompute it. It never falls when a term improves.
 *
 *     confidence = seen × direction
 *     seen       = 1 − (1 − amount) × (1 − 0.5·both) × (1 − 0.2·several)     capped at 0.9 when sampled and in one direction only
 *     amount     = 0.6 · r/(r + 4) + 0.4 · w/(w + 1)      r records, w windows with traffic
 *     direction  = 0.5 + 0.5 · max(−1, margin)            0 when the evidence speaks against it, 1 when it is certain
 *
 * Many records in many windows, both directions, several exporters: near 1. One record in one direction, direction a guess: about 0.16.
 */
export interface Terms {
  /** Flow records before sampling correction. */
  readonly records: number
  readonly windows: number
  readonly bothDirections: boolean
  readonly exporters: number
  /** Signed margin of direction.ts, -1..1. */
  readonly direction: number
  readonly sampled: boolean
}

export interface ConfidenceParts {
  readonly amount: number
  /** How much of `seen` each term adds; they sum to it. `cap` is 0 or less. */
  readonly adds: {
    readonly records: number
    readonly windows: number
    readonly both: number
    readonly several: number
    readonly cap: number
  }
  readonly seen: number
  readonly direction: number
  readonly confidence: number
}

const SAMPLED_ONE_WAY_CAP = 0.9

/** The function and its parts, for the page that explains a confidence. */
export const confidenceParts = (terms: Terms): ConfidenceParts => {
  const records = Math.max(0, terms.records)
  const windows = Math.max(0, terms.windows)
  const byRecords = 0.6 * (records / (records + 4))
  const byWindows = 0.4 * (windows / (windows + 1))
  const amount = byRecords + byWindows
  const afterBoth = (1 - amount) * (terms.bothDirections ? 0.5 : 1)
  const missing = afterBoth * (terms.exporters > 1 ? 0.8 : 1)
  const uncapped = 1 - missing
  const seen = terms.sampled && !terms.bothDirections ? Math.min(SAMPLED_ONE_WAY_CAP, uncapped) : uncapped
  const direction = 0.5 + 0.5 * Math.max(-1, Math.min(1, terms.direction))
  const adds = {
    records: byRecords,
    windows: byWindows,
    both: 1 - amount - afterBoth,
    several: afterBoth - missing,
    cap: seen - uncapped
  }
  return { amount, adds, seen, direction, confidence: seen * direction }
}

export const confidence = (terms: Terms): number => confidenceParts(terms).confidence
