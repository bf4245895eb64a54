import { spawn } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Option, Redacted, Schedule, type Scope } from "effect"
import { Reactivity } from "effect/reactivity"
import { clearRemains, readPidFile, waitUntil } from "./cluster.ts"
import { Database } from "./Database.ts"
import { attach, type EmbeddedOptions, EmbeddedPostgres } from "./EmbeddedPostgres.ts"
import type { PostgresFault } from "./PostgresFault.ts"
import { isAlive, serversIn } from "./processes.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "flowlens-postgres-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const start = (
  dataFolder: string,
  options: Partial<EmbeddedOptions> = {}
): Effect.Effect<EmbeddedPostgres["Service"], PostgresFault, Scope.Scope> =>
  Layer.build(EmbeddedPostgres.layer({ dataFolder, durability: "test", ...options })).pipe(
    Effect.map(Context.get(EmbeddedPostgres))
  )

const query = <A extends object>(url: Redacted.Redacted, text: string) =>
  Effect.gen(function* () {
    const sql = yield* PgClient.makeClient({ url })
    return yield* sql.unsafe<A>(text)
  }).pipe(Effect.scoped, Effect.provide(Reactivity.layer))

const untilAnswers = (url: Redacted.Redacted) =>
  query<{ n: number }>(url, "SELECT 1 AS n").pipe(Effect.retry(Schedule.spaced("25 millis")))

/** An appliance in a process of its own, to be killed: it starts the database and waits. */
const separateProcess = (data: string) =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof spawn>>((resume) => {
      const script = `
        const { Effect, Layer } = await import("effect")
        const { EmbeddedPostgres } = await import(${JSON.stringify(new URL("./EmbeddedPostgres.ts", import.meta.url).href)})
        const layer = EmbeddedPostgres.layer({ dataFolder: ${JSON.stringify(data)}, durability: "safe" })
        Effect.runFork(Effect.scoped(Effect.andThen(Layer.build(layer), Effect.andThen(Effect.sync(() => console.log("ready")), Effect.never))))`
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
        cwd: fileURLToPath(new URL("../../..", import.meta.url))
      })
      child.stdout.once("data", () => resume(Effect.succeed(child)))
    }),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

const faultOf = (exit: Exit.Exit<unknown, PostgresFault>): PostgresFault => {
  assert.isTrue(Exit.isFailure(exit))
  return Option.getOrThrow(Exit.findErrorOption(exit))
}

