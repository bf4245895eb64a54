/** Follows the sequence numbers of every exporter's observation domains, in a bounded number of domains. */
import type { DecodeOutcome } from "../decode/DecodeOutcome.ts"
import type { Exporter } from "./exporter-reading.ts"
import { followSequence, makeSequenceTrack, type SequenceVerdict } from "./sequence.ts"

/** Observation domains of one exporter whose sequence numbers are followed. */
const MAX_DOMAINS = 1024
/** And of all together beyond a few each: every one is told each second and stored, and whoever invents datagrams invents domains. */
const MAX_DOMAINS_IN_ALL = 16_384
const FEW_DOMAINS = 4

export interface ObservationDomains {
  /** Takes the header of a datagram that was decoded, and adds what it shows to be missing to the exporter's counters. */
  readonly follow: (exporter: Exporter, outcome: DecodeOutcome, steadyMs: number) => void
  /** Goes on where an earlier run stopped. */
  readonly resume: (
    exporter: Exporter,
    sequences: ReadonlyArray<readonly [domain: number, expected: number]>,
    lastMs: number
  ) => void
  readonly forget: (exporter: Exporter) => void
}

export const makeObservationDomains = (): ObservationDomains => {
  /** Domains followed, of all exporters together. */
  let domains = 0
  const verdict: SequenceVerdict = { lost: 0, reset: false }
  return {
    follow: (exporter, outcome, steadyMs) => {
      let track = exporter.domains.get(outcome.observationDomain)
      if (track === undefined) {
        const { size } = exporter.domains
        if (size >= MAX_DOMAINS || (size >= FEW_DOMAINS && domains >= MAX_DOMAINS_IN_ALL)) return
        domains++
        track = makeSequenceTrack()
        exporter.domains.set(outcome.observationDomain, track)
      }
      if (track.overLimit !== exporter.overLimit) {
        // What we turned away ourselves is counted as that, and did not get lost on the way.
        track.overLimit = exporter.overLimit
        track.expected = -1
        track.sequence = -1
        track.open = 0
      }
      const { protocol } = exporter
      const counts = protocol === "netflow9" || protocol === "sflow5" ? "datagrams" : "records"
      // What the number would move by if this exporter counts in the unit its protocol does not say.
      const sure = protocol === "netflow9" && outcome.unknownSets + outcome.optionsRecords + outcome.complaints === 0
      const otherStep = counts === "records" ? 1 : sure ? outcome.records : -1
      followSequence(track, outcome.sequence, outcome.sequenceStep, counts, outcome.uptimeMs, steadyMs, verdict, otherStep)
      exporter.sequenceLost = Math.max(0, exporter.sequenceLost + verdict.lost)
      if (verdict.reset) exporter.sequenceResets++
    },
    resume: (exporter, sequences, lastMs) => {
      for (const [domain, expected] of sequences) {
        domains++
        exporter.domains.set(domain, { ...makeSequenceTrack(), expected, lastMs })
      }
    },
    forget: (exporter) => {
      domains -= exporter.domains.size
    }
  }
}
