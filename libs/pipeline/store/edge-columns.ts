/** Edges of the map as columns: a hundred thousand of them are one row of the database's answer. */
import { Effect } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import { type EdgeColumns, makeDictionary } from "#domain/TopologyColumns.ts"
import { float8Column, int4Column, int8Column, texts } from "./arrays.ts"
import type { NewestWindow } from "./newest-window.ts"

export interface EdgesAsked {
  /** Of `d`: which. */
  readonly shown: Statement.Fragment
  /** How many, and which first. */
  readonly limit: Statement.Fragment
  readonly at: Date | undefined
  /** Whose traffic is their rate. */
  readonly window: NewestWindow | undefined
  /** Exporters that look; undefined where that is not known. */
  readonly looking: ReadonlyArray<string> | undefined
}

export interface EdgesRead extends Omit<EdgeColumns, "client" | "server" | "blind"> {
  /** Ids of assets. */
  readonly source: BigInt64Array
  readonly target: BigInt64Array
  readonly services: ReadonlyArray<string>
  /** Of those whose owner does not look, the owner and how many exporters saw it, parted by a blank; of others null. */
  readonly away: ReadonlyArray<string | null>
}

type Octets = Uint8Array<ArrayBuffer> | null

/** Columns of one order; null: no rows. */
interface Answer {
  readonly id: Octets
  readonly source: Octets
  readonly target: Octets
  readonly port: Octets
  readonly protocol: Octets
  readonly service: ReadonlyArray<string | null> | null
  readonly bytes: Octets
  readonly traffic: Octets
  readonly sampled: Octets
  readonly confidence: Octets
  readonly stale: Octets
  readonly away: ReadonlyArray<string | null> | null
}

export const readEdges = (sql: SqlClient.SqlClient, { at, limit, looking, shown, window }: EdgesAsked) => {
  const stale = sql`d.status = 'stale' ${at === undefined ? sql`` : sql`AND d.stale_at <= ${at}`}`
  const asked = sql<Answer>`SELECT string_agg(int8send(d.id), '') AS id, string_agg(int8send(d.source_id), '') AS source,
      string_agg(int8send(d.target_id), '') AS target, string_agg(int4send(d.port), '') AS port,
      string_agg(int4send(d.protocol), '') AS protocol, array_agg(d.inferred_service) AS service,
      string_agg(int8send(d.total_bytes), '') AS bytes,
      ${window === undefined ? sql`NULL::bytea` : sql`string_agg(int8send(COALESCE(f.total_bytes, 0)), '')`} AS traffic,
      string_agg(boolsend(d.sampling > 1), '') AS sampled, string_agg(float8send(d.confidence), '') AS confidence,
      string_agg(boolsend(${stale}), '') AS stale,
      ${
        looking === undefined
          ? sql`NULL::text[]`
          : sql`array_agg(CASE WHEN NOT (${stale}) AND d.owner_exporter NOT IN (SELECT unnest(${texts(looking)}::text[]::inet[]))
              THEN host(d.owner_exporter) || ' ' || d.exporters END)`
      } AS away
    FROM (SELECT d.id, d.source_id, d.target_id, d.port, d.protocol, d.inferred_service, d.total_bytes, d.sampling, d.confidence,
        d.status, d.stale_at, d.owner_exporter, d.exporters FROM dependencies d WHERE ${shown} ${limit}) d
    ${
      window === undefined
        ? sql``
        : sql`LEFT JOIN flow_stats f ON f.time = ${window.start} AND f.source_id = d.source_id AND f.target_id = d.target_id
            AND f.protocol = d.protocol AND f.port = d.port`
    }`
  // the server takes the keys of edges for ten times fewer than they are, and a plan for any window for one of a few rows: either way it
  // would look up each edge in flow_stats, 300 ms for 80
  const planned = sql.withTransaction(
    Effect.andThen(
      sql`SELECT set_config('enable_memoize', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true)`,
      asked
    )
  )
  return Effect.map(planned, ([answer]) => edgesRead(answer!, window?.seconds))
}

const none = new Uint8Array(0)

const edgesRead = (answer: Answer, seconds: number | undefined): EdgesRead => {
  const id = int8Column(answer.id)
  const services = makeDictionary()
  const service = Int32Array.from(answer.service ?? [], (one) => (one === null ? -1 : services.placeOf(one)))
  const rateBps = new Float64Array(id.length)
  if (seconds !== undefined) {
    const traffic = int8Column(answer.traffic)
    for (let i = 0; i < rateBps.length; i++) rateBps[i] = (Number(traffic[i]) * 8) / seconds
  }
  return {
    id,
    source: int8Column(answer.source),
    target: int8Column(answer.target),
    port: int4Column(answer.port),
    protocol: int4Column(answer.protocol),
    service,
    services: services.texts(),
    bytes: int8Column(answer.bytes),
    rateBps,
    sampled: answer.sampled ?? none,
    confidence: float8Column(answer.confidence),
    stale: answer.stale ?? none,
    away: answer.away ?? []
  }
}
