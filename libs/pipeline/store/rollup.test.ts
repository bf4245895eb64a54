import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { ensurePartition, listPartitions, partitionName } from "./partitions.ts"
import { keepDays, makeRoom, nextToGo } from "./retention.ts"
import { rollUp } from "./rollup.ts"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const monday = Date.UTC(2026, 0, 5)

/** A window as the resolver leaves it: its account and its rows. */
const writeWindow = Effect.fnUntraced(function* (
  start: number,
  rows: ReadonlyArray<readonly [source: number, target: number, octets: bigint]>
) {
  const sql = yield* SqlClient.SqlClient
  yield* ensurePartition("flow_stats", start)
  yield* sql`INSERT INTO windows AS w (start, seconds, slices, written_at) VALUES (${new Date(start)}, 300, 1, clock_timestamp())
    ON CONFLICT (start) DO UPDATE SET slices = w.slices + 1, written_at = excluded.written_at`
  for (const [source, target, octets] of rows) {
    yield* sql`INSERT INTO flow_stats AS f (time, source_id, target_id, protocol, port, flows, packets, bytes_to_server, bytes_to_client)
      VALUES (${new Date(start)}, ${source}, ${target}, 6, 443, 1, 2, ${octets}, 7)
      ON CONFLICT (source_id, time, target_id, protocol, port) DO UPDATE SET flows = f.flows + 1, packets = f.packets + 2,
        bytes_to_server = f.bytes_to_server + excluded.bytes_to_server, bytes_to_client = f.bytes_to_client + 7`
  }
})

const sumsOf = Effect.fnUntraced(function* (table: string, from: number, until: number) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql`SELECT source_id, target_id, sum(flows)::text AS flows, sum(packets)::text AS packets,
      sum(bytes_to_server)::text AS up, sum(bytes_to_client)::text AS down FROM ${sql(table)}
    WHERE time >= ${new Date(from)} AND time < ${new Date(until)} GROUP BY 1, 2 ORDER BY 1, 2`
})

const agree = Effect.fnUntraced(function* (from: number, until: number) {
  const windows = yield* sumsOf("flow_stats", from, until)
  assert.isNotEmpty(windows)
  assert.deepStrictEqual(yield* sumsOf("flow_stats_hour", from, until), windows)
  assert.deepStrictEqual(yield* sumsOf("flow_stats_day", from, until), windows)
})

const clear = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const { name } of yield* listPartitions()) yield* sql`DROP TABLE ${sql(name)}`
  yield* sql`TRUNCATE windows, rollups`
})

layer(layerTestDatabase, { excludeTestServices: true })("rolling up", (it) => {
  it.effect(
    "makes hours and days that agree with their windows, past 2^53, and again when a slice came late",
    Effect.fnUntraced(function* () {
      yield* clear
      for (let at = monday; at < monday + day; at += 25 * minute) {
        yield* writeWindow(at - (at % (5 * minute)), [
          [1, 2, 9_007_199_254_740_993n],
          [3, 2, BigInt(at % 1000) + 1n]
        ])
      }
      const later = { now: monday + 2 * day, settleSeconds: 180 }
      assert.deepStrictEqual(yield* rollUp(later), { hours: 24, days: 1 })
      yield* agree(monday, monday + day)
      assert.deepStrictEqual(yield* rollUp(later), { hours: 0, days: 0 })
      yield* writeWindow(monday + 3 * hour, [[1, 2, 5n]])
      assert.deepStrictEqual(yield* rollUp(later), { hours: 1, days: 1 })
      yield* agree(monday, monday + day)
    })
  )

  it.effect(
    "leaves an hour alone until late records had their time, and one that the journal still has traffic of",
    Effect.fnUntraced(function* () {
      yield* clear
      const sql = yield* SqlClient.SqlClient
      yield* writeWindow(monday + hour, [[1, 2, 5n]])
      const at = (now: number) => rollUp({ now, settleSeconds: 180 })
      assert.strictEqual((yield* at(monday + 2 * hour + 2 * minute)).hours, 0)
      yield* sql`INSERT INTO window_journal (window_start, exporters, entry) VALUES (${new Date(monday + hour)}, '{}', '')`
      assert.strictEqual((yield* at(monday + 2 * hour + 4 * minute)).hours, 0)
      yield* sql`DELETE FROM window_journal`
      assert.strictEqual((yield* at(monday + 2 * hour + 4 * minute)).hours, 1)
    })
  )
})

const days = { flow_raw: 7, flow_stats: 2, coverage: 2, flow_stats_hour: 40, flow_stats_day: 400 }

layer(layerTestDatabase, { excludeTestServices: true })("retention", (it) => {
  it.effect(
    "drops whole partitions by age, keeps the hours of what is gone, and waits for what was not rolled up",
    Effect.fnUntraced(function* () {
      yield* clear
      for (let at = 0; at < 5; at++) yield* writeWindow(monday + at * day + hour, [[1, 2, 100n]])
      const now = monday + 5 * day
      // the roll-up was held up: the oldest days are waited for
      assert.deepStrictEqual(yield* keepDays(days, now), [])
      yield* rollUp({ now, settleSeconds: 0 })
      const gone = yield* keepDays(days, now)
      assert.deepStrictEqual(gone, ["flow_stats_20260105", "flow_stats_20260106", "flow_stats_20260107"])
      const [row] = yield* sumsOf("flow_stats_hour", monday, now)
      assert.strictEqual(row?.["up"], "500")
      // a late slice for a day that is gone must not empty the hours that were made of it
      assert.strictEqual((yield* rollUp({ now, settleSeconds: 0 })).hours, 0)
      assert.strictEqual((yield* sumsOf("flow_stats_day", monday, now))[0]?.["up"], "500")
      yield* keepDays(days, now + 900 * day)
      assert.deepStrictEqual(yield* listPartitions(), [])
    })
  )

  it.effect(
    "makes room from the oldest and finest, and never from what is being written",
    Effect.fnUntraced(function* () {
      yield* clear
      const now = monday + day + hour
      yield* ensurePartition("flow_stats", monday)
      yield* ensurePartition("flow_stats", now)
      yield* ensurePartition("coverage", monday - day)
      yield* ensurePartition("flow_stats_hour", monday)
      const went: Array<string | undefined> = []
      for (let i = 0; i < 3; i++) went.push((yield* makeRoom(now))?.name)
      assert.deepStrictEqual(went, ["flow_stats_20260105", "coverage_20260104", undefined])
      assert.deepStrictEqual(
        (yield* listPartitions()).map(({ name }) => name).toSorted(),
        [partitionName("flow_stats", now), "flow_stats_hour_202601"].toSorted()
      )
      assert.strictEqual(nextToGo(yield* listPartitions(), now + 40 * day)?.name, partitionName("flow_stats", now))
    })
  )
})
