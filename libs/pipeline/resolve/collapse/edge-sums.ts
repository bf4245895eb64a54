/** Sums of collapse.ts in columns: evidence by edge, volumes by edge and exporter. 50,000 edges as objects of objects took five times as long. */
import type { Evidence } from "#domain/direction.ts"
import type { ConversationColumns } from "#domain/Window.ts"
import { TupleTable } from "./TupleTable.ts"

/** Marks of an edge. */
export const DECLARED = 1
export const COMPANION = 2
/** The ports of some conversation's ends differ. */
export const TWO_PORTS = 4

export interface EdgeEvidence {
  /** A row of the slice that belongs to the edge; -1 not yet known. */
  readonly row: Int32Array
  readonly portRank: Int8Array
  readonly fanIn: Float64Array
  readonly fanInAgainst: Float64Array
  readonly clientPorts: Float64Array
  readonly history: Int8Array
  /** DECLARED, COMPANION, TWO_PORTS. */
  readonly marks: Uint8Array
  /** Six an edge: SYN forward, reverse, SYN-ACK forward, reverse, began forward, reverse. */
  readonly counts: Float64Array
  /** To the server in bits 0–7, to the client in bits 8–15. */
  readonly flags: Int32Array
}

/** Volumes that one exporter saw of an edge. Two an observation: to the server, to the client. */
export interface Observations {
  /** Index in the slice's exporters, and the next observation of the same edge or -1. */
  readonly exporter: Int32Array
  readonly next: Int32Array
  readonly records: Float64Array
  readonly bytes: Float64Array
  readonly packets: Float64Array
  /** One an observation. */
  readonly rawBytes: Float64Array
  readonly rawPackets: Float64Array
  readonly sampling: Float64Array
}

export interface EdgeSums {
  readonly size: () => number
  readonly client: Int32Array
  readonly server: Int32Array
  readonly port: Uint16Array
  readonly evidence: EdgeEvidence
  readonly first: Float64Array
  readonly last: Float64Array
  /** A row of each edge that shows well what it was like. */
  readonly example: Int32Array
  /** First observation of each edge. */
  readonly head: Int32Array
  readonly seen: Observations
  /** Number of the edge between two numbered addresses, made on first sight. */
  readonly of: (client: number, server: number, port: number, protocol: number) => number
  /** Adds a row; `turned`: its end `a` serves. */
  readonly add: (edge: number, turned: boolean, columns: ConversationColumns, row: number) => void
}

/** Evidence of one more conversation of an edge. What is counted adds up; what is said of the ends is the same for all, or the most of it. */
export const addEvidence = (to: EdgeEvidence, edge: number, row: number, one: Evidence, symmetric: boolean): void => {
  if (to.row[edge] === -1) {
    to.row[edge] = row
    to.portRank[edge] = one.portRank
    to.history[edge] = one.history
    to.fanInAgainst[edge] = one.fanInAgainst
    to.clientPorts[edge] = one.clientPorts
  } else {
    // of several connections the least certain one: none of them is to look better than it is
    if (one.portRank < to.portRank[edge]!) to.portRank[edge] = one.portRank
    if (one.history < to.history[edge]!) to.history[edge] = one.history
    if (one.fanInAgainst > to.fanInAgainst[edge]!) to.fanInAgainst[edge] = one.fanInAgainst
    if (one.clientPorts < to.clientPorts[edge]!) to.clientPorts[edge] = one.clientPorts
  }
  if (one.fanIn > to.fanIn[edge]!) to.fanIn[edge] = one.fanIn
  to.marks[edge]! |= (one.declared ? DECLARED : 0) | (one.companion ? COMPANION : 0) | (symmetric ? 0 : TWO_PORTS)
  const counts = edge * 6
  to.counts[counts]! += one.synForward
  to.counts[counts + 1]! += one.synReverse
  to.counts[counts + 2]! += one.synAckForward
  to.counts[counts + 3]! += one.synAckReverse
  to.counts[counts + 4]! += one.beganForward
  to.counts[counts + 5]! += one.beganReverse
}

/** Room for `edges` edges and `rows` rows, which is all there can be. */
export const makeEdgeSums = (edges: number, rows: number): EdgeSums => {
  const keys = new TupleTable(edges)
  const client = new Int32Array(edges)
  const server = new Int32Array(edges)
  const ports = new Uint16Array(edges)
  const evidence: EdgeEvidence = {
    row: new Int32Array(edges).fill(-1),
    portRank: new Int8Array(edges),
    fanIn: new Float64Array(edges),
    fanInAgainst: new Float64Array(edges),
    clientPorts: new Float64Array(edges),
    history: new Int8Array(edges),
    marks: new Uint8Array(edges),
    counts: new Float64Array(edges * 6),
    flags: new Int32Array(edges)
  }
  const first = new Float64Array(edges).fill(Number.POSITIVE_INFINITY)
  const last = new Float64Array(edges)
  const example = new Int32Array(edges).fill(-1)
  const head = new Int32Array(edges).fill(-1)
  const seen: Observations = {
    exporter: new Int32Array(rows),
    next: new Int32Array(rows),
    records: new Float64Array(rows * 2),
    bytes: new Float64Array(rows * 2),
    packets: new Float64Array(rows * 2),
    rawBytes: new Float64Array(rows),
    rawPackets: new Float64Array(rows),
    sampling: new Float64Array(rows)
  }
  let observations = 0

  const observationOf = (edge: number, exporter: number): number => {
    for (let at = head[edge]!; at !== -1; at = seen.next[at]!) if (seen.exporter[at] === exporter) return at
    const at = observations++
    seen.exporter[at] = exporter
    seen.sampling[at] = 1
    seen.next[at] = head[edge]!
    head[edge] = at
    return at
  }

  return {
    size: () => keys.size,
    client,
    server,
    port: ports,
    evidence,
    first,
    last,
    example,
    head,
    seen,
    of: (from, to, port, protocol) => {
      const edge = keys.intern(from, to, port, protocol)
      client[edge] = from
      server[edge] = to
      ports[edge] = port
      return edge
    },
    add: (edge, turned, c, row) => {
      const at = observationOf(edge, c.exporter[row]!)
      const ab = at * 2 + (turned ? 1 : 0)
      const ba = at * 2 + (turned ? 0 : 1)
      seen.records[ab]! += c.recordsAb[row]!
      seen.records[ba]! += c.recordsBa[row]!
      seen.bytes[ab]! += c.bytesAb[row]!
      seen.bytes[ba]! += c.bytesBa[row]!
      seen.packets[ab]! += c.packetsAb[row]!
      seen.packets[ba]! += c.packetsBa[row]!
      seen.rawBytes[at]! += c.rawBytes[row]!
      seen.rawPackets[at]! += c.rawPackets[row]!
      if (c.sampling[row]! > seen.sampling[at]!) seen.sampling[at] = c.sampling[row]!
      if (c.first[row]! < first[edge]!) first[edge] = c.first[row]!
      if (c.last[row]! > last[edge]!) last[edge] = c.last[row]!
    }
  }
}
