/**
 * Strays: second connections (companions.ts) that were told before their first one, as a flow cache tells a short transfer before the longer
 * session that opened it. Each was drawn as a service of its own on the port that it took. When the pair's second connections come to be
 * known, what was counted for strays is counted for them.
 *
 * A stray is of one connection (`mostStrayFlows`), has no name, is nobody else's service, and was made no later than what it goes to.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { int4s, int8s, texts } from "../store/arrays.ts"
import { companions } from "./collapse/companions.ts"
import type { EvidenceSample } from "./collapse/EvidenceSampler.ts"
import { countFor, type Impression, othersWrite } from "./retire-guesses.ts"
import { turnDependencies } from "./turn-dependencies.ts"

/** Records of one connection: one each way. */
export const mostStrayFlows = 2

interface Stray extends Impression {
  /** It has the server where the right one has it. */
  readonly straight: boolean
}

const drawnAs = companions.filter(({ data }) => data !== -1)

/** One for each right one at a time, so that each row is added to once. Takes no lock: to be looked at again. */
export const findStrays = (sql: SqlClient.SqlClient, samples: ReadonlyArray<EvidenceSample>) => {
  const those = samples.filter(({ port, protocol }) => drawnAs.some((one) => one.data === port && one.protocol === protocol))
  if (those.length === 0) return Effect.succeed([])
  return sql<Stray>`SELECT DISTINCT ON (r.id) g.id AS guess, r.id AS right, g.source_id = r.source_id AS straight
    FROM unnest(${texts(those.map((one) => one.client))}::text[]::inet[], ${texts(those.map((one) => one.server))}::text[]::inet[],
      ${int4s(those.map((one) => one.port))}::int[], ${int4s(those.map((one) => one.protocol))}::int[]) AS u(client, server, port, protocol)
    JOIN unnest(${int4s(drawnAs.map((one) => one.protocol))}::int[], ${int4s(drawnAs.map((one) => one.control))}::int[],
      ${int4s(drawnAs.map((one) => one.data))}::int[], ${int4s(drawnAs.map((one) => one.from))}::int[]) AS k(protocol, control, data, least)
      ON k.data = u.port AND k.protocol = u.protocol
    JOIN asset_address c ON c.address = u.client AND c.until IS NULL
    JOIN asset_address s ON s.address = u.server AND s.until IS NULL
    JOIN dependencies r ON r.source_id = c.asset_id AND r.target_id = s.asset_id AND r.protocol = u.protocol AND r.port = u.port
    CROSS JOIN LATERAL (VALUES (r.source_id, r.target_id), (r.target_id, r.source_id)) AS way(source_id, target_id)
    JOIN dependencies g ON g.source_id = way.source_id AND g.target_id = way.target_id AND g.protocol = r.protocol
    WHERE r.companion AND r.status <> 'stale' AND g.id <> r.id AND g.port >= k.least AND g.port NOT IN (k.control, k.data)
      AND g.total_flows <= ${mostStrayFlows}::int AND g.created_at <= r.created_at AND g.inferred_service IS NULL AND NOT g.declared
      AND g.turned_port IS NULL
      AND NOT EXISTS (SELECT 1 FROM dependencies o WHERE o.target_id = g.target_id AND o.port = g.port AND o.protocol = g.protocol AND o.id <> g.id)
      AND NOT EXISTS (SELECT 1 FROM dependencies o WHERE o.source_id = g.target_id AND o.target_id = g.source_id AND o.port = g.port AND o.protocol = g.protocol)
    ORDER BY r.id, g.id`
}

/** Needs `lockInventory`, and that nothing of these waits in the journal. Answers how many were retired. */
export const retireStrays = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, samples: ReadonlyArray<EvidenceSample>) {
  if (yield* othersWrite(sql)) return 0
  let retired = 0
  while (true) {
    const rows = yield* findStrays(sql, samples)
    if (rows.length === 0) return retired
    // two rights may claim one
    const found = [...new Map(rows.map((row) => [row.guess, row])).values()]
    const straight = found.filter((one) => one.straight).map((one) => one.guess)
    // what is counted for another is turned on the way
    yield* sql`DELETE FROM services s USING dependencies g WHERE g.id = ANY(${int8s(straight)}::bigint[]) AND s.asset_id = g.target_id
      AND s.port = g.port AND s.protocol = g.protocol`
    yield* turnDependencies(sql, straight)
    yield* countFor(sql, found)
    retired += found.length
  }
})
