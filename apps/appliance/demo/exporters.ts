/**
 * Who watches the demo datacenter: seven exporters in four protocols, each with its own sight. Every dependency passes at least one;
 * many pass two or three, and only one of those may count.
 */
import type { ExporterProtocol } from "#domain/Exporter.ts"
import type { ExportRecord } from "./ExportRecord.ts"
import { makeIpfix } from "./encode-ipfix.ts"
import { makeNetflow5 } from "./encode-netflow5.ts"
import { makeNetflow9 } from "./encode-netflow9.ts"
import { makeSflow, type PortCounters, type SampledPacket } from "./encode-sflow.ts"
import type { Conversation } from "./flows.ts"
import type { Host, Zone } from "./hosts.ts"
import { biflowRecord, type Interfaces, octetsOf, oneWayRecords, sampledPackets, sampledRecords } from "./observe.ts"
import { seeded } from "./random.ts"
import type { World } from "./world.ts"

export type ExporterName = "core-1" | "core-2" | "edge-1" | "fw-1" | "old-switch" | "branch-router" | "leaf-1" | "leaf-2"

export interface DemoExporter {
  readonly name: ExporterName
  /** Where its datagrams come from. */
  readonly address: string
  readonly protocol: ExporterProtocol
  /** One of N packets; 1: it sees them all. */
  readonly sampling: number
  /** A conversation passed by. */
  readonly observe: (seen: Conversation) => void
  /** What is ready to leave at `nowMs`. */
  readonly datagrams: (nowMs: number) => ReadonlyArray<Uint8Array>
  /** Flow records or samples sent so far. */
  readonly records: () => number
}

const racks: Record<"leaf-1" | "leaf-2", ReadonlySet<Zone>> = {
  "leaf-1": new Set<Zone>(["data"]),
  "leaf-2": new Set<Zone>(["web", "app", "service"])
}

/** Which exporters the way between two hosts leads past. */
export const exportersOn = (client: Host, server: Host): ReadonlyArray<ExporterName> => {
  const on = new Set<ExporterName>()
  const either = (...zones: ReadonlyArray<Zone>) => zones.includes(client.zone) || zones.includes(server.zone)
  const within = client.zone === server.zone
  if (either("outside")) on.add("edge-1").add("fw-1")
  if (either("dmz") && !within) on.add("fw-1")
  if (either("infra") || (either("office") && within)) on.add("old-switch")
  if (either("branch")) on.add("branch-router")
  for (const leaf of ["leaf-1", "leaf-2"] as const) if (either(...racks[leaf])) on.add(leaf)
  if ((!within && !either("outside")) || client.zone === "six") {
    // Two paths of equal cost; a quarter of the pairs goes out one way and comes back the other, so that both routers see them
    const hash = pairHash(client.address, server.address)
    on.add((hash & 1) === 0 ? "core-1" : "core-2")
    if ((hash & 6) === 0) on.add("core-1").add("core-2")
  }
  // Version 5 has no room for IPv6
  if (client.address.includes(":")) for (const name of ["old-switch", "branch-router"] as const) on.delete(name)
  return [...on]
}

const pairHash = (a: string, b: string): number => {
  let hash = 2_166_136_261
  for (const text of a < b ? [a, b] : [b, a])
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16_777_619)
  return (hash >>> 8) & 0xff
}

const zones: ReadonlyArray<Zone> = [
  "dmz",
  "web",
  "app",
  "service",
  "data",
  "infra",
  "network",
  "office",
  "branch",
  "six",
  "outside"
]
/** A router has an interface a subnet. */
const routed = (seen: Conversation): Interfaces => ({
  client: 1 + zones.indexOf(seen.client.zone),
  server: 1 + zones.indexOf(seen.server.zone)
})

/** They have been up for a while; uptimes are 32 bits of milliseconds, which is 49 days. */
const UPTIME_MS = 12 * 86_400_000
const UPLINK = 49
const COUNTERS_EVERY_MS = 20_000

