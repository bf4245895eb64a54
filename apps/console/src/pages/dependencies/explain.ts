/**
 * Why a dependency points the way it does, and why we are as sure as we are: the stored evidence taken apart into what each term
 * contributes, computed by the functions that the appliance itself decides with. The page compares the result with what is stored.
 */
import { confidenceParts } from "#domain/confidence.ts"
import type { ConfidenceTerms, DirectionEvidence } from "#domain/Dependency.ts"
import { directionParts, marginOf, mostHistory } from "#domain/direction.ts"
import { plural } from "../../format/number.ts"

export interface Term {
  readonly name: string
  /** What was seen, with figures. */
  readonly seen: string
  /** Direction: log-odds; positive speaks for the direction drawn. Confidence: share of one. */
  readonly weight: number
}

export interface DirectionWhy {
  readonly terms: ReadonlyArray<Term>
  readonly sum: number
  /** -1..1; 1 is certain. */
  readonly margin: number
}

const both = (forward: number, reverse: number, from: string, against: string): string =>
  forward + reverse === 0 ? "none seen" : `${forward} from the ${from}${reverse === 0 ? "" : `, ${reverse} from the ${against}`}`

const ranks: Record<number, string> = {
  3: "the server's port is a service you named, the client's is not",
  2: "the server's port is a known service, the client's is not",
  1: "the client's port is ephemeral or the server's a system port",
  0: "the ports do not tell",
  [-1]: "the ports speak mildly for the other end",
  [-2]: "the client's port is a known service, the server's is not",
  [-3]: "the client's port is a service you named, the server's is not"
}

export const whyDirection = (evidence: DirectionEvidence): DirectionWhy => {
  const parts = directionParts(evidence)
  const terms: ReadonlyArray<Term> = [
    {
      name: "Opening SYN",
      seen: both(evidence.synForward, evidence.synReverse, "client", "server"),
      weight: parts.syn
    },
    {
      name: "SYN with ACK",
      seen: both(evidence.synAckForward, evidence.synAckReverse, "server", "client"),
      weight: parts.synAck
    },
    {
      name: "Who began",
      seen: both(evidence.beganForward, evidence.beganReverse, "client", "server"),
      weight: parts.began
    },
    {
      name: "Port rank",
      seen: ranks[evidence.portRank] ?? "the ports do not tell",
      weight: parts.portRank
    },
    {
      name: "Fan-in",
      seen: `${plural(evidence.fanIn, "client")} on this port`,
      weight: parts.fanIn
    },
    {
      name: "Peers of the client's port",
      seen: evidence.fanInAgainst > 1 ? `${plural(evidence.fanInAgainst, "peer")} met it` : "none but this server",
      weight: parts.fanInAgainst
    },
    {
      name: "Client port changes",
      seen:
        evidence.clientPorts > 0
          ? `${plural(evidence.clientPorts, "change")}; a server's port stays`
          : evidence.clientPorts < 0
            ? `the server's port changed ${plural(-evidence.clientPorts, "time")} more often than the client's`
            : "none seen",
      weight: parts.clientPorts
    },
    {
      name: "History",
      seen:
        evidence.history > 0
          ? `this end served in ${plural(evidence.history, "window")}${evidence.history >= mostHistory ? " or more" : ""}`
          : evidence.history < 0
            ? `the other end served in ${plural(-evidence.history, "window")}`
            : "neither end was seen serving on other evidence",
      weight: parts.history
    },
    {
      name: "Second connection",
      seen: evidence.companion ? "a connection to the same server opens this one" : "not one of a service that opens others",
      weight: parts.companion
    }
  ]
  const sum = terms.reduce((total, term) => total + term.weight, 0)
  if (!evidence.declared) return { terms, sum, margin: marginOf(sum) }
  const declared = {
    name: "Declared",
    seen: "an operator declared this end to serve, or the other one never to",
    weight: Number.POSITIVE_INFINITY
  }
  return { terms: [declared, ...terms], sum: Number.POSITIVE_INFINITY, margin: 1 }
}

export interface ConfidenceWhy {
  /** How much of *seen* each term adds; they sum to `seen`. */
  readonly terms: ReadonlyArray<Term>
  readonly seen: number
  readonly direction: number
  readonly confidence: number
}

export const whyConfidence = (terms: ConfidenceTerms): ConfidenceWhy => {
  const { adds, seen, direction, confidence } = confidenceParts(terms)
  return {
    seen,
    direction,
    confidence,
    terms: [
      { name: "Records", seen: plural(terms.records, "flow record"), weight: adds.records },
      { name: "Windows", seen: `${plural(terms.windows, "window")} with traffic`, weight: adds.windows },
      {
        name: "Both directions",
        seen: terms.bothDirections ? "requests and answers were seen" : "only one direction was seen",
        weight: adds.both
      },
      { name: "Exporters", seen: `${plural(terms.exporters, "exporter")} saw it`, weight: adds.several },
      {
        name: "Sampling",
        seen: terms.sampled
          ? terms.bothDirections
            ? "sampled, both directions seen"
            : "sampled, one direction: 90 % at most"
          : "every packet counted",
        weight: adds.cap
      }
    ]
  }
}
