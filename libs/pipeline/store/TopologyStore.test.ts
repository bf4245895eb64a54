import { assert, layer } from "@effect/vitest"
import { DateTime, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { AssetId, DependencyId } from "#domain/ids.ts"
import type { TopologyEdge, TopologyQuery } from "#domain/Topology.ts"
import { rowsOf } from "#domain/TopologyColumns.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { ensurePartition } from "./partitions.ts"
import { TopologyStore } from "./TopologyStore.ts"

const store = TopologyStore.layer({ confidenceThreshold: 0.5, maxNodes: 5000, maxEdges: 10_000 }).pipe(
  Layer.provideMerge(layerTestDatabase)
)

const window = 300_000
const start = Math.floor(Date.now() / window) * window - window
const at = (windows: number) => new Date(start + windows * window)

/** Forty assets, the last without an address; 300 dependencies of every kind, of which every seventh is a candidate. */
const site = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* ensurePartition("flow_stats", start)
  yield* sql`INSERT INTO assets (id, name, ip_addresses, internal, status, discovery_source, first_seen, last_seen, bytes)
    SELECT n, 'host-' || n, CASE WHEN n = 40 THEN '{}'::inet[] ELSE ARRAY['10.0.0.0'::inet + n] END, n % 3 > 0, 'active', 'flow', ${at(-9)}, ${at(0)}, n
    FROM generate_series(1, 40) n`
  yield* sql`INSERT INTO dependencies (source_id, target_id, protocol, port, source_address, target_address, owner_exporter, exporters, inferred_service,
      is_internal, direction, status, first_seen, last_seen, valid_from, stale_at, activated_at, bytes_to_server, bytes_to_client, confidence, sampling)
    SELECT c, s, CASE WHEN n % 5 = 0 THEN 17 ELSE 6 END, n * 100, '10.0.0.0'::inet + c, '10.0.0.0'::inet + s,
      CASE WHEN n % 9 > 0 THEN '192.0.2.1'::inet END, 1, CASE WHEN n % 4 > 0 THEN 'service-' || n % 4 END, true, 'internal',
      CASE WHEN n % 7 = 0 THEN 'candidate' WHEN n % 11 = 0 THEN 'stale' ELSE 'active' END, ${at(-9)}, ${at(0)}, ${at(-9)},
      CASE WHEN n % 7 > 0 AND n % 11 = 0 THEN ${at(-3)}::timestamptz END, ${at(-9)}, n::bigint << 46, n, 1.0 / n, 1 + n % 2 * 999
    FROM (SELECT n, 1 + n % 40 AS c, 1 + (n * 7 + 3) % 40 AS s FROM generate_series(1, 300) n) e WHERE c <> s`
  yield* sql`INSERT INTO flow_stats (time, source_id, target_id, protocol, port, flows, packets, bytes_to_server, bytes_to_client)
    SELECT ${at(0)}, source_id, target_id, protocol, port, 1, 1, id * 1000, 1 FROM dependencies WHERE id % 3 > 0`
  yield* sql`INSERT INTO windows (start, seconds, final, written_at) VALUES (${at(0)}, 300, true, now())`
  return sql
})

const topology = (query: TopologyQuery) =>
  Effect.map(
    TopologyStore.use((one) => one.get(query)),
    rowsOf
  )
const byId = (a: TopologyEdge, b: TopologyEdge) => Number(a.id) - Number(b.id)

/** The same, a row at a time; but the edges with the asset that has no address. */
const told = (sql: SqlClient.SqlClient, then?: Date) =>
  Effect.map(
    sql<TopologyEdge & { readonly id: DependencyId; readonly client: AssetId; readonly server: AssetId }>`
      SELECT d.id::text, d.source_id::text AS client, d.target_id::text AS server, d.port, d.protocol::int, d.inferred_service AS service,
        d.bytes_to_server + d.bytes_to_client AS bytes, ${then === undefined ? sql`COALESCE(f.bytes_to_server + f.bytes_to_client, 0) * 8 / 300::float8` : sql`0::float8`} AS "rateBps",
        d.sampling > 1 AS sampled, d.confidence, ${then === undefined ? sql`d.status = 'stale'` : sql`COALESCE(d.stale_at <= ${then}, false)`} AS stale
      FROM dependencies d LEFT JOIN flow_stats f USING (source_id, target_id, protocol, port)
      WHERE d.status <> 'candidate' AND 40 NOT IN (source_id, target_id) ORDER BY d.id`,
    (rows) => rows.map((row) => ({ ...row }))
  )

