/** The coverage ledger as people and programs read it: how well an exporter was heard, or a network looked at, window by window. */
import { Schema } from "effect"
import { Address, Cidr } from "./Address.ts"
import { CoverageState } from "./coverage.ts"
import { ExporterId, Instant } from "./ids.ts"

export class CoverageCell extends Schema.Class<CoverageCell>("CoverageCell")({
  at: Instant,
  seconds: Schema.Int,
  state: CoverageState,
  /** 0 blind … 1 everything; domain/coverage.ts says how. */
  quality: Schema.Number,
  /** What kept it from being good, worst first. */
  reasons: Schema.Array(Schema.String)
}) {}

/** Since when nobody looks, and why, in words. `since` null: as long as the ledger goes back. */
export const Blindness = Schema.Struct({ since: Schema.NullOr(Instant), why: Schema.String })
export type Blindness = typeof Blindness.Type

/** Who normally sees a network. */
export const SubnetObserver = Schema.Struct({
  address: Address,
  name: Schema.NullOr(Schema.String),
  records: Schema.BigIntFromString,
  lastSeen: Instant,
  looking: Schema.Boolean
})

export class CoverageReport extends Schema.Class<CoverageReport>("CoverageReport")({
  from: Instant,
  to: Instant,
  cells: Schema.Array(CoverageCell),
  /** Of a network: its exporters, the one that saw most of it first. Empty for an exporter. */
  observers: Schema.Array(SubnetObserver),
  /** Null while somebody looks. */
  blind: Schema.NullOr(Blindness)
}) {}

/**
 * Of one exporter or of one network (a /24 or /64 of yours), not both. `cellSeconds`: fold windows into cells of that length; at most
 * 3000 cells are answered, the newest.
 */
export const CoverageQuery = Schema.Struct({
  exporter: Schema.optionalKey(ExporterId),
  subnet: Schema.optionalKey(Cidr),
  from: Instant,
  to: Instant,
  cellSeconds: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 10, maximum: 86_400 })))
})
export type CoverageQuery = typeof CoverageQuery.Type

export class CoverageNotFound extends Schema.TaggedError<CoverageNotFound>()(
  "CoverageNotFound",
  { exporter: Schema.NullOr(Schema.String) },
  { httpApiStatus: 404 }
) {
  override get message() {
    return this.exporter === null ? "name an exporter or a network" : `no exporter ${this.exporter}`
  }
}

/** For the Overview: how many exporters look, and which networks nobody looks at. */
export class CoverageSummary extends Schema.Class<CoverageSummary>("CoverageSummary")({
  looking: Schema.Int,
  exporters: Schema.Int,
  blindSubnets: Schema.Int,
  /** The earliest of them; null when none is blind. */
  blindSince: Schema.NullOr(Instant)
}) {}