describe("EmbeddedPostgres", () => {
  it.live(
    "starts in an empty folder as an unprivileged user on a unix socket alone, and stops with its scope",
    Effect.fnUntraced(function* () {
      const data = yield* folder
      const pid = yield* Effect.gen(function* () {
        const postgres = yield* start(data)
        const [row] = yield* query<{ listen: string; version: number; timezone: string }>(
          postgres.url,
          "SELECT current_setting('listen_addresses') AS listen, current_setting('server_version_num')::int / 10000 AS version, current_setting('timezone') AS timezone"
        )
        assert.deepStrictEqual(row, { listen: "", version: 18, timezone: "UTC" })
        const pid = yield* postgres.pid
        assert.notStrictEqual(statSync(`/proc/${pid}`).uid, 0)
        assert.strictEqual(statSync(join(data, "postgres")).mode & 0o777, 0o700)
        assert.strictEqual(Redacted.value((yield* attach(data))!), Redacted.value(postgres.url))
        return pid
      }).pipe(Effect.scoped)
      assert.isFalse(isAlive(pid))
      assert.isUndefined(readPidFile(join(data, "postgres")))
      assert.isFalse(existsSync(join(data, "postgres.owner")))
      assert.isUndefined(yield* attach(data))
      assert.include(readFileSync(join(data, "postgres.log"), "utf8"), "database system is shut down")
    })
  )

  it.live(
    "finds its rows again, and restarts a server that was killed while the appliance runs",
    Effect.fnUntraced(function* () {
      const data = yield* folder
      yield* Effect.gen(function* () {
        const postgres = yield* start(data)
        yield* query(postgres.url, "CREATE TABLE kept AS SELECT 42 AS n")
      }).pipe(Effect.scoped)
      yield* Effect.gen(function* () {
        const postgres = yield* start(data, { durability: "safe" })
        const before = yield* postgres.pid
        process.kill(before, "SIGKILL")
        assert.isTrue(yield* waitUntil(() => !isAlive(before), 60_000))
        yield* untilAnswers(postgres.url)
        assert.notStrictEqual(yield* postgres.pid, before)
        const status = yield* postgres.status
        assert.strictEqual(status.state, "running")
        assert.strictEqual(status.restarts, 1)
        assert.deepStrictEqual(yield* query(postgres.url, "SELECT n FROM kept"), [{ n: 42 }])
      }).pipe(Effect.scoped)
    }, Effect.scoped)
  )

  it.live(
    "does not outlive an appliance that was killed, and starts again on its data",
    Effect.fnUntraced(function* () {
      const data = yield* folder
      const appliance = yield* separateProcess(data)
      const refused = faultOf(yield* Effect.exit(start(data)))
      assert.strictEqual(refused.reason, "in-use")
      assert.include(refused.message, `process ${appliance.pid} runs FlowLens`)
      const url = (yield* attach(data))!
      yield* query(url, "CREATE TABLE kept AS SELECT 7 AS n")
      appliance.kill("SIGKILL")
      assert.isTrue(yield* waitUntil(() => serversIn(join(data, "postgres")).length === 0, 60_000))
      const postgres = yield* start(data)
      assert.deepStrictEqual(yield* query(postgres.url, "SELECT n FROM kept"), [{ n: 7 }])
    }, Effect.scoped)
  )

  it.live(
    "stops the server of a killed appliance when even its keeper was killed, and starts its own",
    Effect.fnUntraced(function* () {
      const data = yield* folder
      const cluster = join(data, "postgres")
      const appliance = yield* separateProcess(data)
      const { pid } = readPidFile(cluster)!
      const keeper = Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/PPid:\s+(\d+)/)?.[1])
      const watch = readFileSync(`/proc/${keeper}/task/${keeper}/children`, "utf8").trim().split(" ").map(Number)
      for (const child of watch) if (child !== pid) process.kill(child, "SIGKILL")
      process.kill(keeper, "SIGKILL")
      appliance.kill("SIGKILL")
      yield* Effect.sleep("200 millis")
      assert.isTrue(isAlive(pid))
      const postgres = yield* start(data)
      assert.isFalse(isAlive(pid))
      yield* query(postgres.url, "SELECT 1")
    }, Effect.scoped)
  )

  it.live(
    "starts over a pid file whose process is another one by now",
    Effect.fnUntraced(function* () {
      const data = yield* folder
      yield* start(data).pipe(Effect.scoped)
      writeFileSync(join(data, "postgres", "postmaster.pid"), `${process.pid}\n${join(data, "postgres")}\n`)
      assert.isFalse(yield* clearRemains(join(data, "postgres")))
      yield* start(data).pipe(Effect.scoped)
    }, Effect.scoped)
  )

  it.live(
    "reaches its socket from a data folder whose path is longer than a socket address",
    Effect.fnUntraced(function* () {
      const top = yield* folder
      chmodSync(top, 0o755)
      const data = join(top, "a".repeat(60), "b".repeat(60))
      const postgres = yield* start(data)
      assert.deepStrictEqual(yield* query(postgres.url, "SELECT 1 AS n"), [{ n: 1 }])
      assert.strictEqual(Redacted.value((yield* attach(data))!), Redacted.value(postgres.url))
    }, Effect.scoped)
  )

  it.live(
    "refuses a data folder of another major version, a foreign folder, and one it cannot write",
    Effect.fnUntraced(function* () {
      const data = yield* folder
      mkdirSync(join(data, "postgres"))
      const foreign = faultOf(yield* Effect.exit(start(data)))
      assert.strictEqual(foreign.reason, "permission")
      assert.include(foreign.message, "is no database")
      writeFileSync(join(data, "postgres", "PG_VERSION"), "14\n")
      const old = faultOf(yield* Effect.exit(start(data)))
      assert.strictEqual(old.reason, "version")
      assert.include(old.detail, "was written by PostgreSQL 14, this release brings 18")
      writeFileSync(join(data, "file"), "")
      assert.strictEqual(faultOf(yield* Effect.exit(start(join(data, "file")))).reason, "permission")
    }, Effect.scoped)
  )

  it.live(
    "says what the server said when a start fails",
    Effect.fnUntraced(function* () {
      const data = yield* folder
      const fault = faultOf(yield* Effect.exit(start(data, { settings: { shared_buffers: "nonsense" } })))
      assert.strictEqual(fault.reason, "start")
      assert.include(fault.detail, 'invalid value for parameter "shared_buffers"')
      assert.isFalse(existsSync(join(data, "postgres.owner")))
    }, Effect.scoped)
  )

  it.live.skipIf(process.getuid?.() !== 0)(
    "as root keeps the cluster where its account can go when the data folder is behind a closed one",
    Effect.fnUntraced(function* () {
      const closed = yield* folder
      const data = join(closed, "data")
      yield* Effect.gen(function* () {
        const postgres = yield* start(data)
        yield* query(postgres.url, "CREATE TABLE kept AS SELECT 1 AS n")
      }).pipe(Effect.scoped)
      const moved = realpathSync(join(data, "postgres"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(join(moved, ".."), { recursive: true, force: true })))
      assert.match(moved, /^\/var\/lib\/flowlens-/)
      assert.strictEqual(statSync(closed).mode & 0o777, 0o700)
      const postgres = yield* start(data)
      assert.deepStrictEqual(yield* query(postgres.url, "SELECT n FROM kept"), [{ n: 1 }])
    }, Effect.scoped)
  )
})

describe("Database", () => {
  it.live(
    "brings a migrated database; a command beside it uses the same server, as does one pointed at it by URL",
    Effect.fnUntraced(function* () {
      const dataFolder = yield* folder
      const count = Effect.gen(function* () {
        const sql = yield* PgClient.PgClient
        const [row] = yield* sql<{ tables: number }>`SELECT (SELECT count(*)::int FROM assets) AS tables`
        return { rows: row!.tables, embedded: (yield* Database).embedded }
      })
      yield* Effect.gen(function* () {
        assert.deepStrictEqual(yield* count, { rows: 0, embedded: true })
        const { url } = yield* Database
        assert.deepStrictEqual(yield* count.pipe(Effect.provide(Database.layerCommand({ dataFolder }))), {
          rows: 0,
          embedded: true
        })
        assert.deepStrictEqual(yield* count.pipe(Effect.provide(Database.layer({ dataFolder: "/nowhere", url }))), {
          rows: 0,
          embedded: false
        })
      }).pipe(Effect.provide(Database.layer({ dataFolder, durability: "test" })))
      // nobody runs now: the command starts the server itself, and stops it
      assert.deepStrictEqual(yield* count.pipe(Effect.provide(Database.layerCommand({ dataFolder, durability: "test" }))), {
        rows: 0,
        embedded: true
      })
      assert.deepStrictEqual(serversIn(join(dataFolder, "postgres")), [])
    }, Effect.scoped)
  )
})
