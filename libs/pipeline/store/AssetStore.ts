/** Assets as lists, searches and pages read them. Candidates are in none of these. */
import { Clock, Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Asset, AssetDetail, AssetNotFound, type AssetQuery } from "#domain/Asset.ts"
import { parseFilter } from "#domain/filter.ts"
import { readNetwork } from "#domain/filter-fields.ts"
import type { AssetId } from "#domain/ids.ts"
import type { FilterInvalid } from "#domain/Topology.ts"
import { assetFilterSql, likePattern } from "./filter-sql.ts"
import { cutPage, pageSql, type Sort } from "./page.ts"
import { decodeRows } from "./Sql.ts"

export interface StoreOptions {
  /** `dependencies.confidence_threshold`: below it a dependency is weak. */
  readonly confidenceThreshold: number
  /** `api.pagination.default`. */
  readonly pageSize?: number
}

export interface AssetPage {
  readonly items: ReadonlyArray<Asset>
  readonly total: number
  readonly next?: string
}

/** A hit of the palette (SearchHit in domain/rpc/MapRpcs.ts). */
export interface Hit {
  readonly kind: "asset" | "dependency"
  readonly id: string
  readonly title: string
  readonly detail: string
}

const id = { sql: "a.id", type: "bigint" } as const
const sorts: Record<NonNullable<AssetQuery["sort"]>, Sort> = {
  name: [{ sql: "a.name", type: "text" }, id],
  type: [{ sql: "a.asset_type", type: "text" }, id],
  lastSeen: [{ sql: "a.seen_hour", type: "timestamptz" }, { sql: "a.last_seen", type: "timestamptz" }, id],
  firstSeen: [{ sql: "a.first_seen", type: "timestamptz" }, id],
  clients: [{ sql: "a.clients", type: "integer" }, id],
  servers: [{ sql: "a.servers", type: "integer" }, id],
  bytes: [{ sql: "a.bytes", type: "bigint" }, id]
}

/** What one wants to see first: the newest, the busiest; names from the beginning. */
const ascendingByDefault = new Set(["name", "type"])

const columns = `a.id, a.name, a.fqdn, a.asset_type AS "type", a.ip_addresses AS "addresses", a.mac_addresses AS "macAddresses", a.internal,
  a.environment, a.tags, a.first_seen AS "firstSeen", a.last_seen AS "lastSeen", a.discovery_source AS "discoverySource", a.confidence,
  a.clients, a.servers, a.bytes`

export class AssetStore extends Context.Service<
  AssetStore,
  {
    readonly page: (query: AssetQuery) => Effect.Effect<AssetPage, FilterInvalid>
    /** Candidates, too: a dependency may lead to one. */
    readonly get: (id: AssetId) => Effect.Effect<AssetDetail, AssetNotFound>
    /** Best first: the address itself, then names that begin with the text, then similar ones. */
    readonly search: (text: string, limit?: number) => Effect.Effect<ReadonlyArray<Hit>>
  }
>()("pipeline/store/AssetStore") {
  static readonly layer = (options: StoreOptions) =>
    Layer.effect(
      AssetStore,
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const decodeAssets = decodeRows(Asset)
        const decodeDetail = decodeRows(AssetDetail)

        const page = Effect.fn("AssetStore.page")(function* (query: AssetQuery) {
          const filter = yield* Effect.fromResult(parseFilter(query.filter ?? "", "asset"))
          const key = query.sort ?? "name"
          const descending = query.order === undefined ? !ascendingByDefault.has(key) : query.order === "descending"
          const { behind, orderBy, cursor } = yield* pageSql(sql, sorts[key], descending, query.after)
          const limit = query.limit ?? options.pageSize ?? 50
          const where = assetFilterSql(sql, filter, { now: yield* Clock.currentTimeMillis })
          const [rows, [count]] = yield* Effect.all(
            [
              sql<{ cursor: ReadonlyArray<string> }>`SELECT ${sql.literal(columns)}, ${cursor} FROM assets a
                WHERE a.status = 'active' AND ${where} AND ${behind} ORDER BY ${orderBy} LIMIT ${limit + 1}`,
              sql<{ total: number }>`SELECT count(*)::int AS total FROM assets a WHERE a.status = 'active' AND ${where}`
            ],
            { concurrency: 2 }
          ).pipe(Effect.orDie)
          const cut = cutPage(rows, limit)
          const items = yield* decodeAssets(cut.rows)
          return { items, total: count!.total, ...(cut.next === undefined ? {} : { next: cut.next }) }
        })

        const get = Effect.fn("AssetStore.get")(function* (asset: AssetId) {
          const [rows, services, history] = yield* Effect.all(
            [
              sql<object>`SELECT ${sql.literal(columns)} FROM assets a WHERE a.id = ${asset}::text::bigint`,
              sql`SELECT v.port, v.protocol, v.name, v.first_seen AS "firstSeen", v.last_seen AS "lastSeen",
                  (SELECT count(*)::int FROM dependencies d WHERE d.target_id = v.asset_id AND d.port = v.port AND d.protocol = v.protocol
                    AND d.status = 'active') AS clients
                FROM services v WHERE v.asset_id = ${asset}::text::bigint ORDER BY v.port, v.protocol`,
              sql`SELECT address, since, until FROM asset_address WHERE asset_id = ${asset}::text::bigint ORDER BY since DESC, address`
            ],
            { concurrency: 3 }
          ).pipe(Effect.orDie)
          const row = rows[0]
          if (row === undefined) return yield* new AssetNotFound({ id: asset })
          const [detail] = yield* decodeDetail([{ ...row, services, addressHistory: history }])
          return detail!
        })

        const search = Effect.fn("AssetStore.search")(function* (text: string, limit = 10) {
          const wanted = text.trim().slice(0, 200).replaceAll("\0", "")
          if (wanted === "") return []
          const network = readNetwork(wanted)
          const found = yield* sql<{ id: bigint; name: string; type: string; addresses: ReadonlyArray<string> }>`
            SELECT a.id, a.name, a.asset_type AS "type", a.ip_addresses AS "addresses" FROM assets a
            WHERE a.status = 'active' AND ${
              network === undefined
                ? sql`(a.name ILIKE ${likePattern(wanted)} OR a.fqdn ILIKE ${likePattern(wanted)} OR a.tags @> ARRAY[${wanted}]::text[])`
                : sql`a.id IN (SELECT asset_id FROM asset_address WHERE until IS NULL AND address <<= ${network}::text::inet)`
            }
            ORDER BY starts_with(lower(a.name), lower(${wanted})) DESC, similarity(a.name, ${wanted}) DESC, a.bytes DESC, a.id
            LIMIT ${limit}`.pipe(Effect.orDie)
          return found.map((row) => ({
            kind: "asset" as const,
            id: String(row.id),
            title: row.name,
            detail: [row.type, ...row.addresses.filter((address) => address !== row.name)].join(" · ")
          }))
        })

        return AssetStore.of({ page, get, search })
      })
    )
}
