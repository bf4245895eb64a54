/**
 * Why a dependency points the way it does, and why we are as sure as we are: the stored evidence taken apart into what each term
 * contributes. The weights are those of libs/pipeline/resolve (direction.ts, confidence.ts), which the console cannot import; a test
 * holds the two together, and the page compares what it recomputes with what is stored.
 */
import type { ConfidenceTerms, DirectionEvidence } from "#domain/Dependency.ts"
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

/** n observations weigh n / (n + 1) of the most, and contradictions cancel. */
const balance = (forward: number, reverse: number): number => {
  const all = forward + reverse
  return all === 0 ? 0 : ((forward - reverse) / all) * (all / (all + 1))
}

const both = (forward: number, reverse: number, from: string, against: string): string =>
  forward + reverse === 0 ? "none seen" : `${forward} from the ${from}${reverse === 0 ? "" : `, ${reverse} from the ${against}`}`

const ranks: Record<number, string> = {
  2: "the server's port is a known service, the client's is not",
  1: "the client's port is ephemeral or the server's a system port",
  0: "the ports do not tell",
  [-1]: "the ports speak mildly for the other end",
  [-2]: "the client's port is a known service, the server's is not"
}

export const whyDirection = (evidence: DirectionEvidence): DirectionWhy => {
  if (evidence.declared) {
    return {
      margin: 1,
      sum: Number.POSITIVE_INFINITY,
      terms: [{ name: "Declared", seen: "an operator declared this end to serve", weight: Number.POSITIVE_INFINITY }]
    }
  }
  const terms: ReadonlyArray<Term> = [
    {
      name: "SYN without ACK",
      seen: both(evidence.synForward, evidence.synReverse, "client", "server"),
      weight: 6 * balance(evidence.synForward, evidence.synReverse)
    },
    {
      name: "SYN with ACK",
      seen: both(evidence.synAckForward, evidence.synAckReverse, "server", "client"),
      weight: 5 * balance(evidence.synAckForward, evidence.synAckReverse)
    },
    {
      name: "Who began",
      seen: both(evidence.beganForward, evidence.beganReverse, "client", "server"),
      weight: 2.5 * balance(evidence.beganForward, evidence.beganReverse)
    },
    {
      name: "Port rank",
      seen: ranks[evidence.portRank] ?? "the ports do not tell",
      weight: Math.max(-2, Math.min(2, evidence.portRank))
    },
    {
      name: "Fan-in",
      seen: `${plural(evidence.fanIn, "client")} on this port`,
      weight: evidence.fanIn > 1 ? 1.5 * (1 - 1 / evidence.fanIn) : 0
    },
    {
      name: "Client port changes",
      seen:
        evidence.clientPorts > 0 ? `${plural(evidence.clientPorts, "port")} or changes; a server's does not change` : "none seen",
      weight: evidence.clientPorts > 0 ? evidence.clientPorts / (evidence.clientPorts + 2) : 0
    }
  ]
  const sum = terms.reduce((total, term) => total + term.weight, 0)
  return { terms, sum, margin: Math.tanh(sum / 2) }
}

export interface ConfidenceWhy {
  /** How much of *seen* each term adds; they sum to `seen`. */
  readonly terms: ReadonlyArray<Term>
  readonly seen: number
  readonly direction: number
  readonly confidence: number
}

const sampledOneWayCap = 0.9

export const whyConfidence = (terms: ConfidenceTerms): ConfidenceWhy => {
  const byRecords = 0.6 * (terms.records / (terms.records + 4))
  const byWindows = 0.4 * (terms.windows / (terms.windows + 1))
  const missing = 1 - byRecords - byWindows
  const afterBoth = terms.bothDirections ? missing * 0.5 : missing
  const afterSeveral = terms.exporters > 1 ? afterBoth * 0.8 : afterBoth
  const uncapped = 1 - afterSeveral
  const seen = terms.sampled && !terms.bothDirections ? Math.min(sampledOneWayCap, uncapped) : uncapped
  const direction = 0.5 + 0.5 * Math.max(-1, Math.min(1, terms.direction))
  return {
    seen,
    direction,
    confidence: seen * direction,
    terms: [
      { name: "Records", seen: plural(terms.records, "flow record"), weight: byRecords },
      { name: "Windows", seen: `${plural(terms.windows, "window")} with traffic`, weight: byWindows },
      {
        name: "Both directions",
        seen: terms.bothDirections ? "requests and answers were seen" : "only one direction was seen",
        weight: missing - afterBoth
      },
      { name: "Exporters", seen: `${plural(terms.exporters, "exporter")} saw it`, weight: afterBoth - afterSeveral },
      {
        name: "Sampling",
        seen: terms.sampled
          ? terms.bothDirections
            ? "sampled, both directions seen"
            : "sampled, one direction: 90 % at most"
          : "every packet counted",
        weight: seen - uncapped
      }
    ]
  }
}
