import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Address } from "#domain/Address.ts"
import { confidence } from "#domain/confidence.ts"
import type { DependencyId } from "#domain/ids.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { collapsed, edge, monday, sample, sliceOf } from "../../../test/rig/slices.ts"
import { DependencyStore } from "../store/DependencyStore.ts"
import { StatsStore } from "../store/StatsStore.ts"
import type { EvidenceSample } from "./collapse/EvidenceSampler.ts"
import type { Edge } from "./collapse/edges.ts"
import { Declarations } from "./Declarations.ts"
import { Resolver } from "./Resolver.ts"

const everything = Layer.mergeAll(
  Resolver.layer({
    assets: { minFlows: 1, autoCreate: true },
    dependencies: { minFlows: 1 },
    internalRanges: ["10.0.0.0/8"],
    serviceName: () => undefined
  }),
  Declarations.layerEvery("20 millis"),
  StatsStore.layer,
  DependencyStore.layer({ confidenceThreshold: 0.5 })
).pipe(Layer.provideMerge(layerTestDatabase))

const write = (
  edges: ReadonlyArray<Edge>,
  samples: ReadonlyArray<EvidenceSample> = [],
  fields: Parameters<typeof sliceOf>[1] = {}
) => Resolver.use((resolver) => resolver.write(sliceOf({ ...collapsed(edges), samples }, fields)))
const query = <A>(text: string) => SqlClient.SqlClient.use((sql) => sql.unsafe<A & object>(text))
const idOf = (client: string, server: string) =>
  query<{ id: bigint }>(
    `SELECT id FROM dependencies WHERE host(source_address) = '${client}' AND host(target_address) = '${server}' AND status <> 'candidate'`
  ).pipe(Effect.map((rows) => (rows[0] === undefined ? undefined : (String(rows[0].id) as DependencyId))))
const get = (id: DependencyId) => DependencyStore.use((store) => store.get(id))

