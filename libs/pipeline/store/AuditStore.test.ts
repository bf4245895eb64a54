import { assert, layer } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { later } from "../../../test/rig/clock.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { AuditStore } from "./AuditStore.ts"

const entry = (n: number) => ({
  actor: `anna${n}`,
  via: "session" as const,
  source: "192.0.2.7",
  action: "operator.add",
  subject: `bob${n}`,
  outcome: "done" as const,
  detail: { role: "viewer", n: String(n) }
})

const ago = (days: number) => new Date(Date.now() - days * 86_400_000)

const sqlState = (error: SqlError.SqlError) => (error.reason.cause as { readonly code?: string }).code

/** What somebody with the superuser's rights could do. */
const behindTheTriggers = <A, E, R>(change: (sql: SqlClient.SqlClient) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(
      Effect.gen(function* () {
        yield* sql`ALTER TABLE audit_log DISABLE TRIGGER USER`
        yield* sql`ALTER TABLE audit_head DISABLE TRIGGER USER`
        yield* sql`ALTER TABLE audit_tail DISABLE TRIGGER USER`
        yield* change(sql)
        yield* sql`ALTER TABLE audit_log ENABLE TRIGGER USER`
        yield* sql`ALTER TABLE audit_head ENABLE TRIGGER USER`
        yield* sql`ALTER TABLE audit_tail ENABLE TRIGGER USER`
      })
    )
  )

/** Tampers, verifies, and puts everything back. */
const brokenBy = <E, R>(change: (sql: SqlClient.SqlClient) => Effect.Effect<unknown, E, R>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const audit = yield* AuditStore
    let brokenAt: string | null = null
    yield* sql
      .withTransaction(
        Effect.gen(function* () {
          yield* behindTheTriggers(change)
          brokenAt = (yield* audit.verify).brokenAt
          return yield* Effect.fail("undo")
        })
      )
      .pipe(Effect.ignore)
    assert.isNull((yield* audit.verify).brokenAt)
    return brokenAt
  })

