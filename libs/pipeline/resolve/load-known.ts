/** Pending traffic of one window → `slice_edge` and `slice_exporter`, as match-edges.ts leaves them for a slice. */

import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { bools, float8s, int4s, texts } from "../store/arrays.ts"
import { partitionName } from "../store/partitions.ts"
import { bit } from "./collapse/edge-fields.ts"
import { type Columns, column, type KnownRows, seenColumn } from "./journal/KnownRows.ts"
import { turned } from "./match-edges.ts"

const values = (from: Columns, which: number): Array<number> => Array.from(from.columns[which]!.subarray(0, from.length))

/** Columns that are 0 for every row of most windows, and figures that are the scaled ones where nothing was sampled: not sent then. */
const rare = [column.synReverse, column.synAckForward, column.synAckReverse, column.beganReverse, column.fanInAgainst]
const all = (from: Columns, which: number, value: number): boolean => {
  const found = from.columns[which]!
  for (let i = 0; i < from.length; i++) if (found[i] !== value) return false
  return true
}

/** What an earlier slice or window left in the temporary tables of this transaction. */
export const emptyStages = (sql: SqlClient.SqlClient) => sql`TRUNCATE slice_edge, slice_exporter, slice_added`

/**
 * Dependencies are found by their number and are all known: what was deleted since finds nothing, and what was turned since is turned
 * here. `dependency_row` and `traffic_row` are good while `lockInventory` is held.
 */
export const loadKnown = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, rows: KnownRows, windowStart: Date) {
  const { edges, observers, exporters } = rows
  const doubles = (which: number) => sql`unnest(${float8s(values(edges, which))}::float8[])`
  const whole = (which: number) => sql`unnest(${int4s(values(edges, which))}::int[])`
  const plain = rare.every((which) => all(edges, which, 0))
  const exact = all(edges, column.sampling, 1)
  const doublesIf = (sent: boolean, which: number, otherwise: string) => (sent ? doubles(which) : sql.literal(otherwise))
  const wholeIf = (sent: boolean, which: number, otherwise: string) => (sent ? whole(which) : sql.literal(otherwise))
  const traffic = sql(partitionName("flow_stats", windowStart.getTime()))
  yield* sql`INSERT INTO slice_edge (source_id, target_id, dependency_id, n, port, bits, protocol, is_new, fresh, flows, to_server, to_client, packets,
      raw_bytes, raw_packets, first, last, old_flows, syn_forward, syn_reverse, syn_ack_forward, syn_ack_reverse, began_forward, began_reverse,
      client_ports, direction, sampling, fan_in, fan_in_against, old_exporters, several, source_internal, target_internal, dependency_row,
      traffic_row, old_last, old_status, exporter, source_address, target_address, old_owner)
    SELECT d.source_id, d.target_id, d.id, u.n, d.port, u.bits, d.protocol, false, w.time IS NULL, u.flows, u.to_server, u.to_client, u.packets,
      COALESCE(u.raw_bytes::bigint, u.to_server::bigint + u.to_client::bigint), COALESCE(u.raw_packets, u.packets), to_timestamp(u.first / 1000), to_timestamp(u.last / 1000), d.total_flows, u.sf, u.sr, u.af, u.ar, u.bf, u.br,
      u.client_ports, CASE WHEN (u.key % 2) <> (d.turns % 2) THEN -1 ELSE 0 END, u.sampling, u.fan_in, u.fan_in_against, d.exporters,
      d.exporters > 1 OR d.owner_exporter IS DISTINCT FROM u.exporter, false, false, d.ctid, w.ctid, d.last_seen, d.status, u.exporter,
      d.source_address, d.target_address, d.owner_exporter
    FROM (SELECT n, key::bigint AS key, bits, flows, to_server, to_client, packets, raw_bytes, raw_packets, first, last, sf, sr, af, ar, bf, br,
        client_ports, sampling, fan_in, fan_in_against, (${texts(exporters)}::text[]::inet[])[owner + 1] AS exporter
      -- in the target list the arrays are walked side by side; in FROM each would be stored first
      FROM (SELECT generate_series(1, ${edges.length}::int) AS n, ${doubles(column.key)} AS key, ${whole(column.bits)} AS bits,
        ${doubles(column.flows)} AS flows, ${doubles(column.toServer)} AS to_server, ${doubles(column.toClient)} AS to_client,
        ${doubles(column.packets)} AS packets, ${doublesIf(!exact, column.rawBytes, "NULL::float8")} AS raw_bytes, ${doublesIf(!exact, column.rawPackets, "NULL::float8")} AS raw_packets,
        ${doubles(column.first)} AS first, ${doubles(column.last)} AS last, ${doubles(column.synForward)} AS sf,
        ${doublesIf(!plain, column.synReverse, "0::float8")} AS sr, ${doublesIf(!plain, column.synAckForward, "0::float8")} AS af, ${doublesIf(!plain, column.synAckReverse, "0::float8")} AS ar,
        ${doubles(column.beganForward)} AS bf, ${doublesIf(!plain, column.beganReverse, "0::float8")} AS br, ${doubles(column.clientPorts)} AS client_ports,
        ${wholeIf(!exact, column.sampling, "1")} AS sampling, ${whole(column.fanIn)} AS fan_in, ${wholeIf(!plain, column.fanInAgainst, "0")} AS fan_in_against, ${whole(column.exporter)} AS owner) arrays) u
    JOIN dependencies d ON d.id = u.key / 2
    LEFT JOIN ${traffic} w ON w.time = ${windowStart} AND w.source_id = d.source_id AND w.target_id = d.target_id AND w.protocol = d.protocol AND w.port = d.port`
  yield* sql`ANALYZE slice_edge`
  yield* sql`UPDATE slice_edge SET ${turned(sql)} WHERE direction < 0`
  if (observers.length > 0) {
    yield* sql`INSERT INTO slice_exporter
      SELECT u.n + 1, (${texts(exporters)}::text[]::inet[])[u.exporter + 1], u.owner, u.records, u.bytes, u.packets
      FROM unnest(${int4s(values(observers, seenColumn.row))}::int[], ${int4s(values(observers, seenColumn.exporter))}::int[],
        ${bools(values(observers, seenColumn.owner).map((owner) => owner === 1))}::boolean[],
        ${float8s(values(observers, seenColumn.records))}::float8[], ${float8s(values(observers, seenColumn.bytes))}::float8[],
        ${float8s(values(observers, seenColumn.packets))}::float8[]) AS u(n, exporter, owner, records, bytes, packets)
      JOIN slice_edge e ON e.n = u.n + 1`
    yield* sql`UPDATE slice_edge e SET several = true FROM (SELECT DISTINCT n FROM slice_exporter) x WHERE x.n = e.n AND NOT e.several`
  }
})

/** Both ends of each edge. */
export const knownEnds = (sql: SqlClient.SqlClient) => {
  const end = (
    id: "source_id" | "target_id"
  ) => sql`SELECT ${sql(id)} AS asset_id, flows, to_server + to_client AS bytes, first, last,
    (bits & ${bit.bothDirections}::int) <> 0 AS answered FROM slice_edge`
  return sql`${end("source_id")} UNION ALL ${end("target_id")}`
}
