/** The last step of collapse.ts: sums by edge and exporter → edges with an owner for each direction, and their observers. */

import { directionMargin, noEvidence } from "#domain/direction.ts"
import type { SliceExporter, WindowSlice } from "#domain/Window.ts"
import { type AddressKey, addressKey } from "./address-key.ts"
import { isAttempt, isRestOfAttempt } from "./attempt.ts"
import { makeSeen, type Owners } from "./duplicate.ts"
import { isOneWord, type Spared, spare } from "./echoes.ts"
import { COMPANION, DECLARED, type EdgeSums, TWO_PORTS } from "./edge-sums.ts"
import type { Edge, EdgeKind, EdgeObserver, SliceTotals } from "./edges.ts"

const none: ReadonlyArray<EdgeObserver> = []

const kindOf = (
  group: boolean,
  server: string,
  family: number,
  protocol: number,
  bothDirections: boolean,
  carried: boolean,
  flagsToServer: number,
  flagsToClient: number,
  packetsOfARecord: number
): EdgeKind => {
  if (group) return server === "255.255.255.255" ? "broadcast" : "multicast"
  if (protocol === 1 || protocol === 58) return "icmp"
  // A subnet's own broadcast address ends in .255 in all but odd subnets, and never answers.
  if (protocol === 17 && !bothDirections && family === 4 && server.endsWith(".255")) return "broadcast"
  // No octet and no packet, whoever saw it: a firewall that denied it, or tells that it began (IE 233 firewallEvent 3 and 1).
  if (!carried) return "attempt"
  return isAttempt(protocol, flagsToServer, flagsToClient) ||
    isRestOfAttempt(protocol, flagsToServer, flagsToClient, packetsOfARecord)
    ? "attempt"
    : "dependency"
}

const ownerName = ({ address, egress, protocol }: SliceExporter): string => `${address} ${protocol ?? ""}${egress ? " egress" : ""}`
const addressOfOwner = (name: string): string => name.slice(0, name.indexOf(" "))

/** One more, in a list that names every address once. */
const observed = (observers: ReadonlyArray<EdgeObserver>, one: EdgeObserver): ReadonlyArray<EdgeObserver> => {
  const at = observers.findIndex(({ exporter }) => exporter === one.exporter)
  if (at < 0) return [...observers, one]
  const same = observers[at]!
  return observers.with(at, {
    exporter: one.exporter,
    records: same.records + one.records,
    bytes: same.bytes + one.bytes,
    packets: same.packets + one.packets
  })
}

type Writable<A> = { -readonly [K in keyof A]: A[K] }

const blank = (): Writable<Edge> => ({
  kind: "dependency",
  family: 4,
  protocol: 0,
  client: "",
  server: "",
  port: 0,
  exporter: "",
  exporterToClient: "",
  flows: 0,
  bytesToServer: 0,
  bytesToClient: 0,
  packets: 0,
  rawBytes: 0,
  rawPackets: 0,
  sampling: 1,
  first: 0,
  last: 0,
  ...noEvidence,
  symmetric: false,
  direction: 0,
  bothDirections: false,
  attempt: false,
  weak: false,
  flagsToServer: 0,
  flagsToClient: 0,
  observers: none
})

