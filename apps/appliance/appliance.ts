/** The running system as one layer, from the configuration: what is started first is stopped last. */
import { join } from "node:path"
import { Effect, Layer } from "effect"
import type { SettingReading } from "#domain/Settings.ts"
import { Registry } from "#pipeline/actor/Registry.ts"
import type { HostName } from "#pipeline/enrich/hosts-file.ts"
import { Declarations } from "#pipeline/resolve/Declarations.ts"
import { AssetStore } from "#pipeline/store/AssetStore.ts"
import { AuditStore } from "#pipeline/store/AuditStore.ts"
import { BootStore } from "#pipeline/store/BootStore.ts"
import { CoverageStore } from "#pipeline/store/CoverageStore.ts"
import { DependencyStore } from "#pipeline/store/DependencyStore.ts"
import { ExporterPolicyStore } from "#pipeline/store/ExporterPolicyStore.ts"
import { ExporterStore } from "#pipeline/store/ExporterStore.ts"
import { IdentityStore } from "#pipeline/store/IdentityStore.ts"
import { OperatorStore } from "#pipeline/store/OperatorStore.ts"
import { RawFlowStore } from "#pipeline/store/RawFlowStore.ts"
import { SessionStore } from "#pipeline/store/SessionStore.ts"
import { StatsStore } from "#pipeline/store/StatsStore.ts"
import { TokenStore } from "#pipeline/store/TokenStore.ts"
import { TopologyStore } from "#pipeline/store/TopologyStore.ts"
import { WindowStore } from "#pipeline/store/WindowStore.ts"
import { layerAuth } from "./auth/layer.ts"
import type { Config } from "./config.ts"
import { layerFlow } from "./corridors/flow.ts"
import { layerUpkeep } from "./corridors/upkeep.ts"
import { Captures } from "./exporters/Captures.ts"
import { ExporterDesk } from "./exporters/ExporterDesk.ts"
import { FlowLine } from "./flow/FlowLine.ts"
import { loadCertificate } from "./http/certificate.ts"
import { layerSurface } from "./http/surface.ts"
import { layerLive } from "./live/live-layer.ts"
import { Vitals } from "./live/Vitals.ts"
import { Database } from "./postgres/Database.ts"
import { Storage } from "./storage/Storage.ts"

const layerStores = (config: Config) => {
  const options = { confidenceThreshold: config.dependencies.confidence_threshold, pageSize: config.api.pagination.default }
  return Layer.mergeAll(
    AssetStore.layer(options),
    AuditStore.layer,
    BootStore.layer,
    CoverageStore.layer({ windowSeconds: config.aggregation.window_size_seconds }),
    Declarations.layer,
    DependencyStore.layer(options),
    ExporterPolicyStore.layer,
    ExporterStore.layer,
    IdentityStore.layer,
    OperatorStore.layer,
    RawFlowStore.layer({ keep: config.flow_raw.keep }),
    SessionStore.layer,
    StatsStore.layer,
    TokenStore.layer,
    TopologyStore.layer({ ...options, maxNodes: 5000, maxEdges: 10_000 }),
    WindowStore.layer
  )
}

/** What the flow corridor stands on: the stores, the database, the registry of actors. */
export const layerGround = (config: Config) =>
  layerStores(config).pipe(
    Layer.provideMerge(Database.layer({ dataFolder: config.data, url: config.database.url })),
    Layer.provideMerge(Registry.layer)
  )

const consoleFolder = join(import.meta.dirname, "../console/dist")

/** Gives `Listening` and everything below it. `names`: what assets are called beside the hosts file. */
export const layerAppliance = (config: Config, settings: ReadonlyArray<SettingReading>, names: ReadonlyArray<HostName>) =>
  Layer.unwrap(
    Effect.map(loadCertificate(config.data), (certificate) =>
      layerSurface({
        host: config.api.host,
        port: config.api.port,
        certificate,
        pingSeconds: config.api.websocket.ping_seconds,
        maxConnections: config.api.websocket.max_connections,
        pages: config.api.pagination,
        consoleFolder
      })
    )
  ).pipe(
    Layer.provideMerge(layerLive({ settings, windowSeconds: config.aggregation.window_size_seconds })),
    Layer.provideMerge(ExporterDesk.layer({ requireApproval: config.exporters.require_approval })),
    Layer.provideMerge(Captures.layer({ dataFolder: config.data, bindAddress: config.ingestion.bind_address })),
    Layer.provideMerge(
      Vitals.layer(config.data, {
        silenceSeconds: config.exporters.silence_seconds,
        windowSeconds: config.aggregation.window_size_seconds,
        requireApproval: config.exporters.require_approval
      })
    ),
    Layer.provideMerge(
      Storage.layer({
        dataFolder: config.data,
        days: {
          flow_raw: config.retention.flow_raw_days,
          flow_stats: config.retention.flow_stats_days,
          flow_stats_hour: config.retention.flow_stats_hour_days,
          flow_stats_day: config.retention.flow_stats_day_days,
          coverage: config.retention.coverage_days
        },
        auditDays: config.retention.audit_days,
        reserveBytes: config.retention.reserve,
        mostBytes: config.retention.max_database_size,
        settleSeconds: config.aggregation.lateness_seconds + config.aggregation.flush_interval_seconds + 60
      })
    ),
    Layer.provideMerge(layerUpkeep(config, names)),
    Layer.provideMerge(layerFlow(config)),
    Layer.provideMerge(FlowLine.layer),
    Layer.provideMerge(
      layerAuth({
        dataFolder: config.data,
        access: {
          session: { hours: config.access.session_hours, idleMinutes: 0 },
          lockout: { failures: config.access.lockout_failures, minutes: config.access.lockout_minutes }
        }
      })
    ),
    Layer.provideMerge(layerGround(config))
  )
