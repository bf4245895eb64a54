import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Scope } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { defaultInternalRanges } from "#domain/Address.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { randomFrom } from "../../../test/rig/flow-records.ts"
import { collapsed, edge, manyEdges, monday, sliceOf } from "../../../test/rig/slices.ts"
import type { Edge } from "./collapse/edges.ts"
import { decodeEntry, encodeEntry } from "./journal/journal-entry.ts"
import { addRow, columnCount, makeKnownRows, seenColumnCount } from "./journal/KnownRows.ts"
import { Resolver, type SliceWrite } from "./Resolver.ts"

type Step =
  | { readonly kind: "write"; readonly slice: SliceWrite }
  | { readonly kind: "fold" }
  | { readonly kind: "restart" }
  /** A write that the database refuses when all but the end of it was done. */
  | { readonly kind: "fail"; readonly slice: SliceWrite }

const resolver = (foldSeconds: number) =>
  Resolver.layer({
    assets: { minFlows: 5, autoCreate: true },
    dependencies: { minFlows: 3 },
    internalRanges: defaultInternalRanges,
    serviceName: (_, port) => (port === 5432 ? "postgresql" : undefined),
    foldSeconds
  })

/** Everything that writes leave behind, by address instead of by number. */
const tables: Readonly<Record<string, string>> = {
  dependencies: `SELECT c.name AS client, s.name AS server, d.protocol, d.port, d.source_address, d.target_address, d.owner_exporter, d.status,
      d.first_seen, d.last_seen, d.seen_hour, d.valid_from, d.valid_to, d.activated_at IS NULL AS quiet, d.bytes_to_server, d.bytes_to_client, d.total_packets,
      d.total_flows, d.raw_bytes, d.raw_packets, d.sampling, d.syn_forward, d.syn_reverse, d.syn_ack_forward, d.began_forward, d.port_rank,
      d.fan_in, d.fan_in_against, d.client_ports, d.history, d.declared, d.companion, d.windows, d.both_directions, d.exporters,
      d.direction_weight, d.confidence, d.inferred_service
    FROM dependencies d JOIN assets c ON c.id = d.source_id JOIN assets s ON s.id = d.target_id ORDER BY 1, 2, 3, 4`,
  traffic: `SELECT f.time, c.name AS client, s.name AS server, f.protocol, f.port, f.flows, f.packets, f.bytes_to_server, f.bytes_to_client,
      f.tcp_flags_to_server, f.tcp_flags_to_client
    FROM flow_stats f JOIN assets c ON c.id = f.source_id JOIN assets s ON s.id = f.target_id ORDER BY 1, 2, 3, 4, 5`,
  observations: `SELECT c.name AS client, s.name AS server, d.port, x.exporter, x.owner, x.records, x.bytes, x.packets, x.last_seen
    FROM dependency_exporter x JOIN dependencies d ON d.id = x.dependency_id JOIN assets c ON c.id = d.source_id
    JOIN assets s ON s.id = d.target_id ORDER BY 1, 2, 3, 4`,
  assets: `SELECT name, internal, clients, servers, flows, bytes, confidence, first_seen, last_seen, status FROM assets ORDER BY 1`,
  services: `SELECT a.name AS server, v.port, v.protocol, v.name, v.first_seen, v.last_seen FROM services v JOIN assets a ON a.id = v.asset_id ORDER BY 1, 2, 3`,
  windows: `SELECT start, final, slices, records, counted, duplicates, flows, packets, bytes FROM windows ORDER BY 1`,
  claims: `SELECT worker, sequence, window_start, records FROM window_writes ORDER BY 1, 2`
}

