/** Dependencies whose silence means nothing: none of those who saw them looks. */
import { DateTime, Effect } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import type { Blindness } from "#domain/CoverageReport.ts"
import { texts } from "./arrays.ts"
import type { Sight } from "./sight.ts"

/** Who saw a dependency: `owner` alone unless `exporters` > 1. */
export interface Watched {
  readonly id: string
  readonly stale: boolean
  readonly owner: string | null
  readonly exporters: number
}

/** Of those that nobody looks at, since when and why, by id. What several share is one object. */
export const blindAmong = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, sight: Sight, rows: ReadonlyArray<Watched>) {
  const away = rows.filter(({ owner, stale }) => !stale && owner !== null && sight.blindness([owner]) !== undefined)
  // others may have seen it, too; while every owner looks nobody is asked
  const several = away.filter(({ exporters }) => exporters > 1).map(({ id }) => id)
  const observers =
    several.length === 0
      ? []
      : yield* sql<{
          id: string
          seenBy: string
        }>`SELECT dependency_id::text AS id, string_agg(host(exporter), ' ' ORDER BY exporter) AS "seenBy"
          FROM dependency_exporter WHERE dependency_id = ANY(${texts(several)}::text[]::bigint[]) GROUP BY dependency_id`
  const seenBy = new Map(observers.map((row) => [row.id, row.seenBy.split(" ")]))
  const blind = new Map<string, Blindness>()
  for (const { id, owner } of away) {
    const found = sight.blindness(seenBy.get(id) ?? [owner!])
    if (found !== undefined) blind.set(id, found)
  }
  return blind
})

/** The same as a condition on `d`, at the instant of the sight. */
export const isBlind = (sql: SqlClient.SqlClient, sight: Sight): Statement.Fragment => {
  const looking = sight.looking()
  if (looking === undefined) return sql`false`
  const addresses = sql`${texts(looking)}::text[]::inet[]`
  return sql`((d.status <> 'stale' OR d.stale_at > ${sight.at}) AND d.owner_exporter IS NOT NULL AND d.owner_exporter <> ALL(${addresses})
    AND NOT EXISTS (SELECT 1 FROM dependency_exporter x WHERE x.dependency_id = d.id AND x.exporter = ANY(${addresses})))`
}

/** As rows carry it: instants are dates there. */
export const blindRow = (blind: Blindness | undefined) =>
  blind === undefined ? null : { ...blind, since: blind.since === null ? null : DateTime.toDateUtc(blind.since) }
