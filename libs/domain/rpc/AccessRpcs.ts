/** The caller, operators, tokens, audit. Login and set-up are plain HTTP (http/AccessApi.ts): they set the cookie. */
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { AuditEntry, AuditQuery } from "../Audit.ts"
import { OperatorId, Page, TokenId } from "../ids.ts"
import { Caller, Operator, OperatorName, Password, PasswordWeak, Token } from "../Operator.ts"
import { Role } from "../Role.ts"
import { Needs } from "./Authorised.ts"

export class OperatorExists extends Schema.TaggedError<OperatorExists>()("OperatorExists", { operator: Schema.String }) {
  override get message() {
    return `an operator ${this.operator} already exists`
  }
}

export class OperatorNotFound extends Schema.TaggedError<OperatorNotFound>()("OperatorNotFound", { id: Schema.String }) {
  override get message() {
    return `no operator ${this.id}`
  }
}

export class LastAdministrator extends Schema.TaggedError<LastAdministrator>()("LastAdministrator", {}) {
  override get message() {
    return "the last enabled administrator cannot be disabled or demoted"
  }
}

export class RoleTooHigh extends Schema.TaggedError<RoleTooHigh>()("RoleTooHigh", { role: Role }) {
  override get message() {
    return `a token cannot have the role ${this.role}: it is above your own`
  }
}

export class TokenNotFound extends Schema.TaggedError<TokenNotFound>()("TokenNotFound", { id: Schema.String }) {
  override get message() {
    return `no token ${this.id}`
  }
}

export class AccessRpcs extends RpcGroup.make(
  Rpc.make("Whoami", { success: Caller }).annotate(Needs, "caller"),
  Rpc.make("OperatorList", { success: Schema.Array(Operator) }).annotate(Needs, "operators.write"),
  Rpc.make("OperatorAdd", {
    payload: { name: OperatorName, role: Role, password: Password },
    success: Operator,
    error: Schema.Union([OperatorExists, PasswordWeak])
  }).annotate(Needs, "operators.write"),
  Rpc.make("OperatorChange", {
    payload: {
      id: OperatorId,
      role: Schema.optionalKey(Role),
      disabled: Schema.optionalKey(Schema.Boolean),
      password: Schema.optionalKey(Password)
    },
    success: Operator,
    error: Schema.Union([OperatorNotFound, LastAdministrator, PasswordWeak])
  }).annotate(Needs, "operators.write"),
  Rpc.make("TokenList", { success: Schema.Array(Token) }).annotate(Needs, "tokens.own"),
  /** The secret is in the answer and nowhere else. */
  Rpc.make("TokenCreate", {
    payload: {
      name: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(64)),
      role: Role,
      days: Schema.optionalKey(Schema.Int)
    },
    success: Schema.Struct({ token: Token, secret: Schema.String }),
    error: RoleTooHigh
  }).annotate(Needs, "tokens.own"),
  Rpc.make("TokenRevoke", { payload: { id: TokenId }, error: TokenNotFound }).annotate(Needs, "tokens.own"),
  Rpc.make("AuditList", { payload: AuditQuery, success: Page(AuditEntry) }).annotate(Needs, "audit.read"),
  Rpc.make("AuditVerify", {
    success: Schema.Struct({ entries: Schema.Int, brokenAt: Schema.NullOr(Schema.String) })
  }).annotate(Needs, "audit.read")
) {}