/** Does the steps on a database of its own; answers what the tables hold after the last fold. */
const run = (steps: ReadonlyArray<Step>, foldSeconds: number, waiting: (entries: number) => void = () => {}) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const scope = yield* Scope.Scope
    const start = Layer.buildWithScope(resolver(foldSeconds), scope).pipe(
      Effect.flatMap((context) => Resolver.pipe(Effect.provideContext(context)))
    )
    let one = yield* start
    for (const step of steps) {
      if (step.kind === "restart") one = yield* start
      else if (step.kind === "fold") yield* one.fold(true)
      else if (step.kind === "write") assert.isTrue((yield* one.write(step.slice)).written)
      else {
        yield* sql`ALTER TABLE windows ADD CONSTRAINT refused CHECK (seconds <> 299)`
        yield* Effect.flip(one.write({ ...step.slice, windowSeconds: 299, windowStart: monday + 9_000_000 }))
        yield* sql`ALTER TABLE windows DROP CONSTRAINT refused`
      }
    }
    waiting((yield* sql<{ n: number }>`SELECT count(*)::int AS n FROM window_journal`)[0]!.n)
    yield* one.fold(true)
    assert.deepStrictEqual(yield* sql`SELECT id FROM window_journal`, [])
    const dump: Record<string, ReadonlyArray<unknown>> = {}
    for (const [name, query] of Object.entries(tables)) dump[name] = yield* sql.unsafe(query)
    return dump
  }).pipe(Effect.scoped, Effect.provide(layerTestDatabase))

const stepsOf = (seed: number): ReadonlyArray<Step> => {
  const random = randomFrom(seed)
  const exporters = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
  const base = manyEdges(60, 25)
  const steps: Array<Step> = []
  let windowStart = monday
  const guess = { portRank: 0, clientPorts: 0, direction: 0, port: 7000 }
  for (let n = 0; n < 14; n++) {
    const edges: Array<Edge> = []
    for (const [i, one] of base.entries()) {
      if (random(3) === 0) continue
      const exporter = exporters[i % 7 === 0 ? random(3) : i % 2]!
      const sampling = i % 11 === 0 ? 100 : 1
      edges.push({
        ...one,
        exporter,
        exporterToClient: i % 13 === 0 ? exporters[2]! : exporter,
        flows: 1 + random(4),
        bytesToServer: i === 5 ? 2 ** 52 : random(1e9),
        bytesToClient: random(1e9),
        sampling,
        rawBytes: random(1e7),
        rawPackets: random(100),
        synForward: random(50),
        beganReverse: random(3),
        fanIn: 1 + random(9),
        fanInAgainst: random(5),
        history: i % 3 === 0 ? 3 : 0,
        bothDirections: random(4) > 0,
        flagsToServer: 1 << random(6),
        first: windowStart + random(1000),
        last: windowStart + 1000 + random(200_000),
        observers: i % 5 === 0 ? [{ exporter: exporters[2]!, records: random(5), bytes: random(1000), packets: random(9) }] : []
      })
    }
    // guessed one way round, later the other way with a SYN
    const [client, server] = n < 6 ? ["10.99.0.1", "10.99.0.2"] : ["10.99.0.2", "10.99.0.1"]
    const certain = n < 6 ? {} : { direction: 0.9, synForward: 3 }
    edges.push(
      edge({ ...guess, ...certain, client: client!, server: server!, bytesToServer: random(1e6), bytesToClient: random(1e6) })
    )
    edges.push(edge({ kind: "icmp", client: "10.98.0.1", server: "10.98.0.2", port: 0, protocol: 1 }))
    const final = random(5) === 0
    steps.push({ kind: "write", slice: sliceOf(collapsed(edges), { windowStart, final }) })
    if (final) windowStart += 300_000
    const more = random(6)
    if (more === 0) steps.push({ kind: "fold" })
    else if (more === 1) steps.push({ kind: "restart" })
    else if (more === 2) steps.push({ kind: "fail", slice: sliceOf(collapsed(edges), { windowStart }) })
  }
  return steps
}

