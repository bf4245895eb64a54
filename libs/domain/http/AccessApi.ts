/** First-run set-up, login, logout: the only calls without a caller. They answer with the session cookie `flowlens_session`. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { Caller, OperatorName, PasswordWeak } from "../Operator.ts"

export class SetupRefused extends Schema.TaggedError<SetupRefused>()(
  "SetupRefused",
  { reason: Schema.Literals(["wrong-code", "already-done", "too-many-tries"]), retryAfterSeconds: Schema.Int },
  { httpApiStatus: 403 }
) {
  override get message() {
    return {
      "wrong-code": "the setup code is wrong; it stands in the output of the first start",
      "already-done": "set-up is done; log in, or let an administrator make you an account",
      "too-many-tries": `too many wrong codes; try again in ${this.retryAfterSeconds} s`
    }[this.reason]
  }
}

export class LoginRefused extends Schema.TaggedError<LoginRefused>()(
  "LoginRefused",
  { reason: Schema.Literals(["wrong", "locked"]), retryAfterSeconds: Schema.Int },
  { httpApiStatus: 401 }
) {
  override get message() {
    return this.reason === "wrong"
      ? "name or password is wrong"
      : `too many failed logins; try again in ${this.retryAfterSeconds} s`
  }
}

export { PasswordWeak }

export class AccessApi extends HttpApiGroup.make("access")
  .add(
    HttpApiEndpoint.get("state", "/state", {
      success: Schema.Struct({ setupNeeded: Schema.Boolean, caller: Schema.NullOr(Caller) })
    })
  )
  .add(
    HttpApiEndpoint.post("setup", "/setup", {
      payload: Schema.Struct({ code: Schema.String, name: OperatorName, password: Schema.String }),
      success: Caller,
      error: [SetupRefused, PasswordWeak]
    })
  )
  .add(
    HttpApiEndpoint.post("login", "/login", {
      payload: Schema.Struct({ name: Schema.String, password: Schema.String }),
      success: Caller,
      error: LoginRefused
    })
  )
  .add(HttpApiEndpoint.post("logout", "/logout", { success: Schema.Void }))
  .prefix("/access") {}
