/**
 * Which dependencies are stale: those that were not seen for so much time in which somebody looked who used to see them. While nobody
 * looks, no time passes for them (domain/looking.ts).
 *
 * Cheap however many there are: the ledger's spans are few, and so are the sets of exporters that see the same. For each set there is
 * one instant before which everything is stale, so dependencies are compared with a number and never with the ledger.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { type LookingSpan, staleAt, uniteSpans, unseenSince } from "#domain/looking.ts"
import { int8s, texts } from "./arrays.ts"

export interface StaleOptions {
  /** Hours of looking; fractions are allowed. */
  readonly staleAfterHours: number
  /** ms since 1970: everything seen until then is written. What somebody saw later may be on its way. */
  readonly upTo: number
  /** Done before anything is concluded from rows: brings them up to date with what was written. */
  readonly settle?: Effect.Effect<void, SqlError.SqlError>
}

interface Span extends LookingSpan {
  readonly address: string
}

const apart = " "

/** Who saw a dependency, as one text. */
const seenBy = `CASE WHEN d.exporters > 1 THEN (SELECT string_agg(host(x.exporter), '${apart}' ORDER BY x.exporter) FROM dependency_exporter x
  WHERE x.dependency_id = d.id) ELSE host(d.owner_exporter) END`

/** Ends the spans of validity of what is stale; answers how many became so. */
export const sweepStale = Effect.fn("stale.sweepStale")(function* (sql: SqlClient.SqlClient, options: StaleOptions) {
  const enough = options.staleAfterHours * 3_600_000
  const before = new Date(options.upTo - enough)
  // an open span goes on; of what lies after the last datagram nobody knows yet whether it was silence
  const spans = yield* sql<Span>`SELECT host(e.address) AS address, (extract(epoch FROM s.since) * 1000)::float8 AS since,
      (extract(epoch FROM CASE WHEN s.open THEN LEAST(s.until, e.last_seen) ELSE s.until END) * 1000)::float8 AS until
    FROM coverage_span s JOIN exporters e ON e.id = s.exporter_id`
  if (spans.length === 0) return 0
  const byAddress = Map.groupBy(spans, ({ address }) => address)
  const united = new Map<string, ReadonlyArray<LookingSpan>>()
  const of = (set: string) => {
    let found = united.get(set)
    if (found === undefined) {
      found = uniteSpans(set.split(apart).flatMap((address) => byAddress.get(address) ?? []))
      united.set(set, found)
    }
    return found
  }
  const silent = sql`d.status = 'active' AND d.seen_hour <= ${before} AND d.last_seen <= ${before}`
  const sets = yield* sql<{ set: string; first: Date }>`SELECT set, min(last_seen) AS first
    FROM (SELECT ${sql.literal(seenBy)} AS set, d.last_seen FROM dependencies d WHERE ${silent}) s WHERE set IS NOT NULL GROUP BY set`
  const due = sets.flatMap(({ set, first }) => {
    const cut = unseenSince(of(set), options.upTo, enough)
    return cut !== undefined && first.getTime() <= cut ? [{ set, cut: new Date(cut).toISOString() }] : []
  })
  if (due.length === 0) return 0
  if (options.settle !== undefined) yield* options.settle
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      // the resolver's lock: it counts the same assets, and nothing is seen again meanwhile
      yield* sql`SELECT pg_advisory_xact_lock(hashtext('flowlens.inventory'))`
      const ended = yield* sql<{
        id: bigint
        set: string
        seen: number
      }>`SELECT s.id, s.set, (extract(epoch FROM s.last_seen) * 1000)::float8 AS seen
        FROM (SELECT d.id, d.last_seen, ${sql.literal(seenBy)} AS set FROM dependencies d WHERE ${silent}) s
        JOIN unnest(${texts(due.map(({ set }) => set))}::text[], ${texts(due.map(({ cut }) => cut))}::text[]::timestamptz[]) AS u(set, cut)
          ON u.set = s.set AND s.last_seen <= u.cut`
      if (ended.length === 0) return 0
      const ids = ended.map(({ id }) => id)
      // who remembers them as active is to look again
      yield* sql`SELECT tell_resolvers(${int8s(ids)}::bigint[])`
      const since = ended.map(({ set, seen }) => new Date(staleAt(of(set), seen, enough) ?? options.upTo).toISOString())
      const [row] = yield* sql<{ n: number }>`WITH ended AS (
          UPDATE dependencies d SET status = 'stale', valid_to = d.last_seen, stale_at = u.since, updated_at = now()
          FROM unnest(${int8s(ids)}::bigint[], ${texts(since)}::text[]::timestamptz[]) AS u(id, since) WHERE d.id = u.id
          RETURNING d.source_id, d.target_id
        ), counted AS (
          SELECT asset_id, sum(clients) AS clients, sum(servers) AS servers
          FROM (SELECT target_id AS asset_id, 1 AS clients, 0 AS servers FROM ended UNION ALL SELECT source_id, 0, 1 FROM ended) AS ends
          GROUP BY asset_id
        ), lowered AS (
          UPDATE assets a SET clients = a.clients - c.clients, servers = a.servers - c.servers FROM counted c WHERE a.id = c.asset_id
        )
        SELECT count(*)::int AS n FROM ended`
      return row!.n
    })
  )
})
