/** A real PostgreSQL for a test file: its own database on the run's server, removed when the layer's scope ends. */

import { randomUUID } from "node:crypto"
import { connect } from "node:net"
import { PgClient } from "@effect/sql-pg"
import { Effect, Layer, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"
import { inject } from "vitest"
import * as Sql from "#pipeline/store/Sql.ts"
import type {} from "./global-setup.ts"

const serverUrl = Effect.callback<string, Error>((resume) => {
  let text = ""
  const socket = connect(inject("rig"))
  socket.setEncoding("utf8")
  socket.on("data", (part) => (text += part))
  socket.on("error", (cause) => resume(Effect.fail(cause)))
  socket.on("end", () => {
    const answer = JSON.parse(text) as { url: string } | { fault: string }
    resume("url" in answer ? Effect.succeed(answer.url) : Effect.fail(new Error(answer.fault)))
  })
})

const on = <A, E, R>(url: string, use: (sql: PgClient.PgClient) => Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.flatMap(PgClient.makeClient({ url: Redacted.make(url) }), use)).pipe(Effect.provide(Reactivity.layer))

/** The URL of a fresh database, empty or migrated; dropped with the scope, whoever is still connected. */
export const freshDatabase = (template: "template0" | "flowlens") =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const server = yield* serverUrl
      const name = `test_${randomUUID().replaceAll("-", "")}`
      yield* on(server, (sql) => sql`CREATE DATABASE ${sql(name)} TEMPLATE ${sql(template)}`)
      const url = new URL(server)
      url.pathname = `/${name}`
      return { server, name, url: Redacted.make(url.href) }
    }).pipe(Effect.orDie),
    ({ server, name }) => on(server, (sql) => sql`DROP DATABASE ${sql(name)} WITH (FORCE)`).pipe(Effect.ignore)
  )

const layer = (template: "template0" | "flowlens") =>
  Layer.unwrap(Effect.map(freshDatabase(template), ({ url }) => Sql.layer({ url, maxConnections: 12 }))).pipe(Layer.orDie)

/** `PgClient` and `SqlClient` on an empty database. */
export const layerEmptyDatabase = layer("template0")

/** The same with every migration applied. */
export const layerTestDatabase = layer("flowlens")
