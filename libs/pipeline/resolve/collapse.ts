/**
 * The conversations of a slice → edges (edges.ts): client, server, port, protocol, each with its evidence and one owner a direction.
 *
 * 1. Conversations are joined over exporters: their evidence counts together.
 * 2. Each end that has an exact port is a candidate server; its fan-in and its peers' changing ports are counted over the slice.
 * 3. direction.ts decides which end serves. Folded rows may be turned round too, as long as the folded port was one.
 * 4. Rows of one edge are added up by exporter, and duplicate.ts says whose volumes count.
 */
import { ipv4Text, ipv6Text } from "#domain/Address.ts"
import { directionOdds, type Evidence, type Opposition, portRankEvidence } from "#domain/direction.ts"
import { type PortRanks, portClass } from "#domain/PortRank.ts"
import type { WindowSlice } from "#domain/Window.ts"
import { isAttempt } from "./attempt.ts"
import { makeOwners, type Owners } from "./duplicate.ts"
import { withoutEchoes } from "./echoes.ts"
import { makeEdgeSums } from "./edge-sums.ts"
import type { CollapsedSlice } from "./edges.ts"
import { finishEdges } from "./finish-edges.ts"
import { makeTupleTable } from "./tuple-table.ts"

/** What is known of services beyond this slice. */
export interface ServiceKnowledge {
  /** The operator declared that this end serves. */
  readonly declared: (address: string, protocol: number, port: number) => boolean
  /** Distinct clients seen on it before; 0 when unknown. */
  readonly fanIn: (address: string, protocol: number, port: number) => number
}

export interface CollapseOptions {
  readonly ranks: PortRanks
  readonly services?: ServiceKnowledge
  /** Keep one over all slices of an appliance. */
  readonly owners?: Owners
}

const isGroupV4 = (value: number): boolean => value >>> 28 === 14 || value === 0xffffffff

const nobody: Opposition = { fanIn: 0, clientPorts: 0, declared: false }

