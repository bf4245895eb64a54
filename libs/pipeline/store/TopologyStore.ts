/** The map: nodes and edges, now or at an instant, cut to the limits by weight. */

import { Clock, Context, DateTime, Effect, Layer } from "effect"
import { SqlClient, type Statement } from "effect/sql"
import type { Address } from "#domain/Address.ts"
import type { AssetType } from "#domain/Asset.ts"
import type { Blindness } from "#domain/CoverageReport.ts"
import { type Filter, parseFilter } from "#domain/filter.ts"
import type { AssetId, DependencyId } from "#domain/ids.ts"
import { type FilterInvalid, Topology, TopologyEdge, TopologyNode, type TopologyQuery } from "#domain/Topology.ts"
import { texts } from "./arrays.ts"
import { blindAmong } from "./blind.ts"
import { validAt } from "./DependencyStore.ts"
import { assetFilterSql, dependencyFilterSql } from "./filter-sql.ts"
import { type NewestWindow, newestWindow } from "./newest-window.ts"
import { readSight, type Sight, usualObservers } from "./sight.ts"

export interface TopologyOptions {
  readonly confidenceThreshold: number
  /** `api.topology.max_nodes` and `max_edges`: what a query without limits gets. */
  readonly maxNodes: number
  readonly maxEdges: number
}

/** Ids are text from the database on: to make three of them for every edge from big numbers took a tenth of the answer's time. */
interface EdgeRow {
  readonly id: DependencyId
  readonly client: AssetId
  readonly server: AssetId
  readonly port: number
  readonly protocol: number
  readonly service: string | null
  readonly bytes: bigint
  readonly rate: bigint | null
  readonly sampled: boolean
  readonly confidence: number
  readonly stale: boolean
  /** Who saw it: `owner` alone unless `exporters` > 1. */
  readonly owner: string | null
  readonly exporters: number
}

/** A hundred thousand rows as one of arrays: a row costs the driver as much as its thirteen values. Null: no rows. */
type EdgeColumns = { readonly [K in keyof EdgeRow]: ReadonlyArray<EdgeRow[K]> | null }

const edgeRows = (columns: EdgeColumns): ReadonlyArray<EdgeRow> =>
  (columns.id ?? []).map((id, i) => ({
    id,
    client: columns.client![i]!,
    server: columns.server![i]!,
    port: columns.port![i]!,
    protocol: columns.protocol![i]!,
    service: columns.service![i]!,
    bytes: columns.bytes![i]!,
    rate: columns.rate === null ? null : columns.rate[i]!,
    sampled: columns.sampled![i]!,
    confidence: columns.confidence![i]!,
    stale: columns.stale![i]!,
    owner: columns.owner![i]!,
    exporters: columns.exporters![i]!
  }))

interface NodeRow {
  readonly id: AssetId
  readonly name: string
  readonly address: Address
  readonly type: AssetType
  readonly internal: boolean
  readonly environment: string | null
  readonly network: string
}

/** Terms that an asset without a dependency can answer; with any other in the line, such assets are left out. */
const aboutAssets = (filter: Filter): boolean =>
  filter.every(({ condition }) => ["word", "type", "internal", "age"].includes(condition.kind) || isAssetText(condition))
const isAssetText = (condition: Filter[number]["condition"]): boolean =>
  (condition.kind === "text" && ["name", "tag", "environment"].includes(condition.field)) ||
  (condition.kind === "network" && condition.end === "any")

export class TopologyStore extends Context.Service<
  TopologyStore,
  {
    /**
     * Edges that fit the filter (of dependencies: a term about assets fits when either end does) with their ends, and the assets that
     * fit without any edge. Over a limit the heaviest stay, and the answer says how many were left out.
     */
    readonly get: (query: TopologyQuery) => Effect.Effect<Topology, FilterInvalid>
  }
