/**
 * Dependencies that change direction, with all that was counted for them: traffic in every grain, evidence, and how many clients and
 * servers their ends have. Needs `lockInventory`.
 */
import { Effect } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import { int4s, int8s, texts } from "../store/arrays.ts"
import type { EvidenceSample } from "./collapse/EvidenceSampler.ts"
import { clearDeviations, turnsBeyond } from "./collapse/SymmetricPairs.ts"
import { type EvidenceColumns, judgeAnew, oddsSql, storedEvidence } from "./confidence-sql.ts"

/**
 * At or below this margin a direction is a guess, and evidence from another slice may overrule it. Two dependencies with the same port
 * that both stand on evidence are two services that use each other, and stay two.
 */
export const guess = 0.3

/**
 * Whether evidence between equal ports, where one of the two directions is right for certain, is beyond doubt for the other one; by the
 * measure of SymmetricPairs.ts, so that what is drawn and what is stored turn alike.
 */
export const speaksAgainst = (evidence: Omit<EvidenceColumns, "declared">): string => {
  const { beganForward, beganReverse } = evidence
  const sure = (count: string) =>
    `CASE WHEN abs((${beganForward}) - (${beganReverse})) > ${clearDeviations} * sqrt((${beganForward}) + (${beganReverse})) THEN ${count} ELSE 0 END`
  return `${oddsSql({ ...evidence, beganForward: sure(beganForward), beganReverse: sure(beganReverse) })} < ${-turnsBeyond}`
}

/** `port` and `before` are SQL over `dependencies d`: the port it has from now on, and `turned_port`. */
export const turnDependencies = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  which: ReadonlyArray<bigint>,
  { before, port } = { port: "d.port", before: "d.turned_port" }
) {
  if (which.length === 0) return
  const these = int8s(which)
  const to = sql.literal(port)
  for (const table of ["flow_stats", "flow_stats_hour", "flow_stats_day"]) {
    yield* sql`UPDATE ${sql(table)} f SET source_id = f.target_id, target_id = f.source_id, port = ${to}, bytes_to_server = f.bytes_to_client,
        bytes_to_client = f.bytes_to_server, tcp_flags_to_server = f.tcp_flags_to_client, tcp_flags_to_client = f.tcp_flags_to_server
      FROM dependencies d WHERE d.id = ANY(${these}::bigint[]) AND f.source_id = d.source_id AND f.target_id = d.target_id
        AND f.protocol = d.protocol AND f.port = d.port`
  }
  yield* sql`WITH turned AS (
      UPDATE dependencies d SET source_id = target_id, target_id = source_id, source_address = target_address, target_address = source_address,
        port = ${to}, turned_port = ${sql.literal(before)}, bytes_to_server = bytes_to_client, bytes_to_client = bytes_to_server,
        direction = CASE direction WHEN 'inbound' THEN 'outbound' WHEN 'outbound' THEN 'inbound' ELSE direction END,
        inferred_service = CASE WHEN ${to} = d.port THEN d.inferred_service
          ELSE (SELECT min(v.name) FROM services v WHERE v.port = ${to} AND v.protocol = d.protocol) END,
        direction_weight = -direction_weight, syn_forward = syn_reverse, syn_reverse = syn_forward, syn_ack_forward = syn_ack_reverse,
        syn_ack_reverse = syn_ack_forward, began_forward = began_reverse, began_reverse = began_forward, port_rank = -port_rank,
        fan_in = GREATEST(1, fan_in_against), fan_in_against = fan_in, client_ports = -client_ports, history = -history, declared = false,
        turns = turns + 1, updated_at = now()
      WHERE id = ANY(${these}::bigint[])
      RETURNING source_id, target_id, status
    ), moved AS (
      SELECT asset_id, sum(clients) AS clients, sum(servers) AS servers FROM (
        SELECT target_id AS asset_id, 1 AS clients, -1 AS servers FROM turned WHERE status = 'active'
        UNION ALL SELECT source_id, -1, 1 FROM turned WHERE status = 'active') AS ends GROUP BY asset_id
    )
    UPDATE assets a SET clients = a.clients + m.clients, servers = a.servers + m.servers FROM moved m WHERE a.id = m.asset_id`
  yield* sql`SELECT tell_resolvers(${these}::bigint[])`
})

/** The one port that the client of `of`, an alias of `dependencies`, used in every conversation on record; NULL where that is not known. */
export const clientPort = (of: string) =>
  `(SELECT CASE WHEN count(*) = count(seen.port) AND min(seen.port) = max(seen.port) THEN min(seen.port) END FROM (
      SELECT CASE WHEN f.ports > 1 THEN NULL WHEN f.a = ${of}.source_address AND f.b_port = ${of}.port THEN f.a_port
        WHEN f.b = ${of}.source_address AND f.a_port = ${of}.port THEN f.b_port END AS port
      FROM evidence_flows f WHERE f.dependency_id = ${of}.id) AS seen)`

/** Every conversation on record had the same port at both ends. Of `of`, an alias of `dependencies`. */
export const symmetric = (of: string) =>
  `COALESCE((SELECT bool_and(f.a_port = f.b_port) FROM evidence_flows f WHERE f.dependency_id = ${of}.id), false)`

/**
 * Dependencies between ends of these conversations, from a port to the same port, whose evidence has come to speak for the other
 * direction: what slices said since, each in its own way, was added to the one that was drawn first. Takes no lock: to be looked at again.
 */
export const findWrongWay = (sql: SqlClient.SqlClient, samples: ReadonlyArray<EvidenceSample>) => {
  const those = samples.filter(({ aPort, bPort }) => aPort === bPort)
  return those.length === 0 ? Effect.succeed([]) : Effect.map(wrongWay(sql, those), (rows) => rows.map(({ id }) => id))
}

const wrongWay = (sql: SqlClient.SqlClient, samples: ReadonlyArray<EvidenceSample>): Statement.Statement<{ id: bigint }> =>
  sql`SELECT DISTINCT d.id
    FROM unnest(${texts(samples.map((one) => one.client))}::text[]::inet[], ${texts(samples.map((one) => one.server))}::text[]::inet[],
      ${int4s(samples.map((one) => one.protocol))}::int[], ${int4s(samples.map((one) => one.port))}::int[]) AS u(client, server, protocol, port)
    JOIN asset_address c ON c.address = u.client AND c.until IS NULL
    JOIN asset_address s ON s.address = u.server AND s.until IS NULL
    CROSS JOIN LATERAL (VALUES (c.asset_id, s.asset_id), (s.asset_id, c.asset_id)) AS way(source_id, target_id)
    JOIN dependencies d ON d.source_id = way.source_id AND d.target_id = way.target_id AND d.protocol = u.protocol AND d.port = u.port
    WHERE ${sql.literal(speaksAgainst(storedEvidence("d")))} AND NOT d.declared AND d.turned_port IS NULL AND ${sql.literal(symmetric("d"))}
      AND NOT EXISTS (SELECT 1 FROM dependencies r WHERE r.source_id = d.target_id AND r.target_id = d.source_id AND r.protocol = d.protocol AND r.port = d.port)`

/** Needs that nothing of these waits in the journal. Answers how many were turned. */
export const turnWrongWay = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, samples: ReadonlyArray<EvidenceSample>) {
  const wrong = yield* findWrongWay(sql, samples)
  yield* turnDependencies(sql, wrong)
  if (wrong.length > 0) yield* judgeAnew(sql, sql`id = ANY(${int8s(wrong)}::bigint[])`)
  return wrong.length
})