layer(store, { excludeTestServices: true })("the map's columns", (it) => {
  it.effect(
    "hold what the rows say, now and then, whatever their place",
    Effect.fnUntraced(function* () {
      const sql = yield* site
      const rows = yield* told(sql)
      const map = yield* topology({})
      assert.isAbove(rows.length, 200)
      assert.deepStrictEqual([...map.edges].sort(byId), rows)
      assert.isTrue(rows.some(({ bytes }) => bytes > 2n ** 53n))
      assert.isTrue(rows.some(({ stale }) => stale) && rows.some(({ service }) => service === null))
      assert.isTrue(rows.some(({ rateBps }) => rateBps > 0) && rows.some(({ rateBps }) => rateBps === 0))
      const [all] = yield* sql<{ n: number }>`SELECT count(*)::int AS n FROM dependencies WHERE status <> 'candidate'`
      assert.deepStrictEqual([map.nodes.length, map.edgesLeftOut], [39, all!.n - rows.length])
      assert.isAbove(map.edgesLeftOut, 0)
      for (const windows of [-4, -2]) {
        const then = yield* topology({ at: DateTime.makeUnsafe(at(windows)) })
        assert.deepStrictEqual([...then.edges].sort(byId), yield* told(sql, at(windows)))
        assert.deepStrictEqual(
          then.edges.some(({ stale }) => stale),
          windows === -2
        )
      }
    })
  )

  it.effect(
    "leave out the lightest, and the edges of assets left out, whatever the table is thought to hold",
    Effect.fnUntraced(function* () {
      const sql = yield* SqlClient.SqlClient
      const rows = yield* told(sql)
      const heaviest = [...rows].sort((a, b) => Number(b.bytes - a.bytes)).slice(0, 50)
      for (const analysed of [false, true]) {
        if (analysed) yield* sql`ANALYZE dependencies`
        const cut = yield* topology({ maxEdges: 50, filter: "-name:host-40" })
        assert.deepStrictEqual([...cut.edges].sort(byId), heaviest.sort(byId))
        assert.strictEqual(cut.edgesLeftOut, rows.length - 50)
        const exact = yield* topology({ maxEdges: rows.length, filter: "-name:host-40" })
        assert.deepStrictEqual([exact.edges.length, exact.edgesLeftOut], [rows.length, 0])
        const few = yield* topology({ maxNodes: 10 })
        const kept = new Set(few.nodes.map(({ id }) => id))
        assert.deepStrictEqual([kept.size, few.nodesLeftOut], [10, 30])
        assert.deepStrictEqual(
          [...few.edges].sort(byId),
          rows.filter(({ client, server }) => kept.has(client) && kept.has(server))
        )
        const none = yield* topology({ filter: "port:1" })
        assert.deepStrictEqual([none.edges, none.nodes, none.edgesLeftOut], [[], [], 0])
      }
    })
  )

  it.effect(
    "tell of the right edges that nobody looks, those left out or not",
    Effect.fnUntraced(function* () {
      const sql = yield* SqlClient.SqlClient
      // somebody looks; who owns these edges is nobody we know
      yield* sql`INSERT INTO exporters (id, address, protocol, first_seen, last_seen, state) VALUES (1, '192.0.2.9', 'ipfix', ${at(-9)}, ${at(0)}, 'heard')`
      yield* sql`INSERT INTO coverage_span (exporter_id, since, until, open) VALUES (1, ${at(-9)}, ${at(0)}, true)`
      const owned = yield* sql<{ id: string }>`SELECT id::text FROM dependencies
        WHERE status = 'active' AND owner_exporter IS NOT NULL AND 40 NOT IN (source_id, target_id) ORDER BY dependencies.id`
      const { blindness, edges } = yield* topology({ at: DateTime.makeUnsafe(at(-1)) })
      assert.deepStrictEqual(
        [...edges].sort(byId).flatMap(({ blind, id }) => (blind === undefined ? [] : [[id as string, blindness?.[blind]?.why]])),
        owned.map(({ id }) => [id, "exporter 192.0.2.1 is no longer known"])
      )
      assert.isAbove(edges.length, owned.length)
    })
  )
})