>()("pipeline/store/TopologyStore") {
  static readonly layer = (options: TopologyOptions) =>
    Layer.effect(
      TopologyStore,
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient

        const edgesOf = (
          shown: Statement.Fragment,
          at: Date | undefined,
          window: NewestWindow | undefined,
          heaviest: Statement.Fragment
        ) =>
          Effect.map(
            sql<EdgeColumns>`SELECT array_agg(d.id::text) AS id, array_agg(d.source_id::text) AS client, array_agg(d.target_id::text) AS server, array_agg(d.port) AS port,
                array_agg(d.protocol::int) AS protocol, array_agg(d.inferred_service) AS service, array_agg(d.total_bytes) AS bytes,
                ${window === undefined ? sql`NULL::bigint[]` : sql`array_agg(f.total_bytes)`} AS rate, array_agg(d.sampling > 1) AS sampled,
                array_agg(d.confidence) AS confidence, array_agg(d.status = 'stale' ${at === undefined ? sql`` : sql`AND d.stale_at <= ${at}`}) AS stale,
                array_agg(host(d.owner_exporter)) AS owner, array_agg(d.exporters) AS exporters
              FROM (SELECT d.id, d.source_id, d.target_id, d.port, d.protocol, d.inferred_service, d.total_bytes, d.sampling, d.confidence, d.status, d.stale_at,
                  d.owner_exporter, d.exporters FROM dependencies d WHERE ${shown} ${heaviest}) d
              ${
                window === undefined
                  ? sql``
                  : sql`LEFT JOIN flow_stats f ON f.time = ${window.start} AND f.source_id = d.source_id AND f.target_id = d.target_id
                      AND f.protocol = d.protocol AND f.port = d.port`
              }`,
            ([columns]) => edgeRows(columns!)
          )

        const nodesOf = (ends: ReadonlyArray<AssetId>, alone: Statement.Fragment, limit: number) =>
          sql<NodeRow>`SELECT a.id::text AS id, a.name, a.ip_addresses[1] AS address, a.asset_type AS "type", a.internal, a.environment, ${networkSql(sql)} AS network
            FROM assets a LEFT JOIN unnest(${texts(ends)}::text[]::bigint[]) AS e(id) ON e.id = a.id
            WHERE (e.id IS NOT NULL OR ${alone}) AND cardinality(a.ip_addresses) > 0
            ORDER BY e.id IS NULL, a.bytes DESC, a.id LIMIT ${limit}`

        const get = Effect.fn("TopologyStore.get")(function* (query: TopologyQuery) {
          const filter = yield* Effect.fromResult(parseFilter(query.filter ?? "", "dependency"))
          const now = yield* Clock.currentTimeMillis
          const at = query.at === undefined ? undefined : new Date(query.at.epochMilliseconds)
          const maxNodes = query.maxNodes ?? options.maxNodes
          const maxEdges = query.maxEdges ?? options.maxEdges
          const then = at ?? new Date(now)
          const sight = yield* readSight(sql, then, at === undefined).pipe(Effect.orDie)
          const filterOptions = { now: then.getTime(), confidenceThreshold: options.confidenceThreshold, sight }
          const shown = sql`${at === undefined ? sql`d.status <> 'candidate'` : validAt(sql, at)}
            AND ${dependencyFilterSql(sql, filter, filterOptions)}`
          const alone = aboutAssets(filter)
            ? sql`(a.status = 'active' ${at === undefined ? sql`` : sql`AND a.first_seen <= ${at}`} AND ${assetFilterSql(sql, filter, filterOptions)})`
            : sql`false`

          return yield* Effect.gen(function* () {
            const window = at === undefined ? yield* newestWindow(sql) : undefined
            const [probe] = yield* sql<{
              n: number
            }>`SELECT count(*)::int AS n FROM (SELECT FROM dependencies d WHERE ${shown} LIMIT ${maxEdges + 1}) AS first_ones`
            const more = probe!.n > maxEdges
            // a hundred thousand rows are sorted only when some of them are to be left out
            const heaviest = more ? sql`ORDER BY d.total_bytes DESC, d.id LIMIT ${maxEdges}` : sql``
            const kept = yield* edgesOf(shown, at, window, heaviest)
            const allEdges = more
              ? (yield* sql<{ n: number }>`SELECT count(*)::int AS n FROM dependencies d WHERE ${shown}`)[0]!.n
              : kept.length
            const ends = [...new Set(kept.flatMap((edge) => [edge.client, edge.server]))]
            const nodes = yield* nodesOf(ends, alone, maxNodes + 1)
            const allNodes =
              nodes.length > maxNodes
                ? (yield* sql<{
                    n: number
                  }>`SELECT count(*)::int AS n FROM assets a LEFT JOIN unnest(${texts(ends)}::text[]::bigint[]) AS e(id) ON e.id = a.id
                    WHERE e.id IS NOT NULL OR ${alone}`)[0]!.n
                : nodes.length
            const keptNodes = nodes.slice(0, maxNodes)
            const present = new Set(keptNodes.map((node) => node.id))
            const edges = kept.filter((edge) => present.has(edge.client) && present.has(edge.server))
            const blind = yield* blindSpots(sql, sight, edges)
            return new Topology(
              {
                at: DateTime.makeUnsafe(then.getTime()),
                live: at === undefined,
                nodes: keptNodes.map((node) => toNode(node, blind.networks.get(node.network))),
                edges: edges.map((edge) => toEdge(edge, window?.seconds ?? 0, blind.edges.get(edge.id))),
                blindness: blind.reasons,
                nodesLeftOut: allNodes - keptNodes.length,
                edgesLeftOut: allEdges - edges.length
              },
              { disableChecks: true }
            )
          }).pipe(Effect.orDie)
        })
        return TopologyStore.of({ get })
      })
    )
}