export const makeExporters = (world: World, startMs: number, seed = 1): ReadonlyArray<DemoExporter> => {
  const bootMs = startMs - UPTIME_MS
  const random = seeded(seed ^ 0x5eed)
  const netflow9 = (name: ExporterName, address: string, sourceId: number, sampling: number): DemoExporter => {
    const { encode } = makeNetflow9({ bootMs, sourceId, sampling })
    const see = (seen: Conversation) =>
      sampling > 1 ? sampledRecords(seen, routed(seen), sampling, random) : oneWayRecords(seen, routed(seen))
    return { name, address, protocol: "netflow9", sampling, ...cached(name, see, encode) }
  }
  const netflow5 = (name: ExporterName, address: string, engineId: number): DemoExporter => {
    const { encode } = makeNetflow5({ bootMs, engineId })
    return {
      name,
      address,
      protocol: "netflow5",
      sampling: 1,
      ...cached(name, (seen) => oneWayRecords(seen, routed(seen)), encode)
    }
  }
  const firewall = makeIpfix({ domain: 4 })
  const sflow = (name: "leaf-1" | "leaf-2", address: string): DemoExporter => {
    const sampling = 50
    const ports = new Map(world.hosts.filter((host) => racks[name].has(host.zone)).map((host, i) => [host.address, i + 1]))
    const portOf = (host: Host) => ports.get(host.address) ?? UPLINK
    const { encode } = makeSflow({ bootMs, agent: octetsOf(address), sampling })
    const counters = new Map([...ports.values(), UPLINK].map((port) => [port, freshCounters(port)]))
    let packets: Array<SampledPacket> = []
    let countedMs = startMs - COUNTERS_EVERY_MS
    let sent = 0
    return {
      name,
      address,
      protocol: "sflow5",
      sampling,
      observe: (seen) => {
        if (!passes(name, seen)) return
        const at = { client: portOf(seen.client), server: portOf(seen.server) }
        count(counters, at, seen)
        packets.push(...sampledPackets(seen, at, sampling, random))
      },
      datagrams: (nowMs) => {
        const due = nowMs - countedMs >= COUNTERS_EVERY_MS
        if (due) countedMs = nowMs
        const ready = packets
        packets = []
        sent += ready.length
        return encode(ready, due ? [...counters.values()] : [], nowMs)
      },
      records: () => sent
    }
  }
  return [
    netflow9("core-1", "127.0.1.1", 1, 1),
    netflow9("core-2", "127.0.1.2", 2, 1),
    netflow9("edge-1", "127.0.1.3", 3, 100),
    {
      name: "fw-1",
      address: "127.0.1.4",
      protocol: "ipfix",
      sampling: 1,
      ...cached("fw-1", (seen) => [biflowRecord(seen, routed(seen))], firewall.encode)
    },
    netflow5("old-switch", "127.0.1.5", 5),
    netflow5("branch-router", "127.0.1.6", 6),
    sflow("leaf-1", "127.0.1.7"),
    sflow("leaf-2", "127.0.1.8")
  ]
}

const sights = new Map<string, ReadonlyArray<ExporterName>>()
const passes = (name: ExporterName, seen: Conversation): boolean => {
  const key = `${seen.client.address} ${seen.server.address}`
  let on = sights.get(key)
  if (on === undefined) {
    on = exportersOn(seen.client, seen.server)
    if (seen.dependency !== null) sights.set(key, on)
  }
  return on.includes(name)
}

/** A flow cache: what ended before the last full second leaves it, as the header of NetFlow v9 has no finer time. */
const cached = (
  name: ExporterName,
  see: (seen: Conversation) => ReadonlyArray<ExportRecord>,
  encode: (records: ReadonlyArray<ExportRecord>, nowMs: number) => ReadonlyArray<Uint8Array>
): Pick<DemoExporter, "observe" | "datagrams" | "records"> => {
  let waiting: Array<ExportRecord> = []
  let sent = 0
  return {
    observe: (seen) => {
      if (passes(name, seen)) waiting.push(...see(seen))
    },
    datagrams: (nowMs) => {
      const second = Math.floor(nowMs / 1000) * 1000
      const ready = waiting.filter((record) => record.endMs <= second)
      waiting = waiting.filter((record) => record.endMs > second)
      sent += ready.length
      return encode(ready, nowMs)
    },
    records: () => sent
  }
}

type Counters = { -readonly [K in keyof PortCounters]: PortCounters[K] }

const freshCounters = (ifIndex: number): Counters => ({
  ifIndex,
  speed: ifIndex === UPLINK ? 40_000_000_000 : 10_000_000_000,
  inOctets: 0,
  inPackets: 0,
  outOctets: 0,
  outPackets: 0
})

/** What the client sends comes in at its port and goes out at the server's. */
const count = (counters: ReadonlyMap<number, Counters>, at: Interfaces, { toServer, toClient }: Conversation): void => {
  for (const [port, incoming, outgoing] of [
    [at.client, toServer, toClient],
    [at.server, toClient, toServer]
  ] as const) {
    const own = counters.get(port)
    if (own === undefined) continue
    own.inOctets += incoming.bytes
    own.inPackets += incoming.packets
    own.outOctets += outgoing.bytes
    own.outPackets += outgoing.packets
  }
}
