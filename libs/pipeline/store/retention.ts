/**
 * What is kept for how long. Whole partitions are dropped: by age, by the size of the database, and, so that a full disk never stops the
 * database, by free space. Oldest first, the finest grain before the coarser ones that still tell its sums.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { dropBefore, listPartitions, type Partition, type Partitioned } from "./partitions.ts"

const dayMilliseconds = 86_400_000

/** Days each table is kept. */
export type RetentionDays = Readonly<Record<Partitioned, number>>

/**
 * Drops what is older than its days. Windows that no hour was made of yet stay one more week: the roll-up may have been held up.
 * Answers the partitions that went.
 */
export const keepDays = Effect.fn("retention.keepDays")(function* (days: RetentionDays, now: number) {
  const sql = yield* SqlClient.SqlClient
  const dropped: Array<string> = []
  for (const [table, kept] of Object.entries(days) as Array<[Partitioned, number]>) {
    let before = now - kept * dayMilliseconds
    if (table === "flow_stats") {
      const [open] = yield* sql<{ start: Date }>`SELECT min(w.start) AS start FROM windows w
        WHERE w.start >= ${new Date(before - 7 * dayMilliseconds)} AND w.start < ${new Date(before)}
          AND NOT EXISTS (SELECT 1 FROM rollups r WHERE r.grain = 'hour' AND r.start = date_trunc('hour', w.start))`
      if (open?.start) before = Math.min(before, open.start.getTime())
    }
    dropped.push(...(yield* dropBefore(table, before)))
  }
  const oldestHour = new Date(now - days.flow_stats_hour * dayMilliseconds)
  yield* sql`DELETE FROM windows WHERE start < ${oldestHour}`
  yield* sql`DELETE FROM rollups WHERE start < ${new Date(now - Math.max(days.flow_stats_hour, days.flow_stats_day) * dayMilliseconds)}
    OR (grain = 'hour' AND start < ${oldestHour})`
  return dropped
})

/** What goes first when room is needed. Days of traffic are small and go last. */
const order: ReadonlyArray<Partitioned> = ["flow_raw", "flow_stats", "coverage", "flow_stats_hour", "flow_stats_day"]

/** The partition that goes next: the oldest of the first table that has one that ended. Undefined: nothing is left that may go. */
export const nextToGo = (partitions: ReadonlyArray<Partition>, now: number): Partition | undefined => {
  for (const table of order) {
    const oldest = partitions.find((one) => one.table === table && one.end <= now)
    if (oldest !== undefined) return oldest
  }
  return undefined
}

/** Drops one partition to make room; undefined when none may go. */
export const makeRoom = Effect.fn("retention.makeRoom")(function* (now: number) {
  const sql = yield* SqlClient.SqlClient
  const next = nextToGo(yield* listPartitions(), now)
  if (next !== undefined) yield* sql`DROP TABLE ${sql(next.name)}`
  return next
})
