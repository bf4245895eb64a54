import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { edge, monday } from "../../../test/rig/slices.ts"
import { rollUp } from "../store/rollup.ts"
import { dependency, everything, query, write } from "./Resolver.fixture.ts"

layer(everything, { excludeTestServices: true })("direction", (it) => {
  const guess = { portRank: 0, clientPorts: 0, direction: 0, port: 7000 }
  const certain = { portRank: 0, clientPorts: 0, direction: 0.95, synForward: 4, port: 7000 }

  it.effect(
    "of a guessed dependency is turned by evidence, with its volumes and history",
    Effect.fnUntraced(function* () {
      yield* write([edge({ ...guess, client: "10.6.0.1", server: "10.6.0.2", bytesToServer: 10, bytesToClient: 20 })])
      yield* rollUp({ now: monday + 3_600_000, settleSeconds: 0 })
      const turned = yield* write([
        edge({ ...certain, client: "10.6.0.2", server: "10.6.0.1", bytesToServer: 5, bytesToClient: 7 })
      ])
      assert.strictEqual(turned.turnedDependencies, 1)
      assert.strictEqual(turned.newDependencies, 0)
      assert.deepStrictEqual(yield* dependency("10.6.0.1", "10.6.0.2"), [])
      const [row] = yield* dependency("10.6.0.2", "10.6.0.1")
      assert.deepInclude(row!, { bytes_to_server: 25n, bytes_to_client: 17n, windows: 1, total_flows: 20n, syn_forward: 4n })
      assert.deepStrictEqual(
        yield* query(
          `SELECT f.bytes_to_server AS a, f.bytes_to_client AS b, slices FROM flow_stats f WHERE f.source_id = ${row!["source_id"]}`
        ),
        [{ a: 25n, b: 17n, slices: 2 }]
      )
      // the hour was made before, and turns with it
      assert.deepStrictEqual(
        yield* query(
          `SELECT bytes_to_server AS a, bytes_to_client AS b FROM flow_stats_hour WHERE source_id = ${row!["source_id"]}`
        ),
        [{ a: 20n, b: 10n }]
      )
      assert.deepStrictEqual(yield* query("SELECT name, clients, servers FROM assets WHERE name LIKE '10.6.%' ORDER BY name"), [
        { name: "10.6.0.1", clients: 1, servers: 0 },
        { name: "10.6.0.2", clients: 0, servers: 1 }
      ])
    })
  )

  it.effect(
    "of a guessed edge follows the dependency that stands on evidence, in the slice that has both, too",
    Effect.fnUntraced(function* () {
      yield* write([edge({ ...certain, client: "10.7.0.1", server: "10.7.0.2", bytesToServer: 10, bytesToClient: 20 })])
      yield* write([
        edge({ ...guess, client: "10.7.0.2", server: "10.7.0.1", bytesToServer: 1, bytesToClient: 2 }),
        edge({ ...certain, client: "10.7.0.1", server: "10.7.0.2", bytesToServer: 100, bytesToClient: 200 })
      ])
      assert.deepStrictEqual(yield* dependency("10.7.0.2", "10.7.0.1"), [])
      const [row] = yield* dependency("10.7.0.1", "10.7.0.2")
      assert.deepInclude(row!, { bytes_to_server: 112n, bytes_to_client: 221n, total_flows: 30n })
    })
  )

  it.effect(
    "of a guessed dependency is turned by a slice that draws it both ways, which loses nothing",
    Effect.fnUntraced(function* () {
      const guessed = edge({ ...guess, client: "10.9.0.1", server: "10.9.0.2", bytesToServer: 10, bytesToClient: 20 })
      yield* write([guessed])
      yield* write([guessed, edge({ ...certain, client: "10.9.0.2", server: "10.9.0.1", bytesToServer: 100, bytesToClient: 200 })])
      assert.deepStrictEqual(yield* dependency("10.9.0.1", "10.9.0.2"), [])
      const [row] = yield* dependency("10.9.0.2", "10.9.0.1")
      assert.deepInclude(row!, { bytes_to_server: 140n, bytes_to_client: 220n, total_flows: 30n, windows: 1 })
      assert.deepStrictEqual(
        yield* query(
          `SELECT bytes_to_server AS a, bytes_to_client AS b, flows FROM flow_stats WHERE ${row!["source_id"]} IN (source_id, target_id)`
        ),
        [{ a: 140n, b: 220n, flows: 30n }]
      )
    })
  )

  it.effect(
    "stays where both are certain: two services that use each other",
    Effect.fnUntraced(function* () {
      yield* write([edge({ ...certain, client: "10.8.0.1", server: "10.8.0.2" })])
      yield* write([edge({ ...certain, client: "10.8.0.2", server: "10.8.0.1" })])
      assert.strictEqual((yield* query("SELECT 1 FROM dependencies WHERE host(source_address) LIKE '10.8.%'")).length, 2)
    })
  )
})
