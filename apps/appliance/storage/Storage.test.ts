import { tmpdir } from "node:os"
import { assert, layer } from "@effect/vitest"
import { Duration, Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { Registry } from "#pipeline/actor/Registry.ts"
import { AuditStore } from "#pipeline/store/AuditStore.ts"
import { ensurePartition, listPartitions, partitionName } from "#pipeline/store/partitions.ts"
import { later } from "../../../test/rig/clock.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { Database } from "../postgres/Database.ts"
import { Storage } from "./Storage.ts"

const dayMs = 86_400_000
const url = Redacted.make("postgres://test")
const embedded = Layer.succeed(Database, Database.of({ embedded: true, url, status: Effect.succeed(undefined) }))
const elsewhere = Layer.succeed(Database, Database.of({ embedded: false, url, status: Effect.succeed(undefined) }))
const days = { flow_raw: 7, flow_stats: 30, coverage: 30, flow_stats_hour: 400, flow_stats_day: 4000 }

const options = { dataFolder: tmpdir(), days, auditDays: 400, reserveBytes: 1, mostBytes: 0, settleSeconds: 180 }
const running = (changed: Partial<typeof options>, where = embedded) =>
  Storage.layer({ ...options, ...changed }).pipe(Layer.provide([where, Registry.layer, AuditStore.layer]))

/** Partitions of today and of the days before it. */
const fill = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const { name } of yield* listPartitions()) yield* sql`DROP TABLE ${sql(name)}`
  for (const age of [0, 1, 2, 40]) yield* ensurePartition("flow_stats", Date.now() - age * dayMs)
})
const names = Effect.map(listPartitions(), (all) => all.map(({ name }) => name))
const today = () => partitionName("flow_stats", Date.now())

const settled = Effect.gen(function* () {
  const storage = yield* Storage
  for (;;) {
    const reading = yield* storage.read
    if (reading.classes.length > 0) return reading
    yield* Effect.sleep("20 millis")
  }
})

layer(layerTestDatabase, { excludeTestServices: true })("storage", (it) => {
  it.effect(
    "drops what is older than it is kept, and says how much of each kind there is",
    Effect.fnUntraced(function* () {
      yield* fill
      const old = partitionName("flow_stats", Date.now() - 40 * dayMs)
      const reading = yield* settled.pipe(Effect.provide(running({})))
      assert.deepStrictEqual(
        reading.dropped.map(({ name, why }) => [name, why]),
        [[old, "age"]]
      )
      assert.isFalse(reading.exhausted)
      const kept = reading.classes.find(({ name }) => name === "flow_stats")
      assert.strictEqual(kept?.partitions, 3)
      assert.isTrue(kept!.bytes > 0n)
    })
  )

  it.effect(
    "drops the oldest until there is room, never what is being written, and says when nothing is left",
    Effect.fnUntraced(function* () {
      yield* fill
      const reading = yield* settled.pipe(Effect.provide(running({ reserveBytes: Number.MAX_SAFE_INTEGER })))
      assert.strictEqual(reading.dropped.filter(({ why }) => why === "room").length, 3)
      assert.isTrue(reading.exhausted)
      assert.deepStrictEqual(yield* names, [today()])
    })
  )

  it.effect(
    "knows the disk of its own database only, but the size of any",
    Effect.fnUntraced(function* () {
      yield* fill
      const full = yield* settled.pipe(Effect.provide(running({ reserveBytes: Number.MAX_SAFE_INTEGER }, elsewhere)))
      assert.strictEqual(full.dropped.filter(({ why }) => why === "room").length, 0)
      yield* settled.pipe(Effect.provide(running({ mostBytes: 1 }, elsewhere)))
      assert.deepStrictEqual(yield* names, [today()])
    })
  )

  it.effect(
    "forgets audit entries that are older than they are kept, and none where they are kept for ever",
    Effect.fnUntraced(function* () {
      const audit = yield* AuditStore
      const entry = { actor: "anna", via: "session", source: null, action: "session.login", outcome: "done" } as const
      yield* later(Duration.days(-401))(audit.append(entry))
      yield* audit.append(entry)
      const actions = Effect.map(audit.list({ limit: 10, order: "ascending" }), ({ items }) => items.map(({ action }) => action))
      yield* settled.pipe(Effect.provide(running({ auditDays: 0 })))
      assert.deepStrictEqual(yield* actions, ["session.login", "session.login"])
      yield* settled.pipe(Effect.provide(running({})))
      assert.deepStrictEqual(yield* actions, ["session.login", "audit.forget"])
    }, Effect.provide(AuditStore.layer))
  )
})
