/** From `slice_edge` into the tables: traffic, observations, dependencies with their spans and terms, services. */

import { Effect } from "effect"
import { type SqlClient, SqlError, type Statement } from "effect/sql"
import { int4s, texts } from "../store/arrays.ts"
import { partitionName } from "../store/partitions.ts"
import { bit } from "./collapse/edge-fields.ts"
import { confidenceSql, directionSql } from "./confidence-sql.ts"
import { hourSql } from "./Inventory.ts"
import type { Staged } from "./stage.ts"

export interface DependencyOptions {
  /** Flows after which an edge is a dependency, and not a candidate. */
  readonly minFlows: number
}

/** What a slice holds, so that no statement runs that would find nothing to do. */
export interface EdgeCounts {
  readonly edges: number
  /** Edges that are no dependency yet. */
  readonly made: number
  /** Edges without traffic in this window so far. */
  readonly fresh: number
  readonly several: boolean
  readonly reopened: number
  /** Edges whose dependency was not active. */
  readonly inactive: number
}

/** `slice_edge` must be complete. */
export const countEdges = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const [counts] =
    yield* sql<EdgeCounts>`SELECT count(*)::int AS edges, count(*) FILTER (WHERE is_new)::int AS made, count(*) FILTER (WHERE fresh)::int AS fresh,
      COALESCE(bool_or(several), false) AS several, count(*) FILTER (WHERE old_status <> 'active')::int AS inactive,
      count(*) FILTER (WHERE NOT is_new AND old_status = 'stale')::int AS reopened
    FROM slice_edge`
  return counts!
})

/**
 * Rows are found where they lay when they were matched. One that is there no more was changed by somebody who did not hold the lock: the
 * slice is refused, and offered again.
 */
const updateAll = (table: string, expected: number, update: Statement.Statement<unknown>) =>
  Effect.flatMap(update.raw, (result) => {
    const found = (result as { readonly rowCount: number }).rowCount
    if (found === expected) return Effect.void
    const message = `${table}: ${found} rows of ${expected} where they were`
    return new SqlError.SqlError({ reason: new SqlError.SerializationError({ cause: undefined, message }) })
  })

/** Known rows are updated in place; an `ON CONFLICT` would look for each again, and lock it first. */
export const addTraffic = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, windowStart: Date, counts: EdgeCounts) {
  const traffic = sql(partitionName("flow_stats", windowStart.getTime()))
  if (counts.fresh < counts.edges) {
    yield* updateAll(
      "flow_stats",
      counts.edges - counts.fresh,
      sql`UPDATE ${traffic} f SET flows = LEAST(f.flows, 4611686018427387903 - e.flows) + e.flows, packets = LEAST(f.packets, 4611686018427387903 - e.packets) + e.packets,
          bytes_to_server = LEAST(f.bytes_to_server, 4611686018427387903 - e.to_server) + e.to_server,
          bytes_to_client = LEAST(f.bytes_to_client, 4611686018427387903 - e.to_client) + e.to_client,
          tcp_flags_to_server = f.tcp_flags_to_server | ((e.bits >> ${bit.flagsToServerShift}::int) & 255)::smallint,
          tcp_flags_to_client = f.tcp_flags_to_client | ((e.bits >> ${bit.flagsToClientShift}::int) & 255)::smallint, slices = f.slices + 1
        FROM slice_edge e WHERE f.ctid = e.traffic_row AND NOT e.fresh`
    )
  }
  if (counts.fresh === 0) return
  yield* sql`INSERT INTO ${traffic} (time, source_id, target_id, protocol, port, flows, packets, bytes_to_server, bytes_to_client,
      tcp_flags_to_server, tcp_flags_to_client)
    SELECT ${windowStart}, source_id, target_id, protocol, port, flows, packets, to_server, to_client,
      (bits >> ${bit.flagsToServerShift}::int) & 255, (bits >> ${bit.flagsToClientShift}::int) & 255
    FROM slice_edge WHERE fresh
    -- in the order of the index
    ORDER BY source_id, target_id, protocol, port`
})

export const createAddedStage = (sql: SqlClient.SqlClient) =>
  sql`CREATE TEMP TABLE IF NOT EXISTS slice_added (dependency_id bigint PRIMARY KEY, exporters integer NOT NULL) ON COMMIT DELETE ROWS`

/**
 * Who saw it, for dependencies that a second exporter saw; most have one, which the dependency itself names. Leaves in `slice_added`
 * how many exporters each of them gained.
 */
