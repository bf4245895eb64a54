/**
 * The topology as the console gets it: edges as columns, each named by its place among the nodes. The same as the rows of Topology.ts,
 * which programs get: `rowsOf` and `columnsOf` turn one into the other.
 */
import { Schema } from "effect"
import { Blindness } from "./CoverageReport.ts"
import { Counts, Flags, Floats, Ints } from "./columns.ts"
import { type DependencyId, Instant } from "./ids.ts"
import { type Topology, type TopologyEdge, TopologyNode } from "./Topology.ts"

/** One element each for every edge. */
export const EdgeColumns = Schema.Struct({
  id: Counts,
  /** Places in `nodes`. */
  client: Ints,
  server: Ints,
  port: Ints,
  protocol: Ints,
  /** Place in `services`; -1: none. */
  service: Ints,
  /** Octets both ways over its life, and bit/s over the last closed window. */
  bytes: Counts,
  rateBps: Floats,
  sampled: Flags,
  confidence: Floats,
  stale: Flags,
  /** Place in `blindness`; -1: somebody looks. */
  blind: Ints
})
export type EdgeColumns = typeof EdgeColumns.Type

const Columns = Schema.Struct({
  at: Instant,
  live: Schema.Boolean,
  nodes: Schema.Array(TopologyNode),
  /** What edges are called, each once. */
  services: Schema.Array(Schema.String),
  edges: EdgeColumns,
  blindness: Schema.Array(Blindness),
  nodesLeftOut: Schema.Int,
  edgesLeftOut: Schema.Int
})

const within = (places: Int32Array, least: number, end: number): boolean => places.every((place) => place >= least && place < end)

/** Columns of one length, and every place exists. */
export const TopologyColumns = Columns.check(
  Schema.makeFilter(({ blindness, edges, nodes, services }) => {
    if (Object.values(edges).some(({ length }) => length !== edges.id.length)) return "columns of edges differ in length"
    const places =
      within(edges.client, 0, nodes.length) &&
      within(edges.server, 0, nodes.length) &&
      within(edges.service, -1, services.length) &&
      within(edges.blind, -1, blindness.length)
    return places || "an edge names a place that does not exist"
  })
)
export type TopologyColumns = typeof TopologyColumns.Type

/** Plain objects: the constructor of a class with a schema costs ten times as much. */
export const rowsOf = (columns: TopologyColumns): Topology => {
  const { at, blindness, edges, edgesLeftOut, live, nodes, nodesLeftOut, services } = columns
  const rows = Array.from(edges.id, (id, i): TopologyEdge => {
    const blind = edges.blind[i]!
    const row = {
      id: String(id) as DependencyId,
      client: nodes[edges.client[i]!]!.id,
      server: nodes[edges.server[i]!]!.id,
      port: edges.port[i]!,
      protocol: edges.protocol[i]!,
      service: services[edges.service[i]!] ?? null,
      bytes: edges.bytes[i]!,
      rateBps: edges.rateBps[i]!,
      sampled: edges.sampled[i] === 1,
      confidence: edges.confidence[i]!,
      stale: edges.stale[i] === 1
    }
    return blind < 0 ? row : { ...row, blind }
  })
  return { at, live, nodes, edges: rows, blindness, nodesLeftOut, edgesLeftOut }
}

/** Each text once, and where it stands. */
export const makeDictionary = () => {
  const places = new Map<string, number>()
  return {
    placeOf: (text: string): number => {
      let place = places.get(text)
      if (place === undefined) places.set(text, (place = places.size))
      return place
    },
    texts: () => [...places.keys()]
  }
}

/** Edges between nodes that are not there are left out. */
export const columnsOf = (topology: Topology): TopologyColumns => {
  const { at, blindness = [], edgesLeftOut, live, nodes, nodesLeftOut } = topology
  const places = new Map<string, number>(nodes.map(({ id }, place) => [id, place]))
  const services = makeDictionary()
  const rows = topology.edges
  const placed = (end: "client" | "server") => Int32Array.from(rows, (edge) => places.get(edge[end])!)
  return {
    at,
    live,
    nodes,
    edges: {
      id: BigInt64Array.from(rows, ({ id }) => BigInt(id)),
      client: placed("client"),
      server: placed("server"),
      port: Int32Array.from(rows, ({ port }) => port),
      protocol: Int32Array.from(rows, ({ protocol }) => protocol),
      service: Int32Array.from(rows, ({ service }) => (service === null ? -1 : services.placeOf(service))),
      bytes: BigInt64Array.from(rows, ({ bytes }) => bytes),
      rateBps: Float64Array.from(rows, ({ rateBps }) => rateBps),
      sampled: Uint8Array.from(rows, ({ sampled }) => Number(sampled)),
      confidence: Float64Array.from(rows, ({ confidence }) => confidence),
      stale: Uint8Array.from(rows, ({ stale }) => Number(stale)),
      blind: Int32Array.from(rows, ({ blind = -1 }) => blind)
    },
    services: services.texts(),
    blindness,
    nodesLeftOut,
    edgesLeftOut
  }
}
