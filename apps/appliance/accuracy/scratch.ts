/** A database beside the customer's on the same server, with a name of its own; dropped with the scope. The customer's is only passed by. */
import { randomUUID } from "node:crypto"
import { PgClient } from "@effect/sql-pg"
import { Effect, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"

export const ownDatabase = (server: Redacted.Redacted) =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const name = `flowlens_accuracy_${randomUUID().slice(0, 8)}`
      yield* on(server, (sql) => sql`CREATE DATABASE ${sql(name)}`)
      return { name, url: otherDatabase(server, name) }
    }),
    ({ name }) => on(server, (sql) => sql`DROP DATABASE IF EXISTS ${sql(name)} WITH (FORCE)`).pipe(Effect.ignore)
  ).pipe(Effect.map(({ url }) => url))

const on = <A, E, R>(url: Redacted.Redacted, use: (sql: PgClient.PgClient) => Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.flatMap(PgClient.makeClient({ url }), use)).pipe(Effect.provide(Reactivity.layer))

const otherDatabase = (url: Redacted.Redacted, name: string): Redacted.Redacted => {
  const other = new URL(Redacted.value(url))
  other.pathname = `/${name}`
  return Redacted.make(other.href)
}
