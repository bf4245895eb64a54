/**
 * Which end serves. Each kind of evidence is a weight in log-odds (ln of the odds that the direction is right), so that kinds add up and
 * contradictions cancel; the sum becomes a signed margin by tanh(sum / 2), -1..1, which is twice the probability less one.
 *
 * | evidence | most it weighs | why |
 * | --- | --- | --- |
 * | declared by the operator | all | people know |
 * | SYN without ACK | 6 | only who opens a connection sends it (RFC 9293 §3.5) |
 * | SYN with ACK, in a single packet | 5 | only who accepts sends it |
 * | who began, where both directions have start times | 2.5 | right but for clocks, and flows cut by a timeout |
 * | port rank, a known service | 2 | right but for services on others' ports |
 * | fan-in: clients on one port | 1.5 | a client's port rarely meets two peers |
 * | port rank, ephemeral or system port only | 1 | a habit of operating systems |
 * | the client's port changes | 1 | a server's does not |
 *
 * Counts saturate: n observations weigh n / (n + 1) of the most, so that many weak ones do not outweigh one strong one by number alone.
 */
import { type PortRanks, portRank, RANK_SERVICE } from "./PortRank.ts"

/** The fields of DirectionEvidence (Dependency.ts); `forward` speaks for the direction drawn. */
export interface Evidence {
  readonly synForward: number
  readonly synReverse: number
  readonly synAckForward: number
  readonly synAckReverse: number
  readonly beganForward: number
  readonly beganReverse: number
  /** ±2: a known service against none; ±1: ephemeral or system port only; 0: silent. */
  readonly portRank: number
  readonly fanIn: number
  readonly clientPorts: number
  readonly declared: boolean
}

export const directionWeights = {
  syn: 6,
  synAck: 5,
  began: 2.5,
  /** For each step of `portRank`, of which there are two. */
  portRank: 1,
  fanIn: 1.5,
  clientPorts: 1
} as const

/** Counts for and against: their balance, -1..1, by how many there are. */
const balance = (forward: number, reverse: number): number => {
  const all = forward + reverse
  return all === 0 ? 0 : ((forward - reverse) / all) * (all / (all + 1))
}

/** Weight of so many distinct clients on the serving end; one client says nothing. */
export const fanInWeight = (fanIn: number): number => (fanIn > 1 ? directionWeights.fanIn * (1 - 1 / fanIn) : 0)

/** Weight of so many changes of the client's port. */
export const clientPortsWeight = (changes: number): number =>
  changes > 0 ? directionWeights.clientPorts * (changes / (changes + 2)) : 0

/** What each kind of evidence adds to the log-odds of the direction drawn. */
export const directionParts = (evidence: Evidence) => ({
  syn: directionWeights.syn * balance(evidence.synForward, evidence.synReverse),
  synAck: directionWeights.synAck * balance(evidence.synAckForward, evidence.synAckReverse),
  began: directionWeights.began * balance(evidence.beganForward, evidence.beganReverse),
  portRank: directionWeights.portRank * Math.max(-2, Math.min(2, evidence.portRank)),
  fanIn: fanInWeight(evidence.fanIn),
  clientPorts: clientPortsWeight(evidence.clientPorts)
})

/** Log-odds of what was exchanged and of the ports, without fan-in and port changes. */
const exchangedWeight = (evidence: Evidence): number =>
  directionWeights.syn * balance(evidence.synForward, evidence.synReverse) +
  directionWeights.synAck * balance(evidence.synAckForward, evidence.synAckReverse) +
  directionWeights.began * balance(evidence.beganForward, evidence.beganReverse) +
  directionWeights.portRank * Math.max(-2, Math.min(2, evidence.portRank))

/** Log-odds as a signed margin, -1..1. */
export const marginOf = (odds: number): number => Math.tanh(odds / 2)

/** Signed margin of stored evidence, -1..1; 1 when declared. Anyone can recompute it. */
export const directionMargin = (evidence: Evidence): number =>
  evidence.declared
    ? 1
    : marginOf(exchangedWeight(evidence) + fanInWeight(evidence.fanIn) + clientPortsWeight(evidence.clientPorts))

/** What speaks for the other end as the server: its own fan-in, and that its port, too, changes. */
export interface Opposition {
  readonly fanIn: number
  readonly clientPorts: number
  readonly declared: boolean
}

/** Log-odds that the direction is right, both ends heard. Infinite when only one end is declared. */
export const directionOdds = (evidence: Evidence, against: Opposition): number => {
  if (evidence.declared !== against.declared) return evidence.declared ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
  return (
    exchangedWeight(evidence) +
    fanInWeight(evidence.fanIn) -
    fanInWeight(against.fanIn) +
    clientPortsWeight(evidence.clientPorts) -
    clientPortsWeight(against.clientPorts)
  )
}

/** `portRank` of evidence that has `serverPort` serve `clientPort`. */
export const portRankEvidence = (ranks: PortRanks, protocol: number, clientPort: number, serverPort: number): number => {
  const client = portRank(ranks, protocol, clientPort)
  const server = portRank(ranks, protocol, serverPort)
  if (client === server) return 0
  const strength = Math.max(client, server) >= RANK_SERVICE ? 2 : 1
  return server > client ? strength : -strength
}
