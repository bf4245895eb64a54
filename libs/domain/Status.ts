/** The status line and the Overview: few numbers, each a link. */
import { Schema } from "effect"
import { Address } from "./Address.ts"
import { CoverageSummary } from "./CoverageReport.ts"
import { HealthStatus, HealthWarning } from "./Health.ts"
import { AssetId, Count, DependencyId, Instant } from "./ids.ts"

export class Status extends Schema.Class<Status>("Status")({
  at: Instant,
  health: HealthStatus,
  warnings: Schema.Int,
  recordsPerSecond: Schema.Number,
  /** Datagrams refused, failed or dropped by the kernel in the last five minutes. */
  refused: Schema.Int,
  exportersHeard: Schema.Int,
  exportersKnown: Schema.Int,
  /** Start of the newest window with a written slice, and whether it is final. */
  window: Schema.NullOr(Schema.Struct({ start: Instant, seconds: Schema.Int, final: Schema.Boolean, writtenAt: Instant })),
  databaseMs: Schema.NullOr(Schema.Number)
}) {}

export class WindowTotal extends Schema.Class<WindowTotal>("WindowTotal")({
  at: Instant,
  bytes: Count,
  packets: Count,
  flows: Count
}) {}

export class Overview extends Schema.Class<Overview>("Overview")({
  status: Status,
  warnings: Schema.Array(HealthWarning),
  assets: Schema.Int,
  internalAssets: Schema.Int,
  dependencies: Schema.Int,
  services: Schema.Int,
  newAssetsLastHour: Schema.Int,
  newDependenciesLastHour: Schema.Int,
  /** Totals per window, oldest first, at most 288 (a day of 5-minute windows). */
  traffic: Schema.Array(WindowTotal),
  windowSeconds: Schema.Int,
  /** How well we look; absent before it was read once. */
  coverage: Schema.optionalKey(CoverageSummary),
  /** Seen by several exporters, or twice by one, in the last 24 hours, and counted once; `exporters` saved most, first. */
  counted: Schema.optionalKey(
    Schema.Struct({
      sparedRecords: Count,
      sparedBytes: Count,
      exporters: Schema.Array(Schema.Struct({ address: Address, records: Count, bytes: Count }))
    })
  ),
  newest: Schema.Array(
    Schema.Struct({
      id: DependencyId,
      client: Schema.String,
      server: Schema.String,
      port: Schema.Int,
      protocol: Schema.Int,
      service: Schema.NullOr(Schema.String),
      firstSeen: Instant
    })
  ),
  busiest: Schema.Array(Schema.Struct({ id: AssetId, name: Schema.String, address: Address, bytes: Count, clients: Schema.Int }))
}) {}