/** `take` gets one object, filled anew each time. `values` (IPv4 integers; IPv6 indices of the slice), `texts` and `group` are by the address numbers of `edges`; `spared` is what was found to be said again before. */
export const finishEdges = (
  slice: WindowSlice,
  edges: EdgeSums,
  values: ArrayLike<number>,
  texts: ReadonlyArray<string>,
  group: ReadonlyArray<boolean>,
  owners: Owners,
  spared: Map<number, Spared>,
  take: (edge: Edge, client: number, server: number) => void
): SliceTotals => {
  const { columns, windowStart } = slice
  const { client, evidence, first, head, last, port, seen, server } = edges
  const size = edges.size()
  const { bytes, exporter, next, packets, records } = seen
  const names = slice.exporters.map((one) => one.address)
  // What a device says by two protocols is two copies of the same traffic: each is an owner of its own.
  const exporterNames = slice.exporters.map((one) => owners.nameOf(ownerName(one)))
  const candidates = makeSeen()
  const candidateAt: Array<number> = []
  const result = blank()
  let counted = 0
  let duplicates = 0
  for (const { records: said } of spared.values()) duplicates += said
  /** An observation is what the owner's device says by the same protocol of the other way through it. */
  const echoes = (at: number, owner: number) =>
    owner !== -1 && at !== owner && isOneWord(slice.exporters[exporter[at]!]!, slice.exporters[exporter[owner]!]!)

  const keys: Array<AddressKey | undefined> = []
  const keyOf = (family: number, address: number): AddressKey =>
    (keys[address] ??= addressKey(family, values[address]!, texts[address]!))

  /** The observation that owns a direction of an edge, or -1. */
  const ownerOf = (edge: number, place: number, direction: 0 | 1): number => {
    candidates.length = 0
    for (let at = head[edge]!; at !== -1; at = next[at]!) {
      const one = at * 2 + direction
      if (records[one] === 0 && packets[one] === 0 && bytes[one] === 0) continue
      candidates.exporter[candidates.length] = exporterNames[exporter[at]!]!
      candidates.packets[candidates.length] = packets[one]!
      candidates.bytes[candidates.length] = bytes[one]!
      candidates.sampling[candidates.length] = seen.sampling[at]!
      candidateAt[candidates.length++] = at
    }
    if (candidates.length === 0) return -1
    const chosen = owners.choose(place, direction, windowStart, slice.windowSeconds * 1000, candidates)
    return chosen < 0 ? -1 : candidateAt[chosen]!
  }

  for (let edge = 0; edge < size; edge++) {
    const row = evidence.row[edge]!
    const protocol = columns.protocol[row]!
    const family = columns.family[row]!
    const place = owners.place(keyOf(family, client[edge]!), keyOf(family, server[edge]!), (port[edge]! << 8) | protocol)
    const toServer = ownerOf(edge, place, 0)
    const shareToServer = owners.share()
    const packetShareToServer = owners.packetShare()
    const spoken = candidates.length > 0
    const toClient = ownerOf(edge, place, 1)
    const shareToClient = owners.share()
    const packetShareToClient = owners.packetShare()
    const bothDirections = spoken && candidates.length > 0
    let rawBytes = 0
    let rawPackets = 0
    let sampling = 1
    let flows = 0
    let carried = false
    // on average, of the exporter that has the most; a sample is no whole record
    let packetsOfARecord = 0
    let observers = none
    for (let at = head[edge]!; at !== -1; at = next[at]!) {
      const there = at * 2
      const back = there + 1
      const ownsServer = at === toServer
      const ownsClient = at === toClient
      const ownRecords = (ownsServer ? records[there]! : 0) + (ownsClient ? records[back]! : 0)
      const otherRecords = records[there]! + records[back]! - ownRecords
      const all = bytes[there]! + bytes[back]!
      const own = (ownsServer ? bytes[there]! : 0) + (ownsClient ? bytes[back]! : 0)
      const allPackets = packets[there]! + packets[back]!
      if (all > 0 || allPackets > 0) carried = true
      const each = seen.sampling[at]! > 1 ? Number.POSITIVE_INFINITY : allPackets / (records[there]! + records[back]!)
      if (each > packetsOfARecord) packetsOfARecord = each
      const ownPackets = (ownsServer ? packets[there]! : 0) + (ownsClient ? packets[back]! : 0)
      if (ownsServer || ownsClient) {
        // Raw figures are kept for both directions together; an owner of one direction takes the same share of them.
        const paidBytes = (ownsServer ? bytes[there]! * shareToServer : 0) + (ownsClient ? bytes[back]! * shareToClient : 0)
        const paidPackets =
          (ownsServer ? packets[there]! * packetShareToServer : 0) + (ownsClient ? packets[back]! * packetShareToClient : 0)
        rawBytes += all === paidBytes ? seen.rawBytes[at]! : Math.round((seen.rawBytes[at]! * paidBytes) / all)
        rawPackets +=
          allPackets === paidPackets ? seen.rawPackets[at]! : Math.round((seen.rawPackets[at]! * paidPackets) / allPackets)
        if (seen.sampling[at]! > sampling) sampling = seen.sampling[at]!
      }
      flows += ownRecords
      counted += ownRecords
      if (otherRecords > 0 || all > own) {
        duplicates += otherRecords
        spare(spared, exporter[at]!, otherRecords, all - own)
        // who only says itself again is no further witness
        if (!echoes(at, toServer) && !echoes(at, toClient))
          observers = observed(observers, {
            exporter: names[exporter[at]!]!,
            records: otherRecords,
            bytes: all - own,
            packets: allPackets - ownPackets
          })
      }
    }
    const main = toServer === -1 ? toClient : toServer
    // nothing of this slice may count: its owner reported the conversation in another one
    const owner = main === -1 ? addressOfOwner((owners.ownerAt(place, 0) ?? owners.ownerAt(place, 1))!) : names[exporter[main]!]!
    const flags = evidence.flags[edge]!
    const serverText = texts[server[edge]!]!
    const kind = kindOf(
      group[server[edge]!]!,
      serverText,
      family,
      protocol,
      bothDirections,
      carried,
      flags & 0xff,
      flags >>> 8,
      packetsOfARecord
    )
    const o = edge * 6
    const { counts } = evidence
    result.kind = kind
    result.family = family === 6 ? (6 as const) : (4 as const)
    result.protocol = protocol
    result.client = texts[client[edge]!]!
    result.server = serverText
    result.port = port[edge]!
    result.exporter = owner
    result.exporterToClient = toClient === -1 ? owner : names[exporter[toClient]!]!
    result.flows = flows
    result.bytesToServer = toServer === -1 ? 0 : Math.round(bytes[toServer * 2]! * shareToServer)
    result.bytesToClient = toClient === -1 ? 0 : Math.round(bytes[toClient * 2 + 1]! * shareToClient)
    result.packets = Math.round(
      (toServer === -1 ? 0 : packets[toServer * 2]! * packetShareToServer) +
        (toClient === -1 ? 0 : packets[toClient * 2 + 1]! * packetShareToClient)
    )
    result.rawBytes = rawBytes
    result.rawPackets = rawPackets
    result.sampling = sampling
    result.first = first[edge]!
    result.last = last[edge]!
    result.synForward = counts[o]!
    result.synReverse = counts[o + 1]!
    result.synAckForward = counts[o + 2]!
    result.synAckReverse = counts[o + 3]!
    result.beganForward = counts[o + 4]!
    result.beganReverse = counts[o + 5]!
    result.portRank = evidence.portRank[edge]!
    result.fanIn = evidence.fanIn[edge]!
    result.fanInAgainst = evidence.fanInAgainst[edge]!
    result.clientPorts = evidence.clientPorts[edge]!
    result.history = evidence.history[edge]!
    result.companion = (evidence.marks[edge]! & COMPANION) !== 0
    result.declared = (evidence.marks[edge]! & DECLARED) !== 0
    result.symmetric = (evidence.marks[edge]! & TWO_PORTS) === 0
    result.direction = 0
    result.bothDirections = bothDirections
    result.attempt = kind === "attempt"
    result.weak = kind === "dependency" && protocol !== 6 && !bothDirections
    result.flagsToServer = flags & 0xff
    result.flagsToClient = flags >>> 8
    result.observers = observers
    if (kind !== "icmp") result.direction = directionMargin(result)
    take(result, client[edge]!, server[edge]!)
  }
  const savings = [...spared].map(([index, one]) => ({ exporter: names[index]!, ...one }))
  return { counted, duplicates, savings }
}
