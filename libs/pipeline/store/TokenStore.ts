/** Bearer tokens of programs, by the SHA-256 of their text. */
import { Clock, Context, Effect, Layer, Option } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Token } from "#domain/Operator.ts"
import type { Role } from "#domain/Role.ts"
import { decodeRows } from "./Sql.ts"

export interface NewToken {
  readonly secretHash: string
  readonly name: string
  readonly role: Role
  /** The operator it belongs to; undefined for one made on the machine itself. */
  readonly owner: string | undefined
  /** Days until it expires; undefined never. */
  readonly days: number | undefined
}

export interface TokenRow {
  readonly name: string
  /** Never above what its owner is today. */
  readonly role: Role
  readonly createdBy: string
  readonly expiresAt: Date | null
}

type Refusal = "unknown" | "expired" | "revoked" | "disabled"
export type TokenFound = { readonly token: TokenRow } | { readonly refused: Refusal }

/** `createdBy` of a token that no operator owns; no operator can have this name. */
export const localOwner = "local"

const columns = `id::text AS id, name, role, created_by AS "createdBy", created_at AS "createdAt", expires_at AS "expiresAt",
  last_used_at AS "lastUsedAt"`
const usedEverySeconds = 10
const ranks: Record<Role, number> = { viewer: 0, analyst: 1, operator: 2, admin: 3 }

/** The lesser of two roles. */
export const lesserRole = (a: Role, b: Role): Role => (ranks[a] <= ranks[b] ? a : b)

export class TokenStore extends Context.Service<
  TokenStore,
  {
    readonly create: (token: NewToken) => Effect.Effect<Token, SqlError.SqlError>
    readonly find: (secretHash: string) => Effect.Effect<TokenFound, SqlError.SqlError>
    readonly ended: (secretHashes: ReadonlyArray<string>) => Effect.Effect<ReadonlyMap<string, Refusal>, SqlError.SqlError>
    /** Those that are not revoked; of one owner, or of all. */
    readonly list: (createdBy: string | undefined) => Effect.Effect<ReadonlyArray<Token>, SqlError.SqlError>
    /** The token that was revoked; none when there is none of that id (of that owner). */
    readonly revoke: (id: string, createdBy: string | undefined) => Effect.Effect<Option.Option<Token>, SqlError.SqlError>
  }
>()("pipeline/store/TokenStore") {
  static readonly layer = Layer.effect(
    TokenStore,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const tokens = decodeRows(Token)
      const now = Effect.map(Clock.currentTimeMillis, (ms) => new Date(ms))
      const of = (createdBy: string | undefined) => (createdBy === undefined ? sql`true` : sql`created_by = ${createdBy}`)

      return TokenStore.of({
        create: Effect.fn("TokenStore.create")(function* ({ secretHash, name, role, owner, days }) {
          const at = yield* now
          const expiresAt = days === undefined ? null : new Date(at.getTime() + days * 86_400_000)
          const rows = yield* sql`
            INSERT INTO tokens (secret_hash, name, role, operator_id, created_by, created_at, expires_at)
            VALUES (${secretHash}, ${name}, ${role}, (SELECT id FROM operators WHERE name = ${owner ?? null}), ${owner ?? localOwner},
              ${at}, ${expiresAt}) RETURNING ${sql.literal(columns)}`
          return (yield* tokens(rows))[0]!
        }),
        find: Effect.fn("TokenStore.find")(function* (secretHash) {
          const at = yield* now
          const [row] = yield* sql<
            TokenRow & { ownerRole: Role | null; disabled: boolean | null; revoked: boolean; lastUsedAt: Date | null }
          >`
            SELECT t.name, t.role, t.created_by AS "createdBy", t.expires_at AS "expiresAt", t.last_used_at AS "lastUsedAt",
              t.revoked_at IS NOT NULL AS revoked, o.role AS "ownerRole", o.disabled
            FROM tokens t LEFT JOIN operators o ON o.id = t.operator_id WHERE t.secret_hash = ${secretHash}`
          if (row === undefined) return { refused: "unknown" as const }
          if (row.revoked) return { refused: "revoked" as const }
          if (row.disabled === true) return { refused: "disabled" as const }
          if (row.expiresAt !== null && row.expiresAt <= at) return { refused: "expired" as const }
          if (row.lastUsedAt === null || at.getTime() - row.lastUsedAt.getTime() > usedEverySeconds * 1000) {
            yield* sql`UPDATE tokens SET last_used_at = ${at} WHERE secret_hash = ${secretHash}`
          }
          const role = row.ownerRole === null ? row.role : lesserRole(row.role, row.ownerRole)
          return { token: { name: row.name, role, createdBy: row.createdBy, expiresAt: row.expiresAt } }
        }),
        ended: Effect.fnUntraced(function* (secretHashes) {
          const at = yield* now
          const rows = yield* sql<{ hash: string; why: Refusal }>`
            SELECT * FROM (
              SELECT h AS hash, CASE WHEN t.id IS NULL THEN 'unknown' WHEN t.revoked_at IS NOT NULL THEN 'revoked'
                WHEN o.disabled THEN 'disabled' WHEN t.expires_at <= ${at} THEN 'expired' END AS why
              FROM unnest(${secretHashes}::text[]) h LEFT JOIN tokens t ON t.secret_hash = h LEFT JOIN operators o ON o.id = t.operator_id
            ) found WHERE why IS NOT NULL`
          return new Map(rows.map(({ hash, why }) => [hash, why]))
        }),
        list: Effect.fn("TokenStore.list")(function* (createdBy) {
          return yield* tokens(
            yield* sql`SELECT ${sql.literal(columns)} FROM tokens WHERE revoked_at IS NULL AND ${of(createdBy)} ORDER BY tokens.id`
          )
        }),
        revoke: Effect.fn("TokenStore.revoke")(function* (id, createdBy) {
          const rows = yield* sql`UPDATE tokens SET revoked_at = ${yield* now}
            WHERE id = ${id}::bigint AND revoked_at IS NULL AND ${of(createdBy)} RETURNING ${sql.literal(columns)}`
          return Option.fromNullishOr((yield* tokens(rows))[0])
        })
      })
    })
  )
}
