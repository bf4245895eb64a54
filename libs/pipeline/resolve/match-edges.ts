/**
 * The edges of a slice, matched with the dependencies they belong to, in a temporary table (`slice_edge`) that every later statement
 * reads. After this each row has its dependency's id and is alone with it.
 */

import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { bools, float8s, int4s, int8s, texts } from "../store/arrays.ts"
import { partitionName } from "../store/partitions.ts"
import { againstShift, bit, latestBits } from "./collapse/edge-fields.ts"
import type { Staged } from "./stage.ts"
import { guess, speaksAgainst, symmetric, turnDependencies } from "./turn-dependencies.ts"

export const createEdgeStage = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  yield* sql`CREATE TEMP TABLE IF NOT EXISTS slice_edge (
    source_id bigint NOT NULL, target_id bigint NOT NULL, dependency_id bigint NOT NULL, n integer NOT NULL, port integer NOT NULL, bits integer NOT NULL,
    protocol smallint NOT NULL, is_new boolean NOT NULL, fresh boolean NOT NULL, flows bigint NOT NULL, to_server bigint NOT NULL, to_client bigint NOT NULL,
    packets bigint NOT NULL, raw_bytes bigint NOT NULL, raw_packets bigint NOT NULL, first timestamptz NOT NULL, last timestamptz NOT NULL,
    old_flows bigint NOT NULL, syn_forward bigint NOT NULL, syn_reverse bigint NOT NULL, syn_ack_forward bigint NOT NULL, syn_ack_reverse bigint NOT NULL,
    began_forward bigint NOT NULL, began_reverse bigint NOT NULL, client_ports bigint NOT NULL, direction double precision NOT NULL, sampling integer NOT NULL,
    fan_in integer NOT NULL, fan_in_against integer NOT NULL, old_exporters integer NOT NULL, several boolean NOT NULL, source_internal boolean NOT NULL, target_internal boolean NOT NULL,
    dependency_row tid, traffic_row tid, old_last timestamptz, old_status text NOT NULL, exporter inet NOT NULL, source_address inet NOT NULL,
    target_address inet NOT NULL, old_owner inet
  ) ON COMMIT DELETE ROWS`
  yield* sql`CREATE TEMP TABLE IF NOT EXISTS slice_exporter (
    n integer NOT NULL, exporter inet NOT NULL, owner boolean NOT NULL, records bigint NOT NULL, bytes bigint NOT NULL, packets bigint NOT NULL
  ) ON COMMIT DELETE ROWS`
})

/**
 * Needs `slice_address`. `several`: more than its one owner ever saw the dependency, so its observations have rows of their own. `fresh` says
 * that the dependency had no traffic in this window before: a window counts once. `dependency_row` and `traffic_row` say where the rows
 * lie, good while `lockInventory` is held: whoever writes to these tables holds it.
 */
