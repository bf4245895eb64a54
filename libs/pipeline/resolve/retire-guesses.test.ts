import { assert, layer } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import { confidence } from "#domain/confidence.ts"
import { directionMargin } from "#domain/direction.ts"
import type { DependencyId } from "#domain/ids.ts"
import { edge, monday, sample } from "../../../test/rig/slices.ts"
import { DependencyStore } from "../store/DependencyStore.ts"
import { ensurePartition } from "../store/partitions.ts"
import type { Edge } from "./collapse/edges.ts"
import { Resolver } from "./Resolver.ts"
import { drawn, everything, query, sums, write } from "./retire.fixture.ts"

/** The server's port 7443 is nobody's name; the client's 5060 is. */
const guessOf = (net: string, fields: Partial<Edge> = {}) =>
  edge({ client: `${net}.1`, server: `${net}.2`, port: 5060, portRank: 2, clientPorts: 0, direction: 0.76, flows: 3, ...fields })
const rightOf = (net: string, fields: Partial<Edge> = {}) =>
  edge({
    client: `${net}.2`,
    server: `${net}.1`,
    port: 7443,
    portRank: 0,
    clientPorts: 2,
    synForward: 1,
    direction: 0.96,
    ...fields
  })

layer(everything(0), { excludeTestServices: true })("a first impression", (it) => {
  it.effect(
    "is retired with all that was counted for it, once",
    Effect.fnUntraced(function* () {
      const guess = guessOf("10.1.0", { first: monday - 5000 })
      assert.strictEqual((yield* write([guess], [sample(guess, 7443)])).turnedDependencies, 0)
      yield* write([guess], [], monday + 300_000)
      for (const table of ["flow_stats_hour", "flow_stats_day"] as const) {
        yield* ensurePartition(table, monday)
        yield* query(`INSERT INTO ${table} SELECT '2026-01-05T00:00:00Z', source_id, target_id, flows, packets, bytes_to_server, bytes_to_client, port, 1, protocol, 2, 16
          FROM flow_stats WHERE time = '${new Date(monday).toISOString()}'`)
      }
      const counted = yield* sums("10.1.0")
      const [{ edge: before }] = (yield* drawn("10.1.0")) as unknown as [{ edge: string }]
      assert.strictEqual(before, "10.1.0.1>10.1.0.2:5060")

      // the same window as the guess's second, and a connection of its own
      const right = rightOf("10.1.0", { flows: 7, packets: 11 })
      assert.strictEqual((yield* write([right], [sample(right, 5060)], monday + 300_000)).turnedDependencies, 1)
      const now = yield* drawn("10.1.0")
      assert.deepStrictEqual(
        now.map((one) => one.edge),
        ["10.1.0.2>10.1.0.1:7443"]
      )
      const after = yield* sums("10.1.0")
      // all of the guess, and the new connection's 7 records, 11 packets, 1000 and 4000 octets
      const plus = (counted as ReadonlyArray<Record<string, string>>).map((row) =>
        row["of"] === "hours" || row["of"] === "days"
          ? row
          : {
              ...row,
              flows: String(Number(row["flows"]) + 7),
              packets: String(Number(row["packets"]) + 11),
              sent: String(Number(row["sent"]) + (row["name"] === "10.1.0.2" ? 1000 : 4000))
            }
      )
      assert.deepStrictEqual(after as ReadonlyArray<unknown>, plus)
      const told = yield* DependencyStore.use((store) => store.get(String(now[0]!.id) as DependencyId))
      assert.deepStrictEqual([told.terms.windows, told.direction.synForward, told.series.length], [2, 1, 2])
      assert.closeTo(told.terms.direction, directionMargin(told.direction), 1e-9)
      assert.closeTo(told.confidence, confidence(told.terms), 1e-12)
      assert.strictEqual(DateTime.toEpochMillis(told.firstSeen), monday - 5000)
      assert.deepStrictEqual(
        new Set(told.evidence.map((flow) => [flow.clientPort, flow.serverPort].join(" "))),
        new Set(["5060 7443"])
      )
      assert.deepStrictEqual(yield* query("SELECT name, clients, servers FROM assets WHERE name LIKE '10.1.0.%' ORDER BY name"), [
        { name: "10.1.0.1", clients: 1, servers: 0 },
        { name: "10.1.0.2", clients: 0, servers: 1 }
      ])
      assert.deepStrictEqual(
        yield* query("SELECT port FROM services JOIN assets ON id = asset_id WHERE assets.name LIKE '10.1.0.%'"),
        [{ port: 7443 }]
      )

      // offered again, nothing is left to do
      assert.strictEqual((yield* write([], [sample(right, 5060)])).turnedDependencies, 0)
      assert.deepStrictEqual(yield* sums("10.1.0"), after)
    })
  )

  it.effect(
    "stays where it stands on more than a name, where its client used other ports, and where another end of it is proven",
    Effect.fnUntraced(function* () {
      const kept = [
        ["10.2.0", guessOf("10.2.0", { synForward: 1 }), 7443, {}],
        ["10.2.1", guessOf("10.2.1"), 7443, { ports: 3 }],
        ["10.2.2", guessOf("10.2.2"), 7444, {}],
        ["10.2.3", guessOf("10.2.3", { clientPorts: 4 }), 7443, {}],
        ["10.2.4", guessOf("10.2.4", { flows: 1001 }), 7443, {}]
      ] as const
      for (const [net, guess, port, fields] of kept) {
        yield* write([guess], [sample(guess, port, fields)])
        const right = rightOf(net)
        assert.strictEqual((yield* write([right], [sample(right, 5060)])).turnedDependencies, 0, net)
        assert.lengthOf(yield* drawn(net), 2, net)
      }
      // the right one is a guess as well
      const guess = guessOf("10.2.9")
      const other = rightOf("10.2.9", { synForward: 0, clientPorts: 0 })
      assert.strictEqual((yield* write([guess, other], [sample(guess, 7443), sample(other, 5060)])).turnedDependencies, 0)
    })
  )

  it.effect(
    "keeps every sum, whatever was counted, by whom, in which windows and in which order",
    Effect.fnUntraced(function* () {
      let state = 11
      const next = (below: number) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        return Math.floor((state / 2 ** 32) * below)
      }
      for (let run = 0; run < 25; run++) {
        const net = `10.3.${run}`
        const exporters = ["192.0.2.1", "192.0.2.2"]
        const fields = (): Partial<Edge> => {
          const exporter = exporters[next(2)]!
          const observers = next(3) === 0 ? [{ exporter: "192.0.2.3", records: next(5), bytes: next(9000), packets: next(50) }] : []
          return {
            flows: 1 + next(9),
            packets: next(900),
            bytesToServer: next(1e6),
            bytesToClient: next(1e9),
            exporter,
            exporterToClient: exporter,
            observers
          }
        }
        // ephemeral ports of two connections that both have a name
        const guesses = [5060, 5061].slice(0, 1 + next(2))
        const told: Array<{ edge: Edge; window: number; clientPort: number }> = []
        for (const port of guesses)
          for (let i = 0; i <= next(3); i++)
            told.push({ edge: guessOf(net, { port, ...fields() }), window: next(3), clientPort: 7443 })
        for (let i = 0; i <= next(3); i++) told.push({ edge: rightOf(net, fields()), window: next(3), clientPort: 5060 })
        told.sort(() => next(2) - 0.5)
        for (const { edge: one, window } of told) yield* write([one], [], monday + window * 300_000)
        const before = yield* sums(net)
        const records = yield* query(
          `SELECT sum(s.records)::text AS records, sum(s.bytes)::text AS bytes FROM dependencies d, LATERAL (
            SELECT records, bytes FROM dependency_exporter WHERE dependency_id = d.id
            UNION ALL SELECT d.total_flows, d.total_bytes WHERE d.exporters = 1 AND NOT EXISTS (SELECT 1 FROM dependency_exporter WHERE dependency_id = d.id)) AS s
          WHERE d.source_address << '${net}.0/24'`
        )
        const samples = told.map(({ edge: one, clientPort }) => sample(one, clientPort))
        assert.strictEqual((yield* write([], samples)).turnedDependencies, guesses.length, net)
        assert.lengthOf(yield* drawn(net), 1)
        assert.deepStrictEqual(yield* sums(net), before, net)
        const [now] = yield* query<{ ends: number; flows: string; windows: number; stats: number }>(
          `SELECT d.windows, (SELECT count(*)::int FROM flow_stats WHERE source_id = d.source_id AND target_id = d.target_id) AS stats FROM dependencies d WHERE source_address << '${net}.0/24'`
        )
        assert.strictEqual(now!.windows, now!.stats, net)
        assert.deepStrictEqual(
          yield* query(
            `SELECT sum(s.records)::text AS records, sum(s.bytes)::text AS bytes FROM dependencies d, LATERAL (
              SELECT records, bytes FROM dependency_exporter WHERE dependency_id = d.id
              UNION ALL SELECT d.total_flows, d.total_bytes WHERE d.exporters = 1 AND NOT EXISTS (SELECT 1 FROM dependency_exporter WHERE dependency_id = d.id)) AS s
            WHERE d.source_address << '${net}.0/24'`
          ),
          records,
          net
        )
      }
    })
  )
})

