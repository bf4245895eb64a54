/**
 * The edges of a slice as the arrays of a few `unnest` calls (pure). Each array costs about 10 ms per 50,000 rows on its way to the
 * database, so addresses and exporters are sent once and referred to by number, small fields travel packed, and what most edges
 * lack (SYN counts, sampling, other exporters) travels only for those that have it.
 */
import type { NetworkSet } from "#domain/Address.ts"
import { Adder, bitsOf, fanInOf, instant, packEvidence, signed, small, whole } from "./collapse/edge-fields.ts"
import type { Edge, SliceEdges, SliceTotals } from "./collapse/edges.ts"
import type { KnownEdges } from "./journal/KnownEdges.ts"
import type { KnownRows } from "./journal/KnownRows.ts"
import { stageKnown } from "./journal/stage-known.ts"

export interface Staged {
  readonly addresses: {
    readonly address: Array<string>
    readonly internal: Array<boolean>
    readonly flows: Array<number>
    /** Octets both ways: `bytes` + `bytesHigh` × 2^52, since a double alone is exact up to 2^53 only. */
    readonly bytes: Array<number>
    readonly bytesHigh: Array<number>
    readonly first: Array<number>
    readonly last: Array<number>
    /** It sent and was sent to. */
    readonly answered: Array<boolean>
  }
  readonly edges: {
    /** 1-based numbers of `addresses`. */
    readonly client: Array<number>
    readonly server: Array<number>
    /** protocol << 16 | port. */
    readonly service: Array<number>
    /** See `bit`. */
    readonly bits: Array<number>
    readonly flows: Array<number>
    readonly toServer: Array<number>
    readonly toClient: Array<number>
    readonly packets: Array<number>
    readonly first: Array<number>
    readonly last: Array<number>
    readonly direction: Array<number>
    /** fanIn << againstShift | fanInAgainst. */
    readonly fanIn: Array<number>
    /** May be less than 0. */
    readonly clientPorts: Array<number>
    /** 1-based number in `exporters`. */
    readonly exporter: Array<number>
    /** The six counts of `evidence`, five bits each, in its order from the lowest; 0 where they stand there. */
    readonly evidence: Array<number>
  }
  readonly exporters: Array<string>
  /** Edges (1-based) with a count of these beyond 31. */
  readonly evidence: {
    readonly edge: Array<number>
    readonly synForward: Array<number>
    readonly synReverse: Array<number>
    readonly synAckForward: Array<number>
    readonly synAckReverse: Array<number>
    readonly beganForward: Array<number>
    readonly beganReverse: Array<number>
  }
  /** Edges that were sampled; the others' raw figures are the scaled ones. */
  readonly sampled: {
    readonly edge: Array<number>
    readonly rate: Array<number>
    readonly bytes: Array<number>
    readonly packets: Array<number>
  }
  readonly observers: {
    readonly edge: Array<number>
    readonly exporter: Array<number>
    readonly owner: Array<boolean>
    readonly records: Array<number>
    readonly bytes: Array<number>
    readonly packets: Array<number>
  }
  /** Port and protocol pairs of the slice that have a name. */
  readonly services: { readonly service: Array<number>; readonly name: Array<string> }
  /** Edges whose dependency is known; they and their ends are in none of the arrays above. */
  readonly known: KnownRows
  /** Over everything in the slice, attempts and group traffic included. */
  readonly totals: Totals
}

export interface Totals extends SliceTotals {
  readonly flows: bigint
  readonly packets: bigint
  readonly bytes: bigint
  readonly rawPackets: bigint
  readonly rawBytes: bigint
  readonly attempts: bigint
  readonly groupRecords: bigint
  readonly icmpRecords: bigint
  readonly sampling: number
}

export interface StageOptions {
  readonly internal: NetworkSet
  /** Name of a service, if one is known. */
  readonly serviceName: (protocol: number, port: number) => string | undefined
  readonly known: Pick<KnownEdges, "addressOf" | "find">
}

const highUnit = 2 ** 52

