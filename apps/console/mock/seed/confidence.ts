/** Confidence of the seeded dependencies: grows with windows and exporters, falls with weak direction and sampling. Shape only. */
import type { ConfidenceTerms } from "#domain/Dependency.ts"

export const confidenceOf = (terms: ConfidenceTerms): number => {
  const seen = 1 - Math.exp(-terms.windows / 6)
  const way = Math.max(0, terms.direction)
  const value =
    0.45 * seen + 0.35 * way + (terms.bothDirections ? 0.12 : 0) + (terms.exporters > 1 ? 0.08 : 0) - (terms.sampled ? 0.06 : 0)
  return Math.round(Math.min(1, Math.max(0, value)) * 100) / 100
}
