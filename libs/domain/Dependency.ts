/** Client asset → server asset : port/protocol, with the evidence for it. */
import { Schema } from "effect"
import { Address } from "./Address.ts"
import { AssetType } from "./Asset.ts"
import { Blindness } from "./CoverageReport.ts"
import { AssetId, Count, DependencyId, Instant, listQuery } from "./ids.ts"

/**
 * What was seen that says which end serves. Counts over all observations; `forward` speaks for client → server as drawn, `reverse`
 * against it. Weights stand in domain/direction.ts.
 */
export class DirectionEvidence extends Schema.Class<DirectionEvidence>("DirectionEvidence")({
  /** Connections opened by the client (forward) or the server (reverse): SYN and no ACK, or the earlier start of two halves with SYNs. */
  synForward: Schema.Int,
  synReverse: Schema.Int,
  /** Records with SYN and ACK only: sent by the server speak forward. */
  synAckForward: Schema.Int,
  synAckReverse: Schema.Int,
  /** Joined connections in which the client (forward) or the server (reverse) sent first. */
  beganForward: Schema.Int,
  beganReverse: Schema.Int,
  /**
   * How the port ranks speak: ±3 a service the operator named against none, ±2 a known service, ±1 an ephemeral or system port only,
   * 0 silent; positive for this server.
   */
  portRank: Schema.Int,
  /** Distinct clients seen on the server's address, port and protocol, over windows. */
  fanIn: Schema.Int,
  /** Distinct peers seen on the port that the client used, where it used one only: they speak against. */
  fanInAgainst: Schema.Int,
  /** Changes of the client's port, less those of the server's: a client's port changes, a server's does not. */
  clientPorts: Schema.Int,
  /** Windows in which the server's end was seen serving on other evidence (at most 15); less than 0: the client's was. */
  history: Schema.Int,
  /** A second connection of a service that opens more (FTP, RPC): drawn towards that service's server. */
  companion: Schema.Boolean,
  /** The operator declared this end to serve, or the other one never to. */
  declared: Schema.Boolean
}) {}

/** The stored terms that `domain/confidence.ts` is a function of; anyone can recompute it. */
export class ConfidenceTerms extends Schema.Class<ConfidenceTerms>("ConfidenceTerms")({
  /** Flow records behind the dependency (before sampling correction). */
  records: Schema.Int,
  /** Distinct windows with traffic. */
  windows: Schema.Int,
  /** Traffic was seen in both directions. */
  bothDirections: Schema.Boolean,
  /** Exporters that saw it. */
  exporters: Schema.Int,
  /** Signed weight of the direction evidence, -1..1; positive speaks for the direction drawn. */
  direction: Schema.Number,
  sampled: Schema.Boolean
}) {}

export const DependencyState = Schema.Literals(["active", "stale", "weak"])

export class DependencyEnd extends Schema.Class<DependencyEnd>("DependencyEnd")({
  id: AssetId,
  name: Schema.String,
  address: Address,
  type: AssetType,
  internal: Schema.Boolean
}) {}

export class Dependency extends Schema.Class<Dependency>("Dependency")({
  id: DependencyId,
  client: DependencyEnd,
  server: DependencyEnd,
  port: Schema.Int,
  protocol: Schema.Int,
  service: Schema.NullOr(Schema.String),
  state: DependencyState,
  firstSeen: Instant,
  lastSeen: Instant,
  /** Scaled by the sampling rate where there was one (`sampling` > 1 → shown with ≈). */
  bytesToServer: Count,
  bytesToClient: Count,
  packets: Count,
  flows: Count,
  sampling: Schema.Int,
  confidence: Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 1 })),
  tags: Schema.Array(Schema.String),
  notes: Schema.NullOr(Schema.String),
  /** Since when none of those who saw it looks, so that its silence means nothing; null while one does, or once it is stale. */
  blind: Schema.NullOr(Blindness)
}) {}

/** One validity span (FL-RES-09): `until` null while it lasts. */
export const ValiditySpan = Schema.Struct({ since: Instant, until: Schema.NullOr(Instant) })

/** A real conversation behind a dependency, as one exporter saw it in one window; at most 16 are kept (FL-RES-07). */
export const EvidenceFlow = Schema.Struct({
  first: Instant,
  last: Instant,
  clientAddress: Address,
  clientPort: Schema.Int,
  /** Ports the client used in it, `clientPort` the first of them; 1: it is one connection. */
  clientPorts: Schema.Int,
  serverAddress: Address,
  serverPort: Schema.Int,
  /** Octets and packets, multiplied by `sampling`. */
  bytesToServer: Count,
  bytesToClient: Count,
  packetsToServer: Count,
  packetsToClient: Count,
  /** OR of the TCP flags of each direction. */
  flagsToServer: Schema.Int,
  flagsToClient: Schema.Int,
  records: Count,
  exporter: Address,
  sampling: Schema.Int
})
export type EvidenceFlow = typeof EvidenceFlow.Type

/** Who declared that an end serves, or never does, and when. */
export const Declaration = Schema.Struct({
  address: Address,
  protocol: Schema.Int,
  /** 0: whatever the port; of ends that never serve only. */
  port: Schema.Int,
  serves: Schema.Boolean,
  by: Schema.String,
  at: Instant,
  note: Schema.NullOr(Schema.String)
})
export type Declaration = typeof Declaration.Type

export class DependencyDetail extends Dependency.extend<DependencyDetail>("DependencyDetail")({
  direction: DirectionEvidence,
  terms: ConfidenceTerms,
  spans: Schema.Array(ValiditySpan),
  /** Exporters that saw it; `owner` is the one whose volumes count. */
  exporters: Schema.Array(
    Schema.Struct({
      address: Address,
      owner: Schema.Boolean,
      records: Count,
      bytes: Count,
      /** Of those, what was counted for another exporter and not again. */
      sparedRecords: Count,
      sparedBytes: Count,
      lastSeen: Instant
    })
  ),
  /** Oldest first. */
  evidence: Schema.Array(EvidenceFlow),
  /** The operator's word that decides its direction; null: the evidence does. */
  declaration: Schema.NullOr(Declaration),
  /** Flows per hour over the last 7 days (or since first seen). */
  flowsPerHour: Schema.Number,
  /** Traffic per window, oldest first. */
  series: Schema.Array(Schema.Struct({ at: Instant, bytes: Count, packets: Count, flows: Count }))
}) {}

export const DependencyQuery = listQuery(["lastSeen", "firstSeen", "bytes", "flows", "confidence", "port", "client", "server"])
export type DependencyQuery = typeof DependencyQuery.Type

export class DependencyNotFound extends Schema.TaggedError<DependencyNotFound>()(
  "DependencyNotFound",
  { id: Schema.String },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `no dependency ${this.id}`
  }
}

/** Which end of this dependency would serve instead nobody can say: its client used several ports, or none is on record. */
export class DirectionUnknown extends Schema.TaggedError<DirectionUnknown>()(
  "DirectionUnknown",
  { id: Schema.String, ports: Schema.Int },
  { httpApiStatus: 409 }
) {
  override get message() {
    return this.ports === 0
      ? `no conversation of dependency ${this.id} is on record, so its client's port is unknown`
      : `the client of dependency ${this.id} used several ports, so none of them serves`
  }
}
