import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { defaultInternalRanges } from "#domain/Address.ts"
import { confidence } from "#domain/confidence.ts"
import { directionMargin } from "#domain/direction.ts"
import type { AssetId, DependencyId } from "#domain/ids.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { claimOf, collapsed, edge, manyEdges, monday, sliceOf, streamed } from "../../../test/rig/slices.ts"
import { AssetStore } from "../store/AssetStore.ts"
import { DependencyStore } from "../store/DependencyStore.ts"
import { rollUp } from "../store/rollup.ts"
import type { Edge } from "./edges.ts"
import { Resolver, type SliceWrite } from "./Resolver.ts"

const hour = 3_600_000
const staleAfterHours = 168

const everything = Layer.mergeAll(
  Resolver.layer({
    assets: { minFlows: 5, autoCreate: true },
    dependencies: { minFlows: 3 },
    internalRanges: defaultInternalRanges,
    serviceName: (protocol, port) => (protocol === 6 && port === 5432 ? "postgresql" : undefined)
  }),
  DependencyStore.layer({ confidenceThreshold: 0.5 }),
  AssetStore.layer({ confidenceThreshold: 0.5 })
).pipe(Layer.provideMerge(layerTestDatabase))

const put = (slice: SliceWrite) => Resolver.use((resolver) => resolver.write(slice))
const write = (edges: ReadonlyArray<Edge>, fields: Partial<SliceWrite> = {}) => put(sliceOf(collapsed(edges), fields))
const query = <A extends object>(text: string) => Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe<A>(text))

/** Everything a slice can change, to compare before and after. */
const state = Effect.all([
  query("SELECT * FROM assets ORDER BY id"),
  query("SELECT * FROM dependencies ORDER BY id"),
  query("SELECT * FROM flow_stats ORDER BY 1, 2, 3, 4, 5"),
  query("SELECT * FROM dependency_exporter ORDER BY 1, 2"),
  query("SELECT * FROM services ORDER BY 1, 2, 3"),
  query("SELECT * FROM windows ORDER BY 1")
])

const dependency = (client: string, server: string) =>
  query<Record<string, unknown> & { id: bigint; status: string; windows: number }>(
    `SELECT d.* FROM dependencies d WHERE source_address = '${client}' AND target_address = '${server}'`
  )