layer(everything, { excludeTestServices: true })("a declared direction", (it) => {
  it.effect(
    "turns what is stored, holds over new traffic, and turns back when it is taken back",
    Effect.fnUntraced(function* () {
      const declarations = yield* Declarations
      const wrong = edge({ client: "10.1.0.1", server: "10.1.0.2", port: 41_000, portRank: -1, direction: -0.4 })
      yield* write([wrong], [sample(wrong, 9042)])
      const id = (yield* idOf("10.1.0.1", "10.1.0.2"))!
      const end = yield* declarations.endOf(id, "client")
      assert.deepStrictEqual(end, { address: "10.1.0.1", protocol: 6, port: 9042 })
      const before = yield* get(id)

      assert.strictEqual((yield* declarations.declare({ ...end, serves: true }, "ana", "Cassandra")).turned, 1)
      assert.strictEqual(declarations.ends.word("10.1.0.1", 6, 9042), 1)
      const now = yield* get(id)
      assert.deepStrictEqual([now.client.address, now.server.address, now.port], ["10.1.0.2", "10.1.0.1", 9042])
      assert.deepStrictEqual([now.bytesToServer, now.bytesToClient], [before.bytesToClient, before.bytesToServer])
      assert.deepStrictEqual([now.direction.declared, now.terms.direction, now.declaration?.by], [true, 1, "ana"])
      assert.closeTo(now.confidence, confidence(now.terms), 1e-12)
      assert.strictEqual(now.series.length, 1)
      assert.deepStrictEqual(
        now.evidence.map((flow) => [flow.clientAddress, flow.clientPort, flow.serverAddress, flow.serverPort, flow.bytesToServer]),
        [["10.1.0.2", 41_000, "10.1.0.1", 9042, 4000n]]
      )

      yield* write([edge({ client: "10.1.0.2", server: "10.1.0.1", port: 9042, declared: true, direction: 1, flows: 7 })])
      const later = yield* get(id)
      assert.deepStrictEqual([later.flows, later.direction.declared], [before.flows + 7n, true])

      yield* declarations.withdraw(end)
      assert.strictEqual(declarations.ends.size, 0)
      const back = yield* get(id)
      assert.deepStrictEqual([back.client.address, back.server.address, back.port], ["10.1.0.1", "10.1.0.2", 41_000])
      assert.deepStrictEqual([back.direction.declared, back.declaration], [false, null])
      assert.isBelow(back.terms.direction, 1)
      assert.closeTo(back.confidence, confidence(back.terms), 1e-12)
    })
  )

  it.effect(
    "leaves the lists where the right one is there already, and comes back",
    Effect.fnUntraced(function* () {
      const declarations = yield* Declarations
      const wrong = edge({ client: "10.2.0.1", server: "10.2.0.2", port: 41_000, direction: 0.1, portRank: 0 })
      const right = edge({ client: "10.2.0.2", server: "10.2.0.1", port: 9042 })
      yield* write([wrong, right], [sample(wrong, 9042)])
      const end = yield* declarations.endOf((yield* idOf("10.2.0.1", "10.2.0.2"))!, "client")
      assert.strictEqual((yield* declarations.declare({ ...end, serves: true }, "ana")).turned, 1)
      assert.isUndefined(yield* idOf("10.2.0.1", "10.2.0.2"))
      assert.isDefined(yield* idOf("10.2.0.2", "10.2.0.1"))
      const serving = () =>
        query<{ clients: number; servers: number }>("SELECT clients, servers FROM assets WHERE name = '10.2.0.1'")
      assert.deepStrictEqual(yield* serving(), [{ clients: 1, servers: 0 }])
      yield* declarations.withdraw(end)
      assert.isDefined(yield* idOf("10.2.0.1", "10.2.0.2"))
      assert.deepStrictEqual(yield* serving(), [{ clients: 1, servers: 1 }])
    })
  )

  it.effect(
    "may come before any traffic, is listed, and taken back",
    Effect.fnUntraced(function* () {
      const declarations = yield* Declarations
      const end = { address: Address.make("10.7.0.9"), protocol: 17, port: 4739 }
      assert.strictEqual((yield* declarations.declare({ ...end, serves: true }, "ana", "collector")).turned, 0)
      const [told] = yield* declarations.list
      assert.deepStrictEqual(
        [told!.address, told!.protocol, told!.port, told!.by, told!.note],
        ["10.7.0.9", 17, 4739, "ana", "collector"]
      )
      assert.strictEqual(declarations.ends.word("10.7.0.9", 17, 4739), 1)
      yield* declarations.withdraw(end)
      assert.deepStrictEqual(yield* declarations.list, [])
    })
  )

  it.effect(
    "that an end never serves turns what is drawn towards it, or takes it off the lists, and gives it back",
    Effect.fnUntraced(function* () {
      const declarations = yield* Declarations
      const known = edge({ client: "10.8.0.1", server: "10.8.0.2", port: 5060 })
      const unknown = edge({ client: "10.8.0.3", server: "10.8.0.2", port: 5060 })
      const other = edge({ client: "10.8.0.1", server: "10.8.0.2", port: 22 })
      yield* write([known, unknown, other], [sample(known, 7443), sample(unknown, 40_000, { ports: 7 })])
      const drawn = query<{ edge: string }>(
        `SELECT host(source_address) || '>' || host(target_address) || ':' || port || CASE WHEN declared THEN ' declared' ELSE '' END AS edge
          FROM dependencies WHERE (source_address << '10.8.0.0/24') AND status = 'active' ORDER BY 1`
      ).pipe(Effect.map((rows) => rows.map((row) => row.edge)))
      const all = ["10.8.0.1>10.8.0.2:22", "10.8.0.1>10.8.0.2:5060", "10.8.0.3>10.8.0.2:5060"]
      assert.deepStrictEqual(yield* drawn, all)
      const before = yield* query("SELECT name, clients, servers FROM assets WHERE name LIKE '10.8.0.%' ORDER BY name")

      const end = { address: Address.make("10.8.0.2"), protocol: 6, port: 5060 }
      assert.strictEqual((yield* declarations.declare({ ...end, serves: false }, "ana", "a phone")).turned, 2)
      assert.deepStrictEqual([declarations.ends.word("10.8.0.2", 6, 5060), declarations.ends.word("10.8.0.2", 6, 22)], [-1, 0])
      assert.deepStrictEqual(yield* drawn, ["10.8.0.1>10.8.0.2:22", "10.8.0.2>10.8.0.1:7443 declared"])
      const now = yield* get((yield* idOf("10.8.0.2", "10.8.0.1"))!)
      assert.deepInclude(now.declaration!, { ...end, port: 5060, serves: false, by: "ana", note: "a phone" })
      assert.deepStrictEqual([now.bytesToServer, now.bytesToClient], [4000n, 1000n])
      assert.closeTo(now.confidence, confidence(now.terms), 1e-12)
      // what follows is drawn as the word has it, and goes there
      yield* write([edge({ client: "10.8.0.2", server: "10.8.0.1", port: 7443, declared: true, direction: 1 })])
      assert.strictEqual((yield* get(now.id)).flows, now.flows + 10n)

      // seen for the first time while the word holds: once it is gone, the evidence decides on that, too
      yield* write([edge({ client: "10.8.0.2", server: "10.8.0.9", port: 443, declared: true, direction: 1 })])
      const later = (yield* idOf("10.8.0.2", "10.8.0.9"))!
      assert.strictEqual((yield* get(later)).terms.direction, 1)

      assert.strictEqual((yield* declarations.withdraw(end)).turned, 2)
      assert.isBelow((yield* get(later)).terms.direction, 1)
      yield* query(`DELETE FROM dependencies WHERE id = ${later}`)
      yield* query("DELETE FROM assets WHERE name = '10.8.0.9'")
      yield* query("UPDATE assets SET servers = servers - 1 WHERE name = '10.8.0.2'")
      assert.deepStrictEqual(yield* drawn, all)
      assert.deepStrictEqual(
        yield* query("SELECT name, clients, servers FROM assets WHERE name LIKE '10.8.0.%' ORDER BY name"),
        before
      )
    })
  )

  it.effect(
    "that an address never serves holds for all of its ports but those that it was declared to serve, and may become the opposite",
    Effect.fnUntraced(function* () {
      const declarations = yield* Declarations
      const address = Address.make("10.9.0.2")
      const one = edge({ client: "10.9.0.1", server: address, port: 443 })
      yield* write([one], [sample(one, 9042)])
      yield* declarations.declare({ address, protocol: 6, port: 0, serves: false }, "ana")
      yield* declarations.declare({ address, protocol: 6, port: 22, serves: true }, "ana")
      const words = [443, 22, 0].map((port) => declarations.ends.word(address, 6, port))
      assert.deepStrictEqual([...words, declarations.ends.word(address, 17, 53)], [-1, 1, -1, 0])
      const turned = (yield* idOf(address, "10.9.0.1"))!
      assert.deepInclude(yield* get(turned), { port: 9042 })
      // the server's word for the other end's port: it was drawn so, and is certain
      assert.isTrue((yield* get(turned)).direction.declared)
      yield* declarations.declare({ address, protocol: 6, port: 443, serves: false }, "ana")
      yield* declarations.declare({ address, protocol: 6, port: 443, serves: true }, "ben")
      assert.strictEqual(declarations.ends.word(address, 6, 443), 1)
      yield* declarations.withdraw({ address, protocol: 6, port: 443 })
      yield* declarations.withdraw({ address, protocol: 6, port: 22 })
      yield* declarations.withdraw({ address, protocol: 6, port: 0 })
      assert.isDefined(yield* idOf("10.9.0.1", address))
      assert.strictEqual(declarations.ends.size, 0)
    })
  )

  it.effect(
    "is not said where its entry in a log could not be written",
    Effect.fnUntraced(function* () {
      const declarations = yield* Declarations
      const end = { address: Address.make("10.7.0.8"), protocol: 17, port: 4739 }
      const refused = query("SELECT 1 / 0").pipe(Effect.asVoid)
      yield* Effect.flip(declarations.declare({ ...end, serves: true }, "ana", undefined, () => refused))
      assert.deepStrictEqual([yield* declarations.list, declarations.ends.word("10.7.0.8", 17, 4739)], [[], 0])
      yield* declarations.declare({ ...end, serves: true }, "ana")
      yield* Effect.flip(declarations.withdraw(end, () => refused))
      assert.deepStrictEqual([(yield* declarations.list).length, declarations.ends.word("10.7.0.8", 17, 4739)], [1, 1])
      yield* declarations.withdraw(end)
    })
  )

  it.effect(
    "by another appliance on this database is heard of",
    Effect.fnUntraced(function* () {
      const { ends } = yield* Declarations
      yield* query("INSERT INTO declared_ends (address, protocol, port, declared_by) VALUES ('10.7.0.1', 6, 9042, 'ben')")
      while (ends.word("10.7.0.1", 6, 9042) === 0) yield* Effect.sleep("5 millis")
      yield* query("DELETE FROM declared_ends")
      while (ends.word("10.7.0.1", 6, 9042) !== 0) yield* Effect.sleep("5 millis")
    })
  )

  it.effect(
    "cannot be flipped to a port that nobody knows",
    Effect.fnUntraced(function* () {
      const declarations = yield* Declarations
      const one = edge({ client: "10.3.0.1", server: "10.3.0.2" })
      yield* write([one], [])
      const id = (yield* idOf("10.3.0.1", "10.3.0.2"))!
      assert.strictEqual((yield* Effect.flip(declarations.endOf(id, "client")))._tag, "DirectionUnknown")
      yield* write([one], [sample(one, 9042, { ports: 5 })])
      assert.strictEqual((yield* Effect.flip(declarations.endOf(id, "client")))._tag, "DirectionUnknown")
    })
  )
})

