/** The last step of collapse.ts: sums of an edge by exporter → one edge with an owner for each direction, and its observers. */
import type { WindowSlice } from "#domain/Window.ts"
import { isAttempt } from "./attempt.ts"
import { directionMargin } from "./direction.ts"
import type { Owners, Seen } from "./duplicate.ts"
import type { CollapsedSlice, Edge, EdgeKind, EdgeObserver } from "./edges.ts"

/** What one exporter saw of an edge in a slice. Pairs: to the server, to the client. */
export interface SeenSums {
  /** Index in the slice's exporters. */
  readonly exporter: number
  readonly records: [number, number]
  readonly bytes: [number, number]
  readonly packets: [number, number]
  rawBytes: number
  rawPackets: number
  sampling: number
}

export interface EdgeSums {
  readonly family: 4 | 6
  readonly protocol: number
  readonly client: string
  readonly server: string
  readonly port: number
  /** The server is a group address. */
  readonly group: boolean
  synForward: number
  synReverse: number
  synAckForward: number
  synAckReverse: number
  beganForward: number
  beganReverse: number
  portRank: number
  fanIn: number
  clientPorts: number
  declared: boolean
  flagsToServer: number
  flagsToClient: number
  first: number
  last: number
  readonly seen: Array<SeenSums>
}

const kindOf = (edge: EdgeSums, bothDirections: boolean): EdgeKind => {
  if (edge.group) return edge.server === "255.255.255.255" ? "broadcast" : "multicast"
  if (edge.protocol === 1 || edge.protocol === 58) return "icmp"
  // A subnet's own broadcast address ends in .255 in all but odd subnets, and never answers.
  if (edge.protocol === 17 && !bothDirections && edge.family === 4 && edge.server.endsWith(".255")) return "broadcast"
  return isAttempt(edge.protocol, edge.flagsToServer, edge.flagsToClient) ? "attempt" : "dependency"
}

const sum = (pair: readonly [number, number]): number => pair[0] + pair[1]

export const finishEdges = (slice: WindowSlice, edges: ReadonlyArray<EdgeSums>, owners: Owners): CollapsedSlice => {
  const finished: Array<Edge> = []
  const attempts: Array<Edge> = []
  let counted = 0
  let duplicates = 0
  const names = slice.exporters.map((one) => one.address)

  for (const edge of edges) {
    const { client, port, protocol, seen, server } = edge
    const owner: [number, number] = [-1, -1]
    for (const direction of [0, 1] as const) {
      let present = 0
      for (const one of seen) if (one.records[direction] > 0 || one.packets[direction] > 0) present++
      if (present === 0) continue
      const candidates: Array<Seen & { readonly at: number }> = []
      seen.forEach((one, at) => {
        if (one.records[direction] > 0 || one.packets[direction] > 0) {
          candidates.push({ exporter: names[one.exporter]!, packets: one.packets[direction], at })
        }
      })
      const chosen = owners.choose(client, server, port, protocol, direction, slice.windowStart, candidates)
      owner[direction] = chosen < 0 ? -1 : candidates[chosen]!.at
    }
    const toServer = owner[0] < 0 ? undefined : seen[owner[0]]!
    const toClient = owner[1] < 0 ? undefined : seen[owner[1]]!
    const observers: Array<EdgeObserver> = []
    let rawBytes = 0
    let rawPackets = 0
    let sampling = 1
    let answered = false
    let spoken = false
    for (let at = 0; at < seen.length; at++) {
      const one = seen[at]!
      if (one.records[0] > 0 || one.packets[0] > 0) spoken = true
      if (one.records[1] > 0 || one.packets[1] > 0) answered = true
      const ownsServer = at === owner[0]
      const ownsClient = at === owner[1]
      const all = sum(one.bytes)
      const own = (ownsServer ? one.bytes[0] : 0) + (ownsClient ? one.bytes[1] : 0)
      const allPackets = sum(one.packets)
      const ownPackets = (ownsServer ? one.packets[0] : 0) + (ownsClient ? one.packets[1] : 0)
      const ownRecords = (ownsServer ? one.records[0] : 0) + (ownsClient ? one.records[1] : 0)
      if (ownsServer || ownsClient) {
        // Raw figures are kept for both directions together; an owner of one direction takes the same share of them.
        rawBytes += all === own ? one.rawBytes : Math.round((one.rawBytes * own) / all)
        rawPackets += allPackets === ownPackets ? one.rawPackets : Math.round((one.rawPackets * ownPackets) / allPackets)
        if (one.sampling > sampling) sampling = one.sampling
      }
      const otherRecords = sum(one.records) - ownRecords
      counted += ownRecords
      duplicates += otherRecords
      if (otherRecords > 0 || all > own) {
        observers.push({
          exporter: names[one.exporter]!,
          records: otherRecords,
          bytes: all - own,
          packets: allPackets - ownPackets
        })
      }
    }
    const bothDirections = spoken && answered
    const kind = kindOf(edge, bothDirections)
    const main = toServer ?? toClient
    const exporter = main === undefined ? "" : names[main.exporter]!
    const result: Edge = {
      kind,
      family: edge.family,
      protocol,
      client,
      server,
      port,
      exporter,
      exporterToClient: toClient === undefined ? exporter : names[toClient.exporter]!,
      flows: (toServer?.records[0] ?? 0) + (toClient?.records[1] ?? 0),
      bytesToServer: toServer?.bytes[0] ?? 0,
      bytesToClient: toClient?.bytes[1] ?? 0,
      packets: (toServer?.packets[0] ?? 0) + (toClient?.packets[1] ?? 0),
      rawBytes,
      rawPackets,
      sampling,
      first: edge.first,
      last: edge.last,
      synForward: edge.synForward,
      synReverse: edge.synReverse,
      synAckForward: edge.synAckForward,
      synAckReverse: edge.synAckReverse,
      beganForward: edge.beganForward,
      beganReverse: edge.beganReverse,
      portRank: edge.portRank,
      fanIn: edge.fanIn,
      clientPorts: edge.clientPorts,
      declared: edge.declared,
      direction: protocol === 1 || protocol === 58 ? 0 : directionMargin(edge),
      bothDirections,
      attempt: kind === "attempt",
      weak: kind === "dependency" && protocol !== 6 && !bothDirections,
      flagsToServer: edge.flagsToServer,
      flagsToClient: edge.flagsToClient,
      observers
    }
    if (kind === "attempt") attempts.push(result)
    else finished.push(result)
  }
  return { edges: finished, attempts, counted, duplicates }
}
