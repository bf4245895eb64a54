import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { confidence } from "#domain/confidence.ts"
import { directionMargin } from "#domain/direction.ts"
import type { AssetId, DependencyId } from "#domain/ids.ts"
import { claimOf, collapsed, edge, manyEdges, monday, sliceOf, streamed } from "../../../test/rig/slices.ts"
import { AssetStore } from "../store/AssetStore.ts"
import { DependencyStore } from "../store/DependencyStore.ts"
import type { Edge } from "./collapse/edges.ts"
import { dependency, everything, put, query, write } from "./Resolver.fixture.ts"

/** Everything a slice can change, to compare before and after. */
const state = Effect.all([
  query("SELECT * FROM assets ORDER BY id"),
  query("SELECT * FROM dependencies ORDER BY id"),
  query("SELECT * FROM flow_stats ORDER BY 1, 2, 3, 4, 5"),
  query("SELECT * FROM dependency_exporter ORDER BY 1, 2"),
  query("SELECT * FROM services ORDER BY 1, 2, 3"),
  query("SELECT * FROM windows ORDER BY 1")
])

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
