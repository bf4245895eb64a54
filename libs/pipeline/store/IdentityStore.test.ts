import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { serviceTypes } from "../classify/service-type.ts"
import { IdentityStore } from "./IdentityStore.ts"

const Store = IdentityStore.layer.pipe(Layer.provideMerge(layerTestDatabase))

const asset = Effect.fnUntraced(function* (address: string, ports: ReadonlyArray<number>) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{
    id: bigint
  }>`INSERT INTO assets (name, ip_addresses, internal, status, discovery_source, first_seen, last_seen)
    VALUES (${address}, ARRAY[${address}::text::inet], true, 'active', 'flow', now(), now()) RETURNING id`
  yield* sql`INSERT INTO asset_address (asset_id, address, since) VALUES (${row!.id}, ${address}::text::inet, now())`
  for (const port of ports) {
    yield* sql`INSERT INTO services (asset_id, port, protocol, first_seen, last_seen) VALUES (${row!.id}, ${port}, 6, now(), now())`
  }
  return row!.id
})

const of = Effect.fnUntraced(function* (id: bigint) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ name: string; type: string }>`SELECT name, asset_type AS type FROM assets WHERE id = ${id}`
  return row!
})

layer(Store)("IdentityStore", (it) => {
  it.effect(
    "names assets from the hosts file, and gives the address back when the name is gone",
    Effect.fnUntraced(function* () {
      const id = yield* asset("10.1.0.1", [])
      const store = yield* IdentityStore
      assert.strictEqual(yield* store.name([{ address: "10.1.0.1", name: "db-1", fqdn: "db-1.core.example" }]), 1)
      assert.strictEqual((yield* of(id)).name, "db-1")
      assert.strictEqual(yield* store.name([{ address: "10.1.0.1", name: "db-1", fqdn: "db-1.core.example" }]), 0)
      assert.strictEqual(yield* store.name([]), 1)
      assert.strictEqual((yield* of(id)).name, "10.1.0.1")
    })
  )

  it.effect(
    "leaves a declared name and a declared type alone",
    Effect.fnUntraced(function* () {
      const sql = yield* SqlClient.SqlClient
      const id = yield* asset("10.1.0.2", [5432])
      yield* sql`UPDATE assets SET name = 'mine', name_source = 'declared', asset_type = 'storage', type_source = 'declared' WHERE id = ${id}`
      const store = yield* IdentityStore
      assert.strictEqual(yield* store.name([{ address: "10.1.0.2", name: "other", fqdn: null }]), 0)
      assert.strictEqual(yield* store.classify(serviceTypes), 0)
      assert.deepStrictEqual(yield* of(id), { name: "mine", type: "storage" })
    })
  )

  it.effect(
    "guesses types by the most telling service, and changes nothing the second time",
    Effect.fnUntraced(function* () {
      const database = yield* asset("10.1.0.3", [22, 5432])
      const web = yield* asset("10.1.0.4", [443])
      const client = yield* asset("10.1.0.5", [])
      const store = yield* IdentityStore
      assert.strictEqual(yield* store.classify(serviceTypes), 2)
      assert.strictEqual(yield* store.classify(serviceTypes), 0)
      assert.deepStrictEqual(
        [(yield* of(database)).type, (yield* of(web)).type, (yield* of(client)).type],
        ["database", "server", "unknown"]
      )
    })
  )
})
