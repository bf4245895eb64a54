import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { ensurePartition } from "./partitions.ts"

const monday = Date.UTC(2026, 0, 5, 10)

/** 100,000 rows made by the server itself, in the shapes that lists meet. */
const fill = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* ensurePartition("flow_stats", monday)
  yield* sql`SET statement_timeout = 0`
  yield* sql`INSERT INTO assets (id, name, fqdn, asset_type, ip_addresses, tags, internal, status, discovery_source, first_seen, last_seen, seen_hour)
    SELECT n, 'host-' || n, 'n' || n || '.example.test', CASE WHEN n % 1000 = 0 THEN 'database' ELSE 'unknown' END,
      ARRAY['10.0.0.0'::inet + n], CASE WHEN n % 500 = 0 THEN ARRAY['prod'] ELSE '{}' END, true, 'active', 'flow', now(),
      now() - n * interval '1 minute', date_trunc('hour', now() - n * interval '1 minute', 'UTC') FROM generate_series(1, 100000) n`
  yield* sql`INSERT INTO asset_address (asset_id, address, since) SELECT id, ip_addresses[1], first_seen FROM assets`
  yield* sql`INSERT INTO dependencies (source_id, target_id, protocol, port, source_address, target_address, inferred_service, is_internal, direction,
      status, first_seen, last_seen, seen_hour, valid_from, activated_at)
    SELECT n, 1 + n % 1000, 6, CASE WHEN n % 100 = 0 THEN 5432 ELSE 443 END, '10.0.0.1', '10.0.0.2',
      CASE WHEN n % 100 = 0 THEN 'postgresql' END, true, 'internal', 'active', now(), now() - n * interval '1 minute',
      date_trunc('hour', now() - n * interval '1 minute', 'UTC'), now(), now() - n * interval '1 second' FROM generate_series(1, 100000) n
      WHERE n <> 1 + n % 1000`
  yield* sql`INSERT INTO flow_stats (time, source_id, target_id, protocol, port, flows, packets, bytes_to_server, bytes_to_client)
    SELECT '2026-01-05T10:00:00Z', source_id, target_id, protocol, port, 1, 1, 1, 1 FROM dependencies`
  yield* sql`ANALYZE`
})

const cases: ReadonlyArray<readonly [what: string, query: string, index: string]> = [
  ["assets by address", "SELECT id FROM assets WHERE ip_addresses @> ARRAY['10.0.1.1'::inet]", "assets_ip_addresses"],
  ["assets by tag", "SELECT id FROM assets WHERE tags @> ARRAY['prod']", "assets_tags"],
  ["assets by part of a name", "SELECT id FROM assets WHERE name ILIKE '%99123%'", "assets_name_text"],
  ["assets by part of an FQDN", "SELECT id FROM assets WHERE fqdn ILIKE '%99123%'", "assets_fqdn"],
  ["assets by type", "SELECT id FROM assets WHERE asset_type = 'database'", "assets_type"],
  ["assets by name, a page", "SELECT id FROM assets WHERE (name, id) > ('host-8', 0) ORDER BY name, id LIMIT 50", "assets_name"],
  ["assets seen last", "SELECT id FROM assets ORDER BY seen_hour DESC, last_seen DESC, id DESC LIMIT 50", "assets_last_seen"],
  [
    "assets seen within an hour",
    "SELECT id FROM assets WHERE seen_hour >= date_trunc('hour', now() - interval '1 hour', 'UTC') AND last_seen > now() - interval '1 hour'",
    "assets_last_seen"
  ],
  [
    "assets in a network",
    "SELECT a.id FROM assets a WHERE a.id IN (SELECT asset_id FROM asset_address WHERE until IS NULL AND address <<= '10.0.1.0/26'::inet)",
    "asset_address_open"
  ],
  ["dependencies of a client", "SELECT id FROM dependencies WHERE source_id = 77", "dependencies_edge"],
  ["dependencies of a server", "SELECT id FROM dependencies WHERE target_id = 77", "dependencies_target"],
  ["dependencies by port", "SELECT id FROM dependencies WHERE port = 5432", "dependencies_port"],
  ["dependencies by service", "SELECT id FROM dependencies WHERE inferred_service = 'postgresql'", "dependencies_service"],
  [
    "dependencies seen last",
    "SELECT id FROM dependencies ORDER BY seen_hour DESC, last_seen DESC, id DESC LIMIT 50",
    "dependencies_last_seen"
  ],
  [
    "newest dependencies",
    "SELECT id FROM dependencies WHERE activated_at IS NOT NULL ORDER BY activated_at DESC LIMIT 10",
    "dependencies_activated"
  ],
  ["traffic of a client", "SELECT flows FROM flow_stats WHERE source_id = 77 AND time >= '2026-01-05T00:00:00Z'", "pkey"],
  ["traffic of a server", "SELECT flows FROM flow_stats WHERE target_id = 77 AND time >= '2026-01-05T00:00:00Z'", "target_id_time"]
]

layer(layerTestDatabase, { excludeTestServices: true })("indexes at 100,000 rows", (it) => {
  it.effect(
    "serve the list queries",
    Effect.fnUntraced(function* () {
      yield* fill
      const sql = yield* SqlClient.SqlClient
      for (const [what, query, index] of cases) {
        const plan = yield* sql.unsafe<Record<string, string>>(`EXPLAIN ${query}`)
        assert.include(plan.map((row) => row["QUERY PLAN"]).join("\n"), index, what)
      }
    })
  )
})
