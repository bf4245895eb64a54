/** Coverage terms for tests: a window in which an exporter was heard all the time and everything arrived. */
import type { CoverageTerms } from "./coverage.ts"

export const goodTerms: CoverageTerms = {
  seconds: 300,
  heardSeconds: 300,
  datagrams: 1000,
  records: 20_000,
  sequenceLost: 0,
  sequenceUnit: "datagrams",
  malformed: 0,
  heldDropped: 0,
  heldSets: 0,
  refused: 0,
  kernelShare: 0,
  discardedShare: 0,
  pressure: 1,
  sampling: 1,
  skewMs: 0
}
