/** The window whose traffic stands for now. */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"

export interface NewestWindow {
  readonly start: Date
  readonly seconds: number
}

/**
 * The newest that is final. After a start that one is empty, being older than anything that was heard: then the newest that holds
 * traffic, though it still fills. Never an older one: its traffic is not now.
 */
export const newestWindow = (sql: SqlClient.SqlClient) =>
  Effect.map(
    sql<NewestWindow>`SELECT w.start, w.seconds FROM windows w
      CROSS JOIN LATERAL (SELECT FROM flow_stats f WHERE f.time = w.start LIMIT 1) traffic
      WHERE w.start >= COALESCE((SELECT max(start) FROM windows WHERE final), '-infinity')
      ORDER BY w.final DESC, w.start DESC LIMIT 1`,
    ([window]) => window
  )
