import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { confidence } from "#domain/confidence.ts"
import { directionMargin } from "#domain/direction.ts"
import type { DependencyId } from "#domain/ids.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { collapsed, edge, monday, sample, sliceOf } from "../../../test/rig/slices.ts"
import { DependencyStore } from "../store/DependencyStore.ts"
import type { Edge } from "./collapse/edges.ts"
import { Resolver } from "./Resolver.ts"

const everything = Layer.mergeAll(
  Resolver.layer({
    assets: { minFlows: 1, autoCreate: true },
    dependencies: { minFlows: 1 },
    internalRanges: ["10.0.0.0/8"],
    serviceName: () => "ntp"
  }),
  DependencyStore.layer({ confidenceThreshold: 0.1 })
).pipe(Layer.provideMerge(layerTestDatabase))

const query = <A>(text: string) => SqlClient.SqlClient.use((sql) => sql.unsafe<A & object>(text))

/** Polls between two hosts, both on port 123; the client is the one who began in them. */
const polls = (client: string, server: string, fields: Partial<Edge> = {}): Edge =>
  edge({
    client,
    server,
    protocol: 17,
    port: 123,
    portRank: 0,
    clientPorts: 0,
    symmetric: true,
    beganForward: 3,
    flows: 6,
    packets: 6,
    bytesToServer: 100,
    bytesToClient: 200,
    ...fields
  })

const write = (edges: ReadonlyArray<Edge>, windows = 0, clientPort: number | null = 123) => {
  const samples = clientPort === null ? [] : edges.map((one) => sample(one, clientPort))
  return Resolver.use((resolver) =>
    resolver.write(sliceOf({ ...collapsed(edges), samples }, { windowStart: monday + windows * 300_000 }))
  )
}
const drawn = (net: string) =>
  query<{ id: bigint; edge: string; to_server: bigint; to_client: bigint; flows: bigint; service: string }>(
    `SELECT id, host(source_address) || '>' || host(target_address) AS edge, bytes_to_server AS to_server, bytes_to_client AS to_client,
      total_flows AS flows, inferred_service AS service FROM dependencies WHERE source_address << '${net}.0/24' ORDER BY id`
  )
const traffic = (net: string) =>
  query<{ source: string; to_server: bigint; to_client: bigint }>(
    `SELECT name AS source, sum(bytes_to_server)::bigint AS to_server, sum(bytes_to_client)::bigint AS to_client FROM flow_stats f
      JOIN assets a ON a.id = f.source_id WHERE name LIKE '${net}.%' GROUP BY name`
  )
/** Margin and confidence are those of the stored evidence. */
const judged = Effect.fnUntraced(function* (id: bigint) {
  const told = yield* DependencyStore.use((store) => store.get(String(id) as DependencyId))
  assert.closeTo(told.terms.direction, directionMargin(told.direction), 1e-9)
  assert.closeTo(told.confidence, confidence(told.terms), 1e-9)
  return told
})

layer(everything, { excludeTestServices: true })("a conversation from a port to the same port", (it) => {
  it.effect(
    "is one dependency, however certain each slice is of its own direction; of equals the first stays, and says that it is a guess",
    Effect.fnUntraced(function* () {
      yield* write([polls("10.1.0.1", "10.1.0.2")])
      // what was remembered of the pair was forgotten, and the other end began
      yield* write([polls("10.1.0.2", "10.1.0.1")])
      yield* write([polls("10.1.0.2", "10.1.0.1", { beganForward: 1 })], 1)
      const [one, ...others] = yield* drawn("10.1.0")
      assert.deepStrictEqual(others, [])
      assert.deepInclude(one!, { edge: "10.1.0.1>10.1.0.2", to_server: 500n, to_client: 400n, flows: 18n })
      assert.deepStrictEqual(yield* traffic("10.1.0"), [{ source: "10.1.0.1", to_server: 500n, to_client: 400n }])
      const told = yield* judged(one!.id)
      assert.deepInclude(told.direction, { beganForward: 3, beganReverse: 4 })
      assert.isBelow(told.confidence, 0.5)
    })
  )

  it.effect(
    "turns with all it has once the evidence of all slices says so, and stays so",
    Effect.fnUntraced(function* () {
      yield* write([polls("10.2.0.1", "10.2.0.2", { beganForward: 1 })])
      const turned: Array<number> = []
      for (let i = 1; i <= 6; i++) {
        const slice = polls("10.2.0.2", "10.2.0.1", { beganForward: 2, fanIn: 9, fanInAgainst: 0 })
        turned.push((yield* write([slice], i)).turnedDependencies)
      }
      assert.strictEqual(
        turned.reduce((sum, one) => sum + one, 0),
        1,
        turned.join(" ")
      )
      const [one, ...others] = yield* drawn("10.2.0")
      assert.deepStrictEqual(others, [])
      assert.deepInclude(one!, { edge: "10.2.0.2>10.2.0.1", to_server: 800n, to_client: 1300n, flows: 42n, service: "ntp" })
      assert.deepStrictEqual(yield* traffic("10.2.0"), [{ source: "10.2.0.2", to_server: 800n, to_client: 1300n }])
      assert.isAbove((yield* judged(one!.id)).terms.direction, 0.3)
      assert.deepStrictEqual(yield* query("SELECT name, clients, servers FROM assets WHERE name LIKE '10.2.0.%' ORDER BY name"), [
        { name: "10.2.0.1", clients: 1, servers: 0 },
        { name: "10.2.0.2", clients: 0, servers: 1 }
      ])
    })
  )

  it.effect(
    "that was drawn both ways is joined, the smaller to the larger, and turns if the evidence of both says so",
    Effect.fnUntraced(function* () {
      // as before anybody knew that both are one
      const unknown = { symmetric: false, beganForward: 2 }
      yield* write([polls("10.3.0.1", "10.3.0.2", { ...unknown, flows: 40 })], 0, null)
      yield* write([polls("10.3.0.2", "10.3.0.1", { ...unknown, beganForward: 30 })], 0, null)
      assert.lengthOf(yield* drawn("10.3.0"), 2)
      yield* write([polls("10.3.0.1", "10.3.0.2", unknown), polls("10.3.0.2", "10.3.0.1", unknown)], 1)
      const [one, ...others] = yield* drawn("10.3.0")
      assert.deepStrictEqual(others, [])
      assert.deepInclude(one!, { edge: "10.3.0.2>10.3.0.1", to_server: 600n, to_client: 600n, flows: 58n, service: "ntp" })
      assert.deepStrictEqual(yield* traffic("10.3.0"), [{ source: "10.3.0.2", to_server: 600n, to_client: 600n }])
      assert.deepInclude((yield* judged(one!.id)).direction, { beganForward: 32, beganReverse: 4 })
    })
  )

  it.effect(
    "is told from two services that use each other, each from a port of its own",
    Effect.fnUntraced(function* () {
      for (const windows of [0, 1]) {
        yield* write([polls("10.4.0.1", "10.4.0.2", { symmetric: false })], windows, 40_123)
        yield* write([polls("10.4.0.2", "10.4.0.1")], windows)
      }
      assert.lengthOf(yield* drawn("10.4.0"), 2)
    })
  )
})