export const addObservations = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, counts: EdgeCounts) {
  yield* createAddedStage(sql)
  if (!counts.several) return
  yield* sql`INSERT INTO dependency_exporter AS x (dependency_id, exporter, owner, records, bytes, packets, last_seen)
    SELECT d.id, d.owner_exporter, true, d.total_flows, d.total_bytes, d.total_packets, d.last_seen
    FROM slice_edge e JOIN dependencies d ON d.id = e.dependency_id
    WHERE e.several AND e.old_exporters = 1 AND d.owner_exporter IS NOT NULL
    -- it has a row already when one exporter was owner of one direction and observer of the other, or repeated itself
    ON CONFLICT (dependency_id, exporter) DO UPDATE SET records = LEAST(excluded.records, 4611686018427387903 - x.spared_records) + x.spared_records,
      bytes = LEAST(excluded.bytes, 4611686018427387903 - x.spared_bytes) + x.spared_bytes, packets = GREATEST(x.packets, excluded.packets)`
  yield* sql`WITH seen AS (
      INSERT INTO dependency_exporter AS x (dependency_id, exporter, owner, records, bytes, packets, last_seen, spared_records, spared_bytes)
      SELECT e.dependency_id, s.exporter, bool_or(s.owner), LEAST(sum(s.records), 4611686018427387903), LEAST(sum(s.bytes), 4611686018427387903), LEAST(sum(s.packets), 4611686018427387903), max(e.last),
        LEAST(COALESCE(sum(s.records) FILTER (WHERE NOT s.owner), 0), 4611686018427387903), LEAST(COALESCE(sum(s.bytes) FILTER (WHERE NOT s.owner), 0), 4611686018427387903)
      FROM slice_edge e JOIN (
        SELECT n, exporter, true AS owner, flows AS records, to_server + to_client AS bytes, packets FROM slice_edge WHERE several
        UNION ALL SELECT n, exporter, owner, records, bytes, packets FROM slice_exporter
      ) s ON s.n = e.n
      GROUP BY e.dependency_id, s.exporter
      ON CONFLICT (dependency_id, exporter) DO UPDATE SET owner = excluded.owner, records = LEAST(x.records, 4611686018427387903 - excluded.records) + excluded.records,
        bytes = LEAST(x.bytes, 4611686018427387903 - excluded.bytes) + excluded.bytes, packets = LEAST(x.packets, 4611686018427387903 - excluded.packets) + excluded.packets, last_seen = GREATEST(x.last_seen, excluded.last_seen),
        spared_records = LEAST(x.spared_records, 4611686018427387903 - excluded.spared_records) + excluded.spared_records,
        spared_bytes = LEAST(x.spared_bytes, 4611686018427387903 - excluded.spared_bytes) + excluded.spared_bytes
      -- a row version that nobody replaced has no xmax: it was inserted
      RETURNING x.dependency_id, x.xmax = 0 AS added
    )
    INSERT INTO slice_added SELECT dependency_id, count(*) FROM seen WHERE added GROUP BY dependency_id`
  yield* sql`UPDATE dependency_exporter x SET owner = false FROM slice_edge e
    WHERE e.several AND e.old_owner <> e.exporter AND x.dependency_id = e.dependency_id AND x.exporter = e.old_owner AND x.owner
      AND NOT EXISTS (SELECT 1 FROM slice_exporter s WHERE s.n = e.n AND s.exporter = x.exporter AND s.owner)`
})

const rankSql = (bits: string) => `((${bits} >> ${bit.portRankShift}) & 7) - ${bit.portRankBias}`
const historySql = (bits: string) => `((${bits} >> ${bit.historyShift}) & 31) - ${bit.historyBias}`