layer(AuditStore.layer.pipe(Layer.provideMerge(layerTestDatabase)), { excludeTestServices: true })("the audit log", (it) => {
  it.effect(
    "keeps an unbroken chain when forty writers append at once",
    Effect.fnUntraced(function* () {
      const audit = yield* AuditStore
      yield* Effect.all(
        Array.from({ length: 40 }, (_, n) => audit.append(entry(n))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(yield* audit.verify, { entries: 40, brokenAt: null })
    })
  )

  it.effect(
    "is paged by key in both directions and filtered by text",
    Effect.fnUntraced(function* () {
      const audit = yield* AuditStore
      const first = yield* audit.list({ limit: 15 })
      assert.deepStrictEqual([first.items.length, first.items[0]!.sequence, first.total], [15, 40n, 40])
      const second = yield* audit.list({ limit: 15, after: first.next })
      assert.strictEqual(second.items[0]!.sequence, 25n)
      const third = yield* audit.list({ limit: 15, after: second.next })
      assert.deepStrictEqual([third.items.length, third.next], [10, undefined])
      assert.strictEqual((yield* audit.list({ limit: 1, order: "ascending" })).items[0]!.sequence, 1n)
      const found = yield* audit.list({ limit: 50, filter: "anna7" })
      assert.deepStrictEqual(
        found.items.map(({ actor }) => actor),
        ["anna7"]
      )
      assert.strictEqual((yield* audit.list({ limit: 50, filter: "%" })).total, 0)
    })
  )

  it.effect(
    "refuses to change, delete or empty what is written",
    Effect.fnUntraced(function* () {
      const sql = yield* SqlClient.SqlClient
      for (const attempt of [
        sql`UPDATE audit_log SET actor = 'nobody' WHERE sequence = 3`,
        sql`DELETE FROM audit_log WHERE sequence = 3`,
        sql`TRUNCATE audit_log`,
        sql`DELETE FROM audit_head`
      ]) {
        assert.strictEqual(sqlState(yield* Effect.flip(attempt)), "42501")
      }
    })
  )

  it.effect(
    "shows where an entry was changed, removed, slipped in or cut off",
    Effect.fnUntraced(function* () {
      assert.match(
        (yield* brokenBy((sql) => sql`UPDATE audit_log SET actor = 'nobody' WHERE sequence = 7`))!,
        /^entry 7 of .* was changed$/
      )
      assert.match(
        (yield* brokenBy((sql) => sql`UPDATE audit_log SET detail = '{"role": "admin", "n": "1"}' WHERE sequence = 9`))!,
        /^entry 9 /
      )
      assert.match(
        (yield* brokenBy((sql) => sql`UPDATE audit_log SET at = at + interval '1 ms' WHERE sequence = 11`))!,
        /^entry 11 /
      )
      assert.strictEqual(yield* brokenBy((sql) => sql`DELETE FROM audit_log WHERE sequence = 20`), "entry 20 is missing")
      assert.strictEqual(yield* brokenBy((sql) => sql`DELETE FROM audit_log WHERE sequence = 1`), "entry 1 is missing")
      assert.strictEqual(yield* brokenBy((sql) => sql`DELETE FROM audit_log WHERE sequence > 38`), "entry 39 is missing")
      assert.match(
        (yield* brokenBy((sql) =>
          Effect.andThen(
            sql`DELETE FROM audit_log WHERE sequence = 40`,
            sql`INSERT INTO audit_log SELECT 40, at, actor, via, source, action, subject, outcome, detail, hash FROM audit_log WHERE sequence = 39`
          )
        ))!,
        /^entry 40 /
      )
      // whoever recomputes the hashes too is found out by the recorded end
      assert.match(
        (yield* brokenBy((sql) =>
          Effect.andThen(sql`DELETE FROM audit_log WHERE sequence = 40`, sql`UPDATE audit_head SET sequence = 39`)
        ))!,
        /^entry 39 is not the one that was written last$/
      )
    })
  )

  it.effect(
    "takes any text an attacker sends, and the chain holds over it",
    Effect.fnUntraced(function* () {
      const audit = yield* AuditStore
      yield* audit.append({
        ...entry(41),
        actor: `nul\0 lone \ud800 ${"x".repeat(2000)}`,
        subject: "😀".repeat(400),
        detail: { "ключ\0": '"quoted" \\ \n', b: "2", a: "1" }
      })
      const { items } = yield* audit.list({ limit: 1 })
      assert.isBelow(items[0]!.actor.length, 501)
      assert.deepStrictEqual(yield* audit.verify, { entries: 41, brokenAt: null })
    })
  )

  it.effect(
    "leaves nothing of an entry whose transaction failed",
    Effect.fnUntraced(function* () {
      const audit = yield* AuditStore
      const sql = yield* SqlClient.SqlClient
      yield* sql.withTransaction(Effect.andThen(audit.append(entry(50)), Effect.fail("undone"))).pipe(Effect.ignore)
      yield* audit.append(entry(51))
      assert.deepStrictEqual(yield* audit.verify, { entries: 42, brokenAt: null })
    })
  )
})

layer(AuditStore.layer.pipe(Layer.provideMerge(layerTestDatabase)), { excludeTestServices: true })("old audit entries", (it) => {
  it.effect(
    "are forgotten from the first one on, which is written down, and the rest of the chain holds",
    Effect.fnUntraced(function* () {
      const audit = yield* AuditStore
      const append = (n: number, days: number) => later(Duration.days(-days))(audit.append(entry(n)))
      for (const [n, days] of [500, 450, 401, 399].entries()) yield* append(n + 1, days)
      // written while the clock was wrong: nothing goes from the middle
      yield* append(5, 700)
      yield* audit.append(entry(6))
      assert.strictEqual(yield* audit.forgetBefore(ago(400)), 3)
      const { items } = yield* audit.list({ limit: 10, order: "ascending" })
      assert.deepStrictEqual(
        items.map(({ sequence }) => sequence),
        [4n, 5n, 6n, 7n]
      )
      assert.deepInclude(items[3], { actor: "system", action: "audit.forget" })
      assert.deepInclude(items[3]!.detail, { upTo: "3", entries: "3" })
      assert.deepStrictEqual(yield* audit.verify, { entries: 4, brokenAt: null })
      assert.strictEqual(yield* audit.forgetBefore(ago(400)), 0)
    })
  )

  it.effect(
    "go by age only: nobody removes others, moves the end back, or past what is younger than thirty days",
    Effect.fnUntraced(function* () {
      const audit = yield* AuditStore
      const sql = yield* SqlClient.SqlClient
      const { items } = yield* audit.list({ limit: 10, order: "ascending" })
      const hashOf = (sequence: bigint) => items.find((one) => one.sequence === sequence)!.hash
      const attempts: ReadonlyArray<Effect.Effect<unknown, SqlError.SqlError>> = [
        sql`DELETE FROM audit_log WHERE sequence = 4`,
        sql`DELETE FROM audit_log`,
        sql`DELETE FROM audit_tail`,
        sql`UPDATE audit_tail SET sequence = 2`,
        sql`UPDATE audit_tail SET sequence = 4, hash = ${hashOf(5n)}`,
        sql`UPDATE audit_tail SET sequence = 6, hash = ${hashOf(6n)}`,
        audit.forgetBefore(new Date())
      ]
      for (const attempt of attempts) assert.strictEqual(sqlState(yield* Effect.flip(attempt)), "42501")
      assert.deepStrictEqual(yield* audit.verify, { entries: 4, brokenAt: null })
    })
  )

  it.effect(
    "leave a trace that whoever cuts the log behind the triggers does not",
    Effect.fnUntraced(function* () {
      const cut = (sql: SqlClient.SqlClient) =>
        sql`WITH last AS (SELECT sequence, hash FROM audit_log ORDER BY sequence LIMIT 1 OFFSET 1),
          tail AS (UPDATE audit_tail SET sequence = last.sequence, hash = last.hash FROM last)
          DELETE FROM audit_log USING last WHERE audit_log.sequence <= last.sequence`
      assert.match((yield* brokenBy(cut))!, /^entries up to 5 went without a trace$/)
    })
  )
})