describe("Resolver", () => {
  layer(everything, { excludeTestServices: true })("flows that another exporter than the owner saw", (it) => {
    it.effect(
      "make a dependency too, at once or over several slices",
      Effect.fnUntraced(function* () {
        const seen = (records: number) => [{ exporter: "192.0.2.9", records, bytes: 900, packets: 9 }]
        const few = { flows: 1, exporter: "192.0.2.1", exporterToClient: "192.0.2.1" }
        const rows = [
          edge({ client: "10.0.5.1", server: "10.0.5.2", ...few, observers: seen(20) }),
          edge({ client: "10.0.5.3", server: "10.0.5.4", ...few, flows: 0, observers: seen(2) }),
          edge({ client: "10.0.5.5", server: "10.0.5.6", ...few })
        ]
        const status = query<{ status: string; activated: boolean }>(
          "SELECT status, activated_at IS NOT NULL AS activated FROM dependencies WHERE source_address << '10.0.5.0/24' ORDER BY source_address"
        ).pipe(Effect.map((found) => found.map((row) => `${row.status} ${row.activated}`)))
        yield* write(rows)
        assert.deepStrictEqual(yield* status, ["active true", "candidate false", "candidate false"])
        const { newDependencies } = yield* write(rows)
        assert.deepStrictEqual(yield* status, ["active true", "active true", "candidate false"])
        assert.strictEqual(newDependencies, 1)
      })
    )
  })

  layer(everything, { excludeTestServices: true })("sums", (it) => {
    it.effect(
      "equal the input exactly, in every table, over several slices and windows",
      Effect.fnUntraced(function* () {
        const edges = manyEdges(500, 100, { bytesToServer: 2 ** 51 + 1 })
        const attempt = edge({ kind: "attempt", client: "198.51.100.1", server: "10.0.0.1", flows: 7, attempt: true })
        for (const windowStart of [monday, monday, monday + 300_000]) {
          yield* put(sliceOf(collapsed(edges, [attempt]), { windowStart }))
        }
        const times = 3n
        const sum = (of: (each: Edge) => number) => edges.reduce((total, each) => total + BigInt(of(each)), 0n) * times
        const expected = {
          flows: sum((each) => each.flows),
          packets: sum((each) => each.packets),
          toServer: sum((each) => each.bytesToServer),
          toClient: sum((each) => each.bytesToClient)
        }
        const total =
          "sum(total_flows)::text AS flows, sum(total_packets)::text AS packets, sum(bytes_to_server)::text AS a, sum(bytes_to_client)::text AS b"
        const text = {
          flows: `${expected.flows}`,
          packets: `${expected.packets}`,
          a: `${expected.toServer}`,
          b: `${expected.toClient}`
        }
        assert.deepStrictEqual(yield* query(`SELECT ${total} FROM dependencies`), [text])
        assert.deepStrictEqual(
          yield* query(
            "SELECT sum(flows)::text AS flows, sum(packets)::text AS packets, sum(bytes_to_server)::text AS a, sum(bytes_to_client)::text AS b FROM flow_stats"
          ),
          [text]
        )
        const [windows] = yield* query<{ flows: string; bytes: string; attempts: string; balanced: boolean }>(
          "SELECT sum(flows)::text AS flows, sum(bytes)::text AS bytes, sum(attempts)::text AS attempts, bool_and(records = counted + duplicates) AS balanced FROM windows"
        )
        assert.deepStrictEqual(windows, {
          flows: `${expected.flows + 21n}`,
          bytes: `${expected.toServer + expected.toClient + 5000n * times}`,
          attempts: "21",
          balanced: true
        })
        assert.deepStrictEqual(yield* query("SELECT DISTINCT windows FROM dependencies"), [{ windows: 2 }])
        // an attempt is no reason for an asset
        assert.deepStrictEqual(yield* query("SELECT 1 FROM assets WHERE name = '198.51.100.1'"), [])
      })
    )

    it.effect(
      "saturate where an exporter claims more than a counter holds, and the slice is written",
      Effect.fnUntraced(function* () {
        const claims = { bytesToServer: 2 ** 64, packets: Number.NaN, rawBytes: Number.POSITIVE_INFINITY, fanIn: 2 ** 40, flows: 1 }
        const edges = Array.from({ length: 1200 }, (_, n) =>
          edge({ client: `10.200.${n >> 8}.${n & 255}`, server: "10.201.0.1", ...claims })
        )
        for (let n = 0; n < 3; n++) assert.isTrue((yield* write(edges, { windowStart: monday + 86_400_000 })).written)
        yield* query("DELETE FROM dependencies WHERE host(target_address) = '10.201.0.1'")
        yield* query("DELETE FROM assets WHERE name LIKE '10.20_.%'")
      })
    )

    it.effect(
      "of clients and servers stand with each asset as its dependencies count",
      Effect.fnUntraced(function* () {
        const wrong = yield* query(`SELECT a.id FROM assets a WHERE
          clients <> (SELECT count(*) FROM dependencies d WHERE d.target_id = a.id AND d.status = 'active') OR
          servers <> (SELECT count(*) FROM dependencies d WHERE d.source_id = a.id AND d.status = 'active') OR
          bytes <> (SELECT COALESCE(sum(total_bytes), 0) FROM dependencies d WHERE a.id IN (d.source_id, d.target_id))`)
        assert.deepStrictEqual(wrong, [])
      })
    )

    it.effect(
      "do not change when a slice is written twice, nor by one that fails",
      Effect.fnUntraced(function* () {
        const slice = sliceOf(collapsed(manyEdges(50, 20)))
        assert.isTrue((yield* put(slice)).written)
        const before = yield* state
        const again = yield* put(slice)
        assert.deepStrictEqual([again.written, again.edges, again.newAssets], [false, 0, 0])
        // merged with one that was not written yet, neither is, and the answer says which one was
        const [old] = slice.claims
        const fresh = claimOf({ records: 3, rows: 1 })
        const merged = yield* put({ ...slice, claims: [fresh, old!] })
        assert.strictEqual(merged.written, false)
        assert.deepStrictEqual(merged.alreadyWritten, [{ boot: old!.boot, worker: old!.worker, sequence: old!.sequence }])
        const failing = sliceOf(collapsed([...manyEdges(50, 20), edge({ client: "no address", server: "10.0.0.1" })]))
        assert.strictEqual((yield* Effect.flip(put(failing)))._tag, "SqlError")
        assert.deepStrictEqual(yield* state, before)
        // it was not half written: the same name is free again
        assert.isTrue((yield* put({ ...failing, slice: streamed(collapsed(manyEdges(1, 20))) })).written)
        const [counted] = yield* query<{ slices: number }>("SELECT sum(slices)::int AS slices FROM windows")
        assert.isTrue((yield* put(sliceOf(collapsed([]), { claims: [fresh, claimOf()] }))).written)
        assert.deepStrictEqual(yield* query("SELECT sum(slices)::int AS slices FROM windows"), [{ slices: counted!.slices + 2 }])
      })
    )

    it.effect(
      "make stored confidence and direction what anyone computes from the stored terms",
      Effect.fnUntraced(function* () {
        yield* write(manyEdges(200, 60, { sampling: 100, bothDirections: false, synReverse: 3, portRank: -1, fanIn: 4 }))
        yield* write(manyEdges(200, 60, { fanInAgainst: 7, clientPorts: -3, history: -2 }))
        yield* write(manyEdges(100, 60, { history: 12, portRank: 3, companion: true }))
        yield* write([edge({ client: "10.5.0.1", server: "10.5.0.2", declared: true })])
        const rows = yield* query<Record<string, never>>("SELECT * FROM dependencies")
        assert.isAbove(rows.length, 200)
        for (const row of rows as ReadonlyArray<Record<string, unknown>>) {
          const margin = directionMargin({
            synForward: Number(row["syn_forward"]),
            synReverse: Number(row["syn_reverse"]),
            synAckForward: Number(row["syn_ack_forward"]),
            synAckReverse: Number(row["syn_ack_reverse"]),
            beganForward: Number(row["began_forward"]),
            beganReverse: Number(row["began_reverse"]),
            portRank: row["port_rank"] as number,
            fanIn: row["fan_in"] as number,
            fanInAgainst: row["fan_in_against"] as number,
            history: row["history"] as number,
            companion: row["companion"] as boolean,
            clientPorts: Number(row["client_ports"]),
            declared: row["declared"] as boolean
          })
          assert.closeTo(row["direction_weight"] as number, margin, 1e-12)
          assert.closeTo(
            row["confidence"] as number,
            confidence({
              records: Number(row["total_flows"]),
              windows: row["windows"] as number,
              bothDirections: row["both_directions"] as boolean,
              exporters: row["exporters"] as number,
              direction: margin,
              sampled: (row["sampling"] as number) > 1
            }),
            1e-12
          )
        }
      })
    )
  })

  layer(everything, { excludeTestServices: true })("a slice of a window that is known", (it) => {
    it.effect(
      "changes no index, however many slices came before",
      Effect.fnUntraced(function* () {
        const edges = manyEdges(3000, 600)
        // its snapshot would keep versions that pages are to be cleared of
        yield* write([])
        for (const table of ["dependencies", "services", "flow_stats_20260105"])
          yield* query(`ALTER TABLE ${table} SET (autovacuum_enabled = false)`)
        const count = query("SELECT pg_stat_force_next_flush()").pipe(
          Effect.andThen(
            query<{ name: string; updated: number; inPlace: number }>(
              `SELECT relname AS name, n_tup_upd::int AS updated, n_tup_hot_upd::int AS "inPlace" FROM pg_stat_user_tables
                WHERE relname IN ('dependencies', 'flow_stats_20260105', 'services') ORDER BY 1`
            )
          )
        )
        // the server analyses catalogs when it likes, and its snapshot keeps old versions in their pages: some rounds without one suffice,
        // while a change of an indexed column is in place in no round
        for (let round = 1; ; round++) {
          const before = yield* count
          for (let n = 0; n < 8; n++) yield* write(edges)
          const rows = yield* count
          assert.strictEqual(rows.length, 3)
          const shares = rows.map(({ updated, inPlace }, i) => {
            assert.isAbove(updated - before[i]!.updated, 1000)
            return (inPlace - before[i]!.inPlace) / (updated - before[i]!.updated)
          })
          if (Math.min(...shares) > 0.9) break
          assert.isBelow(round, 6, `in place: ${shares.join(", ")}`)
        }
      })
    )
  })

  layer(everything, { excludeTestServices: true })("thresholds", (it) => {
    it.effect(
      "the third flow makes a dependency and the fifth an asset, exactly one under 8 concurrent workers",
      Effect.fnUntraced(function* () {
        const one = edge({ client: "10.1.0.1", server: "10.1.0.2", flows: 1 })
        const lists = Effect.all([AssetStore.use((store) => store.page({})), DependencyStore.use((store) => store.page({}))]).pipe(
          Effect.map(([assets, dependencies]) => [assets.total, dependencies.total])
        )
        const seen: Array<ReadonlyArray<number>> = []
        for (let flow = 1; flow <= 5; flow++) {
          yield* write([one])
          seen.push(yield* lists)
        }
        assert.deepStrictEqual(seen, [
          [0, 0],
          [0, 0],
          [0, 1],
          [0, 1],
          [2, 1]
        ])

        const edges = manyEdges(400, 80)
        const results = yield* Effect.forEach(
          Array.from({ length: 8 }),
          (_, worker) => write([...edges].reverse().slice(worker * 10), { claims: [claimOf({ worker: `worker-${worker}` })] }),
          { concurrency: 8 }
        )
        assert.isTrue(results.every((result) => result.written))
        assert.deepStrictEqual(
          yield* query("SELECT address FROM asset_address WHERE until IS NULL GROUP BY address HAVING count(*) > 1"),
          []
        )
        assert.deepStrictEqual(yield* query("SELECT name FROM assets GROUP BY name HAVING count(*) > 1"), [])
        const [flows] = yield* query<{ n: string }>(
          "SELECT sum(total_flows)::text AS n FROM dependencies WHERE source_address <> '10.1.0.1'"
        )
        const expected = results.reduce(
          (sum, _, worker) =>
            sum +
            [...edges]
              .reverse()
              .slice(worker * 10)
              .reduce((all, each) => all + each.flows, 0),
          0
        )
        assert.strictEqual(Number(flows!.n), expected)
      })
    )
  })

  layer(everything, { excludeTestServices: true })("time", (it) => {
    /** An exporter, and when it was heard well; -1 as the end: it goes on. */
    const looked = (address: string, ...spans: ReadonlyArray<readonly [since: number, until: number]>) =>
      Effect.gen(function* () {
        const at = (ms: number) => `to_timestamp(${ms / 1000})`
        const last = Math.max(...spans.map(([since, until]) => Math.max(since, until)))
        yield* query(`INSERT INTO exporters (address, protocol, state, first_seen, last_seen)
          VALUES ('${address}', 'netflow9', 'heard', ${at(spans[0]![0])}, ${at(last)})
          ON CONFLICT (address, protocol) DO UPDATE SET last_seen = excluded.last_seen`)
        for (const [since, until] of spans)
          yield* query(`INSERT INTO coverage_span SELECT id, ${at(since)}, ${at(until)}, false FROM exporters WHERE address = '${address}'
            ON CONFLICT (exporter_id, since) DO UPDATE SET until = excluded.until`)
      })
    const sweep = (upTo: number) => DependencyStore.use((store) => store.sweepStale({ staleAfterHours, upTo }))

    it.effect(
      "a dependency that stops and starts has two spans, and is not there in between",
      Effect.fnUntraced(function* () {
        const exporter = "192.0.2.3"
        const seen = (first: number, last: number) => edge({ client: "10.3.0.1", server: "10.3.0.2", exporter, first, last })
        const later = monday + (staleAfterHours + 24) * hour
        yield* looked(exporter, [monday, later])
        yield* write([seen(monday, monday + hour)])
        assert.strictEqual(yield* sweep(later - hour), 1)
        const again = yield* write([seen(later, later + hour)], { windowStart: later })
        assert.strictEqual(again.reopenedDependencies, 1)
        assert.strictEqual(again.newDependencies, 0)
        const [row] = yield* dependency("10.3.0.1", "10.3.0.2")
        const detail = yield* DependencyStore.use((store) => store.get(String(row!.id) as DependencyId))
        assert.deepStrictEqual(
          detail.spans.map((span) => [span.since.epochMilliseconds, span.until?.epochMilliseconds]),
          [
            [monday, monday + hour],
            [later, undefined]
          ]
        )
        const total = (at: number) =>
          DependencyStore.use((store) => store.page({}, new Date(at))).pipe(Effect.map((page) => page.total))
        assert.deepStrictEqual(
          [yield* total(monday - 1), yield* total(monday + 1), yield* total(monday + 50 * hour), yield* total(later + 1)],
          [0, 1, 0, 1]
        )
        // a late slice of the first time moves no span
        yield* write([seen(monday + 10, monday + 20)])
        assert.strictEqual((yield* DependencyStore.use((store) => store.get(detail.id))).spans.length, 2)
      })
    )

    it.effect(
      "a silence in which nobody looked ends no span, however long",
      Effect.fnUntraced(function* () {
        const exporter = "192.0.2.5"
        const seen = (at: number) => edge({ client: "10.5.0.1", server: "10.5.0.2", exporter, first: at, last: at })
        const later = monday + 10 * staleAfterHours * hour
        yield* looked(exporter, [monday, monday + hour], [later, later + hour])
        yield* write([seen(monday)])
        assert.strictEqual(yield* sweep(later), 0)
        const again = yield* write([seen(later)], { windowStart: later })
        assert.strictEqual(again.reopenedDependencies, 0)
        const [row] = yield* dependency("10.5.0.1", "10.5.0.2")
        assert.strictEqual((yield* DependencyStore.use((store) => store.get(String(row!.id) as DependencyId))).spans.length, 1)
      })
    )

    it.effect(
      "goes stale after so many hours of looking, at the time they were over, and comes back",
      Effect.fnUntraced(function* () {
        const exporter = "192.0.2.1"
        yield* write([edge({ client: "10.4.0.1", server: "10.4.0.2", exporter, first: monday, last: monday })])
        const state = dependency("10.4.0.1", "10.4.0.2").pipe(Effect.map(([row]) => [row!.status, row!["stale_at"]]))
        // silent after an hour: however much later, nothing is known of it
        yield* looked(exporter, [monday, monday + hour])
        const upTo = monday + 3000 * hour
        assert.strictEqual(yield* sweep(upTo), 0)
        assert.deepStrictEqual(yield* state, ["active", null])
        // heard again a thousand hours later: the remaining 167 hours are counted from there
        const back = monday + 1000 * hour
        yield* looked(exporter, [monday, monday + hour], [back, back + 166.5 * hour])
        assert.strictEqual(yield* sweep(upTo), 0)
        yield* looked(exporter, [back, back + 200 * hour])
        // what was seen in the last hour may not be written yet
        assert.strictEqual(yield* sweep(back + 166 * hour), 0)
        assert.strictEqual(yield* sweep(upTo), 1)
        assert.strictEqual(yield* sweep(upTo), 0)
        assert.deepStrictEqual(yield* state, ["stale", new Date(back + 167 * hour)])
        assert.deepStrictEqual(yield* query("SELECT clients, servers FROM assets WHERE name IN ('10.4.0.1', '10.4.0.2')"), [
          { clients: 0, servers: 0 },
          { clients: 0, servers: 0 }
        ])
        const now = Date.now()
        yield* write([edge({ client: "10.4.0.1", server: "10.4.0.2", exporter, first: now, last: now })], { windowStart: now })
        assert.strictEqual((yield* state)[0], "active")
        const [row] = yield* dependency("10.4.0.1", "10.4.0.2")
        assert.strictEqual((yield* DependencyStore.use((store) => store.get(String(row!.id) as DependencyId))).spans.length, 2)
        assert.deepStrictEqual(yield* query("SELECT clients FROM assets WHERE name = '10.4.0.2'"), [{ clients: 1 }])
      })
    )

    it.effect(
      "of several exporters that saw it, one that looks is enough, and none of the others",
      Effect.fnUntraced(function* () {
        const seen = (server: string, ...by: ReadonlyArray<string>) =>
          edge({
            client: "10.8.0.1",
            server,
            exporter: by[0]!,
            first: monday,
            last: monday,
            observers: by.slice(1).map((exporter) => ({ exporter, owner: false, records: 3, bytes: 100, packets: 3 }))
          })
        yield* write([
          seen("10.8.0.2", "192.0.2.10"),
          seen("10.8.0.3", "192.0.2.10", "192.0.2.11"),
          seen("10.8.0.4", "192.0.2.11"),
          seen("10.8.0.5", "192.0.2.12")
        ])
        yield* looked("192.0.2.10", [monday, monday + 100 * hour])
        yield* looked("192.0.2.11", [monday + 50 * hour, monday + 180 * hour])
        yield* looked("192.0.2.13", [monday, monday + 500 * hour])
        yield* sweep(monday + 500 * hour)
        assert.deepStrictEqual(
          yield* query(`SELECT host(target_address) AS server, stale_at FROM dependencies WHERE host(source_address) = '10.8.0.1'
            AND status = 'stale'`),
          [{ server: "10.8.0.3", stale_at: new Date(monday + 168 * hour) }]
        )
      })
    )
  })

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
        yield* write([
          guessed,
          edge({ ...certain, client: "10.9.0.2", server: "10.9.0.1", bytesToServer: 100, bytesToClient: 200 })
        ])
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

  layer(everything, { excludeTestServices: true })("observers", (it) => {
    it.effect(
      "are kept beside the owner, who may change, and each counts once",
      Effect.fnUntraced(function* () {
        const seen = (exporter: string, others: ReadonlyArray<string> = []) =>
          edge({
            client: "10.10.0.1",
            server: "10.10.0.2",
            exporter,
            exporterToClient: exporter,
            observers: others.map((other) => ({ exporter: other, records: 4, bytes: 40, packets: 4 }))
          })
        const exporters = Effect.gen(function* () {
          const [row] = yield* dependency("10.10.0.1", "10.10.0.2")
          const detail = yield* DependencyStore.use((store) => store.get(String(row!.id) as DependencyId))
          assert.strictEqual(detail.exporters.length, detail.terms.exporters)
          return detail.exporters.map((one) => `${one.address} ${one.owner ? "owner " : ""}${one.records}`).sort()
        })
        yield* write([seen("192.0.2.1")])
        yield* write([seen("192.0.2.1")])
        assert.deepStrictEqual(yield* exporters, ["192.0.2.1 owner 20"])
        yield* write([seen("192.0.2.1", ["192.0.2.2"])])
        assert.deepStrictEqual(yield* exporters, ["192.0.2.1 owner 30", "192.0.2.2 4"])
        yield* write([seen("192.0.2.3")])
        assert.deepStrictEqual(yield* exporters, ["192.0.2.1 30", "192.0.2.2 4", "192.0.2.3 owner 10"])
      })
    )
  })

  layer(everything, { excludeTestServices: true })("identity", (it) => {
    it.effect(
      "two addresses of one asset make one dependency, and none with itself",
      Effect.fnUntraced(function* () {
        yield* write([edge({ client: "10.11.0.1", server: "10.11.0.9" })])
        const [asset] = yield* query<{ id: bigint }>("SELECT id FROM assets WHERE name = '10.11.0.1'")
        yield* query(`INSERT INTO asset_address (asset_id, address, since) VALUES (${asset!.id}, '10.11.0.2', now())`)
        yield* write([
          edge({ client: "10.11.0.1", server: "10.11.0.9", bytesToServer: 1 }),
          edge({ client: "10.11.0.2", server: "10.11.0.9", bytesToServer: 2 }),
          edge({ client: "10.11.0.2", server: "10.11.0.1" })
        ])
        const rows = yield* query(
          "SELECT bytes_to_server AS bytes, total_flows AS flows FROM dependencies WHERE host(target_address) LIKE '10.11.%'"
        )
        assert.deepStrictEqual(rows, [{ bytes: 1003n, flows: 30n }])
        const detail = yield* AssetStore.use((store) => store.get(String(asset!.id) as AssetId))
        assert.strictEqual(detail.addressHistory.length, 2)
      })
    )
  })
})