describe("what waits in the journal", () => {
  it.live(
    "makes the same tables as what does not wait, whenever it is folded, over restarts and writes that fail",
    Effect.fnUntraced(function* () {
      let waited = 0
      for (const seed of [1, 2, 3, 4]) {
        const steps = stepsOf(seed)
        const atOnce = yield* run(steps, 0, (entries) => assert.strictEqual(entries, 0))
        const later = yield* run(steps, 100_000, (entries) => (waited += entries))
        for (const table of Object.keys(tables)) assert.deepStrictEqual(later[table], atOnce[table], `${table} of ${seed}`)
        assert.isAbove(atOnce["dependencies"]!.length, 40)
        const seen = atOnce["dependencies"] as ReadonlyArray<{ fan_in: number; fan_in_against: number; history: number }>
        assert.sameMembers([...new Set(seen.map((row) => row.history))], [0, 3])
        assert.isAtMost(Math.max(...seen.map((row) => row.fan_in)), 9)
        assert.strictEqual(Math.max(...seen.map((row) => row.fan_in_against)), 4)
      }
      assert.isAbove(waited, 0)
    })
  )

  it.live(
    "is turned with its dependency, and is gone with it",
    Effect.fnUntraced(function* () {
      const guess = { portRank: 0, clientPorts: 0, direction: 0, port: 7000 }
      const pair = edge({ ...guess, client: "10.0.0.1", server: "10.0.0.2", bytesToServer: 10, bytesToClient: 1 })
      const other = edge({ client: "10.0.0.3", server: "10.0.0.4" })
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const { fold, write } = yield* Resolver
        for (let n = 0; n < 3; n++) yield* write(sliceOf(collapsed([pair, other])))
        const waiting = yield* sql<{ bytes: bigint }>`SELECT bytes_to_server AS bytes FROM dependencies WHERE port = 7000`
        assert.deepStrictEqual(waiting, [{ bytes: 10n }])
        yield* write(
          sliceOf(
            collapsed([
              edge({
                ...guess,
                direction: 0.9,
                synForward: 4,
                client: "10.0.0.2",
                server: "10.0.0.1",
                bytesToServer: 100,
                bytesToClient: 1000
              })
            ])
          )
        )
        yield* sql`DELETE FROM dependencies WHERE port = 5432`
        // known no more: it is looked up, and made again
        yield* write(sliceOf(collapsed([pair, other])))
        yield* fold(true)
        assert.deepStrictEqual(
          yield* sql`SELECT host(source_address) AS client, bytes_to_server AS a, bytes_to_client AS b, total_flows AS flows
            FROM dependencies ORDER BY port`,
          [
            { client: "10.0.0.3", a: 1000n, b: 4000n, flows: 10n },
            { client: "10.0.0.2", a: 104n, b: 1040n, flows: 50n }
          ]
        )
      }).pipe(Effect.provide(resolver(100_000)), Effect.provide(layerTestDatabase))
    })
  )

  it.live(
    "is folded once when two resolvers find it",
    Effect.fnUntraced(function* () {
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const scope = yield* Scope.Scope
        const start = Layer.buildWithScope(Layer.fresh(resolver(100_000)), scope).pipe(
          Effect.flatMap((context) => Resolver.pipe(Effect.provideContext(context)))
        )
        const first = yield* start
        const edges = manyEdges(50, 20)
        for (let n = 0; n < 4; n++) yield* first.write(sliceOf(collapsed(edges)))
        const second = yield* start
        assert.strictEqual((yield* second.fold()).edges, 50)
        // what it remembers is not there any more: it says so, looks again, and goes on
        assert.strictEqual((yield* Effect.flip(first.fold(true))).reason._tag, "SerializationError")
        assert.strictEqual((yield* first.fold(true)).edges, 0)
        yield* first.write(sliceOf(collapsed(edges), { final: true }))
        const [sum] = yield* sql`SELECT sum(total_flows)::int AS flows FROM dependencies`
        assert.deepStrictEqual(sum, { flows: 5 * edges.reduce((all, one) => all + one.flows, 0) })
      }).pipe(Effect.scoped, Effect.provide(layerTestDatabase))
    })
  )
})

