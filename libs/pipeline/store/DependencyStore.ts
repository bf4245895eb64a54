/** Dependencies as lists and pages read them. Candidates are in none of these. */
import { Clock, Context, Effect, Layer } from "effect"
import { SqlClient, type Statement } from "effect/sql"
import { AssetNotFound } from "#domain/Asset.ts"
import { Dependency, DependencyDetail, DependencyNotFound, type DependencyQuery } from "#domain/Dependency.ts"
import { parseFilter } from "#domain/filter.ts"
import type { AssetId, DependencyId } from "#domain/ids.ts"
import { protocolName } from "#domain/protocol.ts"
import type { FilterInvalid } from "#domain/Topology.ts"
import type { Hit, StoreOptions } from "./AssetStore.ts"
import { blindAmong, blindRow } from "./blind.ts"
import { dependencyFilterSql, likePattern } from "./filter-sql.ts"
import { cutPage, pageSql, type Sort } from "./page.ts"
import { decodeRows } from "./Sql.ts"
import { readSight, type Sight } from "./sight.ts"
import { type StaleOptions, sweepStale } from "./stale.ts"

export interface DependencyPage {
  readonly items: ReadonlyArray<Dependency>
  readonly total: number
  readonly next?: string
}

const id = { sql: "d.id", type: "bigint" } as const
const sorts: Record<NonNullable<DependencyQuery["sort"]>, Sort> = {
  lastSeen: [{ sql: "d.seen_hour", type: "timestamptz" }, { sql: "d.last_seen", type: "timestamptz" }, id],
  firstSeen: [{ sql: "d.first_seen", type: "timestamptz" }, id],
  bytes: [{ sql: "d.total_bytes", type: "bigint" }, id],
  flows: [{ sql: "d.total_flows", type: "bigint" }, id],
  confidence: [{ sql: "d.confidence", type: "float8" }, id],
  port: [{ sql: "d.port", type: "integer" }, id],
  client: [{ sql: "c.name", type: "text" }, id],
  server: [{ sql: "s.name", type: "text" }, id]
}
const ascendingByDefault = new Set(["port", "client", "server"])

/** Ends are flat here and become objects in `nest`: the driver writes addresses in their shortest form, SQL functions do not. */
const columns = `d.id, d.port, d.protocol, d.inferred_service AS "service", d.status, d.first_seen AS "firstSeen", d.last_seen AS "lastSeen",
  d.bytes_to_server AS "bytesToServer", d.bytes_to_client AS "bytesToClient", d.total_packets AS "packets", d.total_flows AS "flows",
  d.sampling, d.confidence, d.tags, d.notes, host(d.owner_exporter) AS owner, d.exporters,
  c.id AS client_id, c.name AS client_name, d.source_address AS client_address, c.asset_type AS client_type, c.internal AS client_internal,
  s.id AS server_id, s.name AS server_name, d.target_address AS server_address, s.asset_type AS server_type, s.internal AS server_internal`

interface Row {
  readonly [column: string]: unknown
  readonly id: bigint
  readonly owner: string | null
  readonly exporters: number
  readonly confidence: number
  readonly status: "active" | "stale" | "candidate"
  readonly client_name: string
  readonly server_name: string
}

/** True at an instant: in the span that lasts, or in one that ended. */
export const validAt = (sql: SqlClient.SqlClient, at: Date): Statement.Fragment =>
  sql`(d.status <> 'candidate' AND d.first_seen <= ${at} AND ((d.valid_from <= ${at} AND (d.valid_to IS NULL OR d.valid_to >= ${at}))
    OR EXISTS (SELECT 1 FROM dependency_span p WHERE p.dependency_id = d.id AND p.since <= ${at} AND p.until >= ${at})))`

const nest =
  (threshold: number) =>
  (row: Row): Row => ({
    ...row,
    state: row.status === "stale" ? "stale" : row.confidence < threshold ? "weak" : "active",
    client: end(row, "client"),
    server: end(row, "server")
  })

const end = (row: Row, side: "client" | "server") => ({
  id: String(row[`${side}_id`]),
  name: row[`${side}_name`],
  address: row[`${side}_address`],
  type: row[`${side}_type`],
  internal: row[`${side}_internal`]
})

