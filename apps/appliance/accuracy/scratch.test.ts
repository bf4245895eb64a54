/** Beside a customer's database, on the server the configuration names: nothing of it is touched, and nothing is left, also after Ctrl-C. */
import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"
import { freshDatabase } from "../../../test/rig/Database.ts"
import { ownDatabase } from "./scratch.ts"

const on = <A, E, R>(url: Redacted.Redacted, use: (sql: PgClient.PgClient) => Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.flatMap(PgClient.makeClient({ url }), use)).pipe(Effect.provide(Reactivity.layer))
const nameOf = (url: Redacted.Redacted) => new URL(Redacted.value(url)).pathname.slice(1)
const isThere = (server: Redacted.Redacted, name: string) =>
  Effect.map(
    on(server, (sql) => sql`SELECT 1 FROM pg_database WHERE datname = ${name}`),
    (rows) => rows.length > 0
  )

describe("the database of a measurement", () => {
  it.live("stands beside the customer's, and is gone afterwards though somebody is still connected", () =>
    Effect.gen(function* () {
      const customer = (yield* freshDatabase("template0")).url
      const stays = yield* PgClient.makeClient({ url: customer })
      yield* stays`CREATE TABLE ours (x integer)`
      const name = yield* Effect.scoped(
        Effect.gen(function* () {
          const url = yield* ownDatabase(customer)
          assert.notStrictEqual(nameOf(url), nameOf(customer))
          assert.isTrue(yield* isThere(customer, nameOf(url)))
          yield* on(url, (sql) => sql`CREATE TABLE ours (y text)`)
          // a connection that outlives the measurement
          const late = yield* Effect.forkDetach(on(url, (sql) => sql`SELECT pg_sleep(60)`).pipe(Effect.ignore))
          yield* Effect.addFinalizer(() => Effect.forkDetach(Fiber.interrupt(late)))
          return nameOf(url)
        })
      )
      assert.isFalse(yield* isThere(customer, name))
      assert.deepStrictEqual(yield* stays`SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'ours'`, [
        { name: "x" }
      ])
    }).pipe(Effect.scoped, Effect.provide(Reactivity.layer))
  )

  it.live("is gone after an interruption", () =>
    Effect.gen(function* () {
      const customer = (yield* freshDatabase("template0")).url
      const made = yield* Deferred.make<string>()
      const fiber = yield* Effect.forkChild(
        Effect.scoped(
          Effect.flatMap(ownDatabase(customer), (url) => Effect.andThen(Deferred.succeed(made, nameOf(url)), Effect.never))
        )
      )
      const name = yield* Deferred.await(made)
      yield* Fiber.interrupt(fiber)
      assert.isFalse(yield* isThere(customer, name))
    }).pipe(Effect.scoped)
  )

  it.live("is removed by Ctrl-C in the middle of flowlens accuracy, and so is its folder", () =>
    Effect.gen(function* () {
      const customer = (yield* freshDatabase("template0")).url
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "flowlens-interrupted-"))),
        (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
      )
      const main = new URL("../main.ts", import.meta.url).pathname
      // other measurements may be under way on this server: this one's is the one that was not there
      const databases = on(
        customer,
        (sql) => sql<{ datname: string }>`SELECT datname FROM pg_database
          WHERE datname LIKE 'flowlens_accuracy_%'`
      ).pipe(Effect.map((rows) => rows.map(({ datname }) => datname)))
      const child = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn(process.execPath, [main, "accuracy", "--scenario", "ipv6", "--minutes", "5"], {
            cwd: folder,
            env: {
              PATH: process.env["PATH"],
              TMPDIR: folder,
              FLOWLENS_DATA: join(folder, "none"),
              FLOWLENS_DATABASE_URL: Redacted.value(customer)
            }
          })
        ),
        (running) => Effect.sync(() => running.kill("SIGKILL"))
      )
      let said = ""
      const ended = new Promise<number | null>((resolve) => child.once("exit", resolve))
      const playing = new Promise<void>((resolve) => {
        for (const stream of [child.stdout, child.stderr])
          stream.on("data", (part) => {
            said += part
            if (said.includes(" s played")) resolve()
          })
      })
      yield* Effect.promise(() => Promise.race([playing, ended]))
      assert.include(said, " s played")
      assert.isAbove(readdirSync(folder).length, 0)
      const during = yield* databases
      assert.isAbove(during.length, 0)
      child.kill("SIGINT")
      assert.strictEqual(yield* Effect.promise(() => ended), 1)
      assert.include(said, "interrupted")
      assert.deepStrictEqual(
        readdirSync(folder).filter((name) => name !== "none"),
        []
      )
      assert.isBelow((yield* databases).filter((name) => during.includes(name)).length, during.length)
    }).pipe(Effect.scoped)
  )
})