/** New rows and known ones; `slice_added` must be there. Answers how many became active. */
export const writeDependencies = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  options: DependencyOptions,
  services: Staged["services"],
  counts: EdgeCounts
) {
  const text = sql.literal
  /** Flows of the owners, or of any one exporter: the owner may be a sampler that saw little of it. */
  const enough = (flows: string, dependency: string) =>
    `(${flows} >= ${options.minFlows} OR EXISTS (SELECT 1 FROM dependency_exporter x WHERE x.dependency_id = ${dependency} AND x.records >= ${options.minFlows}))`
  const newDirection = directionSql({
    synForward: "syn_forward",
    synReverse: "syn_reverse",
    synAckForward: "syn_ack_forward",
    synAckReverse: "syn_ack_reverse",
    beganForward: "began_forward",
    beganReverse: "began_reverse",
    portRank: rankSql("bits"),
    fanIn: "fan_in",
    fanInAgainst: "fan_in_against",
    clientPorts: "client_ports",
    history: historySql("bits"),
    companion: `(bits & ${bit.companion}) <> 0`,
    declared: `(bits & ${bit.declared}) <> 0`
  })
  if (counts.made > 0)
    yield* sql`INSERT INTO dependencies AS d (id, source_id, target_id, protocol, port, source_address, target_address, owner_exporter, inferred_service,
      is_internal, direction, status, first_seen, last_seen, seen_hour, valid_from, activated_at, bytes_to_server, bytes_to_client, total_packets,
      total_flows, raw_bytes, raw_packets, sampling, syn_forward, syn_reverse, syn_ack_forward, syn_ack_reverse, began_forward,
      began_reverse, port_rank, fan_in, fan_in_against, client_ports, history, companion, declared, windows, both_directions, exporters, direction_weight, confidence)
    SELECT *, ${text(
      confidenceSql({
        records: "total_flows",
        windows: "1",
        bothDirections: "both_directions",
        exporters: "exporters",
        direction: "direction_weight",
        sampled: "sampling > 1"
      })
    )}
    FROM (
      SELECT e.dependency_id, e.source_id, e.target_id, e.protocol, e.port, e.source_address, e.target_address, e.exporter,
        names.name,
        source_internal AND target_internal,
        CASE WHEN source_internal AND target_internal THEN 'internal' WHEN target_internal THEN 'inbound'
          WHEN source_internal THEN 'outbound' ELSE 'external' END,
        CASE WHEN ${text(enough("flows", "e.dependency_id"))} THEN 'active' ELSE 'candidate' END, first, last, ${text(hourSql("last"))}, first AS valid_from,
        CASE WHEN ${text(enough("flows", "e.dependency_id"))} THEN now() END, to_server, to_client, packets, flows AS total_flows, raw_bytes, raw_packets,
        sampling, syn_forward, syn_reverse, syn_ack_forward, syn_ack_reverse, began_forward, began_reverse,
        ${text(rankSql("bits"))}, fan_in, fan_in_against, client_ports, ${text(historySql("bits"))}, (bits & ${bit.companion}::int) <> 0, (bits & ${bit.declared}::int) <> 0,
        1 AS windows, (bits & ${bit.bothDirections}::int) <> 0 AS both_directions, COALESCE(a.exporters, 1) AS exporters, ${text(newDirection)} AS direction_weight
      FROM slice_edge e
      LEFT JOIN slice_added a ON a.dependency_id = e.dependency_id
      LEFT JOIN unnest(${int4s(services.service)}::int[], ${texts(services.name)}::text[]) AS names(service, name)
        ON names.service = (e.protocol::int << 16) | e.port
      WHERE e.is_new
    ) AS fresh`

  // A span that ended. A silence that nobody called stale was not watched all along, and ends nothing.
  if (counts.reopened > 0)
    yield* sql`INSERT INTO dependency_span (dependency_id, since, until)
    SELECT d.id, LEAST(d.valid_from, d.last_seen), d.last_seen FROM slice_edge e JOIN dependencies d ON d.id = e.dependency_id
    WHERE NOT e.is_new AND e.old_status = 'stale'
    ON CONFLICT (dependency_id, since) DO UPDATE SET until = GREATEST(dependency_span.until, excluded.until)`

  // that of the exporter that owns it now: what was sampled once is not sampled for ever
  const sampling = "(CASE WHEN e.flows > 0 THEN e.sampling ELSE d.sampling END)"
  const terms = {
    records: "d.total_flows + e.flows",
    windows: "d.windows + e.fresh::int",
    bothDirections: `(d.both_directions OR (e.bits & ${bit.bothDirections}) <> 0)`,
    exporters: counts.several ? "d.exporters + COALESCE(a.exporters, 0)" : "d.exporters",
    direction: directionSql({
      synForward: "d.syn_forward + e.syn_forward",
      synReverse: "d.syn_reverse + e.syn_reverse",
      synAckForward: "d.syn_ack_forward + e.syn_ack_forward",
      synAckReverse: "d.syn_ack_reverse + e.syn_ack_reverse",
      beganForward: "d.began_forward + e.began_forward",
      beganReverse: "d.began_reverse + e.began_reverse",
      portRank: rankSql("e.bits"),
      fanIn: "GREATEST(d.fan_in, e.fan_in)",
      fanInAgainst: "e.fan_in_against",
      clientPorts: "d.client_ports + e.client_ports",
      history: historySql("e.bits"),
      companion: `(d.companion OR (e.bits & ${bit.companion}) <> 0)`,
      declared: `(e.bits & ${bit.declared}) <> 0`
    }),
    sampled: `${sampling} > 1`
  }
  if (counts.made < counts.edges) {
    yield* updateAll(
      "dependencies",
      counts.edges - counts.made,
      sql`UPDATE dependencies d SET
      source_address = e.source_address, target_address = e.target_address, owner_exporter = e.exporter,
      first_seen = LEAST(d.first_seen, e.first), last_seen = GREATEST(d.last_seen, e.last),
      seen_hour = ${text(hourSql("GREATEST(d.last_seen, e.last)"))},
      status = CASE WHEN ${text(enough("d.total_flows + e.flows", "d.id"))} THEN 'active' ELSE 'candidate' END,
      activated_at = CASE WHEN d.status = 'candidate' AND ${text(enough("d.total_flows + e.flows", "d.id"))} THEN now() ELSE d.activated_at END,
      valid_from = CASE
        WHEN e.old_status = 'stale' THEN e.first
        WHEN e.first < d.valid_from
          AND NOT EXISTS (SELECT 1 FROM dependency_span s WHERE s.dependency_id = d.id AND s.until >= e.first) THEN e.first
        ELSE d.valid_from END,
      valid_to = NULL,
      bytes_to_server = LEAST(d.bytes_to_server, 4611686018427387903 - e.to_server) + e.to_server, bytes_to_client = LEAST(d.bytes_to_client, 4611686018427387903 - e.to_client) + e.to_client,
      total_packets = LEAST(d.total_packets, 4611686018427387903 - e.packets) + e.packets, total_flows = d.total_flows + e.flows,
      raw_bytes = LEAST(d.raw_bytes, 4611686018427387903 - e.raw_bytes) + e.raw_bytes, raw_packets = LEAST(d.raw_packets, 4611686018427387903 - e.raw_packets) + e.raw_packets, sampling = ${text(sampling)},
      syn_forward = d.syn_forward + e.syn_forward, syn_reverse = d.syn_reverse + e.syn_reverse,
      syn_ack_forward = d.syn_ack_forward + e.syn_ack_forward, syn_ack_reverse = d.syn_ack_reverse + e.syn_ack_reverse,
      began_forward = d.began_forward + e.began_forward, began_reverse = d.began_reverse + e.began_reverse,
      port_rank = ${text(rankSql("e.bits"))}, fan_in = GREATEST(d.fan_in, e.fan_in), fan_in_against = e.fan_in_against, history = ${text(historySql("e.bits"))},
      client_ports = d.client_ports + e.client_ports, companion = d.companion OR (e.bits & ${bit.companion}::int) <> 0, declared = (e.bits & ${bit.declared}::int) <> 0,
      windows = ${text(terms.windows)}, both_directions = ${text(terms.bothDirections)}, exporters = ${text(terms.exporters)},
      direction_weight = ${text(terms.direction)}, confidence = ${text(confidenceSql(terms))}, updated_at = now()
    FROM slice_edge e ${text(counts.several ? "LEFT JOIN slice_added a ON a.dependency_id = e.dependency_id" : "")}
    WHERE d.ctid = e.dependency_row AND NOT e.is_new`
    )
  }
  if (counts.inactive === 0) return 0
  const [begun] = yield* sql<{ n: number }>`WITH begun AS (
      SELECT source_id, target_id, old_status FROM slice_edge WHERE old_status <> 'active' AND ${text(enough("old_flows + flows", "slice_edge.dependency_id"))}
    ), counted AS (
      SELECT asset_id, sum(clients) AS clients, sum(servers) AS servers
      FROM (SELECT target_id AS asset_id, 1 AS clients, 0 AS servers FROM begun UNION ALL SELECT source_id, 0, 1 FROM begun) AS ends
      GROUP BY asset_id
    ), told AS (
      UPDATE assets a SET clients = a.clients + c.clients, servers = a.servers + c.servers FROM counted c WHERE a.id = c.asset_id
    )
    SELECT count(*) FILTER (WHERE old_status = 'candidate')::int AS n FROM begun`
  return begun!.n
})

/** Service = asset, port, protocol (FL-DB-13), where somebody answered. */
export const writeServices = (sql: SqlClient.SqlClient, services: Staged["services"]) =>
  sql`INSERT INTO services AS s (asset_id, port, protocol, name, first_seen, last_seen)
    SELECT target_id, port, protocol, min(names.name), min(first), max(last)
    FROM slice_edge e
    LEFT JOIN unnest(${int4s(services.service)}::int[], ${texts(services.name)}::text[]) AS names(service, name) ON names.service = (e.protocol::int << 16) | e.port
    WHERE (bits & ${bit.bothDirections}::int) <> 0
    GROUP BY target_id, port, protocol
    ORDER BY target_id, port, protocol
    ON CONFLICT (asset_id, port, protocol) DO UPDATE SET first_seen = LEAST(s.first_seen, excluded.first_seen),
      last_seen = GREATEST(s.last_seen, excluded.last_seen), name = COALESCE(excluded.name, s.name)`
