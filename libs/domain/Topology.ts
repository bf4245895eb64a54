/** The map's answer: nodes and edges at an instant, compact, with how it was cut if it was. */
import { Schema } from "effect"
import { Address } from "./Address.ts"
import { AssetType } from "./Asset.ts"
import { Blindness } from "./CoverageReport.ts"
import { AssetId, Count, DependencyId, Instant } from "./ids.ts"

export class TopologyNode extends Schema.Class<TopologyNode>("TopologyNode")({
  id: AssetId,
  name: Schema.String,
  address: Address,
  type: AssetType,
  internal: Schema.Boolean,
  environment: Schema.NullOr(Schema.String),
  /** The network it is grouped under: /24 or /64 inside, /16 or /32 outside. */
  network: Schema.String,
  /** Nobody looks at its network: index in `blindness`. */
  blind: Schema.optionalKey(Schema.Int)
}) {}

export class TopologyEdge extends Schema.Class<TopologyEdge>("TopologyEdge")({
  id: DependencyId,
  client: AssetId,
  server: AssetId,
  port: Schema.Int,
  protocol: Schema.Int,
  service: Schema.NullOr(Schema.String),
  /** Octets both ways over its life, and bit/s over the last closed window. */
  bytes: Count,
  rateBps: Schema.Number,
  sampled: Schema.Boolean,
  confidence: Schema.Number,
  stale: Schema.Boolean,
  /** None of those who see it looks: whether it still happens is not known. Index in `blindness`. */
  blind: Schema.optionalKey(Schema.Int)
}) {}

export class Topology extends Schema.Class<Topology>("Topology")({
  at: Instant,
  live: Schema.Boolean,
  nodes: Schema.Array(TopologyNode),
  edges: Schema.Array(TopologyEdge),
  /** Why nobody looks where nodes and edges are blind, each reason once; absent where the ledger does not go back so far. */
  blindness: Schema.optionalKey(Schema.Array(Blindness)),
  /** What was left out by the node or edge limit; 0 normally. */
  nodesLeftOut: Schema.Int,
  edgesLeftOut: Schema.Int
}) {}

export const TopologyQuery = Schema.Struct({
  filter: Schema.optionalKey(Schema.String),
  /** Absent: now. */
  at: Schema.optionalKey(Instant),
  maxNodes: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20000 }))),
  maxEdges: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100000 })))
})
export type TopologyQuery = typeof TopologyQuery.Type

export class FilterInvalid extends Schema.TaggedError<FilterInvalid>()(
  "FilterInvalid",
  { filter: Schema.String, position: Schema.Int, expected: Schema.String },
  { httpApiStatus: 400 }
) {
  override get message() {
    return `cannot read the filter at character ${this.position + 1}: expected ${this.expected}`
  }
}
