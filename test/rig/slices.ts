/** Slices and edges for store tests: whole rows from the few fields a test is about. */
import { noEvidence } from "#domain/direction.ts"
import type { EvidenceSample } from "#pipeline/resolve/collapse/EvidenceSampler.ts"
import type { CollapsedSlice, Edge, SliceEdges } from "#pipeline/resolve/collapse/edges.ts"
import type { SliceClaim, SliceWrite } from "#pipeline/resolve/Resolver.ts"

/** 2026-01-05T10:00:00Z, the start of a five-minute window. */
export const monday = Date.UTC(2026, 0, 5, 10)

export const edge = (fields: Partial<Edge> & Pick<Edge, "client" | "server">): Edge => {
  const bytesToServer = fields.bytesToServer ?? 1000
  const bytesToClient = fields.bytesToClient ?? 4000
  const packets = fields.packets ?? 10
  const exporter = fields.exporter ?? "192.0.2.254"
  return {
    kind: "dependency",
    family: fields.client.includes(":") ? 6 : 4,
    protocol: 6,
    port: 5432,
    exporter,
    exporterToClient: exporter,
    flows: 10,
    bytesToServer,
    bytesToClient,
    packets,
    rawBytes: bytesToServer + bytesToClient,
    rawPackets: packets,
    sampling: 1,
    first: monday + 1000,
    last: monday + 60_000,
    ...noEvidence,
    portRank: 2,
    fanIn: 1,
    clientPorts: 1,
    symmetric: false,
    direction: 0.6,
    bothDirections: true,
    attempt: false,
    weak: false,
    flagsToServer: 0x1b,
    flagsToClient: 0x1b,
    observers: [],
    ...fields
  }
}

/** One connection of `one`, which the client made from `clientPort`. */
export const sample = (one: Edge, clientPort: number, fields: Partial<EvidenceSample> = {}): EvidenceSample => ({
  client: one.client,
  server: one.server,
  port: one.port,
  protocol: one.protocol,
  a: one.server,
  b: one.client,
  aPort: one.port,
  bPort: clientPort,
  ports: 1,
  recordsAb: 1,
  recordsBa: 1,
  bytesAb: 4000,
  bytesBa: 1000,
  packetsAb: 6,
  packetsBa: 4,
  flagsAb: 0x12,
  flagsBa: 0x1b,
  sampling: 1,
  exporter: one.exporter,
  first: one.first,
  last: one.last,
  ...fields
})

export const collapsed = (edges: ReadonlyArray<Edge>, attempts: ReadonlyArray<Edge> = []): CollapsedSlice => {
  const counted = [...edges, ...attempts].reduce((sum, each) => sum + each.flows, 0)
  const duplicates = edges.flatMap((each) => each.observers).reduce((sum, seen) => sum + seen.records, 0)
  return { edges, attempts, counted, duplicates }
}

/** As the resolver takes it; as often as wanted. */
export const streamed = ({ attempts, edges, samples, undo, ...totals }: CollapsedSlice): SliceEdges => ({
  most: edges.length + attempts.length,
  each: (take) => {
    const numbers = new Map<string, number>()
    const numberOf = (address: string) => {
      if (!numbers.has(address)) numbers.set(address, numbers.size)
      return numbers.get(address)!
    }
    for (const one of [...attempts.map((edge) => ({ ...edge, attempt: true })), ...edges])
      take(one, numberOf(one.client), numberOf(one.server))
    return totals
  },
  ...(samples === undefined ? {} : { samples }),
  ...(undo === undefined ? {} : { undo })
})

let sequence = 0

/** Another name each time. */
export const claimOf = (fields: Partial<SliceClaim> = {}): SliceClaim => ({
  boot: "00000000-0000-4000-8000-000000000001",
  worker: "worker-1",
  sequence: sequence++,
  records: 0,
  rows: 0,
  ...fields
})

/** A slice of its own name unless `fields` names it. */
export const sliceOf = (slice: CollapsedSlice, fields: Partial<SliceWrite> = {}): SliceWrite => ({
  claims: [claimOf({ records: slice.counted + slice.duplicates, rows: slice.edges.length + slice.attempts.length })],
  windowStart: monday,
  windowSeconds: 300,
  final: false,
  pressureSampling: 1,
  slice: streamed(slice),
  ...fields
})

/** `count` edges between about `assets` hosts, the same for the same arguments. */
export const manyEdges = (count: number, assets: number, fields: Partial<Edge> = {}): ReadonlyArray<Edge> => {
  let state = 7
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const address = (n: number) => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
  const ports = [22, 53, 80, 443, 3306, 5432, 6379, 8080, 9092, 27017]
  const seen = new Set<string>()
  const edges: Array<Edge> = []
  while (edges.length < count) {
    const client = next(assets)
    // one host in ten serves
    const server = next(Math.ceil(assets / 10)) * 10
    const port = ports[next(ports.length)]!
    const key = `${client} ${server} ${port}`
    if (client === server || seen.has(key)) continue
    seen.add(key)
    edges.push(
      edge({
        client: address(client),
        server: address(server),
        port,
        flows: 1 + next(20),
        bytesToServer: 100 + next(100_000),
        bytesToClient: 100 + next(1_000_000),
        packets: 2 + next(1000),
        synForward: next(2),
        beganForward: next(3),
        ...fields
      })
    )
  }
  return edges
}
