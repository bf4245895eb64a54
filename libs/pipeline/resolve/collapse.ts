/**
 * The conversations of a slice → edges (edges.ts): client, server, port, protocol, each with its evidence and one owner a direction.
 *
 * 1. Conversations are joined over exporters: their evidence counts together.
 * 2. Each end that has an exact port is a candidate server; its fan-in and its peers' changing ports are counted over the slice.
 * 3. direction.ts decides which end serves. Folded rows may be turned round too, as long as the folded port was one.
 * 4. Rows of one edge are added up by exporter, and duplicate.ts says whose volumes count.
 */
import { ipv4Text, ipv6Text } from "#domain/Address.ts"
import { type PortRanks, portClass } from "#domain/PortRank.ts"
import type { WindowSlice } from "#domain/Window.ts"
import { isAttempt } from "./attempt.ts"
import { directionOdds, type Evidence, portRankEvidence } from "./direction.ts"
import { makeOwners, type Owners } from "./duplicate.ts"
import type { CollapsedSlice } from "./edges.ts"
import { type EdgeSums, finishEdges } from "./finish-edges.ts"
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

/** One 32-bit column a thing, grown by doubling. */
const growing = () => {
  let values = new Float64Array(1024)
  return {
    add: (at: number, by: number): void => {
      if (at >= values.length) {
        const wider = new Float64Array(Math.max(at + 1, values.length * 2))
        wider.set(values)
        values = wider
      }
      values[at]! += by
    },
    get: (at: number): number => values[at] ?? 0
  }
}

