/**
 * The way to the database: one pool with a deadline on every statement, and one way to turn rows into what the domain says they are.
 */
import { PgClient } from "@effect/sql-pg"
import { Clock, Duration, Effect, type Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql"

export interface SqlOptions {
  readonly url: Redacted.Redacted
  /** Connections at most; default 10. The embedded server takes 60 from all processes together. */
  readonly maxConnections?: number
  /** After which the server gives up on one statement; default 30 s. */
  readonly statementTimeoutSeconds?: number
  readonly connectTimeout?: Duration.Input
}

/** `PgClient` and `SqlClient`. Connections open when first needed, so building this succeeds while the server is away. */
export const layer = (options: SqlOptions) =>
  PgClient.layer({
    url: options.url,
    maxConnections: options.maxConnections ?? 10,
    idleTimeout: "5 minutes",
    connectTimeout: options.connectTimeout ?? "5 seconds",
    applicationName: "flowlens",
    startupParameters: {
      statement_timeout: `${options.statementTimeoutSeconds ?? 30}s`,
      lock_timeout: "20s",
      idle_in_transaction_session_timeout: "60s",
      timezone: "UTC"
    }
  })

/** One value as the domain's JSON has it: instants as ISO 8601 text, `bigint` as decimal text, at any depth. */
export const toJson = (value: unknown): unknown => {
  if (typeof value === "bigint") return value.toString()
  if (typeof value !== "object" || value === null) return value
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(toJson)
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, toJson(part)]))
}

/**
 * Decodes rows with the schema that also serves the console and REST: columns carry the schema's field names. A row that does not fit is
 * our mistake (SQL and schema disagree), hence a defect.
 */
export const decodeRows = <S extends Schema.Top & { readonly DecodingServices: never }>(schema: S) => {
  const decode = Schema.decodeUnknownEffect(Schema.Array(schema))
  return (rows: ReadonlyArray<object>): Effect.Effect<ReadonlyArray<S["Type"]>> =>
    Effect.orDie(
      decode(
        rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, toJson(value)])))
      ) as Effect.Effect<ReadonlyArray<S["Type"]>, Schema.SchemaError>
    )
}

export interface DatabaseReading {
  readonly reachable: boolean
  readonly roundTripMs: number | undefined
  readonly version: string | undefined
  readonly sizeBytes: bigint | undefined
}

/** The size is a look at every file of the database: not each second. */
const sizeEveryMs = 30_000

/** A round trip, at most two seconds; an unreachable database is an answer here, not a failure. */
export const makeProbe = () => {
  let server: { readonly version: string; readonly sizeBytes: bigint } | undefined
  let readAt = Number.NEGATIVE_INFINITY
  return Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const now = yield* Clock.currentTimeMillis
    if (now - readAt >= sizeEveryMs) {
      const [row] = yield* sql<{ version: string; sizeBytes: bigint }>`
        SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS "sizeBytes"`
      server = row
      readAt = now
    }
    const [spent] = yield* Effect.timed(sql`SELECT 1`)
    return {
      reachable: true,
      roundTripMs: Duration.toMillis(spent),
      version: server?.version,
      sizeBytes: server?.sizeBytes
    } satisfies DatabaseReading
  }).pipe(
    Effect.timeout("2 seconds"),
    Effect.orElseSucceed((): DatabaseReading => {
      // the next query may open a connection, which is not what a query costs: ask for the size first
      readAt = Number.NEGATIVE_INFINITY
      return { reachable: false, roundTripMs: undefined, version: undefined, sizeBytes: undefined }
    })
  )
}
