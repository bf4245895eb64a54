/**
 * Observations propose, one set of matching rules disposes: an address belongs to the asset that holds its open span in
 * `asset_address`, and an address that nobody holds becomes an asset of its own. Identity by anything better than an address (MAC,
 * serial number, host name) is decided here too, once something observes it.
 */

import { Effect } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import { bools, float8s, int4s, texts } from "../store/arrays.ts"
import type { Staged } from "./stage.ts"

export interface InventoryOptions {
  /** Flows after which an address is an asset, and not a candidate. */
  readonly minFlows: number
  /** False: addresses stay candidates until an operator takes them in. */
  readonly autoCreate: boolean
}

/** Whoever makes assets holds this lock until its transaction ends: two observers of one new address make one asset. */
export const lockInventory = (sql: SqlClient.SqlClient) => sql`SELECT pg_advisory_xact_lock(hashtext('flowlens.inventory'))`

/** `date_trunc('hour', at, 'UTC')` without its look-up of both words for every row. */
export const hourSql = (at: string) => `date_bin('1 hour'::interval, ${at}, '2000-01-01T00:00:00Z'::timestamptz)`

export const createAddressStage = (sql: SqlClient.SqlClient) =>
  sql`CREATE TEMP TABLE IF NOT EXISTS slice_address (
    n integer NOT NULL, address inet NOT NULL, asset_id bigint NOT NULL, is_new boolean NOT NULL, internal boolean NOT NULL,
    flows bigint NOT NULL, bytes bigint NOT NULL, first timestamptz NOT NULL, last timestamptz NOT NULL, answered boolean NOT NULL
  ) ON COMMIT DELETE ROWS`

/**
 * Statements with large arrays are planned each time, while `known`. Prepared ones are otherwise planned, from their sixth time on, for
 * arrays of unknown length, as if of ten elements: nested loops with 50,000 turns. Never while rows are inserted: the checks of foreign
 * keys would be planned anew for every row. Never remembering what a look-up found: every edge is another one.
 */
export const planByLength = (sql: SqlClient.SqlClient, known: boolean) =>
  sql`SELECT set_config('plan_cache_mode', ${known ? "force_custom_plan" : "auto"}, true), set_config('work_mem', '64MB', true),
    set_config('default_statistics_target', '5', true), set_config('enable_memoize', 'off', true)`

/** Puts the slice's addresses into `slice_address` with the asset each belongs to; new ones get the id they will have. */
export const matchAddresses = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, staged: Staged["addresses"]) {
  yield* sql`INSERT INTO slice_address
    SELECT u.n, u.address::inet, COALESCE(held.asset_id, nextval('assets_id_seq')), held.asset_id IS NULL, u.internal, u.flows, u.bytes::bigint + LEAST(u.bytes_high, 1000) * 4503599627370496,
      to_timestamp(u.first / 1000), to_timestamp(u.last / 1000), u.answered
    FROM unnest(${texts(staged.address)}::text[], ${bools(staged.internal)}::boolean[], ${float8s(staged.flows)}::float8[], ${float8s(staged.bytes)}::float8[], ${int4s(staged.bytesHigh)}::int[],
        ${float8s(staged.first)}::float8[], ${float8s(staged.last)}::float8[], ${bools(staged.answered)}::boolean[])
      WITH ORDINALITY AS u(address, internal, flows, bytes, bytes_high, first, last, answered, n)
    LEFT JOIN asset_address held ON held.address = u.address::inet AND held.until IS NULL`
  yield* sql`ANALYZE slice_address`
})

/** Makes the new assets, candidates among them. Answers how many are active. */
export const createAssets = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, options: InventoryOptions) {
  const [row] = yield* sql<{ active: number }>`WITH made AS (
      INSERT INTO assets (id, name, ip_addresses, internal, status, discovery_source, confidence, flows, bytes, first_seen, last_seen,
        seen_hour, activated_at)
      SELECT asset_id, host(address), ARRAY[address], internal, CASE WHEN active THEN 'active' ELSE 'candidate' END, 'flow',
        CASE WHEN answered THEN 0.7 ELSE 0.5 END, flows, bytes, first, last,
        ${sql.literal(hourSql("last"))}, CASE WHEN active THEN now() END
      FROM (SELECT *, ${options.autoCreate} AND flows >= ${options.minFlows} AS active FROM slice_address WHERE is_new) AS fresh
      ORDER BY asset_id
      RETURNING id, ip_addresses[1] AS address, first_seen, status
    ), held AS (
      INSERT INTO asset_address (asset_id, address, since) SELECT id, address, first_seen FROM made
    )
    SELECT count(*) FILTER (WHERE status = 'active')::int AS active FROM made`
  return row!.active
})

/** Addresses of a slice whose asset was known. */
export const knownAddresses = (sql: SqlClient.SqlClient) =>
  sql`SELECT asset_id, flows, bytes, first, last, answered FROM slice_address WHERE NOT is_new`

/** Adds what was `seen` of assets that were known. Answers how many became active with it. */
export const updateAssets = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  options: InventoryOptions,
  seen: Statement.Fragment
) {
  const [row] = yield* sql<{ active: number }>`WITH seen AS (
      SELECT asset_id, LEAST(sum(flows), 4611686018427387903)::bigint AS flows, LEAST(sum(bytes), 4611686018427387903)::bigint AS bytes, min(first) AS first, max(last) AS last,
        bool_or(answered) AS answered
      FROM (${seen}) AS ends GROUP BY asset_id
    ), changed AS (
      UPDATE assets a SET flows = a.flows + s.flows, bytes = LEAST(a.bytes, 4611686018427387903 - s.bytes) + s.bytes, first_seen = LEAST(a.first_seen, s.first),
        last_seen = GREATEST(a.last_seen, s.last),
        seen_hour = ${sql.literal(hourSql("GREATEST(a.last_seen, s.last)"))}, confidence = CASE WHEN s.answered THEN GREATEST(a.confidence, 0.7) ELSE a.confidence END,
        status = CASE WHEN ${options.autoCreate} AND a.flows + s.flows >= ${options.minFlows} THEN 'active' ELSE a.status END,
        activated_at = CASE WHEN a.status = 'candidate' AND ${options.autoCreate} AND a.flows + s.flows >= ${options.minFlows}
          THEN now() ELSE a.activated_at END,
        updated_at = now()
      FROM seen s WHERE a.id = s.asset_id
      RETURNING a.activated_at
    )
    SELECT count(*) FILTER (WHERE activated_at = now())::int AS active FROM changed`
  return row!.active
})
