/**
 * What an operator's word does to dependencies that are stored. Where an end serves, those drawn towards it are marked, those drawn from it
 * (their client used that port) change direction with their traffic. Where it never serves, those drawn towards it change direction when
 * the port of their client is on record. Where the other direction is there already, or a port is not known, the wrong one leaves the lists.
 * Taking the word back undoes it. Needs `lockInventory`.
 */
import { Effect } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import type { Declaration } from "#domain/Dependency.ts"
import { int8s } from "../store/arrays.ts"
import { judgeAnew } from "./confidence-sql.ts"
import { clientPort, turnDependencies } from "./turn-dependencies.ts"

export type End = Pick<Declaration, "address" | "protocol" | "port">

/** `turned_port` of a dependency that left the lists: the right one was there already, or the port it should have is not known. */
const hidden = -1

/** Answers how many changed direction. */
export const apply = (sql: SqlClient.SqlClient, end: End, serves: boolean) =>
  serves ? applyServes(sql, end) : applyNever(sql, end)
export const revoke = (sql: SqlClient.SqlClient, end: End, serves: boolean) =>
  serves ? revokeServes(sql, end) : revokeNever(sql, end)

const applyServes = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, end: End) {
  const wrong = yield* sql<{ id: bigint; taken: boolean }>`SELECT d.id, r.id IS NOT NULL AS taken FROM dependencies d
    LEFT JOIN dependencies r ON r.source_id = d.target_id AND r.target_id = d.source_id AND r.protocol = d.protocol AND r.port = ${end.port}
    WHERE d.source_address = ${end.address}::text::inet AND d.protocol = ${end.protocol} AND NOT d.declared AND d.turned_port IS NULL
      AND (d.port = ${end.port} OR EXISTS (SELECT 1 FROM evidence_flows f WHERE f.dependency_id = d.id
        AND ((f.a = d.source_address AND f.a_port = ${end.port} AND f.b_port = d.port)
          OR (f.b = d.source_address AND f.b_port = ${end.port} AND f.a_port = d.port))))`
  yield* hide(sql, ids(wrong.filter((one) => one.taken)))
  yield* turnDependencies(sql, ids(wrong.filter((one) => !one.taken)), { port: String(end.port), before: "d.port" })
  yield* judge(sql, towards(sql, end), true)
  return wrong.length
})

const revokeServes = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, end: End) {
  yield* judge(sql, towards(sql, end), false)
  return yield* comeBack(
    sql,
    sql`(turned_port >= 0 AND target_address = ${end.address}::text::inet AND port = ${end.port})
      OR (turned_port = ${hidden} AND source_address = ${end.address}::text::inet AND EXISTS (SELECT 1 FROM dependencies r
        WHERE r.source_id = d.target_id AND r.target_id = d.source_id AND r.protocol = d.protocol AND r.port = ${end.port}))`,
    end
  )
})

const applyNever = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, end: End) {
  const wrong = yield* sql<{
    id: bigint
    taken: boolean
  }>`SELECT d.id, COALESCE(r.id IS NOT NULL OR d.client_port <= 0, true) AS taken
    FROM (SELECT d.*, ${sql.literal(clientPort("d"))} AS client_port FROM dependencies d
      WHERE d.target_address = ${end.address}::text::inet AND d.protocol = ${end.protocol} AND ${end.port}::int IN (0, d.port)
        AND NOT d.declared AND d.turned_port IS NULL) AS d
    LEFT JOIN dependencies r ON r.source_id = d.target_id AND r.target_id = d.source_id AND r.protocol = d.protocol AND r.port = d.client_port`
  yield* hide(sql, ids(wrong.filter((one) => one.taken)))
  const turned = ids(wrong.filter((one) => !one.taken))
  yield* turnDependencies(sql, turned, { port: clientPort("d"), before: "d.port" })
  yield* judge(
    sql,
    sql`id = ANY(${int8s(turned)}::bigint[]) OR (${end.port}::int = 0 AND source_address = ${end.address}::text::inet AND protocol = ${end.protocol})`,
    true
  )
  return wrong.length
})

