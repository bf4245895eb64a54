/**
 * Which end serves. Each kind of evidence is a weight in log-odds (ln of the odds that the direction is right), so that kinds add up and
 * contradictions cancel; the sum becomes a signed margin by tanh(sum / 2), -1..1, which is twice the probability less one.
 *
 * | evidence | most it weighs | why |
 * | --- | --- | --- |
 * | declared by the operator: this address and port serves | all | people know |
 * | second connection: another one between the same ends asked for it (FTP's data, RPC's ports) | 8 | the service's own server is the other's server too |
 * | SYN without ACK, or the earlier start of two halves that hold a SYN each | 6 | only who opens a connection sends it (RFC 9293 §3.5) |
 * | SYN with ACK, in a single packet | 5 | only who accepts sends it |
 * | history: this address and port served before | 4 | services stay |
 * | port rank, a service that the operator named | 3 | the operator knows, but a client may come by that port by chance |
 * | who began, where both directions have start times | 2.5 | right but for clocks, and flows cut by a timeout |
 * | port rank, a known service | 2 | right but for services on others' ports |
 * | fan-in: clients on one port, by their logarithm | 1.8 | a client's port meets few peers; where both meet several, the ratio tells |
 * | port rank, ephemeral or system port only | 1 | a habit of operating systems |
 * | the client's port changes | 1 | a server's does not |
 *
 * Counts saturate: n observations weigh n / (n + 1) of the most (n SYNs n / (n + ½)), so that many weak ones do not outweigh one strong one by number alone.
 * All of it is stored, what speaks against as well, so the margin that is shown is the one that decided.
 */
import { type PortRanks, portRank, RANK_DECLARED, RANK_SERVICE } from "./PortRank.ts"

/** The fields of DirectionEvidence (Dependency.ts); `forward` speaks for the direction drawn. */
export interface Evidence {
  readonly synForward: number
  readonly synReverse: number
  readonly synAckForward: number
  readonly synAckReverse: number
  readonly beganForward: number
  readonly beganReverse: number
  /** ±3: a service the operator named against none; ±2: a known service; ±1: ephemeral or system port only; 0: silent. */
  readonly portRank: number
  readonly fanIn: number
  /** Peers of the port that the client used: as many speak for the client as the server. */
  readonly fanInAgainst: number
  /** Changes of the client's port, less those of the server's. */
  readonly clientPorts: number
  /** Windows in which this end was seen serving, on other evidence; less than 0: the other end was. At most `mostHistory` either way. */
  readonly history: number
  /** Another connection between the same ends, to a service that opens more, asked for this one. */
  readonly companion: boolean
  readonly declared: boolean
}

/** Nothing is known: a guess. */
export const noEvidence: Evidence = {
  synForward: 0,
  synReverse: 0,
  synAckForward: 0,
  synAckReverse: 0,
  beganForward: 0,
  beganReverse: 0,
  portRank: 0,
  fanIn: 0,
  fanInAgainst: 0,
  clientPorts: 0,
  history: 0,
  companion: false,
  declared: false
}

export const directionWeights = {
  companion: 8,
  syn: 6,
  synAck: 5,
  history: 4,
  began: 2.5,
  /** For each step of `portRank`, of which there are three. */
  portRank: 1,
  fanIn: 1.8,
  clientPorts: 1
} as const

export const mostPortRank = 3
export const mostHistory = 15

/** Log-odds from which an end is remembered as serving: more than one start, or fan-in alone, can say. */
export const provenOdds = 1.5

/** One SYN weighs two thirds of the most: it overrules a port, whatever it is called. */
export const synHalf = 0.5

/** Counts for and against: their balance, -1..1, by how many there are; `half` of them weigh half. */
const balance = (forward: number, reverse: number, half = 1): number => (forward - reverse) / (forward + reverse + half)

/** Peers of a port from which on more of them say no more. */
export const fullFanIn = 40

const fanInWeights = Float64Array.from({ length: fullFanIn + 1 }, (_, peers) =>
  peers > 1 ? (directionWeights.fanIn * Math.log(peers)) / Math.log(fullFanIn) : 0
)

/** Weight of so many distinct peers of a port; one says nothing. */
const fanInWeight = (peers: number): number => fanInWeights[Math.min(peers, fullFanIn)]!

const within = (value: number, most: number): number => Math.max(-most, Math.min(most, value))

/** `n` of a kind that needs two more to weigh half: signed, -1..1. */
const saturated = (n: number): number => n / (Math.abs(n) + 2)

/** What each kind of evidence adds to the log-odds of the direction drawn. */
export const directionParts = (evidence: Evidence) => ({
  companion: evidence.companion ? directionWeights.companion : 0,
  syn: directionWeights.syn * balance(evidence.synForward, evidence.synReverse, synHalf),
  synAck: directionWeights.synAck * balance(evidence.synAckForward, evidence.synAckReverse),
  began: directionWeights.began * balance(evidence.beganForward, evidence.beganReverse),
  portRank: directionWeights.portRank * within(evidence.portRank, mostPortRank),
  fanIn: fanInWeight(evidence.fanIn),
  fanInAgainst: -fanInWeight(evidence.fanInAgainst),
  clientPorts: directionWeights.clientPorts * saturated(evidence.clientPorts),
  history: directionWeights.history * saturated(within(evidence.history, mostHistory))
})

/** Log-odds that the direction is right. Infinite when declared. */
export const directionOdds = (evidence: Evidence): number =>
  evidence.declared
    ? Number.POSITIVE_INFINITY
    : (evidence.companion ? directionWeights.companion : 0) +
      directionWeights.syn * balance(evidence.synForward, evidence.synReverse, synHalf) +
      directionWeights.synAck * balance(evidence.synAckForward, evidence.synAckReverse) +
      directionWeights.began * balance(evidence.beganForward, evidence.beganReverse) +
      directionWeights.portRank * within(evidence.portRank, mostPortRank) +
      fanInWeight(evidence.fanIn) -
      fanInWeight(evidence.fanInAgainst) +
      directionWeights.clientPorts * saturated(evidence.clientPorts) +
      directionWeights.history * saturated(within(evidence.history, mostHistory))

/** Log-odds as a signed margin, -1..1. */
export const marginOf = (odds: number): number => Math.tanh(odds / 2)

/** Signed margin of stored evidence, -1..1; 1 when declared. Anyone can recompute it. */
export const directionMargin = (evidence: Evidence): number => marginOf(directionOdds(evidence))

/** `portRank` of evidence that has `serverPort` serve `clientPort`. */
export const portRankEvidence = (ranks: PortRanks, protocol: number, clientPort: number, serverPort: number): number => {
  const client = portRank(ranks, protocol, clientPort)
  const server = portRank(ranks, protocol, serverPort)
  if (client === server) return 0
  const higher = Math.max(client, server)
  const strength = higher >= RANK_DECLARED ? 3 : higher >= RANK_SERVICE ? 2 : 1
  return server > client ? strength : -strength
}