export class DependencyStore extends Context.Service<
  DependencyStore,
  {
    /** `at`: as it was then. */
    readonly page: (query: DependencyQuery, at?: Date) => Effect.Effect<DependencyPage, FilterInvalid>
    readonly get: (id: DependencyId) => Effect.Effect<DependencyDetail, DependencyNotFound>
    /** Of an asset: it as client, as server, or both; heaviest first, at most 1000. */
    readonly ofAsset: (
      id: AssetId,
      side: "client" | "server" | "both",
      at?: Date
    ) => Effect.Effect<ReadonlyArray<Dependency>, AssetNotFound>
    readonly search: (text: string, limit?: number) => Effect.Effect<ReadonlyArray<Hit>>
    /** Ends the spans of dependencies that nobody saw while somebody looked (stale.ts). Answers how many. */
    readonly sweepStale: (options: StaleOptions) => Effect.Effect<number>
  }
>()("pipeline/store/DependencyStore") {
  static readonly layer = (options: StoreOptions) =>
    Layer.effect(
      DependencyStore,
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const decode = decodeRows(Dependency)
        const decodeDetail = decodeRows(DependencyDetail)
        const nested = nest(options.confidenceThreshold)
        const shown = (at: Date | undefined) => (at === undefined ? sql`d.status <> 'candidate'` : validAt(sql, at))
        const joined = sql`JOIN assets c ON c.id = d.source_id JOIN assets s ON s.id = d.target_id`
        const sightAt = (at: Date | undefined, now: number) => Effect.orDie(readSight(sql, at ?? new Date(now), at === undefined))
        const withBlind = Effect.fnUntraced(function* <R extends Row>(sight: Sight, rows: ReadonlyArray<R>) {
          const watched = rows.map(({ exporters, id, owner, status }) => ({
            id: String(id),
            stale: status === "stale",
            owner,
            exporters
          }))
          const blind = yield* Effect.orDie(blindAmong(sql, sight, watched))
          return rows.map((row) => ({ ...nested(row), blind: blindRow(blind.get(String(row.id))) }))
        })

        const page = Effect.fn("DependencyStore.page")(function* (query: DependencyQuery, at?: Date) {
          const filter = yield* Effect.fromResult(parseFilter(query.filter ?? "", "dependency"))
          const key = query.sort ?? "lastSeen"
          const descending = query.order === undefined ? !ascendingByDefault.has(key) : query.order === "descending"
          const { behind, orderBy, cursor } = yield* pageSql(sql, sorts[key], descending, query.after)
          const limit = query.limit ?? options.pageSize ?? 50
          const now = yield* Clock.currentTimeMillis
          const sight = yield* sightAt(at, now)
          const where = sql`${shown(at)} AND ${dependencyFilterSql(sql, filter, { now, confidenceThreshold: options.confidenceThreshold, sight })}`
          const byName = key === "client" || key === "server"
          const [rows, [count]] = yield* Effect.all(
            [
              // the rows of the page first, their ends after
              sql<Row & { cursor: ReadonlyArray<string> }>`SELECT ${sql.literal(columns)}, k.cursor
                FROM (SELECT d.id, ${cursor} FROM dependencies d ${byName ? joined : sql``}
                  WHERE ${where} AND ${behind} ORDER BY ${orderBy} LIMIT ${limit + 1}) k
                JOIN dependencies d ON d.id = k.id ${joined} ORDER BY ${orderBy}`,
              sql<{ total: number }>`SELECT count(*)::int AS total FROM dependencies d WHERE ${where}`
            ],
            { concurrency: 2 }
          ).pipe(Effect.orDie)
          const cut = cutPage(rows, limit)
          const items = yield* decode(yield* withBlind(sight, cut.rows))
          return { items, total: count!.total, ...(cut.next === undefined ? {} : { next: cut.next }) }
        })

        const ofAsset = Effect.fn("DependencyStore.ofAsset")(function* (
          asset: AssetId,
          side: "client" | "server" | "both",
          at?: Date
        ) {
          const [known] = yield* sql`SELECT 1 FROM assets WHERE id = ${asset}::text::bigint`.pipe(Effect.orDie)
          if (known === undefined) return yield* new AssetNotFound({ id: asset })
          const out = sql`d.source_id = ${asset}::text::bigint`
          const into = sql`d.target_id = ${asset}::text::bigint`
          const rows = yield* sql<Row>`SELECT ${sql.literal(columns)} FROM dependencies d ${joined}
            WHERE ${side === "client" ? out : side === "server" ? into : sql`(${out} OR ${into})`} AND ${shown(at)}
            ORDER BY d.total_bytes DESC, d.id LIMIT 1000`.pipe(Effect.orDie)
          const sight = yield* sightAt(at, yield* Clock.currentTimeMillis)
          return yield* decode(yield* withBlind(sight, rows))
        })

        const get = Effect.fn("DependencyStore.get")(function* (dependency: DependencyId) {
          const which = sql`${dependency}::text::bigint`
          const now = yield* Clock.currentTimeMillis
          const weekAgo = new Date(now - 7 * 86_400_000)
          const [rows, spans, exporters, evidence, [declaration], series, [week]] = yield* Effect.all(
            [
              sql<Row>`SELECT ${sql.literal(columns)}, ${sql.literal(whyColumns)} FROM dependencies d ${joined} WHERE d.id = ${which}`,
              sql`SELECT since, until FROM dependency_span WHERE dependency_id = ${which}
                UNION ALL SELECT valid_from, valid_to FROM dependencies WHERE id = ${which} ORDER BY since`,
              // of the only one that saw it, the dependency itself has the sums; a row tells what it said twice
              sql`SELECT exporter AS address, owner, records, bytes, spared_records AS "sparedRecords", spared_bytes AS "sparedBytes", last_seen AS "lastSeen"
                FROM dependency_exporter x WHERE dependency_id = ${which}
                  AND NOT EXISTS (SELECT 1 FROM dependencies d WHERE d.id = ${which} AND d.exporters = 1 AND d.owner_exporter = x.exporter)
                UNION ALL SELECT d.owner_exporter, true, d.total_flows + COALESCE(x.spared_records, 0),
                    LEAST(d.total_bytes, 4611686018427387903 - COALESCE(x.spared_bytes, 0)) + COALESCE(x.spared_bytes, 0),
                    COALESCE(x.spared_records, 0), COALESCE(x.spared_bytes, 0), d.last_seen
                  FROM dependencies d LEFT JOIN dependency_exporter x ON x.dependency_id = d.id AND x.exporter = d.owner_exporter
                  WHERE d.id = ${which} AND d.exporters = 1 AND d.owner_exporter IS NOT NULL
                ORDER BY owner DESC, records DESC`,
              sql`SELECT * FROM (SELECT DISTINCT ON (first, last, exporter, "clientPort") first, last, exporter, sampling, records, "clientPorts", ${sql.literal(
                ends.map(([name, whenA, whenB]) => `CASE WHEN a_serves THEN ${whenA} ELSE ${whenB} END AS "${name}"`).join(", ")
              )} FROM (
                SELECT f.*, records_ab + records_ba AS records, ports AS "clientPorts",
                  CASE WHEN f.b_port = d.port AND f.b = d.target_address THEN false
                    WHEN f.a_port = d.port AND f.a = d.target_address THEN true ELSE f.a = d.target_address END AS a_serves
                FROM evidence_flows f JOIN dependencies d ON d.id = f.dependency_id WHERE f.dependency_id = ${which}) placed) kept ORDER BY first, last`,
              sql`SELECT e.address, e.protocol, e.port, e.serves, e.declared_by AS by, e.declared_at AS at, e.note FROM dependencies d
                JOIN declared_ends e ON e.protocol = d.protocol AND CASE WHEN e.serves THEN e.address = d.target_address AND e.port = d.port
                  ELSE e.address = d.source_address AND d.declared END
                WHERE d.id = ${which} ORDER BY e.serves DESC, e.declared_at DESC LIMIT 1`,
              sql`SELECT f.time AS at, f.total_bytes AS bytes, f.packets, f.flows ${traffic(which)} ORDER BY f.time DESC LIMIT 288`,
              sql<{ perHour: number }>`SELECT COALESCE(sum(f.flows), 0)::float8
                  / GREATEST(1, EXTRACT(epoch FROM ${new Date(now)}::timestamptz - GREATEST(min(d.first_seen), ${weekAgo}::timestamptz)) / 3600)::float8
                  AS "perHour" ${traffic(which)} AND f.time >= ${weekAgo}`
            ],
            { concurrency: 3 }
          ).pipe(Effect.orDie)
          const row = rows[0]
          if (row === undefined || row.status === "candidate") return yield* new DependencyNotFound({ id: dependency })
          const [seen] = yield* withBlind(yield* sightAt(undefined, now), [row])
          const [detail] = yield* decodeDetail([
            {
              ...explain(seen!),
              spans,
              exporters,
              evidence,
              declaration: declaration ?? null,
              series: [...series].reverse(),
              flowsPerHour: week?.perHour ?? 0
            }
          ])
          return detail!
        })

        const traffic = (which: Statement.Fragment) =>
          sql`FROM dependencies d JOIN flow_stats f ON f.source_id = d.source_id AND f.target_id = d.target_id AND f.protocol = d.protocol
            AND f.port = d.port WHERE d.id = ${which}`

        const search = Effect.fn("DependencyStore.search")(function* (text: string, limit = 10) {
          const wanted = text.trim().slice(0, 200).replaceAll("\0", "")
          if (wanted === "") return []
          const port = /^[0-9]{1,5}$/.test(wanted) ? Number(wanted) : -1
          const rows = yield* sql<Row & { port: number; protocol: number; service: string | null }>`SELECT ${sql.literal(columns)}
            FROM (SELECT d.id FROM dependencies d WHERE d.status <> 'candidate' AND (d.inferred_service = lower(${wanted}) OR d.port = ${port}
                OR d.notes ILIKE ${likePattern(wanted)}
                OR d.target_id IN (SELECT id FROM assets WHERE name ILIKE ${likePattern(wanted)} OR fqdn ILIKE ${likePattern(wanted)}))
              ORDER BY d.total_bytes DESC, d.id LIMIT ${limit}) k
            JOIN dependencies d ON d.id = k.id ${joined} ORDER BY d.total_bytes DESC, d.id`.pipe(Effect.orDie)
          return rows.map((row) => ({
            kind: "dependency" as const,
            id: String(row.id),
            title: `${row.client_name} → ${row.server_name}`,
            detail: `${row.port}/${protocolName(row.protocol)}${row.service === null ? "" : ` ${row.service}`}`
          }))
        })

        return DependencyStore.of({
          page,
          get,
          ofAsset,
          search,
          sweepStale: (stale) => sweepStale(sql, stale).pipe(Effect.orDie)
        })
      })
    )
}

