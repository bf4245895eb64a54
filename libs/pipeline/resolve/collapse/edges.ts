/**
 * What resolve/collapse/collapse.ts makes of a window slice: one edge per client, server, port and protocol. Addresses are text in their shortest
 * form (RFC 5952).
 */
import type { Evidence } from "#domain/direction.ts"
import type { EvidenceSample } from "./EvidenceSampler.ts"

/**
 * What a row is:
 * - `dependency`: somebody was served, or (UDP and others, `weak`) at least spoken to;
 * - `attempt`: TCP that nobody accepted: SYN only, or SYN answered by RST only (scans, dead servers); and what a firewall tells of
 *   without a packet that passed (denied). Never drawn as a dependency;
 * - `icmp`: ICMP and ICMPv6, `port` 0;
 * - `multicast`, `broadcast`: the server is a group address.
 */
export type EdgeKind = "dependency" | "attempt" | "icmp" | "multicast" | "broadcast"

/** What another exporter saw of an edge whose volumes were counted for its owner. */
export interface EdgeObserver {
  readonly exporter: string
  readonly records: number
  /** Scaled by sampling, both directions. */
  readonly bytes: number
  readonly packets: number
}

/** Of its evidence, `forward` speaks for the direction client → server. */
export interface Edge extends Evidence {
  readonly kind: EdgeKind
  readonly family: 4 | 6
  readonly protocol: number
  readonly client: string
  readonly server: string
  /** Port of the server; 0 for protocols without ports. */
  readonly port: number
  /** The exporter whose volumes count towards the server, and towards the client: the same one but for asymmetric routing. */
  readonly exporter: string
  readonly exporterToClient: string
  /** Flow records of the owners in both directions, before sampling correction. */
  readonly flows: number
  /** Multiplied by the sampling rate; the owners' figures only. */
  readonly bytesToServer: number
  readonly bytesToClient: number
  readonly packets: number
  /** As exported. */
  readonly rawBytes: number
  readonly rawPackets: number
  /** Largest sampling rate applied; 1 = exact. */
  readonly sampling: number
  /** First and last flow time, ms since 1970, whoever saw it. */
  readonly first: number
  readonly last: number
  /** Every conversation had the same port at both ends, or the protocol has none: the one drawn the other way is the same one. */
  readonly symmetric: boolean
  /** Signed margin of that evidence, -1..1 (domain/direction.ts): positive, as this end was chosen to serve, but where an earlier slice chose; near 0 it is a guess. */
  readonly direction: number
  /** Traffic was seen in both directions. */
  readonly bothDirections: boolean
  readonly attempt: boolean
  /** Seen in one direction only and not by TCP: nothing says that anybody answers. */
  readonly weak: boolean
  /** OR of the TCP flags sent by the client and by the server. */
  readonly flagsToServer: number
  readonly flagsToClient: number
  /** The other exporters that saw it; empty for most. */
  readonly observers: ReadonlyArray<EdgeObserver>
}

/** `records` of a slice = `counted` + `duplicates`. */
export interface SliceTotals {
  /** Records that were counted for an edge's owner, and those that say it again: another exporter's, and echoes of the same one. */
  readonly counted: number
  readonly duplicates: number
  /** What each exporter saw that was counted for another one, or that it said twice; those of them that did. */
  readonly savings?: ReadonlyArray<{ readonly exporter: string; readonly records: number; readonly bytes: number }>
}

/** The edges of a slice, one at a time: fifty thousand of them as objects were half of what a write cost, most of it collecting them again. */
export interface SliceEdges {
  /** Edges at most. */
  readonly most: number
  /** Once. Every edge, attempts among them, is good until the next one. Its ends are also numbered from 0 within the slice. */
  readonly each: (take: (edge: Edge, client: number, server: number) => void) => SliceTotals
  /** Conversations to keep as evidence. */
  readonly samples?: ReadonlyArray<EvidenceSample>
  /** It was not written: takes back what is remembered of it, so that another try comes out the same. Until the next slice is collapsed. */
  readonly undo?: () => void
}

/** All of it at hand, to be looked at. */
export interface CollapsedSlice extends SliceTotals, Pick<SliceEdges, "samples" | "undo"> {
  /** Every kind but attempts. */
  readonly edges: ReadonlyArray<Edge>
  readonly attempts: ReadonlyArray<Edge>
}
