/**
 * 5 minutes → 1 hour → 1 day. An hour is made whole from its windows, a day whole from its hours, each in one transaction that shuts writers
 * out, so that the three agree to the octet. `rollups` says what each was made of; a slice that came later changes that, and it is made anew.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { ensurePartition, listPartitions } from "./partitions.ts"

export interface RollUpOptions {
  /** ms since 1970. */
  readonly now: number
  /** How long after its end an hour is left alone: the lateness allowance and a flush. */
  readonly settleSeconds: number
  /** Hours and days made in one call at most, oldest first: the rest comes with the next. */
  readonly most?: number
}

export interface RolledUp {
  readonly hours: number
  readonly days: number
}

const sums = `sum(flows), sum(packets), sum(bytes_to_server), sum(bytes_to_client), port`
const columns = `time, source_id, target_id, flows, packets, bytes_to_server, bytes_to_client, port, windows, protocol, tcp_flags_to_server,
  tcp_flags_to_client`
const flags = `bit_or(tcp_flags_to_server), bit_or(tcp_flags_to_client)`

/** Makes every hour and day that is complete and was not made, or whose parts have changed since. */
export const rollUp = Effect.fn("store.rollUp")(function* ({ most = 48, now, settleSeconds }: RollUpOptions) {
  const hours = yield* makeDue("hour", new Date(now - settleSeconds * 1000 - 3_600_000), most)
  const days = yield* makeDue("day", new Date(now - settleSeconds * 1000 - 86_400_000), most)
  return { hours, days } satisfies RolledUp
})

type Grain = "hour" | "day"

/** The parts of each hour or day from `since` on, and what they are, as `rollups.of` has it. */
const partsOf = (sql: SqlClient.SqlClient, grain: Grain, since: Date) =>
  grain === "hour"
    ? sql`SELECT date_trunc('hour', start) AS start, concat_ws(' ', count(*), sum(slices), extract(epoch FROM max(written_at))) AS of
        FROM windows WHERE start >= ${since} GROUP BY 1`
    : sql`SELECT date_trunc('day', start) AS start, md5(string_agg(of, ',' ORDER BY start)) AS of
        FROM rollups WHERE grain = 'hour' AND start >= ${since} GROUP BY 1`

const from = {
  hour: { table: "flow_stats", windows: "count(DISTINCT time)::int" },
  day: { table: "flow_stats_hour", windows: "sum(windows)::int" }
} as const

const makeDue = Effect.fnUntraced(function* (grain: Grain, until: Date, most: number) {
  const sql = yield* SqlClient.SqlClient
  const due = yield* sql<{ start: Date }>`SELECT p.start FROM (${partsOf(sql, grain, yield* oldest(grain))}) p
    LEFT JOIN rollups r ON r.grain = ${grain} AND r.start = p.start
    WHERE p.start <= ${until} AND r.of IS DISTINCT FROM p.of ORDER BY 1 LIMIT ${most}`
  let made = 0
  for (const { start } of due) if (yield* make(grain, start)) made++
  return made
})

/** Nothing is made of what was dropped: that would empty what was made of it in time. */
const oldest = (grain: Grain) =>
  Effect.map(listPartitions(), (all) => new Date(all.find(({ table }) => table === from[grain].table)?.start ?? 0))

const make = Effect.fnUntraced(function* (grain: Grain, start: Date) {
  const sql = yield* SqlClient.SqlClient
  const table = grain === "hour" ? "flow_stats_hour" : "flow_stats_day"
  const end = new Date(start.getTime() + (grain === "hour" ? 3_600_000 : 86_400_000))
  yield* ensurePartition(table, start.getTime())
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`SET LOCAL statement_timeout = '10min'`
      // writers of windows hold it: what is read here is whole, and what they write later is seen as a change
      yield* sql`SELECT pg_advisory_xact_lock(hashtext('flowlens.inventory'))`
      const [waits] = yield* sql`SELECT 1 FROM window_journal WHERE window_start >= ${start} AND window_start < ${end} LIMIT 1`
      if (waits !== undefined) return false
      const { table: source, windows } = from[grain]
      yield* sql`DELETE FROM ${sql(table)} WHERE time = ${start}`
      yield* sql`INSERT INTO ${sql(table)} (${sql.literal(columns)})
        SELECT ${start}, source_id, target_id, ${sql.literal(sums)}, ${sql.literal(windows)}, protocol, ${sql.literal(flags)}
        FROM ${sql(source)} WHERE time >= ${start} AND time < ${end} GROUP BY source_id, target_id, protocol, port`
      yield* sql`INSERT INTO rollups (grain, start, of, rows, flows, bytes)
        SELECT ${grain}, p.start, p.of, t.* FROM (${partsOf(sql, grain, start)}) p,
          (SELECT count(*)::int, COALESCE(sum(flows), 0), COALESCE(sum(bytes_to_server::numeric + bytes_to_client), 0) FROM ${sql(table)} WHERE time = ${start}) t
        WHERE p.start = ${start}
        ON CONFLICT (grain, start) DO UPDATE SET of = excluded.of, rows = excluded.rows, flows = excluded.flows, bytes = excluded.bytes,
          made_at = now()`
      return true
    })
  )
})
