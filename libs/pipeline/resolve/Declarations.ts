/**
 * What operators declare: this address and port serves, or never does. It outranks all evidence from the next slice on (`ends`), and what is
 * stored is turned at once (declared-dependencies.ts). Taking it back undoes that.
 */
import { Context, DateTime, type Duration, Effect, Layer, Result } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { type Declaration, DependencyNotFound, DirectionUnknown } from "#domain/Dependency.ts"
import type { DependencyId } from "#domain/ids.ts"
import type { DeclaredEnds } from "./collapse/decide-directions.ts"
import { apply, type End, revoke } from "./declared-dependencies.ts"
import { lockInventory } from "./Inventory.ts"

/** `serves` false: it never does; port 0: whatever the port. */
export type Word = Pick<Declaration, "address" | "protocol" | "port" | "serves">

export interface Applied {
  readonly end: End
  /** Dependencies whose direction changed. */
  readonly turned: number
}

/** What is written down with it: both stand, or neither. */
export type Entry<R> = (applied: Applied) => Effect.Effect<void, SqlError.SqlError, R>

const noEntry = () => Effect.void

const keyOf = (address: string, protocol: number, port: number) => `${address} ${protocol} ${port}`

export class Declarations extends Context.Service<
  Declarations,
  {
    /** As they are now; the same object for as long as the appliance runs. */
    readonly ends: DeclaredEnds
    /** Latest first. */
    readonly list: Effect.Effect<ReadonlyArray<Declaration>, SqlError.SqlError>
    readonly declare: <R = never>(
      word: Word,
      by: string,
      note?: string,
      entry?: Entry<R>
    ) => Effect.Effect<Applied, SqlError.SqlError, R>
    readonly withdraw: <R = never>(end: End, entry?: Entry<R>) => Effect.Effect<Applied, SqlError.SqlError, R>
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
        let known: ReadonlyMap<string, boolean> = new Map()
        const said = (address: string, protocol: number, port: number) => known.get(keyOf(address, protocol, port))
        const ends: DeclaredEnds = {
          get size() {
            return known.size
          },
          word: (address, protocol, port) => {
            const serves = said(address, protocol, port) ?? said(address, protocol, 0)
            return serves === undefined ? 0 : serves ? 1 : -1
          }
        }
        const refresh = Effect.gen(function* () {
          const rows = yield* sql<Word>`SELECT host(address) AS address, protocol, port, serves FROM declared_ends`
          known = new Map(rows.map((row) => [keyOf(row.address, row.protocol, row.port), row.serves]))
        })
        yield* Effect.orDie(refresh)
        yield* refresh.pipe(
          Effect.catch((error) => Effect.logWarning("could not read what others declared", error)),
          Effect.delay(every),
          Effect.forever,
          Effect.forkScoped
        )

        const change = <R>(body: Effect.Effect<Applied, SqlError.SqlError>, entry: Entry<R>) =>
          sql.withTransaction(lockInventory(sql).pipe(Effect.andThen(body), Effect.tap(entry))).pipe(Effect.tap(refresh))

        return Declarations.of({
          ends,
          list: sql<
            Omit<Declaration, "at"> & { at: Date }
          >`SELECT host(address) AS address, protocol, port, serves, declared_by AS by, declared_at AS at, note
          FROM declared_ends ORDER BY declared_at DESC, address, protocol, port`.pipe(
            Effect.map((rows) => rows.map((row) => ({ ...row, at: DateTime.fromDateUnsafe(row.at) })))
          ),
          declare: ({ serves, ...end }, by, note, entry) =>
            change(
              Effect.gen(function* () {
                const before = yield* forget(sql, end)
                yield* sql`INSERT INTO declared_ends (address, protocol, port, serves, declared_by, note)
                VALUES (${end.address}::text::inet, ${end.protocol}, ${end.port}, ${serves}, ${by}, ${note ?? null})`
                if (before !== undefined && before !== serves) yield* revoke(sql, end, before)
                return { end, turned: yield* apply(sql, end, serves) }
              }),
              entry ?? noEntry
            ).pipe(Effect.withSpan("Declarations.declare")),
          withdraw: (end, entry) =>
            change(
              Effect.gen(function* () {
                const before = yield* forget(sql, end)
                return { end, turned: before === undefined ? 0 : yield* revoke(sql, end, before) }
              }),
              entry ?? noEntry
            ).pipe(Effect.withSpan("Declarations.withdraw")),
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

/** Answers what had been said. */
const forget = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, { address, port, protocol }: End) {
  const [gone] = yield* sql<{ serves: boolean }>`DELETE FROM declared_ends
    WHERE address = ${address}::text::inet AND protocol = ${protocol} AND port = ${port} RETURNING serves`
  return gone?.serves
})
