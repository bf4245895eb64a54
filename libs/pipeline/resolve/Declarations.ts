/**
 * What operators declare: this address and port serves. It outranks all evidence from the next slice on (`ends`), and what is stored is
 * turned at once: dependencies drawn towards the end are marked, those drawn from it (their client used that port) change direction with
 * their traffic. Where the other direction is there already, the wrong one leaves the lists. Taking it back undoes both.
 */
import { Context, DateTime, type Duration, Effect, Layer, Result } from "effect"
import { SqlClient, type SqlError, type Statement } from "effect/sql"
import { type Declaration, DependencyNotFound, DirectionUnknown } from "#domain/Dependency.ts"
import type { DependencyId } from "#domain/ids.ts"
import { int8s } from "../store/arrays.ts"
import type { DeclaredEnds } from "./collapse.ts"
import { judgeAnew } from "./confidence-sql.ts"
import { lockInventory } from "./Inventory.ts"
import { turnDependencies } from "./turn-dependencies.ts"

export type End = Pick<Declaration, "address" | "protocol" | "port">

export interface Applied {
  readonly end: End
  /** Dependencies whose direction changed. */
  readonly turned: number
}

const keyOf = (address: string, protocol: number, port: number) => `${address} ${protocol} ${port}`

/** `turned_port` of a dependency that left the lists because the right one was there already. */
const hidden = -1

export class Declarations extends Context.Service<
  Declarations,
  {
    /** As they are now; the same object for as long as the appliance runs. */
    readonly ends: DeclaredEnds
    /** Latest first. */
    readonly list: Effect.Effect<ReadonlyArray<Declaration>, SqlError.SqlError>
    readonly declare: (end: End, by: string, note?: string) => Effect.Effect<Applied, SqlError.SqlError>
    readonly withdraw: (end: End) => Effect.Effect<Applied, SqlError.SqlError>
    /** The end of a dependency that `serves` names; `client` flips it. */
    readonly endOf: (
      id: DependencyId,
      serves: "server" | "client"
    ) => Effect.Effect<End, DependencyNotFound | DirectionUnknown | SqlError.SqlError>
  }