export const collapseSlice = (slice: WindowSlice, options: CollapseOptions): CollapsedSlice => {
  const { columns: c, rows } = slice
  const { ranks, services } = options

  // Addresses of the slice, numbered; a text is written once.
  const addresses = makeTupleTable(rows)
  const texts: Array<string> = []
  const group: Array<boolean> = []
  const addressOf = (family: number, value: number): number => {
    const id = addresses.intern(family, value, 0, 0)
    if (id === texts.length) {
      texts.push(family === 4 ? ipv4Text(value) : ipv6Text(slice.ipv6, value * 16))
      group.push(family === 4 ? isGroupV4(value) : slice.ipv6[value * 16] === 0xff)
    }
    return id
  }

  const ends = new Int32Array(rows * 2)
  const conversation = new Int32Array(rows)
  const conversations = makeTupleTable(rows)
  for (let row = 0; row < rows; row++) {
    const a = addressOf(c.family[row]!, c.a[row]!)
    const b = addressOf(c.family[row]!, c.b[row]!)
    ends[row * 2] = a
    ends[row * 2 + 1] = b
    const folded = c.folded[row]!
    const ports = folded === 1 ? c.bPort[row]! : (c.aPort[row]! << 16) | c.bPort[row]!
    conversation[row] = conversations.intern(a, b, ports, (c.protocol[row]! << 1) | folded)
  }

  // Evidence of each conversation over all its rows (one an exporter).
  const count = conversations.size
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
  const pairs = makeTupleTable(rows * 2)
  const peers = growing()
  const portChanges = growing()
  const endpointB = new Int32Array(count).fill(-1)
  const endpointA = new Int32Array(count).fill(-1)
  const meet = (server: number, port: number, protocol: number, peer: number, changes: number, counts: boolean): number => {
    const endpoint = endpoints.intern(server, port, protocol, 0)
    if (!counts) return endpoint
    const before = pairs.size
    pairs.intern(endpoint, peer, 0, 0)
    if (pairs.size > before) {
      peers.add(endpoint, 1)
      portChanges.add(endpoint, changes)
    } else {
      portChanges.add(endpoint, changes + 1)
    }
    return endpoint
  }
  for (let at = 0; at < count; at++) {
    const row = first[at]!
    const protocol = c.protocol[row]!
    if (portClass(protocol) === 0) continue
    const a = ends[row * 2]!
    const b = ends[row * 2 + 1]!
    const there = flags[at]! & 0xff
    const back = flags[at]! >>> 8
    const answered = !isAttempt(protocol, there, back) && !isAttempt(protocol, back, there)
    endpointB[at] = meet(b, c.bPort[row]!, protocol, a, aPorts[at]!, answered)
    if (steady[at] === 1) endpointA[at] = meet(a, c.aPort[row]!, protocol, b, 0, answered)
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
    const here = peers.get(endpoint)
    if (services === undefined) return here
    let known = fanInOf.get(endpoint)
    if (known === undefined) {
      known = services.fanIn(texts[address]!, protocol, port)
      fanInOf.set(endpoint, known)
    }
    return Math.max(here, known)
  }

  // Edges, and what each exporter saw of them.
  const edgeKeys = makeTupleTable(count)
  const edges: Array<EdgeSums> = []
  for (let at = 0; at < count; at++) {
    const row = first[at]!
    const protocol = c.protocol[row]!
    const a = ends[row * 2]!
    const b = ends[row * 2 + 1]!
    const aPort = c.aPort[row]!
    const bPort = c.bPort[row]!
    let bServes = true
    let rank = 0
    let declared = false
    let clients = 0
    let changes = 0
    if (endpointB[at] !== -1) {
      const eb = endpointB[at]!
      const ea = endpointA[at]!
      rank = portRankEvidence(ranks, protocol, aPort, bPort)
      const forB: Evidence = {
        synForward: synAb[at]!,
        synReverse: synBa[at]!,
        synAckForward: synAckBa[at]!,
        synAckReverse: synAckAb[at]!,
        beganForward: beganA[at]!,
        beganReverse: beganB[at]!,
        portRank: rank,
        fanIn: fanIn(eb, b, protocol, bPort),
        clientPorts: portChanges.get(eb),
        declared: isDeclared(eb, b, protocol, bPort)
      }
      const forA =
        ea === -1
          ? { fanIn: 0, clientPorts: 0, declared: false }
          : { fanIn: fanIn(ea, a, protocol, aPort), clientPorts: portChanges.get(ea), declared: isDeclared(ea, a, protocol, aPort) }
      const odds = directionOdds(forB, forA)
      // Nothing speaks for either end: the lower port serves; a guess, and its margin says so. A port that was folded away cannot
      // serve unless a SYN says so.
      if (group[a] || group[b]) bServes = group[b]!
      else bServes = odds > 0 || (odds === 0 && bPort <= aPort) || (ea === -1 && odds > -2)
      if (!bServes) rank = -rank
      declared = bServes ? forB.declared : forA.declared
      clients = bServes ? forB.fanIn : forA.fanIn
      changes = bServes ? forB.clientPorts : forA.clientPorts
    } else {
      bServes = group[b]! || !group[a]
    }
    const client = bServes ? a : b
    const server = bServes ? b : a
    const port = bServes ? bPort : aPort
    const key = edgeKeys.intern(client, server, port, protocol)
    let edge = edges[key]
    if (edge === undefined) {
      edge = {
        family: c.family[row] === 6 ? 6 : 4,
        protocol,
        client: texts[client]!,
        server: texts[server]!,
        port,
        group: group[server]!,
        synForward: 0,
        synReverse: 0,
        synAckForward: 0,
        synAckReverse: 0,
        beganForward: 0,
        beganReverse: 0,
        portRank: rank,
        fanIn: clients,
        clientPorts: changes,
        declared,
        flagsToServer: 0,
        flagsToClient: 0,
        first: Number.POSITIVE_INFINITY,
        last: 0,
        seen: []
      }
      edges.push(edge)
    }
    edge.synForward += bServes ? synAb[at]! : synBa[at]!
    edge.synReverse += bServes ? synBa[at]! : synAb[at]!
    edge.synAckForward += bServes ? synAckBa[at]! : synAckAb[at]!
    edge.synAckReverse += bServes ? synAckAb[at]! : synAckBa[at]!
    edge.beganForward += bServes ? beganA[at]! : beganB[at]!
    edge.beganReverse += bServes ? beganB[at]! : beganA[at]!
    const there = flags[at]! & 0xff
    const back = (flags[at]! >>> 8) & 0xff
    edge.flagsToServer |= bServes ? there : back
    edge.flagsToClient |= bServes ? back : there
    // The sign says, for the rows below, which way this conversation was turned.
    first[at] = bServes ? key : ~key
  }

  for (let row = 0; row < rows; row++) {
    const turned = first[conversation[row]!]!
    const bServes = turned >= 0
    const edge = edges[bServes ? turned : ~turned]!
    const exporter = c.exporter[row]!
    let seen = edge.seen.find((one) => one.exporter === exporter)
    if (seen === undefined) {
      seen = { exporter, sampling: 1, rawBytes: 0, rawPackets: 0, records: [0, 0], bytes: [0, 0], packets: [0, 0] }
      edge.seen.push(seen)
    }
    const to = bServes ? 0 : 1
    seen.records[to]! += c.recordsAb[row]!
    seen.records[1 - to]! += c.recordsBa[row]!
    seen.bytes[to]! += c.bytesAb[row]!
    seen.bytes[1 - to]! += c.bytesBa[row]!
    seen.packets[to]! += c.packetsAb[row]!
    seen.packets[1 - to]! += c.packetsBa[row]!
    seen.rawBytes += c.rawBytes[row]!
    seen.rawPackets += c.rawPackets[row]!
    if (c.sampling[row]! > seen.sampling) seen.sampling = c.sampling[row]!
    if (c.first[row]! < edge.first) edge.first = c.first[row]!
    if (c.last[row]! > edge.last) edge.last = c.last[row]!
  }
  return finishEdges(slice, edges, options.owners ?? makeOwners())
}
