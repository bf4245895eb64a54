import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { BootStore } from "./BootStore.ts"

const boot = (n: number) => `00000000-0000-4000-8000-00000000000${n}`

layer(BootStore.layer.pipe(Layer.provideMerge(layerTestDatabase)))("BootStore", (it) => {
  it.effect("says what a hard stop cost: not what is in the spool, not what was committed, and what only a note knows", () =>
    Effect.gen(function* () {
      const boots = yield* BootStore
      const sql = yield* SqlClient.SqlClient
      for (const n of [1, 2, 3]) yield* boots.begin(boot(n), "test").pipe(Effect.asVoid)
      // each of those told of the ones before it
      yield* sql`UPDATE boots SET reported_at = NULL`
      yield* boots.progress(boot(1), { datagrams: 10, records: 1000, recordsWritten: 300 })
      yield* sql`INSERT INTO window_writes (boot, worker, sequence, window_start, records, rows)
        VALUES (${boot(1)}::uuid, 'worker-1', 0, now(), 300, 1), (${boot(1)}::uuid, 'worker-1', 1, now(), 200, 1)`
      const at = Date.now()
      const note = (n: number, records: number, clean: boolean) => ({
        boot: boot(n),
        at,
        clean,
        datagrams: 5,
        records,
        recordsWritten: 0
      })
      const unclean = yield* boots.begin(boot(4), "test", {
        notes: [note(2, 700, false), note(3, 900, true)],
        spooled: [
          { boot: boot(1), records: 100 },
          { boot: boot(1), records: 150 },
          { boot: boot(2), records: 650 },
          { boot: boot(3), records: 900 }
        ]
      })
      assert.deepStrictEqual(unclean.map((one) => [one.boot, one.recordsLost]).sort(), [
        [boot(1), 250n],
        [boot(2), 50n]
      ])
      assert.deepStrictEqual(
        yield* boots.written([
          { boot: boot(1), worker: "worker-1", sequence: 7 },
          { boot: boot(1), worker: "worker-1", sequence: 1 },
          { boot: boot(2), worker: "worker-1", sequence: 1 }
        ]),
        [false, true, false]
      )
      yield* boots.settle([boot(1), boot(2)])
      const [row] = yield* sql<{ written: bigint }>`SELECT records_written AS written FROM boots WHERE boot = ${boot(1)}::uuid`
      assert.strictEqual(row!.written, 500n)
      const [clean] = yield* sql<{ records: bigint; stopped: boolean }>`
        SELECT records, stopped_at IS NOT NULL AS stopped FROM boots WHERE boot = ${boot(3)}::uuid`
      assert.deepStrictEqual(clean, { records: 900n, stopped: true })
      // progress that is kept after the end does not undo it
      yield* boots.end(boot(2), { datagrams: 1, records: 1, recordsWritten: 1 })
      yield* boots.progress(boot(2), { datagrams: 1, records: 1, recordsWritten: 1 })
      const [ended] = yield* sql<{
        stopped: boolean
      }>`SELECT stopped_at IS NOT NULL AS stopped FROM boots WHERE boot = ${boot(2)}::uuid`
      assert.isTrue(ended!.stopped)
      // each is told once
      const next = yield* boots.begin(boot(5), "test")
      assert.deepStrictEqual(
        next.map((one) => [one.boot, one.recordsLost]),
        [[boot(4), 0n]]
      )
    })
  )
})
