/** Operators and the setup code that makes the first of them. */
import { Clock, Context, Effect, Layer, Option } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Operator } from "#domain/Operator.ts"
import type { Role } from "#domain/Role.ts"
import { decodeRows } from "./Sql.ts"

export interface Credential {
  readonly id: string
  readonly name: string
  readonly role: Role
  readonly disabled: boolean
  readonly passwordHash: string
}

export interface NewOperator {
  readonly name: string
  readonly role: Role
  readonly passwordHash: string
}

export interface OperatorChange {
  readonly role?: Role | undefined
  readonly disabled?: boolean | undefined
  readonly passwordHash?: string | undefined
}

/** `last-administrator`: nobody would be left who can let others in. */
export type ChangeOutcome = { readonly operator: Operator } | { readonly refused: "unknown" | "last-administrator" }

export type SetupOutcome = { readonly operator: Operator } | { readonly refused: "wrong-code" | "already-done" }

const columns = `id::text AS id, name, role, disabled, created_at AS "createdAt", last_login_at AS "lastLoginAt"`

/** One at a time may decide who is the first, or the last, administrator. */
const lockKey = 7_310_225_001

export class OperatorStore extends Context.Service<
  OperatorStore,
  {
    readonly count: Effect.Effect<number, SqlError.SqlError>
    readonly list: Effect.Effect<ReadonlyArray<Operator>, SqlError.SqlError>
    readonly credential: (name: string) => Effect.Effect<Option.Option<Credential>, SqlError.SqlError>
    /** None when the name is taken. */
    readonly add: (operator: NewOperator) => Effect.Effect<Option.Option<Operator>, SqlError.SqlError>
    /** A new password, or being disabled, ends every session of that operator. */
    readonly change: (id: string, change: OperatorChange) => Effect.Effect<ChangeOutcome, SqlError.SqlError>
    readonly loggedIn: (id: string) => Effect.Effect<void, SqlError.SqlError>
    /** Replaces the hash of a password that was right, e.g. by one of today's strength. Ends no session. */
    readonly rehash: (id: string, passwordHash: string) => Effect.Effect<void, SqlError.SqlError>
    /** Keeps the hash of a new setup code, in place of an older one. False, and nothing kept, when there is an operator. */
    readonly offerSetup: (codeHash: string) => Effect.Effect<boolean, SqlError.SqlError>
    /** True while the code would be taken: asked before a password is hashed for it. */
    readonly setupOpen: (codeHash: string) => Effect.Effect<"open" | "wrong-code" | "already-done", SqlError.SqlError>
    /** The first administrator, for the code, once: of two callers with one code the second is refused. */
    readonly setup: (codeHash: string, operator: NewOperator) => Effect.Effect<SetupOutcome, SqlError.SqlError>
  }
>()("pipeline/store/OperatorStore") {
  static readonly layer = Layer.effect(
    OperatorStore,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const operators = decodeRows(Operator)
      const now = Effect.map(Clock.currentTimeMillis, (ms) => new Date(ms))
      const alone = sql`SELECT pg_advisory_xact_lock(${lockKey})`
      const count = Effect.map(sql<{ total: number }>`SELECT count(*)::int AS total FROM operators`, (rows) => rows[0]!.total)

      const insert = Effect.fnUntraced(function* ({ name, role, passwordHash }: NewOperator) {
        const at = yield* now
        const rows = yield* sql`
          INSERT INTO operators (name, role, password_hash, created_at, password_changed_at)
          VALUES (${name}, ${role}, ${passwordHash}, ${at}, ${at}) ON CONFLICT (name) DO NOTHING RETURNING ${sql.literal(columns)}`
        // whoever came first, by whatever way, has ended the set-up
        if (rows.length > 0) yield* sql`DELETE FROM setup_code`
        return Option.fromNullishOr((yield* operators(rows))[0])
      })

      const setupOpen = Effect.fnUntraced(function* (codeHash: string) {
        if ((yield* count) > 0) return "already-done" as const
        const rows = yield* sql`SELECT 1 FROM setup_code WHERE secret_hash = ${codeHash}`
        return rows.length > 0 ? ("open" as const) : ("wrong-code" as const)
      })

      const change = Effect.fn("OperatorStore.change")(
        function* (id: string, { role, disabled, passwordHash }: OperatorChange) {
          yield* alone
          const [current] = yield* sql<{
            role: Role
            disabled: boolean
          }>`SELECT role, disabled FROM operators WHERE id = ${id}::bigint`
          if (current === undefined) return { refused: "unknown" as const }
          const demoted = role !== undefined && role !== "admin"
          if (current.role === "admin" && !current.disabled && (demoted || disabled === true)) {
            const others = yield* sql`SELECT 1 FROM operators WHERE role = 'admin' AND NOT disabled AND id <> ${id}::bigint LIMIT 1`
            if (others.length === 0) return { refused: "last-administrator" as const }
          }
          const at = yield* now
          const rows = yield* sql`
            UPDATE operators SET role = coalesce(${role ?? null}, role), disabled = coalesce(${disabled ?? null}, disabled),
              password_hash = coalesce(${passwordHash ?? null}, password_hash),
              password_changed_at = CASE WHEN ${passwordHash !== undefined} THEN ${at} ELSE password_changed_at END
            WHERE id = ${id}::bigint RETURNING ${sql.literal(columns)}`
          if (passwordHash !== undefined || disabled === true) {
            yield* sql`UPDATE sessions SET revoked_at = ${at} WHERE operator_id = ${id}::bigint AND revoked_at IS NULL`
          }
          return { operator: (yield* operators(rows))[0]! }
        },
        (effect) => sql.withTransaction(effect)
      )

      return OperatorStore.of({
        count,
        list: Effect.flatMap(sql`SELECT ${sql.literal(columns)} FROM operators ORDER BY name`, operators),
        credential: Effect.fn("OperatorStore.credential")(function* (name) {
          const rows = yield* sql<Credential>`
            SELECT id::text AS id, name, role, disabled, password_hash AS "passwordHash" FROM operators WHERE name = ${name}`
          return Option.fromNullishOr(rows[0])
        }),
        add: Effect.fn("OperatorStore.add")(function* (operator) {
          return yield* sql.withTransaction(Effect.andThen(alone, insert(operator)))
        }),
        change,
        loggedIn: Effect.fnUntraced(function* (id) {
          yield* sql`UPDATE operators SET last_login_at = ${yield* now} WHERE id = ${id}::bigint`
        }),
        rehash: Effect.fnUntraced(function* (id, passwordHash) {
          yield* sql`UPDATE operators SET password_hash = ${passwordHash} WHERE id = ${id}::bigint`
        }),
        offerSetup: Effect.fn("OperatorStore.offerSetup")(
          function* (codeHash) {
            yield* alone
            if ((yield* count) > 0) return false
            const at = yield* now
            yield* sql`INSERT INTO setup_code (secret_hash, made_at) VALUES (${codeHash}, ${at})
              ON CONFLICT (one) DO UPDATE SET secret_hash = excluded.secret_hash, made_at = excluded.made_at`
            return true
          },
          (effect) => sql.withTransaction(effect)
        ),
        setupOpen,
        setup: Effect.fn("OperatorStore.setup")(
          function* (codeHash, operator) {
            yield* alone
            const state = yield* setupOpen(codeHash)
            if (state !== "open") return { refused: state }
            return { operator: Option.getOrThrow(yield* insert(operator)) }
          },
          (effect) => sql.withTransaction(effect)
        )
      })
    })
  )
}