export const collapseSlice = (slice: WindowSlice, options: CollapseOptions): CollapsedSlice => {
  const { rows } = slice
  const { columns: c, echoes } = withoutEchoes(slice)
  const { ranks, services } = options

  // Addresses of the slice, numbered; a text is written once.
  const addresses = makeTupleTable(rows)
  const values: Array<number> = []
  const texts: Array<string> = []
  const group: Array<boolean> = []
  const addressOf = (family: number, value: number): number => {
    const id = addresses.intern(family, value, 0, 0)
    if (id === texts.length) {
      values.push(value | 0)
      texts.push(family === 4 ? ipv4Text(value) : ipv6Text(slice.ipv6, value * 16))
      group.push(family === 4 ? isGroupV4(value) : slice.ipv6[value * 16] === 0xff)
    }
    return id
  }

  const ends = new Int32Array(rows * 2)
  const conversation = new Int32Array(rows)
  // With one exporter every row is a conversation of its own.
  const alone = slice.exporters.length <= 1
  const conversations = makeTupleTable(alone ? 0 : rows)
  for (let row = 0; row < rows; row++) {
    const a = addressOf(c.family[row]!, c.a[row]!)
    const b = addressOf(c.family[row]!, c.b[row]!)
    ends[row * 2] = a
    ends[row * 2 + 1] = b
    if (alone) {
      conversation[row] = row
      continue
    }
    const folded = c.folded[row]!
    const ports = folded === 1 ? c.bPort[row]! : (c.aPort[row]! << 16) | c.bPort[row]!
    conversation[row] = conversations.intern(a, b, ports, (c.protocol[row]! << 1) | folded)
  }

  // Evidence of each conversation over all its rows (one an exporter).
  const count = alone ? rows : conversations.size
  const first = new Int32Array(count).fill(-1)
  const sums = Array.from({ length: 7 }, () => new Float64Array(count))
  const [synAb, synBa, synAckAb, synAckBa, beganA, beganB, aPorts] = sums as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array
  ]
  const flags = new Int32Array(count)
  const steady = new Uint8Array(count).fill(1)
  for (let row = 0; row < rows; row++) {
    const at = conversation[row]!
    if (first[at] === -1) first[at] = row
    else if (c.aPort[first[at]!] !== c.aPort[row]) steady[at] = 0
    synAb[at]! += c.synAb[row]!
    synBa[at]! += c.synBa[row]!
    synAckAb[at]! += c.synAckAb[row]!
    synAckBa[at]! += c.synAckBa[row]!
    beganA[at]! += c.beganA[row]!
    beganB[at]! += c.beganB[row]!
    aPorts[at] = Math.max(aPorts[at]!, c.aPorts[row]!)
    if (c.aPorts[row]! > 0) steady[at] = 0
    flags[at]! |= c.flagsAb[row]! | (c.flagsBa[row]! << 8)
  }

  // Candidate servers and who speaks with them. What nobody answered says nothing about who serves.
  const endpoints = makeTupleTable(rows)
  const pairs = makeTupleTable()
  const firstMeeting = (endpoint: number, peer: number): boolean => {
    const before = pairs.size
    return pairs.intern(endpoint, peer, 0, 0) === before
  }
  const rankOf = (row: number) => portRankEvidence(ranks, c.protocol[row]!, c.aPort[row]!, c.bPort[row]!)
  const peers = new Int32Array(count * 2)
  const portChanges = new Float64Array(count * 2)
  const endpointB = new Int32Array(count).fill(-1)
  const endpointA = new Int32Array(count).fill(-1)
  for (let at = 0; at < count; at++) {
    const row = first[at]!
    const protocol = c.protocol[row]!
    if (portClass(protocol) === 0) continue
    const a = ends[row * 2]!
    const b = ends[row * 2 + 1]!
    const folded = c.folded[row] === 1
    const there = flags[at]! & 0xff
    const back = flags[at]! >>> 8
    const answered = !isAttempt(protocol, there, back) && !isAttempt(protocol, back, there)
    const eb = endpoints.intern(b, c.bPort[row]!, protocol, 0)
    endpointB[at] = eb
    // A known service that nothing contradicts serves, whoever speaks with the other end: its fan-in weighs less.
    const settled = folded && synBa[at] === 0 && synAckAb[at] === 0 && beganB[at] === 0 && rankOf(row) === 2
    const ea = steady[at] === 0 || (settled && services === undefined) ? -1 : endpoints.intern(a, c.aPort[row]!, protocol, 0)
    endpointA[at] = ea
    if (!answered) continue
    // A folded row is all of a pair; exact ports make a row for each connection of it.
    if (folded || firstMeeting(eb, a)) {
      peers[eb]! += 1
      portChanges[eb]! += aPorts[at]!
    } else {
      portChanges[eb]! += 1
    }
    if (ea === -1) continue
    if (folded || firstMeeting(ea, b)) peers[ea]! += 1
    else portChanges[ea]! += 1
  }

  const declaredOf = new Map<number, boolean>()
  const isDeclared = (endpoint: number, address: number, protocol: number, port: number): boolean => {
    if (services === undefined) return false
    let known = declaredOf.get(endpoint)
    if (known === undefined) {
      known = services.declared(texts[address]!, protocol, port)
      declaredOf.set(endpoint, known)
    }
    return known
  }
  const fanInOf = new Map<number, number>()
  const fanIn = (endpoint: number, address: number, protocol: number, port: number): number => {
    const here = peers[endpoint]!
    if (services === undefined) return here
    let known = fanInOf.get(endpoint)
    if (known === undefined) {
      known = services.fanIn(texts[address]!, protocol, port)
      fanInOf.set(endpoint, known)
    }
    return Math.max(here, known)
  }

  const forB: { -readonly [K in keyof Evidence]: Evidence[K] } = {
    synForward: 0,
    synReverse: 0,
    synAckForward: 0,
    synAckReverse: 0,
    beganForward: 0,
    beganReverse: 0,
    portRank: 0,
    fanIn: 0,
    clientPorts: 0,
    declared: false
  }
  const forA: { -readonly [K in keyof Opposition]: Opposition[K] } = { fanIn: 0, clientPorts: 0, declared: false }

  // Edges, and what each exporter saw of them.
  const edges = makeEdgeSums(count, rows)
  const { evidence } = edges
  for (let at = 0; at < count; at++) {
    const row = first[at]!
    const protocol = c.protocol[row]!
    const a = ends[row * 2]!
    const b = ends[row * 2 + 1]!
    const aPort = c.aPort[row]!
    const bPort = c.bPort[row]!
    let bServes = group[b]! || !group[a]
    let chosen: Opposition = nobody
    const rank = rankOf(row)
    const eb = endpointB[at]!
    if (eb !== -1) {
      const ea = endpointA[at]!
      forB.synForward = synAb[at]!
      forB.synReverse = synBa[at]!
      forB.synAckForward = synAckBa[at]!
      forB.synAckReverse = synAckAb[at]!
      forB.beganForward = beganA[at]!
      forB.beganReverse = beganB[at]!
      forB.portRank = rank
      forB.fanIn = fanIn(eb, b, protocol, bPort)
      forB.clientPorts = portChanges[eb]!
      forB.declared = isDeclared(eb, b, protocol, bPort)
      forA.fanIn = ea === -1 ? 0 : fanIn(ea, a, protocol, aPort)
      forA.clientPorts = ea === -1 ? 0 : portChanges[ea]!
      forA.declared = ea !== -1 && isDeclared(ea, a, protocol, aPort)
      if (!group[a] && !group[b]) {
        // Nothing speaks for either end: the lower port serves; a guess, and its margin says so. A port that was folded away cannot
        // serve unless a SYN says so.
        const odds = directionOdds(forB, forA)
        bServes = odds > 0 || (odds === 0 && bPort <= aPort) || (ea === -1 && odds > -2)
      }
      chosen = bServes ? forB : forA
    }
    const edge = edges.of(bServes ? a : b, bServes ? b : a, bServes ? bPort : aPort, protocol)
    if (evidence.row[edge] === -1) {
      evidence.row[edge] = row
      evidence.portRank[edge] = bServes ? rank : -rank
      evidence.fanIn[edge] = chosen.fanIn
      evidence.clientPorts[edge] = chosen.clientPorts
      evidence.declared[edge] = chosen.declared ? 1 : 0
    }
    const syn = edge * 6
    evidence.counts[syn]! += bServes ? synAb[at]! : synBa[at]!
    evidence.counts[syn + 1]! += bServes ? synBa[at]! : synAb[at]!
    evidence.counts[syn + 2]! += bServes ? synAckBa[at]! : synAckAb[at]!
    evidence.counts[syn + 3]! += bServes ? synAckAb[at]! : synAckBa[at]!
    evidence.counts[syn + 4]! += bServes ? beganA[at]! : beganB[at]!
    evidence.counts[syn + 5]! += bServes ? beganB[at]! : beganA[at]!
    const both = flags[at]!
    evidence.flags[edge]! |= bServes ? both : ((both & 0xff) << 8) | (both >>> 8)
    // The sign says, for the rows below, which way this conversation was turned.
    first[at] = bServes ? edge : ~edge
  }

  for (let row = 0; row < rows; row++) {
    const turned = first[conversation[row]!]!
    edges.add(turned >= 0 ? turned : ~turned, turned < 0, c, row)
  }
  const finished = finishEdges(slice, edges, values, texts, group, options.owners ?? makeOwners())
  return { ...finished, duplicates: finished.duplicates + echoes }
}