export const stage = (slice: SliceEdges, options: StageOptions): Staged => {
  const numbers = new Map<string, number>()
  const addresses: Staged["addresses"] = {
    address: [],
    internal: [],
    flows: [],
    bytes: [],
    bytesHigh: [],
    first: [],
    last: [],
    answered: []
  }
  const exporterNumbers = new Map<string, number>()
  const exporters: Array<string> = []
  const services = new Map<number, string>()
  const known = stageKnown(slice.most)
  const edges: Staged["edges"] = {
    client: [],
    server: [],
    service: [],
    bits: [],
    flows: [],
    toServer: [],
    toClient: [],
    packets: [],
    first: [],
    last: [],
    direction: [],
    fanIn: [],
    clientPorts: [],
    exporter: [],
    evidence: []
  }
  const evidence: Staged["evidence"] = {
    edge: [],
    synForward: [],
    synReverse: [],
    synAckForward: [],
    synAckReverse: [],
    beganForward: [],
    beganReverse: []
  }
  const sampled: Staged["sampled"] = { edge: [], rate: [], bytes: [], packets: [] }
  const observers: Staged["observers"] = { edge: [], exporter: [], owner: [], records: [], bytes: [], packets: [] }
  const sums = {
    flows: new Adder(),
    packets: new Adder(),
    bytes: new Adder(),
    rawPackets: new Adder(),
    rawBytes: new Adder(),
    attempts: new Adder(),
    group: new Adder(),
    icmp: new Adder()
  }
  let sampling = 1

  const exporterOf = (address: string): number => {
    let number = exporterNumbers.get(address)
    if (number === undefined) exporterNumbers.set(address, (number = exporters.push(address)))
    return number
  }
  const meet = (address: string, edge: Edge): number => {
    let number = numbers.get(address)
    if (number === undefined) {
      number = addresses.address.push(address)
      numbers.set(address, number)
      addresses.internal.push(options.internal.hasText(address))
      addresses.flows.push(0)
      addresses.bytes.push(0)
      addresses.bytesHigh.push(0)
      addresses.first.push(instant(edge.first))
      addresses.last.push(instant(edge.last))
      addresses.answered.push(false)
    }
    const i = number - 1
    addresses.flows[i]! += whole(edge.flows)
    addBytes(i, whole(edge.bytesToServer))
    addBytes(i, whole(edge.bytesToClient))
    if (edge.first < addresses.first[i]!) addresses.first[i] = edge.first
    if (edge.last > addresses.last[i]!) addresses.last[i] = edge.last
    if (edge.bothDirections) addresses.answered[i] = true
    return number
  }
  const addBytes = (i: number, bytes: number) => {
    const low = addresses.bytes[i]! + (bytes % highUnit)
    addresses.bytes[i] = low % highUnit
    addresses.bytesHigh[i]! += Math.floor(bytes / highUnit) + (low >= highUnit ? 1 : 0)
  }
  const count = (edge: Edge) => {
    sums.flows.add(edge.flows)
    sums.packets.add(edge.packets)
    sums.bytes.add(edge.bytesToServer)
    sums.bytes.add(edge.bytesToClient)
    sums.rawPackets.add(edge.rawPackets)
    sums.rawBytes.add(edge.rawBytes)
    if (edge.sampling > sampling) sampling = small(edge.sampling)
  }

  /** By the slice's numbers: an address is looked up once, however many edges it has. */
  const knownAddresses: Array<number | undefined> = []
  const totals = slice.each((edge, client, server) => {
    count(edge)
    if (edge.attempt) {
      sums.attempts.add(edge.flows)
      return
    }
    // A group address is no thing that could serve; its traffic is in the window's totals.
    if (edge.kind === "multicast" || edge.kind === "broadcast") {
      sums.group.add(edge.flows)
      meet(edge.client, edge)
      return
    }
    // A ping is no dependency; who answers one is there, who does not may not be.
    if (edge.kind === "icmp") {
      sums.icmp.add(edge.flows)
      meet(edge.client, edge)
      if (edge.bothDirections) meet(edge.server, edge)
      return
    }
    // A host that talks to itself depends on nobody.
    if (client === server) {
      meet(edge.client, edge)
      return
    }
    const service = (edge.protocol << 16) | edge.port
    const key = options.known.find(
      (knownAddresses[client] ??= options.known.addressOf(edge.client)),
      (knownAddresses[server] ??= options.known.addressOf(edge.server)),
      service
    )
    if (key !== 0) {
      known.add(key, edge)
      return
    }
    if (!services.has(service)) services.set(service, options.serviceName(edge.protocol, edge.port) ?? "")
    const number = edges.client.push(meet(edge.client, edge))
    edges.server.push(meet(edge.server, edge))
    edges.service.push(service)
    edges.bits.push(bitsOf(edge))
    edges.flows.push(whole(edge.flows))
    edges.toServer.push(whole(edge.bytesToServer))
    edges.toClient.push(whole(edge.bytesToClient))
    edges.packets.push(whole(edge.packets))
    edges.first.push(instant(edge.first))
    edges.last.push(instant(edge.last))
    edges.direction.push(Math.max(-1, Math.min(1, edge.direction || 0)))
    edges.fanIn.push(fanInOf(edge))
    edges.clientPorts.push(signed(edge.clientPorts))
    edges.exporter.push(exporterOf(edge.exporter))
    const packed = packEvidence(edge)
    edges.evidence.push(packed === -1 ? 0 : packed)
    if (packed === -1) {
      evidence.edge.push(number)
      evidence.synForward.push(small(edge.synForward))
      evidence.synReverse.push(small(edge.synReverse))
      evidence.synAckForward.push(small(edge.synAckForward))
      evidence.synAckReverse.push(small(edge.synAckReverse))
      evidence.beganForward.push(small(edge.beganForward))
      evidence.beganReverse.push(small(edge.beganReverse))
    }
    if (edge.sampling > 1) {
      sampled.edge.push(number)
      sampled.rate.push(small(edge.sampling))
      sampled.bytes.push(whole(edge.rawBytes))
      sampled.packets.push(whole(edge.rawPackets))
    }
    // With asymmetric routing two exporters own one direction each; the records are counted with the first.
    if (edge.exporterToClient !== edge.exporter) observe(number, edge.exporterToClient, true, 0, edge.bytesToClient, 0)
    for (const seen of edge.observers) observe(number, seen.exporter, false, seen.records, seen.bytes, seen.packets)
  })

  function observe(edge: number, exporter: string, owner: boolean, records: number, bytes: number, packets: number) {
    observers.edge.push(edge)
    observers.exporter.push(exporterOf(exporter))
    observers.owner.push(owner)
    observers.records.push(whole(records))
    observers.bytes.push(whole(bytes))
    observers.packets.push(whole(packets))
  }

  const named = [...services].filter(([, name]) => name !== "")
  return {
    addresses,
    edges,
    exporters,
    evidence,
    sampled,
    observers,
    known: known.rows,
    services: { service: named.map(([service]) => service), name: named.map(([, name]) => name) },
    totals: {
      ...totals,
      flows: sums.flows.total(),
      packets: sums.packets.total(),
      bytes: sums.bytes.total(),
      rawPackets: sums.rawPackets.total(),
      rawBytes: sums.rawBytes.total(),
      attempts: sums.attempts.total(),
      groupRecords: sums.group.total(),
      icmpRecords: sums.icmp.total(),
      sampling
    }
  }
}
