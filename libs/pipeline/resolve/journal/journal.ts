/** `window_journal`: traffic of known dependencies from when its slice is written until it is folded into the tables. */

import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { int8s, texts } from "../../store/arrays.ts"
import { decodeEntry, encodeEntry } from "./journal-entry.ts"
import type { KnownRows } from "./KnownRows.ts"
import type { Pending } from "./Pending.ts"

/** Answers the entry's id. */
export const appendEntry = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, windowStart: Date, rows: KnownRows) {
  const [made] = yield* sql<{ id: bigint }>`INSERT INTO window_journal (window_start, exporters, entry)
    VALUES (${windowStart}, ${texts(rows.exporters)}::text[], ${encodeEntry(rows)}::bytea) RETURNING id`
  return made!.id
})

/** Adds all entries there are to `pending`, whoever wrote them; answers their ids. One that cannot be read is left where it is, and counted. */
export const loadEntries = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, pending: Pending) {
  const ids: Array<bigint> = []
  let unreadable = 0
  const found = yield* sql<{ id: bigint }>`SELECT id FROM window_journal ORDER BY id`
  for (const { id } of found) {
    // one at a time: an entry is some megabytes
    const [row] = yield* sql<{ windowStart: Date; exporters: ReadonlyArray<string>; entry: Uint8Array }>`
      SELECT window_start AS "windowStart", exporters, entry FROM window_journal WHERE id = ${id}`
    if (row === undefined) continue
    const rows = decodeEntry(row.entry, row.exporters)
    if (rows === undefined) {
      unreadable++
      yield* Effect.logError("cannot read an entry of the journal, its traffic is in windows only").pipe(
        Effect.annotateLogs({ entry: String(id), octets: row.entry.length })
      )
      continue
    }
    pending.add(row.windowStart.getTime(), rows)
    ids.push(id)
  }
  return { ids, unreadable }
})

/** Takes entries out; answers how many were still there. */
export const removeEntries = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, ids: ReadonlyArray<bigint>) {
  const [row] = yield* sql<{
    n: number
  }>`WITH gone AS (DELETE FROM window_journal WHERE id = ANY(${int8s(ids)}::bigint[]) RETURNING 1)
    SELECT count(*)::int AS n FROM gone`
  return row!.n
})
