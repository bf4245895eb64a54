/** The map's answer at 10,000 nodes and 100,000 edges, from the question to the text: the console's columns, and the rows of REST. */
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer, ManagedRuntime, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { TopologyColumns } from "#domain/TopologyColumns.ts"
import { layerMigrations } from "#pipeline/store/migrations/index.ts"
import { ensurePartition } from "#pipeline/store/partitions.ts"
import * as Sql from "#pipeline/store/Sql.ts"
import { TopologyStore } from "#pipeline/store/TopologyStore.ts"
import { topologyJson } from "../../apps/appliance/http/topology-json.ts"
import { EmbeddedPostgres } from "../../apps/appliance/postgres/EmbeddedPostgres.ts"
import type { Benchmark } from "./main.ts"
import { median, rounded, say } from "./udp-to-postgres/machine.ts"

const NODES = 10_000
const EDGES = 100_000
const ROUNDS = 7
const windowStart = Math.floor(Date.now() / 300_000) * 300_000

const fill = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* ensurePartition("flow_stats", windowStart)
  const start = new Date(windowStart)
  yield* sql`INSERT INTO assets (id, name, ip_addresses, internal, status, discovery_source, first_seen, last_seen, bytes)
    SELECT n, 'host-' || n, ARRAY['10.0.0.0'::inet + n], true, 'active', 'flow', now(), now(), n FROM generate_series(1, ${NODES}::int) n`
  yield* sql`INSERT INTO dependencies (source_id, target_id, protocol, port, source_address, target_address, owner_exporter, exporters, inferred_service,
      is_internal, direction, status, first_seen, last_seen, valid_from, activated_at, bytes_to_server, bytes_to_client, confidence)
    SELECT c, s, 6, 443, '10.0.0.0'::inet + c, '10.0.0.0'::inet + s, '192.0.2.1', 1, 'https', true, 'internal', 'active', now(), now(), now(), now(), n * 1000, n, 0.9
    FROM (SELECT n, 1 + n % ${NODES}::int AS c, 1 + (n * 7 + n / ${NODES}::int * 13 + 1) % ${NODES}::int AS s FROM generate_series(1, ${EDGES}::int) n) e WHERE c <> s
    ON CONFLICT DO NOTHING`
  yield* sql`INSERT INTO flow_stats (time, source_id, target_id, protocol, port, flows, packets, bytes_to_server, bytes_to_client)
    SELECT ${start}, source_id, target_id, protocol, port, 1, 1, 1000, 1 FROM dependencies`
  yield* sql`INSERT INTO windows (start, seconds, final, written_at) VALUES (${start}, 300, true, now())`
  yield* sql`ANALYZE`
})

const encode = Schema.encodeUnknownSync(Schema.toCodecJson(TopologyColumns))

/** Octets of the text. */
const texts = {
  console: (topology: TopologyColumns) => JSON.stringify(encode(topology)).length,
  rest: (topology: TopologyColumns) => Number(topologyJson(topology).headers["content-length"])
}

const measure = (surface: keyof typeof texts) => async (): Promise<number> => {
  const folder = mkdtempSync(join(tmpdir(), "flowlens-bench-topology-"))
  chmodSync(folder, 0o755)
  const server = EmbeddedPostgres.layer({ dataFolder: join(folder, "data") })
  const database = Layer.unwrap(Effect.map(EmbeddedPostgres, (one) => Sql.layer({ url: one.url })))
  const store = TopologyStore.layer({ confidenceThreshold: 0.5, maxNodes: 20_000, maxEdges: 100_000 })
  const runtime = ManagedRuntime.make(
    store.pipe(Layer.provideMerge(layerMigrations), Layer.provideMerge(database), Layer.provideMerge(server))
  )
  try {
    await runtime.runPromise(fill)
    const all: Array<number> = []
    for (let n = 0; n < ROUNDS; n++) {
      const start = performance.now()
      const topology = await runtime.runPromise(TopologyStore.use((one) => one.get({})).pipe(Effect.orDie))
      const read = performance.now()
      const octets = texts[surface](topology)
      const end = performance.now()
      all.push(end - start)
      say(
        `topology ${n}: ${topology.nodes.length} nodes, ${topology.edges.id.length} edges, read ${rounded(read - start, 0)} ms, ${surface} ${rounded(end - read, 0)} ms, ${octets} octets`
      )
    }
    return rounded(median(all), 1)
  } finally {
    await runtime.dispose()
    rmSync(folder, { recursive: true, force: true })
  }
}

export const topologyBenchmarks = (): ReadonlyArray<Benchmark> => [
  { name: "topology.100000-edges", unit: "ms", run: measure("console") },
  { name: "topology.rest.100000-edges", unit: "ms", run: measure("rest") }
]