layer(everything, { excludeTestServices: true })("evidence flows", (it) => {
  it.effect(
    "keep the first and the latest, at most sixteen, spread over time, and go with the dependency",
    Effect.fnUntraced(function* () {
      const hour = 3_600_000
      for (let i = 0; i < 60; i++) {
        const at = monday + i * hour
        const one = edge({ client: "10.4.0.1", server: "10.4.0.2", first: at, last: at + 60_000 })
        yield* write([one], [sample(one, 40_000 + i)], { windowStart: at })
      }
      const id = (yield* idOf("10.4.0.1", "10.4.0.2"))!
      const { evidence } = yield* get(id)
      const ports = evidence.map((flow) => flow.clientPort)
      assert.deepStrictEqual([ports[0], ports.at(-1)], [40_000, 40_059])
      assert.isAtMost(ports.length, 16)
      assert.isAtLeast(ports.length, 12)
      assert.isAbove(new Set(ports.map((port) => Math.floor((port - 40_000) / 20))).size, 2)
      yield* query(`DELETE FROM dependencies WHERE id = ${id}`)
      assert.deepStrictEqual(yield* query(`SELECT 1 FROM evidence_flows WHERE dependency_id = ${id}`), [])
    })
  )
})

layer(everything, { excludeTestServices: true })("what is counted once", (it) => {
  it.effect(
    "is told for the dependency, for each exporter, and in all; and its sampling is its owner's of now",
    Effect.fnUntraced(function* () {
      const seen = { client: "10.5.0.1", server: "10.5.0.2" }
      const observers = [{ exporter: "192.0.2.9", records: 4, bytes: 1200, packets: 9 }]
      const now = Date.now()
      const once = {
        ...collapsed([edge({ ...seen, sampling: 100, observers })]),
        savings: [{ exporter: "192.0.2.9", records: 4, bytes: 1200 }]
      }
      yield* Resolver.use((resolver) => resolver.write(sliceOf(once, { windowStart: now - (now % 300_000) })))
      const id = (yield* idOf(seen.client, seen.server))!
      const sampled = yield* get(id)
      assert.strictEqual(sampled.sampling, 100)
      const other = sampled.exporters.find((one) => one.address === "192.0.2.9")!
      assert.deepStrictEqual([other.owner, other.sparedRecords, other.sparedBytes], [false, 4n, 1200n])
      assert.deepStrictEqual(yield* StatsStore.use((store) => store.spared(5)), {
        sparedRecords: 4n,
        sparedBytes: 1200n,
        exporters: [{ address: "192.0.2.9", records: 4n, bytes: 1200n }]
      } as never)
      yield* write([edge({ ...seen, sampling: 1 })])
      assert.strictEqual((yield* get(id)).sampling, 1)
    })
  )
})
