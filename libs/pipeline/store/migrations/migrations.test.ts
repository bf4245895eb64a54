import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { layerEmptyDatabase, layerTestDatabase } from "../../../../test/rig/Database.ts"
import { migrate, migrations } from "./index.ts"
import { split } from "./statements.ts"

const sqlState = (error: SqlError.SqlError) => (error.reason.cause as { readonly code?: string }).code

const addAsset = (name: string, confidence = 0.5) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql<{
      id: bigint
    }>`INSERT INTO assets (name, ip_addresses, internal, discovery_source, first_seen, last_seen, confidence)
      VALUES (${name}, ARRAY[${name}::inet], true, 'flow', now(), now(), ${confidence}) RETURNING id`
  ).pipe(Effect.map((rows) => rows[0]!.id))

describe("statements", () => {
  it("splits at the ends of statements and not inside a function body", () => {
    assert.deepStrictEqual(split("A;\nB\nC;\n\nDO $$\nx;\ny;\nEND $$;\nE"), ["A;", "B\nC;", "DO $$\nx;\ny;\nEND $$;", "E"])
  })
})

layer(layerEmptyDatabase, { excludeTestServices: true })("migrations on an empty database", (it) => {
  it.effect(
    "apply in order, once, even when several appliances start together",
    Effect.fnUntraced(function* () {
      const done = yield* Effect.all([migrate, migrate, migrate], { concurrency: "unbounded" })
      assert.strictEqual(done.flat().length, Object.keys(migrations).length)
      assert.deepStrictEqual(yield* migrate, [])
    })
  )
})

layer(layerTestDatabase, { excludeTestServices: true })("the schema", (it) => {
  it.effect(
    "has no timestamp without time zone and no counter narrower than bigint",
    Effect.fnUntraced(function* () {
      const sql = yield* SqlClient.SqlClient
      assert.deepStrictEqual(
        yield* sql`SELECT table_name, column_name FROM information_schema.columns
          WHERE table_schema = 'public' AND data_type = 'timestamp without time zone'`,
        []
      )
      const narrow = yield* sql`SELECT table_name, column_name, data_type FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name ~ '(bytes|packets|flows|records|datagrams|dropped|lost)' AND data_type NOT IN ('bigint', 'numeric')
        AND column_name NOT IN ('records_per_second')`
      assert.deepStrictEqual(narrow, [])
    })
  )

  it.effect(
    "refuses a confidence of 1.1, an unknown type, and a second open span of one address",
    Effect.fnUntraced(function* () {
      const sql = yield* SqlClient.SqlClient
      assert.strictEqual(sqlState(yield* Effect.flip(addAsset("192.0.2.1", 1.1))), "23514")
      const id = yield* addAsset("192.0.2.1", 1)
      assert.strictEqual(sqlState(yield* Effect.flip(sql`UPDATE assets SET asset_type = 'toaster' WHERE id = ${id}`)), "23514")
      const other = yield* addAsset("192.0.2.2")
      const give = (asset: bigint) =>
        sql`INSERT INTO asset_address (asset_id, address, since) VALUES (${asset}, '192.0.2.9', now())`
      yield* give(id)
      assert.strictEqual((yield* Effect.flip(give(other))).reason._tag, "UniqueViolation")
      yield* sql`UPDATE asset_address SET until = now() WHERE address = '192.0.2.9'`
      yield* give(other)
    })
  )

  it.effect(
    "keeps one row with exact sums under 50 concurrent upserts of one edge, past 2^53",
    Effect.fnUntraced(function* () {
      const sql = yield* SqlClient.SqlClient
      const client = yield* addAsset("192.0.2.11")
      const server = yield* addAsset("192.0.2.12")
      const bytes = 2n ** 53n + 1n
      yield* Effect.forEach(
        Array.from({ length: 50 }),
        () => sql`INSERT INTO dependencies (source_id, target_id, protocol, port, source_address, target_address, is_internal, direction,
            first_seen, last_seen, valid_from, bytes_to_server, total_flows)
          VALUES (${client}, ${server}, 6, 5432, '192.0.2.11', '192.0.2.12', true, 'internal', now(), now(), now(), ${bytes}, 1)
          ON CONFLICT ON CONSTRAINT dependencies_edge DO UPDATE SET
            bytes_to_server = dependencies.bytes_to_server + excluded.bytes_to_server, total_flows = dependencies.total_flows + 1`,
        { concurrency: 50 }
      )
      const rows = yield* sql`SELECT total_bytes AS bytes, total_flows AS flows FROM dependencies WHERE source_id = ${client}`
      assert.deepStrictEqual(rows, [{ bytes: bytes * 50n, flows: 50n }])
    })
  )

  it.effect(
    "takes a dependency's spans and observations with it, and an asset's dependencies with the asset",
    Effect.fnUntraced(function* () {
      const sql = yield* SqlClient.SqlClient
      const client = yield* addAsset("192.0.2.21")
      const server = yield* addAsset("192.0.2.22")
      const [edge] = yield* sql<{ id: bigint }>`INSERT INTO dependencies (source_id, target_id, protocol, port, source_address,
          target_address, is_internal, direction, first_seen, last_seen, valid_from)
        VALUES (${client}, ${server}, 6, 22, '192.0.2.21', '192.0.2.22', true, 'internal', now(), now(), now()) RETURNING id`
      yield* sql`INSERT INTO dependency_exporter (dependency_id, exporter, owner, last_seen) VALUES (${edge!.id}, '192.0.2.254', true, now())`
      yield* sql`INSERT INTO dependency_span VALUES (${edge!.id}, now() - interval '2 hours', now() - interval '1 hour')`
      yield* sql`DELETE FROM assets WHERE id = ${client}`
      assert.deepStrictEqual(yield* sql`SELECT 1 FROM dependency_exporter WHERE dependency_id = ${edge!.id}`, [])
      assert.deepStrictEqual(yield* sql`SELECT 1 FROM dependency_span WHERE dependency_id = ${edge!.id}`, [])
    })
  )
})
