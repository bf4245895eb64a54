/** Set-up, login, logout. Every one of them, done or refused, is in the audit log. */
import { Context, DateTime, Effect, Layer, Option } from "effect"
import type { SqlError } from "effect/sql"
import { LoginRefused, PasswordWeak, SetupRefused } from "#domain/http/AccessApi.ts"
import { Caller } from "#domain/Operator.ts"
import { AuditStore } from "#pipeline/store/AuditStore.ts"
import { OperatorStore } from "#pipeline/store/OperatorStore.ts"
import { SessionStore } from "#pipeline/store/SessionStore.ts"
import { localOwner } from "#pipeline/store/TokenStore.ts"
import { AccessOptions } from "./AccessOptions.ts"
import { hashPassword, noPassword, verifyPassword, weakness } from "./password.ts"
import { hashSetupCode } from "./SetupCode.ts"
import { randomSecret, sha256 } from "./secret.ts"

/** A session just opened: `secret` goes into the cookie and nowhere else. */
export interface Opened {
  readonly caller: Caller
  readonly secret: string
}

export interface LoginAttempt {
  readonly name: string
  readonly password: string
  /** Remote address. */
  readonly source: string
}

export interface SetupAttempt extends LoginAttempt {
  readonly code: string
}

/** Names that stand for something else in the audit log. */
export const reservedNames: ReadonlySet<string> = new Set([localOwner, "none", "system", "setup"])

/** Many people share an address behind a gateway. */
const perSource = 4

const subjectOf = (kind: string, text: string) => `${kind}:${text.replaceAll("\0", "").toWellFormed().slice(0, 64).toWellFormed()}`

export class Access extends Context.Service<
  Access,
  {
    readonly setupNeeded: Effect.Effect<boolean, SqlError.SqlError>
    readonly setup: (attempt: SetupAttempt) => Effect.Effect<Opened, SetupRefused | PasswordWeak | SqlError.SqlError>
    readonly login: (attempt: LoginAttempt) => Effect.Effect<Opened, LoginRefused | SqlError.SqlError>
    readonly logout: (secret: string, caller: Caller, source: string) => Effect.Effect<void, SqlError.SqlError>
  }
>()("appliance/auth/Access") {
  static readonly layer = Layer.effect(
    Access,
    Effect.gen(function* () {
      const { session: limits, lockout } = yield* AccessOptions
      const operators = yield* OperatorStore
      const sessions = yield* SessionStore
      const audit = yield* AuditStore
      const sourceLimit = { ...lockout, failures: lockout.failures * perSource }

      const open = Effect.fnUntraced(function* (operator: { id: string; name: string; role: Caller["role"] }, source: string) {
        const secret = randomSecret()
        const expiresAt = yield* sessions.open(sha256(secret), operator.id, source, limits)
        yield* operators.loggedIn(operator.id)
        const caller = new Caller({
          name: operator.name,
          role: operator.role,
          via: "session",
          expiresAt: DateTime.makeUnsafe(expiresAt)
        })
        return { caller, secret }
      })

      const login = Effect.fn("Access.login")(function* ({ name, password, source }: LoginAttempt) {
        const ofName = subjectOf("name", name)
        const ofSource = subjectOf("source", source)
        const refuse = (reason: "wrong" | "locked", retryAfterSeconds: number, why: string) =>
          Effect.andThen(
            audit.append({ actor: name, via: "none", source, action: "session.login", outcome: "refused", detail: { why } }),
            Effect.fail(new LoginRefused({ reason, retryAfterSeconds }))
          )
        const waitSource = yield* sessions.attempt(ofSource, sourceLimit)
        // the log says it once, when the block began; a flood of refused tries is counted nowhere but in the row
        if (waitSource > 0) return yield* new LoginRefused({ reason: "locked", retryAfterSeconds: waitSource })
        const waitName = yield* sessions.attempt(ofName, lockout)
        if (waitName > 0) return yield* refuse("locked", waitName, "locked")
        const found = yield* operators.credential(name)
        // of more than 256 characters nobody has a password, and hashing a megabyte is work
        const { right, outdated } = yield* verifyPassword(
          password.slice(0, 1024),
          Option.match(found, { onNone: () => noPassword, onSome: (one) => one.passwordHash })
        )
        if (Option.isNone(found) || !right) {
          return yield* refuse("wrong", 0, Option.isNone(found) ? "unknown name" : "wrong password")
        }
        // only who knows the password learns nothing more from this than that it failed
        if (found.value.disabled) return yield* refuse("wrong", 0, "disabled")
        yield* sessions.forgive(ofName, true)
        yield* sessions.forgive(ofSource, false)
        if (outdated) yield* operators.rehash(found.value.id, yield* hashPassword(password))
        const opened = yield* open(found.value, source)
        yield* audit.append({ actor: name, via: "session", source, action: "session.login", outcome: "done" })
        return opened
      })

      const setup = Effect.fn("Access.setup")(function* ({ code, name, password, source }: SetupAttempt) {
        const refuse = (reason: SetupRefused["reason"], retryAfterSeconds = 0) =>
          Effect.andThen(
            audit.append({ actor: name, via: "none", source, action: "setup", outcome: "refused", detail: { why: reason } }),
            Effect.fail(new SetupRefused({ reason, retryAfterSeconds }))
          )
        if ((yield* operators.count) > 0) return yield* refuse("already-done")
        const hash = hashSetupCode(code)
        const subject = subjectOf("setup", source)
        const wait = yield* sessions.attempt(subject, { failures: lockout.failures, minutes: 1 })
        if (wait > 0) return yield* new SetupRefused({ reason: "too-many-tries", retryAfterSeconds: wait })
        const state = yield* operators.setupOpen(hash)
        if (state !== "open") return yield* refuse(state)
        yield* sessions.forgive(subject, true)
        const why = reservedNames.has(name) ? `the name ${name} is taken` : weakness(password, name)
        if (why !== undefined) return yield* new PasswordWeak({ why })
        const outcome = yield* operators.setup(hash, { name, role: "admin", passwordHash: yield* hashPassword(password) })
        if ("refused" in outcome) return yield* refuse(outcome.refused)
        const opened = yield* open(outcome.operator, source)
        yield* audit.append({ actor: name, via: "session", source, action: "setup", subject: name, outcome: "done" })
        return opened
      })

      return Access.of({
        setupNeeded: Effect.map(operators.count, (count) => count === 0),
        setup,
        login,
        logout: Effect.fn("Access.logout")(function* (secret, caller, source) {
          yield* sessions.revoke(sha256(secret))
          yield* audit.append({ actor: caller.name, via: "session", source, action: "session.logout", outcome: "done" })
        })
      })
    })
  )
}
