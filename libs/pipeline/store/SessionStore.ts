/** Sessions of people, by the SHA-256 of the id that their cookie carries, and the attempts that failed to make one. */
import { Clock, Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { Role } from "#domain/Role.ts"

export interface SessionLimits {
  /** From login to the next login. */
  readonly hours: number
  /** Without a call; 0 is no limit. */
  readonly idleMinutes: number
}

export interface SessionRow {
  readonly operatorId: string
  readonly name: string
  readonly role: Role
  readonly expiresAt: Date
}

export type SessionFound = { readonly session: SessionRow } | { readonly refused: "unknown" | "expired" | "revoked" | "disabled" }

export interface AttemptLimit {
  /** Failures before the subject is blocked. */
  readonly failures: number
  /** The first block; each further failure doubles it, up to eight times. */
  readonly minutes: number
}

/** Writing "seen" with every call would make each read a write. */
const seenEverySeconds = 30

export class SessionStore extends Context.Service<
  SessionStore,
  {
    readonly open: (
      secretHash: string,
      operatorId: string,
      source: string | null,
      limits: SessionLimits
    ) => Effect.Effect<Date, SqlError.SqlError>
    readonly find: (secretHash: string, limits: SessionLimits) => Effect.Effect<SessionFound, SqlError.SqlError>
    /** Those of the given hashes that are not good any more, and why. */
    readonly ended: (
      secretHashes: ReadonlyArray<string>,
      limits: SessionLimits
    ) => Effect.Effect<ReadonlyMap<string, "unknown" | "expired" | "revoked" | "disabled">, SqlError.SqlError>
    readonly revoke: (secretHash: string) => Effect.Effect<void, SqlError.SqlError>
    /** Deletes what ended over a day ago. */
    readonly sweep: Effect.Effect<void, SqlError.SqlError>
    /**
     * Counts an attempt as failed before its outcome is known, so that attempts at the same moment cannot share one chance. Answers the
     * seconds to wait, 0 when it may go on.
     */
    readonly attempt: (subject: string, limit: AttemptLimit) => Effect.Effect<number, SqlError.SqlError>
    /** It was right after all: `all` forgets the subject, else the one attempt is taken back. */
    readonly forgive: (subject: string, all: boolean) => Effect.Effect<void, SqlError.SqlError>
  }
>()("pipeline/store/SessionStore") {
  static readonly layer = Layer.effect(
    SessionStore,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const now = Effect.map(Clock.currentTimeMillis, (ms) => new Date(ms))
      const idleSince = (at: Date, { idleMinutes }: SessionLimits) =>
        idleMinutes === 0 ? new Date(0) : new Date(at.getTime() - idleMinutes * 60_000)

      const find = Effect.fn("SessionStore.find")(function* (secretHash: string, limits: SessionLimits) {
        const at = yield* now
        const [row] = yield* sql<SessionRow & { seenAt: Date; revoked: boolean; disabled: boolean }>`
          SELECT o.id::text AS "operatorId", o.name, o.role, o.disabled, s.expires_at AS "expiresAt", s.seen_at AS "seenAt",
            s.revoked_at IS NOT NULL AS revoked
          FROM sessions s JOIN operators o ON o.id = s.operator_id WHERE s.secret_hash = ${secretHash}`
        if (row === undefined) return { refused: "unknown" as const }
        if (row.disabled) return { refused: "disabled" as const }
        if (row.revoked) return { refused: "revoked" as const }
        if (row.expiresAt <= at || row.seenAt < idleSince(at, limits)) return { refused: "expired" as const }
        if (at.getTime() - row.seenAt.getTime() > seenEverySeconds * 1000) {
          yield* sql`UPDATE sessions SET seen_at = greatest(seen_at, ${at}) WHERE secret_hash = ${secretHash}`
        }
        const { operatorId, name, role, expiresAt } = row
        return { session: { operatorId, name, role, expiresAt } }
      })

      const ended = Effect.fnUntraced(function* (secretHashes: ReadonlyArray<string>, limits: SessionLimits) {
        const at = yield* now
        const rows = yield* sql<{ hash: string; why: "unknown" | "expired" | "revoked" | "disabled" }>`
          SELECT * FROM (
            SELECT h AS hash, CASE WHEN s.secret_hash IS NULL THEN 'unknown' WHEN o.disabled THEN 'disabled'
              WHEN s.revoked_at IS NOT NULL THEN 'revoked'
              WHEN s.expires_at <= ${at} OR s.seen_at < ${idleSince(at, limits)} THEN 'expired' END AS why
            FROM unnest(${secretHashes}::text[]) h LEFT JOIN sessions s ON s.secret_hash = h LEFT JOIN operators o ON o.id = s.operator_id
          ) found WHERE why IS NOT NULL`
        return new Map(rows.map(({ hash, why }) => [hash, why]))
      })

      const attempt = Effect.fn("SessionStore.attempt")(
        function* (subject: string, limit: AttemptLimit) {
          const at = yield* now
          // made or locked in one step: between two, who was let in forgets it
          const [row] = yield* sql<{ failures: number; lastAt: Date; blockedUntil: Date | null }>`
            INSERT INTO failed_attempts AS f (subject, failures, last_at) VALUES (${subject}, 1, ${new Date(0)})
            ON CONFLICT (subject) DO UPDATE SET subject = f.subject
            RETURNING failures, last_at AS "lastAt", blocked_until AS "blockedUntil"`
          const { failures: before, lastAt, blockedUntil } = row!
          // refused unseen, so it does not count
          if (blockedUntil !== null && blockedUntil > at) return Math.ceil((blockedUntil.getTime() - at.getTime()) / 1000)
          // a quiet day forgets
          const failures = at.getTime() - lastAt.getTime() > 86_400_000 ? 1 : before + 1
          const over = failures - limit.failures
          const until = over < 0 ? null : new Date(at.getTime() + limit.minutes * 60_000 * 2 ** Math.min(over, 3))
          yield* sql`UPDATE failed_attempts SET failures = ${failures}, last_at = ${at}, blocked_until = ${until}
            WHERE subject = ${subject}`
          return 0
        },
        (effect) => sql.withTransaction(effect)
      )

      return SessionStore.of({
        open: Effect.fn("SessionStore.open")(function* (secretHash, operatorId, source, { hours }) {
          const at = yield* now
          const expiresAt = new Date(at.getTime() + hours * 3_600_000)
          yield* sql`INSERT INTO sessions (secret_hash, operator_id, source, created_at, seen_at, expires_at)
            VALUES (${secretHash}, ${operatorId}::bigint, ${source}, ${at}, ${at}, ${expiresAt})`
          return expiresAt
        }),
        find,
        ended,
        revoke: Effect.fn("SessionStore.revoke")(function* (secretHash) {
          yield* sql`UPDATE sessions SET revoked_at = ${yield* now} WHERE secret_hash = ${secretHash} AND revoked_at IS NULL`
        }),
        sweep: Effect.gen(function* () {
          const dayAgo = new Date((yield* Clock.currentTimeMillis) - 86_400_000)
          yield* sql`DELETE FROM sessions WHERE expires_at < ${dayAgo} OR revoked_at < ${dayAgo}`
          yield* sql`DELETE FROM failed_attempts WHERE last_at < ${dayAgo} AND (blocked_until IS NULL OR blocked_until < ${dayAgo})`
        }),
        attempt,
        forgive: Effect.fnUntraced(function* (subject, all) {
          if (all) yield* sql`DELETE FROM failed_attempts WHERE subject = ${subject}`
          else {
            yield* sql`DELETE FROM failed_attempts WHERE subject = ${subject} AND failures = 1`
            yield* sql`UPDATE failed_attempts SET failures = failures - 1, blocked_until = NULL WHERE subject = ${subject} AND failures > 1`
          }
        })
      })
    })
  )
}
