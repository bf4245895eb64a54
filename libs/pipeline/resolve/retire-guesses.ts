/**
 * First impressions. A dependency that stands on a port's name alone (`A → B:p`, because B's ephemeral port has a known name) is retired
 * when its very connections turn out to go to the other end: all its conversations on record are between A's one port q and B's port p,
 * and `B → A:q` is proven. What was counted for the guess is counted for the right one then, each direction turned, and the guess goes.
 *
 * A guess is what does not reach `provenOdds` when the names of ports are left aside; the right one reaches it, and by as much more than
 * the guess. What an operator declared or a declaration turned stays, and so does a guess of more than `mostGuessFlows`: so many records
 * without a SYN, a start or a second peer are somebody's long-lived connection, to be declared.
 *
 * From a port to the same port one conversation may have been drawn both ways, before anybody could know that it was one. Then the one with
 * fewer records, `mostGuessFlows` at most, goes to the other, which turns (turn-dependencies.ts) if the evidence of both says so.
 */
import { Effect } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import { provenOdds } from "#domain/direction.ts"
import { bools, int4s, int8s, texts } from "../store/arrays.ts"
import type { EvidenceSample } from "./collapse/EvidenceSampler.ts"
import { judgeAnew, oddsSql, storedEvidence } from "./confidence-sql.ts"
import { clientPort, symmetric } from "./turn-dependencies.ts"

/** Records of a guess at most: what is moved in one transaction is bounded. */
export const mostGuessFlows = 1000

export interface Impression {
  readonly guess: bigint
  readonly right: bigint
}

/** Log-odds of a dependency with the names of its ports left aside. */
const unnamed = (of: string) => oddsSql({ ...storedEvidence(of), portRank: "0" })

/** Guesses and what they should have been; one for each right one at a time, so that each row is added to once. */
const impressions = (sql: SqlClient.SqlClient, among: Statement.Fragment) => sql<Impression>`
  SELECT DISTINCT ON (r.id) g.id AS guess, r.id AS right
  FROM dependencies g
  CROSS JOIN LATERAL (SELECT ${sql.literal(clientPort("g"))} AS port) AS e
  JOIN dependencies r ON r.source_id = g.target_id AND r.target_id = g.source_id AND r.protocol = g.protocol AND r.port = e.port
  WHERE ${among} AND NOT g.declared AND g.turned_port IS NULL AND g.total_flows <= ${mostGuessFlows}::int
    AND r.status <> 'stale' AND r.turned_port IS DISTINCT FROM -1
    AND CASE WHEN r.port = g.port THEN (r.declared OR (g.total_flows, g.id) < (r.total_flows, r.id)) AND ${sql.literal(symmetric("r"))}
      ELSE NOT g.companion AND g.client_ports <= 0 AND ${sql.literal(unnamed("g"))} < ${provenOdds}::float8
        AND (r.declared OR ${sql.literal(unnamed("r"))} >= ${provenOdds}::float8 + GREATEST(0, ${sql.literal(unnamed("g"))})) END
  ORDER BY r.id, g.id`

/** Guesses between ends of these conversations, whichever of the two it is that was sampled. Takes no lock: to be looked at again. */
export const findGuesses = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, samples: ReadonlyArray<EvidenceSample>) {
  if (samples.length === 0) return []
  const facing = yield* sql<{ id: bigint }>`SELECT DISTINCT g.id
    FROM unnest(${texts(samples.map((one) => one.client))}::text[]::inet[], ${texts(samples.map((one) => one.server))}::text[]::inet[],
      ${int4s(samples.map((one) => one.protocol))}::int[], ${bools(samples.map((one) => one.aPort === one.bPort))}::boolean[]) AS u(client, server, protocol, one_port)
    JOIN asset_address c ON c.address = u.client AND c.until IS NULL
    JOIN asset_address s ON s.address = u.server AND s.until IS NULL
    CROSS JOIN LATERAL (VALUES (c.asset_id, s.asset_id), (s.asset_id, c.asset_id)) AS way(source_id, target_id)
    JOIN dependencies g ON g.source_id = way.source_id AND g.target_id = way.target_id AND g.protocol = u.protocol
    JOIN dependencies r ON r.source_id = g.target_id AND r.target_id = g.source_id AND r.protocol = g.protocol AND (r.port <> g.port OR u.one_port)
    WHERE g.total_flows <= ${mostGuessFlows}::int AND NOT g.declared AND g.turned_port IS NULL`
  if (facing.length === 0) return []
  const found = yield* impressions(sql, among(sql, facing))
  // one right dependency may have several
  return found.length === 0 ? [] : facing.map(({ id }) => id)
})

