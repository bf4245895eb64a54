/** `/access/*`: set-up, login and logout against the seeded operators. Every operator's password is `mockPassword`. */
import { Effect, Layer, Schema } from "effect"
import { HttpEffect, HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApi, HttpApiBuilder } from "effect/http-api"
import { AccessApi, LoginRefused, PasswordWeak, SetupRefused } from "#domain/http/AccessApi.ts"
import { Caller, Password } from "#domain/Operator.ts"
import type { Role } from "#domain/Role.ts"
import { type Bench, mockPassword, sessionCookie, setupCode } from "./Bench.ts"

class MockApi extends HttpApi.make("mock").add(AccessApi) {}

/** Plain HTTP on loopback: the appliance's cookie is Secure as well. */
const cookie = (value: string) =>
  HttpEffect.appendPreResponseHandler((_request, response) =>
    Effect.succeed(
      HttpServerResponse.setCookieUnsafe(response, sessionCookie, value, { httpOnly: true, sameSite: "strict", path: "/" })
    )
  )

export const accessRoutes = (bench: Bench) => {
  const enter = Effect.fnUntraced(function* (name: string, role: Role) {
    const token = bench.open(name, role)
    yield* cookie(token)
    return new Caller({ ...bench.callerOf({ cookie: `${sessionCookie}=${token}` })!, name, role })
  })
  const handlers = HttpApiBuilder.group(MockApi, "access", (h) =>
    h.handleAll({
      state: Effect.fnUntraced(function* () {
        const { headers } = yield* HttpServerRequest.HttpServerRequest
        return { setupNeeded: bench.setupNeeded(headers), caller: bench.callerOf(headers) }
      }),
      setup: Effect.fnUntraced(function* ({ payload }) {
        const { headers } = yield* HttpServerRequest.HttpServerRequest
        if (!bench.setupNeeded(headers)) return yield* new SetupRefused({ reason: "already-done", retryAfterSeconds: 0 })
        if (payload.code !== setupCode) return yield* new SetupRefused({ reason: "wrong-code", retryAfterSeconds: 0 })
        if (!Schema.is(Password)(payload.password)) return yield* new PasswordWeak({ why: "it is shorter than 12 characters" })
        // as the appliance: long enough, and yet among the first that anybody tries
        if (/^password\d*$/i.test(payload.password))
          return yield* new PasswordWeak({ why: "it is little more than a word that everybody tries first" })
        bench.finishSetup()
        return yield* enter(payload.name, "admin")
      }),
      login: Effect.fnUntraced(function* ({ payload }) {
        const { headers } = yield* HttpServerRequest.HttpServerRequest
        const operator = bench.worldOf(headers).operators.find((o) => o.name === payload.name && !o.disabled)
        if (payload.name === "locked") return yield* new LoginRefused({ reason: "locked", retryAfterSeconds: 90 })
        if (operator === undefined || payload.password !== mockPassword) {
          return yield* new LoginRefused({ reason: "wrong", retryAfterSeconds: 0 })
        }
        return yield* enter(operator.name, operator.role)
      }),
      logout: Effect.fnUntraced(function* () {
        const { headers } = yield* HttpServerRequest.HttpServerRequest
        bench.close(headers)
        yield* cookie("")
      })
    })
  )
  return HttpApiBuilder.layer(MockApi).pipe(Layer.provide(handlers))
}