layer(everything(3600), { excludeTestServices: true })("traffic of a first impression that waits in the journal", (it) => {
  it.effect(
    "is folded before the guess goes, and what follows goes to the right one",
    Effect.fnUntraced(function* () {
      const guess = guessOf("10.4.0")
      yield* write([guess], [sample(guess, 7443)])
      yield* write([guess], [])
      assert.lengthOf(yield* query("SELECT 1 FROM window_journal"), 1)
      const right = rightOf("10.4.0")
      assert.strictEqual((yield* write([right], [sample(right, 5060)])).turnedDependencies, 1)
      assert.lengthOf(yield* query("SELECT 1 FROM window_journal"), 0)
      const total = yield* query<{ flows: string }>("SELECT total_flows::text AS flows FROM dependencies")
      assert.deepStrictEqual(total, [{ flows: "16" }])
      // a guess again: it is looked up, and is not taken for the one that is gone
      yield* write([guess], [])
      yield* write([right], [])
      yield* Resolver.use((resolver) => resolver.fold(true))
      const [sum] = yield* query<{ stats: string; flows: string }>(
        "SELECT (SELECT sum(flows)::text FROM flow_stats) AS stats, (SELECT sum(flows)::text FROM windows) AS flows"
      )
      assert.strictEqual(sum!.stats, sum!.flows)
    })
  )
})
