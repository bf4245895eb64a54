/** Every migration there is, in order: numbered, forward only, never edited once released. */
import { Effect, Layer } from "effect"
import { Migrator } from "effect/sql"
import { assets } from "./0001_assets.ts"
import { flows } from "./0002_flows.ts"
import { access } from "./0003_access.ts"
import { announcements } from "./0004_announcements.ts"
import { coverage } from "./0005_coverage.ts"
import { exporterPolicies } from "./0006_exporter_policies.ts"
import { evidence } from "./0007_evidence.ts"
import { retention } from "./0008_retention.ts"
import { writePath } from "./0009_write_path.ts"
import { flowRaw } from "./0010_flow_raw.ts"
import { statistics } from "./0011_statistics.ts"
import { auditRetention } from "./0012_audit_retention.ts"
import { neverServes } from "./0013_never_serves.ts"

export const migrations = {
  "0001_assets": assets,
  "0002_flows": flows,
  "0003_access": access,
  "0004_announcements": announcements,
  "0005_coverage": coverage,
  "0006_exporter_policies": exporterPolicies,
  "0007_evidence": evidence,
  "0008_retention": retention,
  "0009_write_path": writePath,
  "0010_flow_raw": flowRaw,
  "0011_statistics": statistics,
  "0012_audit_retention": auditRetention,
  "0013_never_serves": neverServes
} as const

/** Brings the database to the newest version. Several appliances that start together take turns. */
export const migrate = Migrator.make({})({ loader: Migrator.fromRecord(migrations), table: "schema_migrations" }).pipe(
  Effect.withSpan("store.migrate")
)

export const layerMigrations = Layer.effectDiscard(migrate)
