/** Follows the sequence numbers of every exporter's observation domains, in a bounded number of domains. */
import type { ExporterProtocol } from "#domain/Exporter.ts"
import type { DecodeOutcome } from "../decode/DecodeOutcome.ts"
import type { Exporter } from "./exporter-reading.ts"
import { followSequence, makeSequenceTrack, type SequenceHeader, type SequenceVerdict } from "./sequence.ts"

/** Observation domains of one exporter whose sequence numbers are followed. */
const MAX_DOMAINS = 1024
/** And of all together beyond a few each: every one is told each second and stored, and whoever invents datagrams invents domains. */
const MAX_DOMAINS_IN_ALL = 16_384
const FEW_DOMAINS = 4

/** What is kept of an exporter whose numbers are followed. */
export type Numbered = Pick<Exporter, "protocol" | "domains" | "sequenceLost" | "sequenceResets"> & {
  /** Datagrams turned away by us. */
  readonly overLimit?: number
}

/** What the number would move by if this exporter counts in the unit its protocol does not say. */
export const otherStepOf = (protocol: ExporterProtocol, outcome: DecodeOutcome): number => {
  if (protocol !== "netflow9" && protocol !== "sflow5") return 1
  const sure = protocol === "netflow9" && outcome.unknownSets + outcome.optionsRecords + outcome.complaints === 0
  return sure ? outcome.records : -1
}

export interface ObservationDomains {
  /** Takes the header of a datagram that was decoded, and adds what it shows to be missing to the exporter's counters. */
  readonly follow: (exporter: Numbered, domain: number, header: SequenceHeader, steadyMs: number) => void
  /** Goes on where an earlier run stopped. */
  readonly resume: (
    exporter: Numbered,
    sequences: ReadonlyArray<readonly [domain: number, expected: number]>,
    lastMs: number
  ) => void
  readonly forget: (exporter: Pick<Numbered, "domains">) => void
}

export const makeObservationDomains = (): ObservationDomains => {
  /** Domains followed, of all exporters together. */
  let domains = 0
  const verdict: SequenceVerdict = { lost: 0, reset: false }
  return {
    follow: (exporter, domain, { otherStep, sequence, step, uptimeMs }, steadyMs) => {
      let track = exporter.domains.get(domain)
      if (track === undefined) {
        const { size } = exporter.domains
        if (size >= MAX_DOMAINS || (size >= FEW_DOMAINS && domains >= MAX_DOMAINS_IN_ALL)) return
        domains++
        track = makeSequenceTrack()
        exporter.domains.set(domain, track)
      }
      const { overLimit = 0, protocol } = exporter
      if (track.overLimit !== overLimit) {
        // What we turned away ourselves is counted as that, and did not get lost on the way.
        track.overLimit = overLimit
        track.expected = -1
        track.sequence = -1
        track.open = 0
      }
      const counts = protocol === "netflow9" || protocol === "sflow5" ? "datagrams" : "records"
      followSequence(track, sequence, step, counts, uptimeMs, steadyMs, verdict, otherStep)
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
