/** The map: nodes and edges, now or at an instant, cut to the limits by weight. */

import { Clock, Context, DateTime, Effect, Layer } from "effect"
import { SqlClient, type Statement } from "effect/sql"
import type { Address } from "#domain/Address.ts"
import type { AssetType } from "#domain/Asset.ts"
import type { Blindness } from "#domain/CoverageReport.ts"
import { type Filter, parseFilter } from "#domain/filter.ts"
import type { AssetId } from "#domain/ids.ts"
import { type FilterInvalid, TopologyNode, type TopologyQuery } from "#domain/Topology.ts"
import type { EdgeColumns, TopologyColumns } from "#domain/TopologyColumns.ts"
import { int8s } from "./arrays.ts"
import { blindAmong, type Watched } from "./blind.ts"
import { validAt } from "./DependencyStore.ts"
import { type EdgesRead, readEdges } from "./edge-columns.ts"
import { assetFilterSql, dependencyFilterSql } from "./filter-sql.ts"
import { newestWindow } from "./newest-window.ts"
import { readSight, type Sight, usualObservers } from "./sight.ts"

export interface TopologyOptions {
  readonly confidenceThreshold: number
  /** `api.topology.max_nodes` and `max_edges`: what a query without limits gets. */
  readonly maxNodes: number
  readonly maxEdges: number
}

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
    readonly get: (query: TopologyQuery) => Effect.Effect<TopologyColumns, FilterInvalid>
  }
>()("pipeline/store/TopologyStore") {
  static readonly layer = (options: TopologyOptions) =>
    Layer.effect(
      TopologyStore,
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient

        const nodesOf = (ends: ReadonlyArray<bigint>, alone: Statement.Fragment, limit: number) =>
          sql<NodeRow>`SELECT a.id::text AS id, a.name, a.ip_addresses[1] AS address, a.asset_type AS "type", a.internal, a.environment, ${networkSql(sql)} AS network
            FROM assets a LEFT JOIN unnest(${int8s(ends)}) AS e(id) ON e.id = a.id
            WHERE (e.id IS NOT NULL OR ${alone}) AND cardinality(a.ip_addresses) > 0
            ORDER BY e.id IS NULL, a.bytes DESC, a.id LIMIT ${limit}`

        /** At most so many edges, the heaviest if that leaves some out; and how many there are. Neither counted nor sorted without need. */
        const heaviest = Effect.fnUntraced(function* <E>(
          shown: Statement.Fragment,
          most: number,
          reading: (limit: Statement.Fragment) => Effect.Effect<EdgesRead, E>
        ) {
          const [table] = yield* sql<{ rows: number }>`SELECT reltuples AS rows FROM pg_class WHERE oid = 'dependencies'::regclass`
          if (table!.rows <= most) {
            const read = yield* reading(sql`LIMIT ${most + 1}`)
            if (read.id.length <= most) return { all: read.id.length, read }
          }
          const [count] = yield* sql<{ n: number }>`SELECT count(*)::int AS n FROM dependencies d WHERE ${shown}`
          return { all: count!.n, read: yield* reading(sql`ORDER BY d.total_bytes DESC, d.id LIMIT ${most}`) }
        })

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
            const { all, read } = yield* heaviest(shown, maxEdges, (limit) =>
              readEdges(sql, { shown, limit, at, window, looking: sight.looking() })
            )
            const ends = endsOf(read)
            const nodes = yield* nodesOf(ends.ids, alone, maxNodes + 1)
            const allNodes =
              nodes.length > maxNodes
                ? (yield* sql<{
                    n: number
                  }>`SELECT count(*)::int AS n FROM assets a LEFT JOIN unnest(${int8s(ends.ids)}) AS e(id) ON e.id = a.id
                    WHERE e.id IS NOT NULL OR ${alone}`)[0]!.n
                : nodes.length
            const kept = nodes.slice(0, maxNodes)
            const { away, ...edges } = placed(read, ends, kept)
            const blind = yield* blindSpots(sql, sight, edges.id, away)
            return {
              at: DateTime.makeUnsafe(then.getTime()),
              live: at === undefined,
              nodes: kept.map((node) => toNode(node, blind.networks.get(node.network))),
              services: read.services,
              edges: { ...edges, blind: blind.edges },
              blindness: blind.reasons,
              nodesLeftOut: allNodes - kept.length,
              edgesLeftOut: all - edges.id.length
            }
          }).pipe(Effect.orDie)
        })
        return TopologyStore.of({ get })
      })
    )
}

