/** What assets are called and what they are, as far as it is not declared: whole sets at a time. */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { int4s, texts } from "./arrays.ts"

export interface NamedAddress {
  readonly address: string
  readonly name: string
  readonly fqdn: string | null
}

/** Whoever serves this is probably of that type; the lowest rank wins. */
export interface TypeRule {
  readonly protocol: number
  readonly port: number
  readonly type: string
  readonly rank: number
}

export class IdentityStore extends Context.Service<
  IdentityStore,
  {
    /** Gives assets the names of a hosts file; one that left the file gets its address back. Answers how many names changed. */
    readonly name: (names: ReadonlyArray<NamedAddress>) => Effect.Effect<number, SqlError.SqlError>
    /** Guesses types by the services seen. Answers how many changed. */
    readonly classify: (rules: ReadonlyArray<TypeRule>) => Effect.Effect<number, SqlError.SqlError>
  }
>()("pipeline/store/IdentityStore") {
  static readonly layer = Layer.effect(
    IdentityStore,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      return IdentityStore.of({
        name: Effect.fn("IdentityStore.name")(function* (names) {
          const changed = yield* sql`WITH known AS (
              SELECT DISTINCT ON (h.asset_id) h.asset_id, n.name, n.fqdn
              FROM unnest(${texts(names.map((n) => n.address))}, ${texts(names.map((n) => n.name))}, ${texts(names.map((n) => n.fqdn))})
                AS n(address, name, fqdn)
              JOIN asset_address h ON h.address = n.address::inet AND h.until IS NULL
              ORDER BY h.asset_id, h.since, h.address
            ), wanted AS (
              SELECT a.id, COALESCE(k.name, host(a.ip_addresses[1])) AS name, k.fqdn,
                CASE WHEN k.name IS NULL THEN 'address' ELSE 'hosts' END AS source
              FROM assets a LEFT JOIN known k ON k.asset_id = a.id
              WHERE a.name_source IN ('address', 'hosts') AND (k.name IS NOT NULL OR a.name_source = 'hosts')
            )
            UPDATE assets a SET name = w.name, fqdn = w.fqdn, name_source = w.source, updated_at = now()
            FROM wanted w WHERE w.id = a.id AND (a.name, a.name_source, a.fqdn) IS DISTINCT FROM (w.name, w.source, w.fqdn)
            RETURNING 1`
          return changed.length
        }),
        classify: Effect.fn("IdentityStore.classify")(function* (rules) {
          const changed = yield* sql`WITH guessed AS (
              SELECT DISTINCT ON (s.asset_id) s.asset_id, COALESCE(r.type, 'server') AS type
              FROM services s LEFT JOIN unnest(${int4s(rules.map((r) => r.protocol))}, ${int4s(rules.map((r) => r.port))},
                ${texts(rules.map((r) => r.type))}, ${int4s(rules.map((r) => r.rank))}) AS r(protocol, port, type, rank)
                ON r.protocol = s.protocol AND r.port = s.port
              ORDER BY s.asset_id, r.rank NULLS LAST
            )
            UPDATE assets a SET asset_type = g.type, updated_at = now()
            FROM guessed g WHERE g.asset_id = a.id AND a.type_source = 'guess' AND a.asset_type <> g.type
            RETURNING 1`
          return changed.length
        })
      })
    })
  )
}