export const loadEdges = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, staged: Staged, windowStart: Date) {
  const { edges, evidence, sampled, observers } = staged
  const traffic = sql(partitionName("flow_stats", windowStart.getTime()))
  yield* sql`INSERT INTO slice_edge
    SELECT c.asset_id, s.asset_id, COALESCE(d.id, nextval('dependencies_id_seq')), u.n, u.port, u.bits,
      u.protocol, d.id IS NULL, w.time IS NULL, u.flows, u.to_server, u.to_client,
      u.packets, COALESCE(r.bytes::bigint, u.to_server::bigint + u.to_client::bigint), COALESCE(r.packets, u.packets), to_timestamp(u.first / 1000), to_timestamp(u.last / 1000),
      COALESCE(d.total_flows, 0), COALESCE(e.sf, u.evidence & 31), COALESCE(e.sr, u.evidence >> 5 & 31), COALESCE(e.af, u.evidence >> 10 & 31),
      COALESCE(e.ar, u.evidence >> 15 & 31), COALESCE(e.bf, u.evidence >> 20 & 31), COALESCE(e.br, u.evidence >> 25 & 31), u.client_ports, u.direction,
      COALESCE(r.rate, 1), u.fan_in >> ${againstShift}::int, u.fan_in & ${(1 << againstShift) - 1}::int, COALESCE(d.exporters, 0), COALESCE(d.exporters > 1 OR d.owner_exporter <> x.exporter, false), c.internal, s.internal,
      d.ctid, w.ctid, d.last_seen, COALESCE(d.status, 'candidate'), x.exporter, c.address, s.address, d.owner_exporter
    FROM (SELECT n, client, server, (service >> 16)::smallint AS protocol, service & 65535 AS port, bits, flows, to_server, to_client, packets, first,
        last, direction, fan_in, client_ports, exporter, evidence
      -- in the target list the arrays are walked side by side; in FROM each would be stored first
      FROM (SELECT generate_series(1, ${edges.client.length}::int) AS n, unnest(${int4s(edges.client)}::int[]) AS client, unnest(${int4s(edges.server)}::int[]) AS server,
        unnest(${int4s(edges.service)}::int[]) AS service, unnest(${int4s(edges.bits)}::int[]) AS bits, unnest(${float8s(edges.flows)}::float8[]) AS flows,
        unnest(${float8s(edges.toServer)}::float8[]) AS to_server, unnest(${float8s(edges.toClient)}::float8[]) AS to_client,
        unnest(${float8s(edges.packets)}::float8[]) AS packets, unnest(${float8s(edges.first)}::float8[]) AS first, unnest(${float8s(edges.last)}::float8[]) AS last,
        unnest(${float8s(edges.direction)}::float8[]) AS direction, unnest(${int4s(edges.fanIn)}::int[]) AS fan_in,
        unnest(${float8s(edges.clientPorts)}::float8[]) AS client_ports, unnest(${int4s(edges.exporter)}::int[]) AS exporter,
        unnest(${int4s(edges.evidence)}::int[]) AS evidence) arrays) u
    JOIN slice_address c ON c.n = u.client
    JOIN slice_address s ON s.n = u.server
    -- every edge has one; an inner join would be planned for as if it dropped most of them, and all that follows as if they were few
    LEFT JOIN (SELECT exporter::inet, n FROM unnest(${texts(staged.exporters)}::text[]) WITH ORDINALITY AS t(exporter, n)) x ON x.n = u.exporter
    LEFT JOIN unnest(${int4s(evidence.edge)}::int[], ${int4s(evidence.synForward)}::int[], ${int4s(evidence.synReverse)}::int[], ${int4s(evidence.synAckForward)}::int[],
        ${int4s(evidence.synAckReverse)}::int[], ${int4s(evidence.beganForward)}::int[], ${int4s(evidence.beganReverse)}::int[])
      AS e(n, sf, sr, af, ar, bf, br) ON e.n = u.n
    LEFT JOIN unnest(${int4s(sampled.edge)}::int[], ${int4s(sampled.rate)}::int[], ${float8s(sampled.bytes)}::float8[], ${float8s(sampled.packets)}::float8[])
      AS r(n, rate, bytes, packets) ON r.n = u.n
    LEFT JOIN dependencies d ON d.source_id = c.asset_id AND d.target_id = s.asset_id AND d.protocol = u.protocol AND d.port = u.port
    LEFT JOIN ${traffic} w ON w.time = ${windowStart} AND w.source_id = c.asset_id AND w.target_id = s.asset_id AND w.protocol = u.protocol AND w.port = u.port
    WHERE c.asset_id <> s.asset_id
    -- in the order of the indexes that the later statements write to
    ORDER BY c.asset_id, s.asset_id, u.protocol, u.port`
  yield* sql`ANALYZE slice_edge`
  if (observers.edge.length > 0) {
    yield* sql`INSERT INTO slice_exporter
      SELECT u.n, (${texts(staged.exporters)}::text[]::inet[])[u.exporter], u.owner, u.records, u.bytes, u.packets
      FROM unnest(${int4s(observers.edge)}::int[], ${int4s(observers.exporter)}::int[], ${bools(observers.owner)}::boolean[], ${float8s(observers.records)}::float8[],
        ${float8s(observers.bytes)}::float8[], ${float8s(observers.packets)}::float8[]) AS u(n, exporter, owner, records, bytes, packets)`
    yield* sql`UPDATE slice_edge e SET several = true FROM (SELECT DISTINCT n FROM slice_exporter) x WHERE x.n = e.n AND NOT e.several`
  }
})

/**
 * Two edges of a slice may be the same dependency: two addresses of one asset, or an edge that was turned around (`settled`: how many
 * were). Joins them under the number of the first one; an edge may have no flow that counts. Seldom, so it is only looked for when there is such an asset or edge; the edges
 * of a CollapsedSlice themselves are unique.
 */
