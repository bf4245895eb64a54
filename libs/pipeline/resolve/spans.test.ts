import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { DependencyId } from "#domain/ids.ts"
import { edge, monday } from "../../../test/rig/slices.ts"
import { DependencyStore } from "../store/DependencyStore.ts"
import { dependency, everything, hour, query, write } from "./Resolver.fixture.ts"

const staleAfterHours = 168

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
