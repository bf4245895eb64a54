import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { dropBefore, ensurePartition, makeAhead, partitionName } from "./partitions.ts"
import { makeProbe } from "./Sql.ts"

const monday = Date.UTC(2026, 0, 5, 10)
const day = 86_400_000

layer(layerTestDatabase, { excludeTestServices: true })("partitions", (it) => {
  const names = Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql<{ name: string }>`SELECT relname AS name FROM pg_inherits JOIN pg_class ON oid = inhrelid
      WHERE inhparent = 'flow_stats'::regclass ORDER BY 1`
  ).pipe(Effect.map((rows) => rows.map((row) => row.name)))

  it.effect(
    "are made once a day, by however many ask at once, and dropped whole",
    Effect.fnUntraced(function* () {
      yield* Effect.all(
        Array.from({ length: 8 }, () => ensurePartition("flow_stats", monday)),
        { concurrency: 8 }
      )
      yield* ensurePartition("flow_stats", monday + day)
      assert.deepStrictEqual(yield* names, ["flow_stats_20260105", "flow_stats_20260106"])
      assert.deepStrictEqual(yield* dropBefore("flow_stats", monday + day), ["flow_stats_20260105"])
      yield* makeAhead(2)
      assert.strictEqual((yield* names).length, 4)
      assert.include(yield* names, partitionName("flow_stats", Date.now() + 2 * day))
    })
  )

  it.effect(
    "keep a query of one day to that day",
    Effect.fnUntraced(function* () {
      const sql = yield* SqlClient.SqlClient
      for (let at = 0; at < 5; at++) yield* ensurePartition("flow_stats", monday + at * day)
      const plan =
        yield* sql`EXPLAIN SELECT sum(flows) FROM flow_stats WHERE time >= '2026-01-06T00:00:00Z' AND time < '2026-01-07T00:00:00Z'`
      const text = plan.map((row) => row["QUERY PLAN"]).join("\n")
      assert.include(text, "flow_stats_20260106")
      assert.notInclude(text, "flow_stats_20260105")
      assert.notInclude(text, "flow_stats_20260107")
    })
  )

  it.effect(
    "a probe says that the database is there, and how far",
    Effect.fnUntraced(function* () {
      const reading = yield* makeProbe()
      assert.isTrue(reading.reachable)
      assert.isAbove(reading.roundTripMs!, 0)
      assert.match(reading.version!, /^[0-9]+/)
    })
  )
})
