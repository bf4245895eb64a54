/** Reads every part of the appliance once and says how it is: the material of the health page, `/health`, `/metrics` and the status line. */
import { statfs } from "node:fs/promises"
import { Clock, Context, DateTime, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { Exporter } from "#domain/Exporter.ts"
import { FlowAccount, HealthDetail, type HealthWarning, PublicHealth } from "#domain/Health.ts"
import { Status } from "#domain/Status.ts"
import { Registry } from "#pipeline/actor/Registry.ts"
import { readingOf } from "#pipeline/actor/reading.ts"
import { ExporterStore } from "#pipeline/store/ExporterStore.ts"
import { type DatabaseReading, makeProbe } from "#pipeline/store/Sql.ts"
import { Flows } from "../flow/Flows.ts"
import { deriveWarnings } from "../health/derive-warnings.ts"
import { makeWarningLedger } from "../health/WarningLedger.ts"
import { Database } from "../postgres/Database.ts"
import { Storage } from "../storage/Storage.ts"
import { version } from "../version.ts"
import { type ExporterKnobs, exporterReadings } from "./exporter-reading.ts"
import { makeRecentRefusals } from "./recent-refusals.ts"

export interface VitalSigns {
  readonly health: HealthDetail
  readonly exporters: ReadonlyArray<Exporter>
  readonly status: Status
}

export class Vitals extends Context.Service<Vitals, { readonly read: Effect.Effect<VitalSigns> }>()("appliance/live/Vitals") {
  static readonly layer = (dataFolder: string, knobs: ExporterKnobs) => Layer.effect(Vitals, make(dataFolder, knobs))
}

const make = Effect.fnUntraced(function* (dataFolder: string, knobs: ExporterKnobs) {
  const flows = yield* Flows
  const registry = yield* Registry
  const database = yield* Database
  const storage = yield* Storage
  const store = yield* ExporterStore
  const sql = yield* SqlClient.SqlClient
  const startedAt = yield* DateTime.now
  const probe = makeProbe()
  const ledger = makeWarningLedger()
  const refusals = makeRecentRefusals()
  let known: ReadonlyArray<Exporter> = []
  const unclean = flows.uncleanStops.at(-1)

  const read = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const at = DateTime.makeUnsafe(now)
    const {
      reachable,
      roundTripMs,
      sizeBytes,
      version: server
    }: DatabaseReading = yield* probe.pipe(Effect.provideService(SqlClient.SqlClient, sql))
    if (reachable) known = yield* store.list.pipe(Effect.catchCause(() => Effect.succeed(known)))
    const exporters = exporterReadings(known, yield* flows.exporters, {
      ...knobs,
      now,
      startedAt: DateTime.toEpochMillis(startedAt),
      listeners: yield* flows.listeners
    })
    const actors = yield* registry.snapshot
    const disk = yield* diskOf(dataFolder)
    const stored = yield* storage.read
    const totals = yield* flows.totals
    const warnings = ledger.take(
      deriveWarnings({
        now,
        actors,
        exporters,
        flow: yield* flows.warnings,
        requireApproval: knobs.requireApproval,
        databaseReachable: reachable,
        databaseServer: yield* database.status,
        diskFreeBytes: disk.freeBytes,
        diskTotalBytes: disk.totalBytes,
        storage: stored,
        uncleanStop:
          unclean === undefined
            ? undefined
            : { at: unclean.seenAt, recordsLost: flows.uncleanStops.reduce((sum, stop) => sum + stop.recordsLost, 0n) }
      }),
      at
    )
    const window = yield* flows.window
    const health = new HealthDetail({
      status: statusOf(warnings, reachable),
      version,
      startedAt,
      actors: actors.map(readingOf),
      warnings,
      flow: new FlowAccount({
        datagrams: BigInt(totals.datagrams),
        records: BigInt(totals.records),
        malformed: BigInt(totals.malformed),
        refused: BigInt(totals.refused),
        kernelDropped: BigInt(totals.kernelDropped),
        failed: BigInt(totals.failed),
        late: BigInt(totals.late),
        lostOpenSlices: BigInt(totals.lost)
      }),
      spool: yield* flows.spool,
      database: {
        reachable,
        embedded: database.embedded,
        roundTripMs: roundTripMs ?? null,
        sizeBytes: sizeBytes ?? null,
        version: server ?? null
      },
      storage: stored,
      memoryBytes: process.memoryUsage.rss(),
      disk
    })
    const status = new Status({
      at,
      health: health.status,
      warnings: warnings.filter((warning) => warning.severity !== "info").length,
      recordsPerSecond: yield* flows.recordsPerSecond,
      refused: refusals.take(now, totals.refused + totals.failed + totals.kernelDropped),
      exportersHeard: exporters.filter(
        ({ policy, state }) => policy.approval !== "blocked" && (state === "heard" || state === "waiting")
      ).length,
      // a blocked one is not missed
      exportersKnown: exporters.filter(({ policy }) => policy.approval !== "blocked").length,
      window:
        window === undefined
          ? null
          : {
              start: DateTime.makeUnsafe(window.start),
              seconds: window.seconds,
              final: window.final,
              writtenAt: DateTime.makeUnsafe(window.writtenAt)
            },
      databaseMs: roundTripMs ?? null
    })
    return { health, exporters, status }
  })
  return Vitals.of({ read: Effect.withSpan(read, "Vitals.read") })
})

/** Unhealthy: flows are not taken or not kept. Degraded: something is wrong that somebody should look at. */
const statusOf = (warnings: ReadonlyArray<HealthWarning>, reachable: boolean) =>
  !reachable || warnings.some((warning) => warning.severity === "critical")
    ? ("unhealthy" as const)
    : warnings.some((warning) => warning.severity === "warning")
      ? ("degraded" as const)
      : ("healthy" as const)

const diskOf = (folder: string) =>
  Effect.promise(() =>
    statfs(folder).then(
      ({ bavail, blocks, bsize }) => ({ freeBytes: bavail * bsize, totalBytes: blocks * bsize }),
      () => ({ freeBytes: 0, totalBytes: 0 })
    )
  )

/** The verdict without names or addresses: each check is the worst of the warnings it stands for. */
export const publicHealth = ({ status, startedAt, warnings }: HealthDetail, now: number): PublicHealth => {
  const check = (codes: ReadonlyArray<string>) => {
    const found = warnings.filter((warning) => codes.includes(warning.code))
    if (found.some((warning) => warning.severity === "critical")) return "fail" as const
    return found.some((warning) => warning.severity === "warning") ? ("warn" as const) : ("pass" as const)
  }
  return new PublicHealth({
    status,
    version,
    uptimeSeconds: Math.max(0, Math.floor((now - DateTime.toEpochMillis(startedAt)) / 1000)),
    checks: {
      database: check(["database-away", "store-lags", "spool-lags"]),
      disk: check(["disk-low", "disk-full", "spool-full", "spool-failing"]),
      actors: check(["actor-gave-up"]),
      listeners: check(["listener-down", "receive-buffer", "kernel-drops"]),
      exporters: check([
        "exporter-silent",
        "exporters-unapproved",
        "sequence-gaps",
        "template-waiting",
        "exporters-full",
        "conversations-full"
      ])
    }
  })
}