describe("known traffic", () => {
  it.effect("makes a dependency with the third record and an asset with the fifth, with no fold in between", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const context = yield* Layer.build(resolver(3600))
      const one = yield* Resolver.pipe(Effect.provideContext(context))
      const seen: Array<string> = []
      for (let record = 1; record <= 7; record++) {
        const rows = [edge({ client: "10.1.0.1", server: "10.1.0.2", flows: 1 })]
        yield* one.write(sliceOf(collapsed(rows)))
        const [found] = yield* sql<{
          text: string
        }>`SELECT d.status || ' ' || c.status || ' ' || s.status || ' ' || d.total_flows AS text
          FROM dependencies d JOIN assets c ON c.id = d.source_id JOIN assets s ON s.id = d.target_id`
        seen.push(found!.text)
      }
      assert.deepStrictEqual(seen, [
        "candidate candidate candidate 1",
        "candidate candidate candidate 2",
        "active candidate candidate 3",
        "active candidate candidate 4",
        "active active active 5",
        "active active active 5",
        "active active active 5"
      ])
    }).pipe(Effect.scoped, Effect.provide(layerTestDatabase))
  )

  it.effect("waits the longer the more of it there is, and at most for the end of its window", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const context = yield* Layer.build(resolver(60))
      const one = yield* Resolver.pipe(Effect.provideContext(context))
      const edges = manyEdges(20_000, 300, { flows: 9 })
      const few = edges.slice(0, 500)
      const waiting = Effect.map(sql<{ n: number }>`SELECT count(*)::int AS n FROM window_journal`, ([row]) => row!.n)
      yield* one.write(sliceOf(collapsed(edges)))
      const foldedAfter = Effect.fnUntraced(function* (rows: ReadonlyArray<Edge>, seconds: number) {
        yield* one.write(sliceOf(collapsed(rows)))
        yield* TestClock.adjust(Duration.seconds(seconds - 1))
        assert.strictEqual((yield* one.fold()).edges, 0)
        assert.strictEqual(yield* waiting, 1)
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* one.fold()).edges, rows.length)
        assert.strictEqual(yield* waiting, 0)
      })
      yield* foldedAfter(few, 60)
      yield* foldedAfter(edges, 100)
      yield* one.write(sliceOf(collapsed(edges)))
      assert.strictEqual(yield* waiting, 1)
      yield* one.write(sliceOf(collapsed(edges), { final: true }))
      assert.strictEqual(yield* waiting, 0)
    }).pipe(Effect.scoped, Effect.provide(layerTestDatabase))
  )

  it.effect("that cannot be read is counted and left, and the rest is folded", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`INSERT INTO window_journal (window_start, exporters, entry) VALUES (now(), ARRAY['192.0.2.1'], ${new Uint8Array([9, 1, 2])}::bytea)`
      const context = yield* Layer.build(resolver(3600))
      const one = yield* Resolver.pipe(Effect.provideContext(context))
      assert.strictEqual(one.unreadable(), 0)
      const edges = manyEdges(20, 9, { flows: 9 })
      for (let n = 0; n < 2; n++) yield* one.write(sliceOf(collapsed(edges)))
      assert.strictEqual(one.unreadable(), 1)
      assert.strictEqual((yield* one.fold(true)).edges, 20)
      assert.strictEqual((yield* sql`SELECT id FROM window_journal`).length, 1)
    }).pipe(Effect.scoped, Effect.provide(layerTestDatabase))
  )
})

describe("an entry of the journal", () => {
  it("comes back as it was, whatever the numbers", () => {
    const random = randomFrom(9)
    const values = [0, 1, 255, 256, 65_535, 65_536, 2 ** 32, 2 ** 53, 2 ** 53 - 1, -7, 0.5, 1.7e12]
    for (let round = 0; round < 200; round++) {
      const rows = makeKnownRows(1)
      rows.exporters.push("192.0.2.1", "2001:db8::1")
      const narrow = random(3) === 0 ? 2 : values.length
      const count = random(40)
      for (let i = 0; i < count; i++) {
        const row = addRow(rows.edges)
        for (let c = 0; c < columnCount; c++) rows.edges.columns[c]![row] = values[random(narrow)]!
      }
      for (let i = 0; i < random(9); i++) {
        const row = addRow(rows.observers)
        for (let c = 0; c < seenColumnCount; c++) rows.observers.columns[c]![row] = values[random(narrow)]!
      }
      const bytes = encodeEntry(rows)
      const back = decodeEntry(bytes, rows.exporters)!
      assert.deepStrictEqual(back.exporters, rows.exporters)
      for (const part of ["edges", "observers"] as const) {
        assert.strictEqual(back[part].length, rows[part].length)
        rows[part].columns.forEach((column, c) => {
          assert.deepStrictEqual(back[part].columns[c], column.slice(0, rows[part].length))
        })
      }
      for (let cut = 0; cut < bytes.length; cut += 7) assert.isUndefined(decodeEntry(bytes.subarray(0, cut), rows.exporters))
    }
  })
})
