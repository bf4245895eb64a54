/** The appliance's database: the one it brings, or the one it was pointed at. Same migrations, same SQL. */
import { Context, Effect, Layer, type Redacted } from "effect"
import { layerMigrations } from "#pipeline/store/migrations/index.ts"
import * as Sql from "#pipeline/store/Sql.ts"
import { attach, EmbeddedPostgres, type EmbeddedStatus } from "./EmbeddedPostgres.ts"
import type { Durability } from "./settings.ts"

export interface DatabaseConfig {
  readonly dataFolder: string
  /** `FLOWLENS_DATABASE_URL`: a server elsewhere; nothing is started then. */
  readonly url?: Redacted.Redacted | undefined
  readonly durability?: Durability
  readonly maxConnections?: number
  readonly statementTimeoutSeconds?: number
}

/** Where the rows are, for the health page. */
export class Database extends Context.Service<
  Database,
  {
    readonly embedded: boolean
    readonly url: Redacted.Redacted
    /** How the embedded server is; undefined for a server elsewhere. */
    readonly status: Effect.Effect<EmbeddedStatus | undefined>
  }
>()("appliance/postgres/Database") {
  /** `Database`, `PgClient` and `SqlClient`, migrated. Starts and owns the embedded server unless `url` is given. */
  static readonly layer = (config: DatabaseConfig) => connected(config, source(config))

  /** For commands beside a running appliance: uses the server that it runs, and starts one only when there is none. */
  static readonly layerCommand = (config: DatabaseConfig) =>
    connected(
      config,
      Layer.unwrap(
        Effect.map(attach(config.dataFolder), (url) => source(url === undefined ? config : { ...config, url, embedded: true }))
      )
    )
}

const source = (config: DatabaseConfig & { readonly embedded?: boolean }) => {
  const { url } = config
  if (url !== undefined) {
    return Layer.succeed(Database, Database.of({ embedded: config.embedded ?? false, url, status: Effect.succeed(undefined) }))
  }
  const { dataFolder, durability } = config
  return Layer.effect(
    Database,
    Effect.map(EmbeddedPostgres, (postgres) => Database.of({ embedded: true, url: postgres.url, status: postgres.status }))
  ).pipe(Layer.provide(EmbeddedPostgres.layer({ dataFolder, ...(durability === undefined ? {} : { durability }) })))
}

const connected = <E>(config: DatabaseConfig, database: Layer.Layer<Database, E>) =>
  layerMigrations.pipe(
    Layer.provideMerge(
      Layer.unwrap(
        Effect.map(Database, ({ url }) =>
          Sql.layer({
            url,
            ...(config.maxConnections === undefined ? {} : { maxConnections: config.maxConnections }),
            ...(config.statementTimeoutSeconds === undefined ? {} : { statementTimeoutSeconds: config.statementTimeoutSeconds })
          })
        )
      )
    ),
    Layer.provideMerge(database)
  )