const revokeNever = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, end: End) {
  yield* judge(
    sql,
    sql`source_address = ${end.address}::text::inet AND protocol = ${end.protocol} AND NOT ${sql.literal(toServe)}`,
    false
  )
  return yield* comeBack(
    sql,
    sql`(turned_port >= 0 AND source_address = ${end.address}::text::inet AND ${end.port}::int IN (0, turned_port) AND NOT ${sql.literal(toServe)})
      OR (turned_port = ${hidden} AND target_address = ${end.address}::text::inet AND ${end.port}::int IN (0, port)
        AND NOT EXISTS (SELECT 1 FROM dependencies r WHERE r.source_id = d.target_id AND r.target_id = d.source_id AND r.protocol = d.protocol AND r.declared))`,
    end
  )
})

/** What was turned, and what left the lists, by a word that is taken back. */
const comeBack = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, these: Statement.Fragment, { protocol }: End) {
  const back = yield* sql<{ id: bigint; hidden: boolean }>`SELECT id, turned_port = ${hidden} AS hidden FROM dependencies d
    WHERE turned_port IS NOT NULL AND protocol = ${protocol} AND (${these})`
  yield* showAgain(sql, ids(back.filter((one) => one.hidden)))
  const turned = ids(back.filter((one) => !one.hidden))
  yield* turnDependencies(sql, turned, { port: "d.turned_port", before: "NULL::integer" })
  yield* judge(sql, sql`id = ANY(${int8s(turned)}::bigint[])`, false)
  return back.length
})

/** The server of `dependencies d` was declared to serve. */
const toServe =
  "EXISTS (SELECT 1 FROM declared_ends s WHERE s.serves AND s.address = d.target_address AND s.protocol = d.protocol AND s.port = d.port)"

const ids = (rows: ReadonlyArray<{ readonly id: bigint }>): ReadonlyArray<bigint> => rows.map(({ id }) => id)

/** Out of the lists. Its traffic stays where it was, and comes back with it. */
const hide = (sql: SqlClient.SqlClient, which: ReadonlyArray<bigint>) => setShown(sql, which, "candidate", "active", hidden, -1)
const showAgain = (sql: SqlClient.SqlClient, which: ReadonlyArray<bigint>) => setShown(sql, which, "active", "candidate", null, 1)

const setShown = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  which: ReadonlyArray<bigint>,
  status: string,
  from: string,
  mark: number | null,
  by: number
) {
  if (which.length === 0) return
  yield* sql`WITH changed AS (
      UPDATE dependencies SET status = ${status}, turned_port = ${mark}::integer, updated_at = now()
      WHERE id = ANY(${int8s(which)}::bigint[]) AND status = ${from} RETURNING source_id, target_id
    ), counted AS (
      SELECT asset_id, sum(clients) AS clients, sum(servers) AS servers
      FROM (SELECT target_id AS asset_id, 1 AS clients, 0 AS servers FROM changed UNION ALL SELECT source_id, 0, 1 FROM changed) AS ends GROUP BY asset_id
    )
    UPDATE assets a SET clients = a.clients + ${by}::int * c.clients, servers = a.servers + ${by}::int * c.servers FROM counted c WHERE a.id = c.asset_id`
})

const towards = (sql: SqlClient.SqlClient, end: End) =>
  sql`target_address = ${end.address}::text::inet AND protocol = ${end.protocol} AND port = ${end.port}`

/** Marks these dependencies, and computes their margin and confidence anew. */
const judge = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, these: Statement.Fragment, declared: boolean) {
  yield* sql`UPDATE dependencies d SET declared = ${declared} WHERE ${these}`
  yield* judgeAnew(sql, these)
})