interface Ends {
  readonly ids: ReadonlyArray<bigint>
  /** Where in `ids` they are, edge by edge. */
  readonly client: Int32Array
  readonly server: Int32Array
}

/** Each asset once. Numbers are keys: an identity that began at 1 stays below 2^53. */
const endsOf = ({ source, target }: EdgesRead): Ends => {
  const places = new Map<number, number>()
  const placesOf = (ids: BigInt64Array) => {
    const found = new Int32Array(ids.length)
    for (let i = 0; i < ids.length; i++) {
      const id = Number(ids[i])
      let place = places.get(id)
      if (place === undefined) places.set(id, (place = places.size))
      found[i] = place
    }
    return found
  }
  const client = placesOf(source)
  const server = placesOf(target)
  return { ids: Array.from(places.keys(), BigInt), client, server }
}

/** Edges by the places of their ends among the nodes; those with an end that is not there are left out. */
const placed = (
  read: EdgesRead,
  ends: Ends,
  nodes: ReadonlyArray<NodeRow>
): Omit<EdgeColumns, "blind"> & Pick<EdgesRead, "away"> => {
  const byId = new Map(nodes.map(({ id }, place) => [id as string, place]))
  const places = Int32Array.from(ends.ids, (id) => byId.get(String(id)) ?? -1)
  const { services: _, source: __, target: ___, ...columns } = read
  const edges = { ...columns, client: ends.client.map((end) => places[end]!), server: ends.server.map((end) => places[end]!) }
  if (!places.includes(-1)) return edges
  const there = edges.client.map((client, i) => (client < 0 || edges.server[i]! < 0 ? 0 : 1))
  return Object.fromEntries(
    Object.entries(edges).map(([name, column]) => [name, column.filter((_: unknown, i: number) => there[i] === 1)])
  ) as unknown as typeof edges
}

/** Edges none of whose observers looks, networks that none of theirs looks at; each reason once. */
const blindSpots = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  sight: Sight,
  ids: BigInt64Array,
  away: EdgesRead["away"]
) {
  const reasons = new Map<Blindness, number>()
  const indexOf = (reason: Blindness): number => {
    const index = reasons.get(reason) ?? reasons.size
    reasons.set(reason, index)
    return index
  }
  const edges = new Int32Array(ids.length).fill(-1)
  // after a start nobody looks at any: those with one owner alone have one reason
  const alone = new Map<string, number>()
  const several: Array<Watched & { readonly place: number }> = []
  for (const [place, seenBy] of away.entries()) {
    if (seenBy === null) continue
    let index = alone.get(seenBy)
    if (index === undefined) {
      const [owner = "", exporters] = seenBy.split(" ")
      if (Number(exporters) > 1) {
        several.push({ place, id: String(ids[place]), stale: false, owner, exporters: Number(exporters) })
        continue
      }
      const reason = sight.blindness([owner])
      alone.set(seenBy, (index = reason === undefined ? -1 : indexOf(reason)))
    }
    edges[place] = index
  }
  const found = yield* blindAmong(sql, sight, several)
  for (const { id, place } of several) {
    const reason = found.get(id)
    if (reason !== undefined) edges[place] = indexOf(reason)
  }
  const networks = new Map<string, number>()
  for (const [subnet, observing] of Map.groupBy(yield* usualObservers(sql, sight.at), (one) => one.subnet)) {
    const reason = sight.blindness(observing.map(({ exporter }) => exporter).sort())
    if (reason !== undefined) networks.set(subnet, indexOf(reason))
  }
  return { edges, networks, reasons: [...reasons.keys()] }
})

/** /24 or /64 of what is ours, /16 or /32 of the rest. */
const networkSql = (sql: SqlClient.SqlClient): Statement.Fragment =>
  sql.literal(`network(set_masklen(a.ip_addresses[1], CASE WHEN family(a.ip_addresses[1]) = 4
    THEN CASE WHEN a.internal THEN 24 ELSE 16 END ELSE CASE WHEN a.internal THEN 64 ELSE 32 END END))::text`)

/** What the database has checked is not checked again. */
const toNode = (row: NodeRow, blind: number | undefined): TopologyNode =>
  Object.assign(Object.create(TopologyNode.prototype), row, blind === undefined ? undefined : { blind })