export const joinDoubles = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, settled: number) {
  const [shared] = yield* sql`SELECT 1 FROM slice_address GROUP BY asset_id HAVING count(*) > 1 LIMIT 1`
  if (shared === undefined && settled === 0) return
  const [found] = yield* sql`SELECT 1 FROM slice_edge GROUP BY source_id, target_id, protocol, port HAVING count(*) > 1 LIMIT 1`
  if (found === undefined) return
  yield* sql`WITH keep AS (
      SELECT n, first_value(n) OVER same AS kept, count(*) OVER same AS together FROM slice_edge
      WINDOW same AS (PARTITION BY source_id, target_id, protocol, port ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    )
    UPDATE slice_exporter x SET n = k.kept FROM keep k WHERE k.n = x.n AND k.together > 1`
  yield* sql`WITH sums AS (
      SELECT min(n) AS n, bit_or(bits & ${~latestBits}::int) | (min(bits) & ${latestBits}::int) AS bits,
        bool_or(several) OR min(exporter) <> max(exporter) AS several, sum(flows) AS flows, LEAST(sum(to_server), 4611686018427387903) AS to_server, LEAST(sum(to_client), 4611686018427387903) AS to_client,
        LEAST(sum(packets), 4611686018427387903) AS packets, LEAST(sum(raw_bytes), 4611686018427387903) AS raw_bytes, LEAST(sum(raw_packets), 4611686018427387903) AS raw_packets, max(sampling) AS sampling, min(first) AS first,
        max(last) AS last, sum(direction * GREATEST(flows, 1)) / sum(GREATEST(flows, 1)) AS direction, max(fan_in) AS fan_in, max(fan_in_against) AS fan_in_against, sum(client_ports) AS client_ports,
        sum(syn_forward) AS sf, sum(syn_reverse) AS sr, sum(syn_ack_forward) AS af, sum(syn_ack_reverse) AS ar, sum(began_forward) AS bf,
        sum(began_reverse) AS br
      FROM slice_edge GROUP BY source_id, target_id, protocol, port HAVING count(*) > 1
    )
    UPDATE slice_edge e SET bits = s.bits, several = s.several, flows = s.flows, to_server = s.to_server, to_client = s.to_client, packets = s.packets,
      raw_bytes = s.raw_bytes, raw_packets = s.raw_packets, sampling = s.sampling, first = s.first, last = s.last, direction = s.direction,
      fan_in = s.fan_in, fan_in_against = s.fan_in_against, client_ports = s.client_ports, syn_forward = s.sf, syn_reverse = s.sr, syn_ack_forward = s.af,
      syn_ack_reverse = s.ar, began_forward = s.bf, began_reverse = s.br
    FROM sums s WHERE s.n = e.n`
  yield* sql`DELETE FROM slice_edge e USING slice_edge first
    WHERE first.source_id = e.source_id AND first.target_id = e.target_id AND first.protocol = e.protocol AND first.port = e.port AND first.n < e.n`
})

/** What an edge has seen, from the other end. */
export const turned = (sql: SqlClient.SqlClient) => sql`to_server = to_client, to_client = to_server, direction = -direction,
        syn_forward = syn_reverse, syn_reverse = syn_forward, syn_ack_forward = syn_ack_reverse, syn_ack_reverse = syn_ack_forward,
        began_forward = began_reverse, began_reverse = began_forward, fan_in = GREATEST(1, fan_in_against), fan_in_against = fan_in,
        client_ports = -client_ports, bits = (bits & ${~(latestBits | bit.declared | (0xffff << bit.flagsToServerShift))}::int)
          | ((${2 * bit.portRankBias}::int - ((bits >> ${bit.portRankShift}::int) & 7)) << ${bit.portRankShift}::int)
          | ((${2 * bit.historyBias}::int - ((bits >> ${bit.historyShift}::int) & 31)) << ${bit.historyShift}::int)
          | (((bits >> ${bit.flagsToServerShift}::int) & 255) << ${bit.flagsToClientShift}::int)
          | (((bits >> ${bit.flagsToClientShift}::int) & 255) << ${bit.flagsToServerShift}::int)`