>()("pipeline/resolve/Declarations") {
  /** Other appliances on the same database declare, too: what they said is read `every` so often. */
  static readonly layerEvery = (every: Duration.Input) =>
    Layer.effect(
      Declarations,
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        let known: ReadonlySet<string> = new Set()
        const ends: DeclaredEnds = {
          get size() {
            return known.size
          },
          has: (address, protocol, port) => known.has(keyOf(address, protocol, port))
        }
        const refresh = Effect.gen(function* () {
          const rows = yield* sql<End>`SELECT host(address) AS address, protocol, port FROM declared_ends`
          known = new Set(rows.map((row) => keyOf(row.address, row.protocol, row.port)))
        })
        yield* Effect.orDie(refresh)
        yield* refresh.pipe(
          Effect.catch((error) => Effect.logWarning("could not read what others declared", error)),
          Effect.delay(every),
          Effect.forever,
          Effect.forkScoped
        )

        const change = <A>(body: Effect.Effect<A, SqlError.SqlError>) =>
          sql.withTransaction(Effect.andThen(lockInventory(sql), body)).pipe(Effect.tap(refresh))

        return Declarations.of({
          ends,
          list: sql<
            Omit<Declaration, "at"> & { at: Date }
          >`SELECT host(address) AS address, protocol, port, declared_by AS by, declared_at AS at, note
          FROM declared_ends ORDER BY declared_at DESC, address, protocol, port`.pipe(
            Effect.map((rows) => rows.map((row) => ({ ...row, at: DateTime.fromDateUnsafe(row.at) })))
          ),
          declare: Effect.fn("Declarations.declare")(function* (end, by, note) {
            return yield* change(
              Effect.gen(function* () {
                yield* sql`INSERT INTO declared_ends (address, protocol, port, declared_by, note)
                VALUES (${end.address}::text::inet, ${end.protocol}, ${end.port}, ${by}, ${note ?? null})
                ON CONFLICT (address, protocol, port) DO UPDATE SET declared_by = excluded.declared_by, declared_at = now(), note = excluded.note`
                const wrong = yield* sql<{ id: bigint; taken: boolean }>`SELECT d.id, r.id IS NOT NULL AS taken FROM dependencies d
                LEFT JOIN dependencies r ON r.source_id = d.target_id AND r.target_id = d.source_id AND r.protocol = d.protocol AND r.port = ${end.port}
                WHERE d.source_address = ${end.address}::text::inet AND d.protocol = ${end.protocol} AND NOT d.declared AND d.turned_port IS NULL
                  AND (d.port = ${end.port} OR EXISTS (SELECT 1 FROM evidence_flows f WHERE f.dependency_id = d.id
                    AND ((f.a = d.source_address AND f.a_port = ${end.port} AND f.b_port = d.port)
                      OR (f.b = d.source_address AND f.b_port = ${end.port} AND f.a_port = d.port))))`
                yield* hide(sql, ids(wrong.filter((one) => one.taken)))
                yield* turnDependencies(sql, ids(wrong.filter((one) => !one.taken)), { port: String(end.port), before: "d.port" })
                yield* judge(sql, towards(sql, end), true)
                return { end, turned: wrong.length }
              })
            )
          }),
          withdraw: Effect.fn("Declarations.withdraw")(function* (end) {
            return yield* change(
              Effect.gen(function* () {
                yield* sql`DELETE FROM declared_ends WHERE address = ${end.address}::text::inet AND protocol = ${end.protocol} AND port = ${end.port}`
                yield* judge(sql, towards(sql, end), false)
                const back = yield* sql<{
                  id: bigint
                  hidden: boolean
                }>`SELECT id, turned_port = ${hidden} AS hidden FROM dependencies d
                WHERE turned_port IS NOT NULL AND protocol = ${end.protocol}
                  AND ((turned_port >= 0 AND target_address = ${end.address}::text::inet AND port = ${end.port})
                    OR (turned_port = ${hidden} AND source_address = ${end.address}::text::inet AND EXISTS (SELECT 1 FROM dependencies r
                      WHERE r.source_id = d.target_id AND r.target_id = d.source_id AND r.protocol = d.protocol AND r.port = ${end.port})))`
                yield* showAgain(sql, ids(back.filter((one) => one.hidden)))
                const turned = ids(back.filter((one) => !one.hidden))
                yield* turnDependencies(sql, turned, { port: "d.turned_port", before: "NULL::integer" })
                yield* judge(sql, sql`id = ANY(${int8s(turned)}::bigint[])`, false)
                return { end, turned: back.length }
              })
            )
          }),
          endOf: Effect.fn("Declarations.endOf")(function* (id, serves) {
            const [found] = yield* sql<{
              client: string
              server: string
              protocol: number
              port: number
              ports: ReadonlyArray<number>
              several: boolean
            }>`
            SELECT host(d.source_address) AS client, host(d.target_address) AS server, d.protocol, d.port, COALESCE(f.ports, '{}') AS ports,
              COALESCE(f.several, false) AS several
            FROM dependencies d, LATERAL (SELECT array_agg(DISTINCT CASE WHEN a = d.source_address AND NOT (b = d.source_address AND b_port <> d.port) THEN a_port ELSE b_port END) AS ports,
                bool_or(ports > 1) AS several FROM evidence_flows WHERE dependency_id = d.id) f
            WHERE d.id = ${id}::text::bigint`
            if (found === undefined) return yield* new DependencyNotFound({ id })
            const { client, server, protocol, port, ports, several } = found
            return yield* Effect.fromResult(
              serves === "server"
                ? Result.succeed({ address: server, protocol, port } as End)
                : ports.length === 1 && !several && ports[0]! > 0
                  ? Result.succeed({ address: client, protocol, port: ports[0]! } as End)
                  : ports.length === 0
                    ? Result.fail(new DirectionUnknown({ id, ports: 0 }))
                    : Result.fail(new DirectionUnknown({ id, ports: Math.max(2, ports.length) }))
            )
          })
        })
      })
    )

  static readonly layer = Declarations.layerEvery("1 minute")
}

const ids = (rows: ReadonlyArray<{ readonly id: bigint }>): ReadonlyArray<bigint> => rows.map(({ id }) => id)

/** Out of the lists: the right one is there. Its traffic stays where it was, and comes back with it. */
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
  yield* sql`UPDATE dependencies SET declared = ${declared} WHERE ${these}`
  yield* judgeAnew(sql, these)
})