const among = (sql: SqlClient.SqlClient, rows: ReadonlyArray<{ readonly id: bigint }>) =>
  sql`g.id = ANY(${int8s(rows.map(({ id }) => id))}::bigint[])`

/**
 * Needs `lockInventory`, and that nothing of these waits in the journal. Answers how many were retired; none while another appliance has
 * traffic in waiting: it would find them gone.
 */
export const retireGuesses = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, ids: ReadonlyArray<bigint>) {
  if (yield* othersWrite(sql)) return 0
  const rows = ids.map((id) => ({ id }))
  let retired = 0
  while (true) {
    const found = yield* impressions(sql, among(sql, rows))
    if (found.length === 0) return retired
    yield* countFor(sql, found)
    retired += found.length
  }
})

/** Another appliance has traffic in waiting. */
export const othersWrite = (sql: SqlClient.SqlClient) =>
  Effect.map(sql`SELECT 1 FROM window_journal WHERE written_at > now() - interval '10 minutes' LIMIT 1`, (rows) => rows.length > 0)

const most = "4611686018427387903"
const plus = (a: string, b: string) => `LEAST(${a}, ${most} - ${b}) + ${b}`

/** Counts what was counted for each guess for the right one, each direction turned; the guesses go. */
export const countFor = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, found: ReadonlyArray<Impression>) {
  const guesses = int8s(found.map((one) => one.guess))
  const rights = int8s(found.map((one) => one.right))
  const pairs = sql`unnest(${guesses}::bigint[], ${rights}::bigint[]) AS p(guess, "right")
    JOIN dependencies g ON g.id = p.guess JOIN dependencies r ON r.id = p."right"`
  const add = (column: string, other = column) => sql.literal(`${column} = ${plus(`d.${column}`, `g.${other}`)}`)

  // who saw them, while both still say what they saw
  yield* sql`INSERT INTO dependency_exporter (dependency_id, exporter, owner, records, bytes, packets, last_seen)
    SELECT d.id, d.owner_exporter, true, d.total_flows, d.total_bytes, d.total_packets, d.last_seen
    FROM ${pairs} JOIN dependencies d ON d.id IN (g.id, r.id)
    WHERE (g.exporters > 1 OR r.exporters > 1 OR g.owner_exporter <> r.owner_exporter) AND d.owner_exporter IS NOT NULL
    ON CONFLICT DO NOTHING`
  yield* sql`INSERT INTO dependency_exporter AS x (dependency_id, exporter, owner, records, bytes, packets, last_seen, spared_records, spared_bytes)
    SELECT r.id, s.exporter, false, s.records, s.bytes, s.packets, s.last_seen, s.spared_records, s.spared_bytes
    FROM ${pairs} JOIN dependency_exporter s ON s.dependency_id = g.id
    ON CONFLICT (dependency_id, exporter) DO UPDATE SET ${sql.literal(
      ["records", "bytes", "packets", "spared_records", "spared_bytes"]
        .map((column) => `${column} = ${plus(`x.${column}`, `excluded.${column}`)}`)
        .join(", ")
    )}, last_seen = GREATEST(x.last_seen, excluded.last_seen)`
  yield* sql`INSERT INTO dependency_span AS x (dependency_id, since, until)
    SELECT r.id, s.since, s.until FROM ${pairs} CROSS JOIN LATERAL (
      SELECT since, until FROM dependency_span WHERE dependency_id = g.id
      UNION SELECT LEAST(g.valid_from, g.last_seen), g.last_seen WHERE g.status = 'stale') AS s
    WHERE s.until < r.valid_from AND NOT EXISTS (SELECT 1 FROM dependency_span o WHERE o.dependency_id = r.id AND o.until >= s.since AND o.since <= s.until)
    ON CONFLICT (dependency_id, since) DO UPDATE SET until = GREATEST(x.until, excluded.until)`

  // before the rows are one: windows that both were seen in count once
  yield* sql`UPDATE dependencies d SET windows = d.windows + GREATEST(0, s.windows)
    FROM (SELECT r.id, g.windows - (SELECT count(*) FROM flow_stats a JOIN flow_stats b ON b.time = a.time AND b.source_id = r.source_id
          AND b.target_id = r.target_id AND b.protocol = r.protocol AND b.port = r.port
        WHERE a.source_id = g.source_id AND a.target_id = g.target_id AND a.protocol = g.protocol AND a.port = g.port)::int AS windows FROM ${pairs}) AS s
    WHERE d.id = s.id`
  yield* moveTraffic(sql, pairs)

  yield* sql`WITH added AS (
      UPDATE dependencies d SET ${add("bytes_to_server", "bytes_to_client")}, ${add("bytes_to_client", "bytes_to_server")}, ${add("total_packets")},
        ${add("total_flows")}, ${add("raw_bytes")}, ${add("raw_packets")}, ${add("syn_forward", "syn_reverse")}, ${add("syn_reverse", "syn_forward")},
        ${add("syn_ack_forward", "syn_ack_reverse")}, ${add("syn_ack_reverse", "syn_ack_forward")}, ${add("began_forward", "began_reverse")},
        ${add("began_reverse", "began_forward")}, client_ports = d.client_ports - g.client_ports, fan_in = GREATEST(d.fan_in, g.fan_in_against),
        both_directions = d.both_directions OR g.both_directions, first_seen = LEAST(d.first_seen, g.first_seen), last_seen = GREATEST(d.last_seen, g.last_seen),
        seen_hour = GREATEST(d.seen_hour, g.seen_hour), valid_from = CASE WHEN g.status = 'stale' THEN d.valid_from ELSE LEAST(d.valid_from, g.valid_from) END,
        exporters = GREATEST(d.exporters, (SELECT count(*)::int FROM dependency_exporter x WHERE x.dependency_id = d.id)),
        tags = d.tags || ARRAY(SELECT tag FROM unnest(g.tags) AS tag WHERE tag <> ALL(d.tags)), notes = concat_ws(E'\n', d.notes, g.notes),
        status = CASE WHEN g.status = 'active' THEN 'active' ELSE d.status END, activated_at = COALESCE(d.activated_at, g.activated_at)
      FROM (SELECT g.*, r.id AS "right", r.status AS right_status FROM ${pairs}) AS g WHERE d.id = g."right"
      RETURNING d.source_id, d.target_id, (g.right_status <> 'active' AND d.status = 'active')::int AS begun, (g.status = 'active')::int AS ended
    ), counted AS (
      SELECT asset_id, sum(clients) AS clients, sum(servers) AS servers
      FROM (SELECT target_id AS asset_id, begun AS clients, -ended AS servers FROM added UNION ALL SELECT source_id, -ended, begun FROM added) AS ends GROUP BY asset_id
    )
    UPDATE assets a SET clients = a.clients + c.clients, servers = a.servers + c.servers FROM counted c WHERE a.id = c.asset_id`
  yield* judgeAnew(sql, sql`id = ANY(${rights}::bigint[])`)

  yield* sql`UPDATE evidence_flows f SET dependency_id = m."right", slot = m.slot
    FROM (SELECT from_guess.slot AS was, g.id AS guess, r.id AS "right", free.slot FROM ${pairs}
      CROSS JOIN LATERAL (SELECT slot, row_number() OVER (ORDER BY slot) AS n FROM evidence_flows WHERE dependency_id = g.id) AS from_guess
      CROSS JOIN LATERAL (SELECT slot, row_number() OVER (ORDER BY slot) AS n FROM generate_series(0, 15) AS slot
        WHERE slot NOT IN (SELECT o.slot FROM evidence_flows o WHERE o.dependency_id = r.id)) AS free
      WHERE free.n = from_guess.n) AS m
    WHERE f.dependency_id = m.guess AND f.slot = m.was`
  // a service that nobody else was seen to use is none
  yield* sql`WITH gone AS (
      DELETE FROM services s USING ${pairs} WHERE s.asset_id = g.target_id AND s.port = g.port AND s.protocol = g.protocol
        AND NOT EXISTS (SELECT 1 FROM dependencies o WHERE o.target_id = g.target_id AND o.port = g.port AND o.protocol = g.protocol AND o.id <> g.id)
      RETURNING r.target_id, r.port, r.protocol, r.inferred_service, s.first_seen, s.last_seen
    )
    INSERT INTO services AS s (asset_id, port, protocol, name, first_seen, last_seen)
    SELECT target_id, port, protocol, min(inferred_service), min(first_seen), max(last_seen) FROM gone GROUP BY target_id, port, protocol
    ON CONFLICT (asset_id, port, protocol) DO UPDATE SET first_seen = LEAST(s.first_seen, excluded.first_seen), last_seen = GREATEST(s.last_seen, excluded.last_seen)`
  // its triggers tell who remembers it
  yield* sql`DELETE FROM dependencies WHERE id = ANY(${guesses}::bigint[])`
})