/** That a dependency `r` is the wrong way round, with what the slice has of the edge `e` that faces it. */
const togetherAgainst = speaksAgainst({
  synForward: "r.syn_forward + e.syn_reverse",
  synReverse: "r.syn_reverse + e.syn_forward",
  synAckForward: "r.syn_ack_forward + e.syn_ack_reverse",
  synAckReverse: "r.syn_ack_reverse + e.syn_ack_forward",
  beganForward: "r.began_forward + e.began_reverse",
  beganReverse: "r.began_reverse + e.began_forward",
  portRank: "0",
  fanIn: "GREATEST(r.fan_in, e.fan_in_against)",
  fanInAgainst: "GREATEST(r.fan_in_against, e.fan_in)",
  clientPorts: "r.client_ports - e.client_ports",
  history: "r.history",
  companion: "false"
})

/**
 * An edge that is new may be one that is known, drawn the other way round, where both ends use the same port. Of two that may be two
 * services the side with evidence wins, as long as one of them is a guess; where every connection was from the port to the same port, they
 * are one, whatever each of them stands on, and the evidence of both decides. Either the slice's edge is turned, or the dependency is, with
 * all it has. Answers how many dependencies were turned, how many edges of the slice met another dependency than at first, and the numbers
 * of those that were turned themselves.
 */
export const settleDirections = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, windowStart: Date) {
  const facing = yield* sql<{ n: number; id: bigint; turn: "edge" | "dependency" }>`
    SELECT n, id, CASE WHEN declared THEN 'edge' WHEN edge_declared THEN 'dependency'
      WHEN same THEN CASE WHEN against THEN 'dependency' ELSE 'edge' END
      WHEN direction_weight >= direction THEN 'edge' ELSE 'dependency' END AS turn
    FROM (SELECT e.n, r.id, r.declared, (e.bits & ${bit.declared}::int) <> 0 AS edge_declared, r.direction_weight, e.direction,
        (e.bits & ${bit.portsDiffer}::int) = 0 AND ${sql.literal(symmetric("r"))} AS same, ${sql.literal(togetherAgainst)} AS against
      FROM slice_edge e
      JOIN dependencies r ON r.source_id = e.target_id AND r.target_id = e.source_id AND r.protocol = e.protocol AND r.port = e.port
      WHERE e.is_new) AS pairs
    WHERE same OR declared OR edge_declared OR LEAST(direction, direction_weight) <= ${guess}`
  if (facing.length === 0) return { turned: 0, settled: 0, edges: [] }
  const dependencies = facing.filter((pair) => pair.turn === "dependency").map((pair) => pair.id)
  // what the slice has of a dependency in the direction that is given up turns with it
  const along = yield* sql<{
    n: number
  }>`SELECT n FROM slice_edge WHERE NOT is_new AND dependency_id = ANY(${int8s(dependencies)}::bigint[])`
  const edges = [...facing.filter((pair) => pair.turn === "edge"), ...along].map((pair) => pair.n)
  const settled = [...facing, ...along].map((pair) => pair.n)
  if (edges.length > 0) {
    yield* sql`UPDATE slice_edge SET source_id = target_id, target_id = source_id, source_address = target_address,
        target_address = source_address, source_internal = target_internal, target_internal = source_internal, ${turned(sql)}
      WHERE n = ANY(${int4s(edges)}::int[])`
  }
  yield* turnDependencies(sql, dependencies)
  // the rows that were turned, or whose dependency was, now meet it
  const traffic = sql(partitionName("flow_stats", windowStart.getTime()))
  yield* sql`UPDATE slice_edge e SET dependency_id = d.id, is_new = false, old_status = d.status, old_flows = d.total_flows, old_last = d.last_seen,
      old_exporters = d.exporters, old_owner = d.owner_exporter, dependency_row = d.ctid,
      several = e.several OR d.exporters > 1 OR d.owner_exporter <> e.exporter, fresh = w.time IS NULL, traffic_row = w.ctid
    FROM dependencies d LEFT JOIN ${traffic} w ON w.time = ${windowStart} AND w.source_id = d.source_id AND w.target_id = d.target_id
      AND w.protocol = d.protocol AND w.port = d.port
    WHERE e.n = ANY(${int4s(settled)}::int[]) AND d.source_id = e.source_id AND d.target_id = e.target_id
      AND d.protocol = e.protocol AND d.port = e.port`
  return { turned: dependencies.length, settled: settled.length, edges }
})
