/** The few numbers of the Overview. */
import { Clock, Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Overview } from "#domain/Status.ts"
import { newestWindow } from "./newest-window.ts"
import { decodeRows } from "./Sql.ts"

export interface Counts {
  readonly assets: number
  readonly internalAssets: number
  readonly dependencies: number
  readonly services: number
  readonly newAssetsLastHour: number
  readonly newDependenciesLastHour: number
  readonly newAssetsLastDay: number
  readonly newDependenciesLastDay: number
}

export type Newest = Overview["newest"]
export type Spared = NonNullable<Overview["counted"]>
export type Busiest = Overview["busiest"]

export class StatsStore extends Context.Service<
  StatsStore,
  {
    readonly counts: Effect.Effect<Counts>
    /** Dependencies that became active last, newest first. */
    readonly newest: (limit: number) => Effect.Effect<Newest>
    /** Assets by octets both ways in the newest complete window (the newest one when none is complete). */
    readonly busiest: (limit: number) => Effect.Effect<Busiest>
    /** What was seen more than once and counted once in the last 24 hours, and the exporters that saw most of it. */
    readonly spared: (limit: number) => Effect.Effect<Spared>
  }
>()("pipeline/store/StatsStore") {
  static readonly layer = Layer.effect(
    StatsStore,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const decodeNewest = decodeRows(Overview.fields.newest.value)
      const decodeBusiest = decodeRows(Overview.fields.busiest.value)
      const decodeSpared = decodeRows(Overview.fields.counted.schema)
      return StatsStore.of({
        counts: Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const hour = new Date(now - 3_600_000)
          const day = new Date(now - 86_400_000)
          const [row] = yield* sql<Counts>`SELECT a.*, d.*, (SELECT count(*)::int FROM services) AS services
            -- an active dependency counts with the asset that serves it, so that assets are read and not the many times more dependencies
            FROM (SELECT count(*) FILTER (WHERE status = 'active')::int AS assets,
                count(*) FILTER (WHERE status = 'active' AND internal)::int AS "internalAssets",
                count(*) FILTER (WHERE status = 'active' AND activated_at > ${hour})::int AS "newAssetsLastHour",
                count(*) FILTER (WHERE status = 'active' AND activated_at > ${day})::int AS "newAssetsLastDay",
                COALESCE(sum(clients), 0)::int AS dependencies
              FROM assets) a,
            (SELECT count(*) FILTER (WHERE activated_at > ${hour})::int AS "newDependenciesLastHour", count(*)::int AS "newDependenciesLastDay"
              FROM dependencies WHERE activated_at > ${day}) d`
          return row!
        }).pipe(Effect.orDie, Effect.withSpan("StatsStore.counts")),
        newest: Effect.fn("StatsStore.newest")(function* (limit) {
          const rows =
            yield* sql`SELECT d.id, c.name AS client, s.name AS server, d.port, d.protocol, d.inferred_service AS service,
              d.first_seen AS "firstSeen"
            FROM (SELECT * FROM dependencies WHERE activated_at IS NOT NULL ORDER BY activated_at DESC LIMIT ${limit}) d
            JOIN assets c ON c.id = d.source_id JOIN assets s ON s.id = d.target_id ORDER BY d.activated_at DESC, d.id DESC`.pipe(
              Effect.orDie
            )
          return yield* decodeNewest(rows)
        }),
        spared: Effect.fn("StatsStore.spared")(function* (limit) {
          const since = new Date((yield* Clock.currentTimeMillis) - 86_400_000)
          const exporters = yield* sql<{ address: string; records: bigint; bytes: bigint }>`SELECT exporter AS address,
              LEAST(sum(records), 4611686018427387903)::bigint AS records, LEAST(sum(bytes), 4611686018427387903)::bigint AS bytes
            FROM exporter_savings WHERE hour > ${since} GROUP BY exporter ORDER BY bytes DESC, exporter`.pipe(Effect.orDie)
          const sum = (of: (one: { readonly records: bigint; readonly bytes: bigint }) => bigint) =>
            exporters.reduce((total, one) => total + of(one), 0n)
          const [spared] = yield* decodeSpared([
            { sparedRecords: sum((one) => one.records), sparedBytes: sum((one) => one.bytes), exporters: exporters.slice(0, limit) }
          ])
          return spared!
        }),
        busiest: Effect.fn("StatsStore.busiest")(function* (limit) {
          const window = yield* Effect.orDie(newestWindow(sql))
          if (window === undefined) return []
          const rows = yield* sql`WITH ends AS (
              SELECT source_id AS asset_id, total_bytes FROM flow_stats WHERE time = ${window.start}
              UNION ALL SELECT target_id, total_bytes FROM flow_stats WHERE time = ${window.start}
            ), top AS (
              SELECT asset_id, sum(total_bytes)::bigint AS bytes FROM ends GROUP BY asset_id ORDER BY bytes DESC LIMIT ${limit}
            )
            SELECT a.id, a.name, a.ip_addresses[1] AS address, top.bytes, a.clients FROM top JOIN assets a ON a.id = top.asset_id
            ORDER BY top.bytes DESC, a.id`.pipe(Effect.orDie)
          return yield* decodeBusiest(rows)
        })
      })
    })
  )
}