/** Edges none of whose observers looks, networks that none of theirs looks at; each reason once. */
const blindSpots = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, sight: Sight, edges: ReadonlyArray<EdgeRow>) {
  const reasons = new Map<Blindness, number>()
  const indexOf = (reason: Blindness): number => {
    const index = reasons.get(reason) ?? reasons.size
    reasons.set(reason, index)
    return index
  }
  const blindEdges = new Map([...(yield* blindAmong(sql, sight, edges))].map(([id, reason]) => [id, indexOf(reason)]))
  const networks = new Map<string, number>()
  for (const [subnet, observing] of Map.groupBy(yield* usualObservers(sql, sight.at), (one) => one.subnet)) {
    const reason = sight.blindness(observing.map(({ exporter }) => exporter).sort())
    if (reason !== undefined) networks.set(subnet, indexOf(reason))
  }
  return { edges: blindEdges, networks, reasons: [...reasons.keys()] }
})

/** /24 or /64 of what is ours, /16 or /32 of the rest. */
const networkSql = (sql: SqlClient.SqlClient): Statement.Fragment =>
  sql.literal(`network(set_masklen(a.ip_addresses[1], CASE WHEN family(a.ip_addresses[1]) = 4
    THEN CASE WHEN a.internal THEN 24 ELSE 16 END ELSE CASE WHEN a.internal THEN 64 ELSE 32 END END))::text`)

/** A hundred thousand rows that the database has checked are not checked again, nor copied field by field: `fields` in order, one shape. */
const maker = <A extends object>(prototype: A) => {
  function Made(this: Record<string, unknown>, fields: Record<string, unknown>) {
    for (const name in fields) this[name] = fields[name]
  }
  Made.prototype = prototype
  return Made as unknown as new (
    fields: { readonly [K in keyof A]: A[K] }
  ) => A
}

const Node = maker(TopologyNode.prototype)
const Edge = maker(TopologyEdge.prototype)

const toNode = (row: NodeRow, blind: number | undefined): TopologyNode => new Node(blind === undefined ? row : { ...row, blind })

const toEdge = (row: EdgeRow, seconds: number, blind: number | undefined): TopologyEdge =>
  new Edge({
    id: row.id,
    client: row.client,
    server: row.server,
    port: row.port,
    protocol: row.protocol,
    service: row.service,
    bytes: row.bytes,
    rateBps: seconds === 0 || row.rate === null ? 0 : (Number(row.rate) * 8) / seconds,
    sampled: row.sampled,
    confidence: row.confidence,
    stale: row.stale,
    ...(blind === undefined ? {} : { blind })
  })
