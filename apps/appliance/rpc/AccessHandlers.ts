/** The caller, operators, tokens, audit. Every change, and every refusal that has a reason, is in the audit log. */
import { Effect, Option } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { CurrentCaller, PasswordWeak } from "#domain/Operator.ts"
import { may } from "#domain/Role.ts"
import {
  AccessRpcs,
  LastAdministrator,
  OperatorExists,
  OperatorNotFound,
  RoleTooHigh,
  TokenNotFound
} from "#domain/rpc/AccessRpcs.ts"
import { AuditStore } from "#pipeline/store/AuditStore.ts"
import { OperatorStore } from "#pipeline/store/OperatorStore.ts"
import { lesserRole, TokenStore } from "#pipeline/store/TokenStore.ts"
import { reservedNames } from "../auth/Access.ts"
import { hashPassword, weakness } from "../auth/password.ts"
import { newToken, sha256 } from "../auth/secret.ts"
import { PageSizes } from "./PageSizes.ts"
import { makeRecord } from "./record.ts"

/** Whose tokens a caller may see and revoke: undefined is everybody's. A token acts for the operator who made it. */
const ownerOf = ({ name }: CurrentCaller["Service"]) => name.split("/")[0]!

export const accessHandlers = Effect.gen(function* () {
  const operators = yield* OperatorStore
  const tokens = yield* TokenStore
  const audit = yield* AuditStore
  const record = yield* makeRecord
  const pages = yield* PageSizes
  const sql = yield* SqlClient.SqlClient

  const refused = (action: string, subject: string, detail: Readonly<Record<string, string>>) =>
    Effect.orDie(record(action, subject, detail, "refused"))

  /** A change and its entry in the log stand or fall together. */
  const logged = <A, R>(
    change: Effect.Effect<A, SqlError.SqlError, R>,
    entry: (done: A) => Effect.Effect<void, SqlError.SqlError, CurrentCaller>
  ) => Effect.orDie(sql.withTransaction(Effect.tap(change, entry)))

  return AccessRpcs.of({
    Whoami: () => CurrentCaller,
    OperatorList: () => Effect.orDie(operators.list),
    OperatorAdd: Effect.fnUntraced(function* ({ name, role, password }) {
      const why = weakness(password, name)
      if (why !== undefined) return yield* new PasswordWeak({ why })
      const added = reservedNames.has(name)
        ? Option.none()
        : yield* logged(operators.add({ name, role, passwordHash: yield* hashPassword(password) }), (added) =>
            Option.isSome(added) ? record("operator.add", name, { role }) : Effect.void
          )
      if (Option.isNone(added)) {
        yield* refused("operator.add", name, { role, why: "the name is taken" })
        return yield* new OperatorExists({ operator: name })
      }
      return added.value
    }),
    OperatorChange: Effect.fnUntraced(function* ({ id, role, disabled, password }) {
      const detail = {
        ...(role === undefined ? {} : { role }),
        ...(disabled === undefined ? {} : { disabled: String(disabled) }),
        ...(password === undefined ? {} : { password: "changed" })
      }
      if (password !== undefined) {
        const name = (yield* Effect.orDie(operators.list)).find((one) => one.id === id)?.name ?? ""
        const why = weakness(password, name)
        if (why !== undefined) return yield* new PasswordWeak({ why })
      }
      const passwordHash = password === undefined ? undefined : yield* hashPassword(password)
      const outcome = yield* logged(operators.change(id, { role, disabled, passwordHash }), (changed) =>
        "refused" in changed ? Effect.void : record("operator.change", changed.operator.name, detail)
      )
      if ("refused" in outcome) {
        yield* refused("operator.change", id, { ...detail, why: outcome.refused })
        return yield* outcome.refused === "unknown" ? new OperatorNotFound({ id }) : new LastAdministrator({})
      }
      return outcome.operator
    }),
    TokenList: Effect.fnUntraced(function* () {
      const caller = yield* CurrentCaller
      return yield* Effect.orDie(tokens.list(may(caller.role, "tokens.any") ? undefined : ownerOf(caller)))
    }),
    TokenCreate: Effect.fnUntraced(function* ({ name, role, days }) {
      const caller = yield* CurrentCaller
      if (lesserRole(role, caller.role) !== role) {
        yield* refused("token.create", name, { role, why: "above the caller's role" })
        return yield* new RoleTooHigh({ role })
      }
      const secret = newToken()
      const token = yield* logged(tokens.create({ secretHash: sha256(secret), name, role, owner: ownerOf(caller), days }), (made) =>
        record("token.create", `${made.createdBy}/${name}`, {
          role,
          id: made.id,
          ...(days === undefined ? {} : { days: String(days) })
        })
      )
      return { token, secret }
    }),
    TokenRevoke: Effect.fnUntraced(function* ({ id }) {
      const caller = yield* CurrentCaller
      const revoked = yield* logged(tokens.revoke(id, may(caller.role, "tokens.any") ? undefined : ownerOf(caller)), (gone) =>
        Option.isSome(gone) ? record("token.revoke", `${gone.value.createdBy}/${gone.value.name}`, { id }) : Effect.void
      )
      if (Option.isNone(revoked)) return yield* new TokenNotFound({ id })
    }),
    AuditList: ({ filter, order, limit, after }) =>
      Effect.orDie(audit.list({ filter, order, limit: limit ?? pages.default, after })),
    AuditVerify: Effect.fnUntraced(function* () {
      const verdict = yield* Effect.orDie(audit.verify)
      yield* Effect.orDie(record("audit.verify", null, verdict.brokenAt === null ? {} : { brokenAt: verdict.brokenAt }))
      return verdict
    })
  })
})