/** Fields of an evidence flow by which of its ends serves. */
const ends = [
  ["clientAddress", "b", "a"],
  ["serverAddress", "a", "b"],
  ["clientPort", "b_port", "a_port"],
  ["serverPort", "a_port", "b_port"],
  ["bytesToServer", "bytes_ba", "bytes_ab"],
  ["bytesToClient", "bytes_ab", "bytes_ba"],
  ["packetsToServer", "packets_ba", "packets_ab"],
  ["packetsToClient", "packets_ab", "packets_ba"],
  ["flagsToServer", "flags_ba", "flags_ab"],
  ["flagsToClient", "flags_ab", "flags_ba"]
] as const

const whyColumns = `d.syn_forward, d.syn_reverse, d.syn_ack_forward, d.syn_ack_reverse, d.began_forward, d.began_reverse, d.port_rank, d.fan_in,
  d.fan_in_against, d.client_ports, d.history, d.companion, d.declared, d.windows, d.both_directions, d.direction_weight`

/** Counts of evidence saturate in every formula long before a double does. */
const explain = (row: Row) => ({
  ...row,
  direction: {
    synForward: Number(row["syn_forward"]),
    synReverse: Number(row["syn_reverse"]),
    synAckForward: Number(row["syn_ack_forward"]),
    synAckReverse: Number(row["syn_ack_reverse"]),
    beganForward: Number(row["began_forward"]),
    beganReverse: Number(row["began_reverse"]),
    portRank: row["port_rank"],
    fanIn: row["fan_in"],
    fanInAgainst: row["fan_in_against"],
    clientPorts: Number(row["client_ports"]),
    history: row["history"],
    companion: row["companion"],
    declared: row["declared"]
  },
  terms: {
    records: Number(row["flows"]),
    windows: row["windows"],
    bothDirections: row["both_directions"],
    exporters: row["exporters"],
    direction: row["direction_weight"],
    sampled: (row["sampling"] as number) > 1
  }
})
