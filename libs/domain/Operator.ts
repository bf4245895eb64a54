/** People and programs with access. */
import { Context, Schema } from "effect"
import { Instant, OperatorId, TokenId } from "./ids.ts"
import { Capability, Role } from "./Role.ts"

export const OperatorName = Schema.String.check(
  Schema.isPattern(/^[a-z][a-z0-9._-]{1,63}$/, { description: "2 to 64 of a-z, 0-9, dot, dash, underscore; a letter first" })
)
/** NIST SP 800-63B-4 §3.1.1: length counts, composition rules do not. */
export const Password = Schema.String.check(Schema.isMinLength(12), Schema.isMaxLength(256))

/** A password that is long enough and still one that everybody tries, or the operator's own name. */
export class PasswordWeak extends Schema.TaggedError<PasswordWeak>()(
  "PasswordWeak",
  { why: Schema.String },
  { httpApiStatus: 422 }
) {
  override get message() {
    return `choose another password: ${this.why}`
  }
}

export class Operator extends Schema.Class<Operator>("Operator")({
  id: OperatorId,
  name: OperatorName,
  role: Role,
  disabled: Schema.Boolean,
  createdAt: Instant,
  lastLoginAt: Schema.NullOr(Instant)
}) {}

export class Token extends Schema.Class<Token>("Token")({
  id: TokenId,
  name: Schema.String,
  role: Role,
  createdBy: Schema.String,
  createdAt: Instant,
  expiresAt: Schema.NullOr(Instant),
  lastUsedAt: Schema.NullOr(Instant)
}) {}

/** Who is calling, whichever way they came in. */
export class Caller extends Schema.Class<Caller>("Caller")({
  name: Schema.String,
  role: Role,
  via: Schema.Literals(["session", "token", "local"]),
  expiresAt: Schema.NullOr(Instant)
}) {}

export class CurrentCaller extends Context.Service<CurrentCaller, Caller>()("domain/CurrentCaller") {}

export class Unauthorized extends Schema.TaggedError<Unauthorized>()(
  "Unauthorized",
  { reason: Schema.Literals(["missing", "unknown", "expired", "revoked", "disabled"]) },
  { httpApiStatus: 401 }
) {
  override get message() {
    return this.reason === "missing"
      ? "a login or a bearer token is needed"
      : `the session or token is ${this.reason}; log in again`
  }
}

export class Forbidden extends Schema.TaggedError<Forbidden>()(
  "Forbidden",
  { capability: Capability, role: Role },
  { httpApiStatus: 403 }
) {
  override get message() {
    return `${this.capability} is not granted to the role ${this.role}`
  }
}