/** Windows in which both were seen become one row: a resolver meets one. Of hours and days readers sum. */
const moveTraffic = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, pairs: Statement.Fragment) {
  const is = (row: string, dependency: string) =>
    sql.literal(
      `${row}.source_id = ${dependency}.source_id AND ${row}.target_id = ${dependency}.target_id AND ${row}.protocol = ${dependency}.protocol AND ${row}.port = ${dependency}.port`
    )
  yield* sql`WITH gone AS (
      DELETE FROM flow_stats f USING ${pairs} JOIN flow_stats o ON ${is("o", "r")}
      WHERE ${is("f", "g")} AND o.time = f.time
      RETURNING f.*, r.id AS "right"
    )
    UPDATE flow_stats f SET flows = ${sql.literal(plus("f.flows", "g.flows"))}, packets = ${sql.literal(plus("f.packets", "g.packets"))},
      bytes_to_server = ${sql.literal(plus("f.bytes_to_server", "g.bytes_to_client"))}, bytes_to_client = ${sql.literal(plus("f.bytes_to_client", "g.bytes_to_server"))},
      tcp_flags_to_server = f.tcp_flags_to_server | g.tcp_flags_to_client, tcp_flags_to_client = f.tcp_flags_to_client | g.tcp_flags_to_server,
      slices = f.slices + g.slices
    FROM gone g JOIN dependencies r ON r.id = g."right" WHERE ${is("f", "r")} AND f.time = g.time`
  for (const table of ["flow_stats", "flow_stats_hour", "flow_stats_day"]) {
    yield* sql`UPDATE ${sql(table)} f SET source_id = r.source_id, target_id = r.target_id, port = r.port, bytes_to_server = f.bytes_to_client,
        bytes_to_client = f.bytes_to_server, tcp_flags_to_server = f.tcp_flags_to_client, tcp_flags_to_client = f.tcp_flags_to_server
      FROM ${pairs} WHERE ${is("f", "g")}`
  }
})
