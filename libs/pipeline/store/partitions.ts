/**
 * Partitions of time-series tables, named after the time they begin at (`flow_stats_20261121`, `flow_stats_hour_202611`), made ahead by our
 * own job and by whoever writes to a time that has none yet.
 */
import { Clock, Effect, Schedule } from "effect"
import { SqlClient } from "effect/sql"

const dayMilliseconds = 86_400_000

export type Span = "day" | "month" | "year"

/** Tables with partitions by their time column's range, and how long one lasts. `updated`: its rows change after they were written. */
export const partitioned = {
  flow_raw: { span: "day", updated: false },
  flow_stats: { span: "day", updated: true },
  coverage: { span: "day", updated: true },
  flow_stats_hour: { span: "month", updated: false },
  flow_stats_day: { span: "year", updated: false }
} as const satisfies Record<string, { readonly span: Span; readonly updated: boolean }>

export type Partitioned = keyof typeof partitioned

/** Start of the span that holds `at`, and of the one after it (ms since 1970, UTC). */
export const spanOf = (span: Span, at: number): readonly [start: number, end: number] => {
  const when = new Date(at)
  const year = when.getUTCFullYear()
  const month = when.getUTCMonth()
  if (span === "year") return [Date.UTC(year, 0), Date.UTC(year + 1, 0)]
  if (span === "month") return [Date.UTC(year, month), Date.UTC(year, month + 1)]
  const day = Math.floor(at / dayMilliseconds) * dayMilliseconds
  return [day, day + dayMilliseconds]
}

const nameLength = { day: 8, month: 6, year: 4 } as const

export const partitionName = (table: Partitioned, at: number): string => {
  const { span } = partitioned[table]
  const [start] = spanOf(span, at)
  return `${table}_${new Date(start).toISOString().slice(0, 10).replaceAll("-", "").slice(0, nameLength[span])}`
}

/** Makes the partition that holds `at` (ms since 1970) unless it exists. Answers whether it was made. */
export const ensurePartition = Effect.fnUntraced(function* (table: Partitioned, at: number) {
  const sql = yield* SqlClient.SqlClient
  const name = partitionName(table, at)
  const [found] = yield* sql`SELECT 1 WHERE to_regclass(${name}) IS NOT NULL`
  if (found !== undefined) return false
  const { span, updated } = partitioned[table]
  const [start, end] = spanOf(span, at)
  // room for a second version of every row, so that the later slices of a window change no index and the file does not grow
  const room = updated ? " WITH (fillfactor = 45)" : ""
  // Two writers may meet here: the lock makes the second one see the first one's.
  yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`SELECT pg_advisory_xact_lock(hashtext('flowlens.partitions'))`
      yield* sql.unsafe(
        `CREATE TABLE IF NOT EXISTS ${name} PARTITION OF ${table} FOR VALUES FROM ('${new Date(start).toISOString()}') TO ('${new Date(end).toISOString()}')${room}`
      )
    })
  )
  return true
})

/** Partitions for today and the `days` after it. */
export const makeAhead = Effect.fn("partitions.makeAhead")(function* (days = 3) {
  const now = yield* Clock.currentTimeMillis
  for (const table of Object.keys(partitioned) as Array<Partitioned>) {
    for (let day = 0; day <= days; day++) yield* ensurePartition(table, now + day * dayMilliseconds)
  }
})

export interface Partition {
  readonly table: Partitioned
  readonly name: string
  /** ms since 1970; the end is not part of it. */
  readonly start: number
  readonly end: number
  /** With its indexes. */
  readonly bytes: number
}

/** Every partition there is, oldest first. */
export const listPartitions = Effect.fn("partitions.list")(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ table: Partitioned; name: string; bytes: number }>`
    SELECT p.relname AS table, c.relname AS name, pg_total_relation_size(c.oid)::float8 AS bytes
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
    WHERE p.relname = ANY(${Object.keys(partitioned)}::text[]) AND c.relkind = 'r'`
  return rows
    .flatMap(({ bytes, name, table }): ReadonlyArray<Partition> => {
      const digits = new RegExp(`^${table}_(\\d{4})(\\d{2})?(\\d{2})?$`).exec(name)
      if (digits === null) return []
      const [start, end] = spanOf(
        partitioned[table].span,
        Date.UTC(Number(digits[1]), Number(digits[2] ?? 1) - 1, Number(digits[3] ?? 1))
      )
      return [{ table, name, start, end, bytes }]
    })
    .toSorted((a, b) => a.end - b.end || a.start - b.start)
})

/** Drops the partitions that end at or before `before` (ms since 1970); answers their names. Milliseconds, whatever they hold. */
export const dropBefore = Effect.fn("partitions.dropBefore")(function* (table: Partitioned, before: number) {
  const sql = yield* SqlClient.SqlClient
  const gone = (yield* listPartitions()).filter((one) => one.table === table && one.end <= before)
  for (const { name } of gone) yield* sql`DROP TABLE ${sql(name)}`
  return gone.map(({ name }) => name)
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
