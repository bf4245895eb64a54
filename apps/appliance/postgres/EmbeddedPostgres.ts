/**
 * The database that FlowLens brings itself: PostgreSQL from the npm binaries, in the data folder, on a unix socket that only its
 * account can open, started and stopped with the appliance and restarted when it dies.
 *
 *     DATA/postgres        the cluster (a link to /var/lib/flowlens-… when the account cannot reach DATA)
 *     DATA/postgres.log    what the server says; at most 8 MiB, the older part in postgres.log.1
 *     DATA/postgres.owner  process id of the appliance that runs it
 */

import { existsSync, realpathSync, rmSync } from "node:fs"
import { join, resolve } from "node:path"
import { PgClient } from "@effect/sql-pg"
import { Clock, Context, Effect, Layer, Redacted, Schedule } from "effect"
import { Reactivity } from "effect/reactivity"
import { binariesFor } from "./binaries.ts"
import { clearRemains, initialise, readPidFile, superuser } from "./cluster.ts"
import { type Folders, lockPath, logPath, port, prepareFolders } from "./folders.ts"
import { defaultLogLimitBytes, openLog } from "./LogFile.ts"
import { PostgresFault } from "./PostgresFault.ts"
import { isServerIn, owner, takeOwnership } from "./processes.ts"
import { type Server, startServer } from "./server.ts"
import { type Durability, serverSettings } from "./settings.ts"

export interface EmbeddedOptions {
  readonly dataFolder: string
  /** `safe` unless the data is worth nothing. */
  readonly durability?: Durability
  /** Server settings on top of ours, by their PostgreSQL name. */
  readonly settings?: Readonly<Record<string, string>>
  readonly logLimitBytes?: number
}

export interface EmbeddedStatus {
  readonly state: "running" | "restarting"
  /** ms since 1970 of the last change of `state`. */
  readonly since: number
  readonly restarts: number
  /** Why it last went away, or could not be started again. */
  readonly lastFault: string | undefined
}

const databaseName = "flowlens"

const urlOf = (socket: string, database: string): Redacted.Redacted =>
  Redacted.make(
    `postgres:///${database}?${new URLSearchParams({ host: socket, port: String(port), user: superuser, application_name: "flowlens" })}`
  )

export class EmbeddedPostgres extends Context.Service<
  EmbeddedPostgres,
  {
    /** For PgClient: database `flowlens` over the unix socket. */
    readonly url: Redacted.Redacted
    /** The same for another database of this server. */
    readonly urlOf: (database: string) => Redacted.Redacted
    /** Process id of the postmaster. */
    readonly pid: Effect.Effect<number>
    readonly status: Effect.Effect<EmbeddedStatus>
    readonly logPath: string
  }
>()("appliance/postgres/EmbeddedPostgres") {
  static readonly layer = (options: EmbeddedOptions): Layer.Layer<EmbeddedPostgres, PostgresFault> =>
    Layer.effect(EmbeddedPostgres, make(options))
}

/** The URL of the server that a living appliance runs on this data folder; undefined when none does. For one-off commands. */
export const attach = (dataFolder: string): Effect.Effect<Redacted.Redacted | undefined> =>
  Effect.sync(() => {
    const data = resolve(dataFolder)
    const cluster = join(data, "postgres")
    if (owner(lockPath(data)) === undefined || !existsSync(cluster)) return undefined
    const found = readPidFile(cluster)
    return found?.ready === true && isServerIn(found.pid, realpathSync(cluster)) ? urlOf(found.socket, databaseName) : undefined
  })

const own = (folders: Folders) =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const taken = takeOwnership(lockPath(folders.data))
      return "owner" in taken
        ? Effect.fail(
            new PostgresFault({
              reason: "in-use",
              detail: `process ${taken.owner} runs FlowLens on ${folders.data}`,
              hint: "stop it first, or give this one a data folder of its own (FLOWLENS_DATA)"
            })
          )
        : Effect.succeed(taken)
    }),
    (taken) => Effect.sync(taken.release)
  )

const createDatabase = Effect.fnUntraced(
  function* (socket: string) {
    const sql = yield* PgClient.makeClient({ url: urlOf(socket, "postgres") })
    const found = yield* sql`SELECT 1 FROM pg_database WHERE datname = ${databaseName}`
    if (found.length === 0) yield* sql`CREATE DATABASE ${sql(databaseName)}`
  },
  Effect.scoped,
  Effect.provide(Reactivity.layer)
)

const make = Effect.fnUntraced(function* (options: EmbeddedOptions) {
  const durability = options.durability ?? "safe"
  const settings = { ...serverSettings(durability), ...options.settings }
  const folders = yield* prepareFolders(options.dataFolder)
  if (folders.movedBecauseOf !== undefined) {
    yield* Effect.logInfo(
      `the database is in ${folders.cluster}: its account ${folders.account.name} cannot enter ${folders.movedBecauseOf}`
    )
  }
  yield* own(folders)
  // a short socket folder outside of the data folder goes when the server is gone
  if (folders.socket !== folders.cluster) {
    yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folders.socket, { recursive: true, force: true })))
  }
  const log = yield* Effect.acquireRelease(
    Effect.sync(() => openLog(logPath(folders.data), options.logLimitBytes ?? defaultLogLimitBytes)),
    (file) => Effect.sync(file.close)
  )
  const binaries = yield* binariesFor(folders.account, folders.home)
  const start = Effect.gen(function* () {
    log.trim()
    if (yield* clearRemains(folders.cluster)) yield* Effect.logWarning("stopped a database that an earlier run left behind")
    return yield* startServer(folders, binaries, log, settings)
  })

  yield* initialise(folders, binaries, log, durability)
  let server: Server = yield* start
  let status: EmbeddedStatus = { state: "running", since: yield* Clock.currentTimeMillis, restarts: 0, lastFault: undefined }
  yield* Effect.addFinalizer(() => Effect.suspend(() => server.stop))
  yield* createDatabase(folders.socket).pipe(
    Effect.mapError((cause) => new PostgresFault({ reason: "start", detail: String(cause), hint: `see ${logPath(folders.data)}` }))
  )

  // Registered after the stop above, so it is interrupted first: a stop that we asked for is not answered by a restart.
  yield* Effect.gen(function* () {
    const lastWords = yield* server.ended
    status = { state: "restarting", since: yield* Clock.currentTimeMillis, restarts: status.restarts, lastFault: lastWords }
    yield* Effect.logError("the database went away, starting it again").pipe(Effect.annotateLogs({ log: lastWords }))
    server = yield* start.pipe(
      Effect.tapError((fault) => {
        status = { ...status, lastFault: fault.message }
        return Effect.logError(fault.message)
      }),
      // a full disk is freed some time: it never gives up, and the health page says why it waits
      Effect.retry(Schedule.min([Schedule.exponential("500 millis"), Schedule.spaced("30 seconds")]))
    )
    status = { state: "running", since: yield* Clock.currentTimeMillis, restarts: status.restarts + 1, lastFault: status.lastFault }
  }).pipe(Effect.forever, Effect.forkScoped)
  yield* Effect.sync(log.trim).pipe(Effect.repeat(Schedule.spaced("1 minute")), Effect.forkScoped)

  return EmbeddedPostgres.of({
    url: urlOf(folders.socket, databaseName),
    urlOf: (database) => urlOf(folders.socket, database),
    pid: Effect.sync(() => server.pid),
    status: Effect.sync(() => status),
    logPath: logPath(folders.data)
  })
})
