/**
 * Partitions of time-series tables: one a day, named after it (`flow_stats_20261121`), made ahead by our own job and by whoever writes
 * to a day that has none yet.
 */
import { Clock, Effect, Schedule } from "effect"
import { SqlClient } from "effect/sql"

const dayMilliseconds = 86_400_000

/** Tables with a partition a day, by their time column's range. */
export const partitioned = ["flow_stats", "coverage"] as const
export type Partitioned = (typeof partitioned)[number]

const dayText = (day: number): string => new Date(day * dayMilliseconds).toISOString().slice(0, 10)

export const partitionName = (table: Partitioned, at: number): string =>
  `${table}_${dayText(Math.floor(at / dayMilliseconds)).replaceAll("-", "")}`

/** Makes the partition that holds `at` (ms since 1970) unless it exists. Answers whether it was made. */
export const ensurePartition = Effect.fnUntraced(function* (table: Partitioned, at: number) {
  const sql = yield* SqlClient.SqlClient
  const name = partitionName(table, at)
  const [found] = yield* sql`SELECT 1 WHERE to_regclass(${name}) IS NOT NULL`
  if (found !== undefined) return false
  const day = Math.floor(at / dayMilliseconds)
  // Two writers may meet here: the lock makes the second one see the first one's.
  yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`SELECT pg_advisory_xact_lock(hashtext('flowlens.partitions'))`
      // room for a second version of every row, so that the later slices of a window change no index and the file does not grow
      yield* sql.unsafe(
        `CREATE TABLE IF NOT EXISTS ${name} PARTITION OF ${table} FOR VALUES FROM ('${dayText(day)}T00:00:00Z') TO ('${dayText(day + 1)}T00:00:00Z') WITH (fillfactor = 45)`
      )
    })
  )
  return true
})

/** Partitions for today and the `days` after it. */
export const makeAhead = Effect.fn("partitions.makeAhead")(function* (days = 3) {
  const now = yield* Clock.currentTimeMillis
  for (const table of partitioned) {
    for (let day = 0; day <= days; day++) yield* ensurePartition(table, now + day * dayMilliseconds)
  }
})

/** Drops the partitions that end before `before` (ms since 1970); answers their names. Milliseconds, whatever they hold. */
export const dropBefore = Effect.fn("partitions.dropBefore")(function* (table: Partitioned, before: number) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ name: string }>`
    SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = ${table}::regclass AND c.relname ~ ${`^${table}_[0-9]{8}$`} AND c.relname < ${partitionName(table, before)}
    ORDER BY 1`
  for (const { name } of rows) yield* sql`DROP TABLE ${sql(name)}`
  return rows.map((row) => row.name)
})

/** Forgets slice names older than `before`: a slice is never offered again after its spool is gone. */
export const forgetWritesBefore = Effect.fn("partitions.forgetWritesBefore")(function* (before: Date) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`DELETE FROM window_writes WHERE written_at < ${before}`
})

/** The job: at once, then every hour. Failures (the database is away) are logged and tried again. */
export const keepAhead = (days = 3) =>
  makeAhead(days).pipe(
    Effect.catch((error) => Effect.logWarning("could not make partitions ahead", error)),
    Effect.repeat(Schedule.spaced("1 hour"))
  )
