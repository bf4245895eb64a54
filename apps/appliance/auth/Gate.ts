/**
 * The one gate: who calls, by session cookie, bearer token or the machine's own secret, and whether their role holds the capability. RPC,
 * REST and metrics all ask here.
 */
import { Context, DateTime, Deferred, Effect, Layer, Schedule } from "effect"
import type { SqlError } from "effect/sql"
import { Caller, Forbidden, Unauthorized } from "#domain/Operator.ts"
import { type Capability, may } from "#domain/Role.ts"
import { AuditStore } from "#pipeline/store/AuditStore.ts"
import { SessionStore } from "#pipeline/store/SessionStore.ts"
import { TokenStore } from "#pipeline/store/TokenStore.ts"
import { AccessOptions } from "./AccessOptions.ts"
import { LocalToken } from "./LocalToken.ts"
import { isToken, sha256 } from "./secret.ts"

/** What a call brings along. A bearer token wins over a cookie. */
export interface Credentials {
  readonly bearer: string | undefined
  readonly session: string | undefined
  readonly source: string | null
}

/** An authenticated call: `key` names its session or token to `ended`, undefined for the machine's own. */
export interface Admitted {
  readonly caller: Caller
  readonly key: { readonly kind: "session" | "token"; readonly hash: string } | undefined
  readonly source: string | null
}

type Reason = Unauthorized["reason"]

export const sessionCookie = "flowlens_session"

/** The bearer token of an Authorization header (RFC 6750 §2.1). */
export const bearerOf = (authorization: string | undefined): string | undefined =>
  authorization === undefined ? undefined : /^Bearer +(\S+)$/i.exec(authorization)?.[1]

/** The session's id in a Cookie header. */
export const sessionOf = (cookie: string | undefined): string | undefined =>
  cookie === undefined ? undefined : new RegExp(`(?:^|; *)${sessionCookie}=([A-Za-z0-9_-]{43})(?:;|$)`).exec(cookie)?.[1]

/** What the machine's own secret is good for, whatever its role holds. */
const looking: ReadonlySet<Capability> = new Set(["map.read", "exporters.read", "health.read", "metrics.read"])

/** A stream ends within this after its session did. */
const watchEvery = "2 seconds"

export class Gate extends Context.Service<
  Gate,
  {
    readonly admit: (credentials: Credentials) => Effect.Effect<Admitted, Unauthorized | SqlError.SqlError>
    /** Denies when `needs` is undefined: what nobody classified, nobody may call. */
    readonly authorise: (
      admitted: Admitted,
      needs: Capability | "caller" | undefined
    ) => Effect.Effect<void, Forbidden | Unauthorized>
    /** Fails when the session or token is not good any more; else runs on. A database that is away ends nothing. */
    readonly ended: (admitted: Admitted) => Effect.Effect<never, Unauthorized>
  }
>()("appliance/auth/Gate") {
  static readonly layer = Layer.effect(
    Gate,
    Effect.gen(function* () {
      const { session: limits } = yield* AccessOptions
      const sessions = yield* SessionStore
      const tokens = yield* TokenStore
      const audit = yield* AuditStore
      const local = yield* LocalToken

      const admit = Effect.fn("Gate.admit")(function* ({ bearer, session, source }: Credentials) {
        if (bearer !== undefined) {
          if (!isToken(bearer)) return yield* new Unauthorized({ reason: "unknown" })
          if (local.is(bearer)) {
            const caller = new Caller({ name: "local", role: "analyst", via: "local", expiresAt: null })
            return { caller, key: undefined, source }
          }
          const hash = sha256(bearer)
          const found = yield* tokens.find(hash)
          if ("refused" in found) return yield* new Unauthorized({ reason: found.refused })
          const { createdBy, name, role, expiresAt } = found.token
          const expires = expiresAt === null ? null : DateTime.makeUnsafe(expiresAt)
          const caller = new Caller({ name: `${createdBy}/${name}`, role, via: "token", expiresAt: expires })
          return { caller, key: { kind: "token" as const, hash }, source }
        }
        if (session === undefined) return yield* new Unauthorized({ reason: "missing" })
        const hash = sha256(session)
        const found = yield* sessions.find(hash, limits)
        if ("refused" in found) return yield* new Unauthorized({ reason: found.refused })
        const { name, role, expiresAt } = found.session
        const caller = new Caller({ name, role, via: "session", expiresAt: DateTime.makeUnsafe(expiresAt) })
        return { caller, key: { kind: "session" as const, hash }, source }
      })

      const authorise = Effect.fnUntraced(function* ({ caller, source }: Admitted, needs: Capability | "caller" | undefined) {
        if (needs === "caller") return
        if (needs !== undefined && may(caller.role, needs) && (caller.via !== "local" || looking.has(needs))) return
        const capability = needs ?? "operators.write"
        yield* audit
          .append({
            actor: caller.name,
            via: caller.via,
            source,
            action: "access",
            subject: needs ?? "unclassified",
            outcome: "refused",
            detail: { role: caller.role }
          })
          .pipe(Effect.ignore)
        return yield* new Forbidden({ capability, role: caller.role })
      })

      // One query every two seconds for however many streams are open.
      const watched = new Map<
        string,
        { readonly kind: "session" | "token"; readonly waiting: Set<Deferred.Deferred<never, Unauthorized>> }
      >()
      const look = Effect.gen(function* () {
        const of = (kind: "session" | "token") => [...watched].filter(([, watch]) => watch.kind === kind).map(([hash]) => hash)
        const [sessionHashes, tokenHashes] = [of("session"), of("token")]
        const gone = new Map<string, Reason>([
          ...(sessionHashes.length === 0 ? [] : yield* sessions.ended(sessionHashes, limits)),
          ...(tokenHashes.length === 0 ? [] : yield* tokens.ended(tokenHashes))
        ])
        for (const [hash, reason] of gone) {
          for (const one of watched.get(hash)?.waiting ?? []) yield* Deferred.fail(one, new Unauthorized({ reason }))
        }
      })
      yield* look.pipe(Effect.ignoreCause, Effect.repeat(Schedule.spaced(watchEvery)), Effect.forkScoped)

      const ended = ({ key }: Admitted): Effect.Effect<never, Unauthorized> => {
        if (key === undefined) return Effect.never
        return Effect.acquireUseRelease(
          Effect.sync(() => {
            const waiting = Deferred.makeUnsafe<never, Unauthorized>()
            const watch = watched.get(key.hash) ?? { kind: key.kind, waiting: new Set() }
            watch.waiting.add(waiting)
            watched.set(key.hash, watch)
            return { watch, waiting }
          }),
          ({ waiting }) => Deferred.await(waiting),
          ({ watch, waiting }) =>
            Effect.sync(() => {
              watch.waiting.delete(waiting)
              if (watch.waiting.size === 0) watched.delete(key.hash)
            })
        )
      }

      return Gate.of({ admit, authorise, ended })
    })
  )
}
