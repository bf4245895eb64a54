/** First-run set-up, login and logout over plain HTTP: they set and clear the session cookie. */
import { Effect, Layer, Option } from "effect"
import { type Cookies, HttpEffect, type HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApi, HttpApiBuilder } from "effect/http-api"
import { AccessApi } from "#domain/http/AccessApi.ts"
import { InputChecked } from "#domain/http/HttpAuthorised.ts"
import { Access, type Opened } from "../auth/Access.ts"
import { AccessOptions } from "../auth/AccessOptions.ts"
import { bearerOf, Gate, sessionCookie, sessionOf } from "../auth/Gate.ts"
import { layerInputChecked } from "./input.ts"

export class PublicApi extends HttpApi.make("access")
  .add(AccessApi.middleware(InputChecked))
  .annotate(HttpApi.ParseOptions, { errors: "all" }) {}

const attributes = { httpOnly: true, secure: true, sameSite: "strict", path: "/" } satisfies Cookies.Cookie["options"]

const setCookie = (value: string, maxAge: number) =>
  HttpEffect.appendPreResponseHandler((_request, response) =>
    Effect.orDie(HttpServerResponse.setCookie(response, sessionCookie, value, { ...attributes, maxAge: `${maxAge} seconds` }))
  )

const handlers = HttpApiBuilder.group(
  PublicApi,
  "access",
  Effect.fnUntraced(function* (group) {
    const access = yield* Access
    const gate = yield* Gate
    const { session } = yield* AccessOptions
    const answer = ({ caller, secret }: Opened) => Effect.as(setCookie(secret, session.hours * 3600), caller)
    const from = (request: HttpServerRequest.HttpServerRequest) => Option.getOrElse(request.remoteAddress, () => "unknown")
    const admit = (request: HttpServerRequest.HttpServerRequest) =>
      gate
        .admit({
          bearer: bearerOf(request.headers["authorization"]),
          session: sessionOf(request.headers["cookie"]),
          source: from(request)
        })
        .pipe(Effect.option)

    return group
      .handle("state", ({ request }) =>
        Effect.gen(function* () {
          const setupNeeded = yield* access.setupNeeded
          const admitted = setupNeeded ? Option.none() : yield* admit(request)
          return { setupNeeded, caller: Option.match(admitted, { onNone: () => null, onSome: ({ caller }) => caller }) }
        }).pipe(Effect.orDie)
      )
      .handle("setup", ({ payload, request }) =>
        access.setup({ ...payload, source: from(request) }).pipe(Effect.flatMap(answer), Effect.catchTag("SqlError", Effect.die))
      )
      .handle("login", ({ payload, request }) =>
        access.login({ ...payload, source: from(request) }).pipe(Effect.flatMap(answer), Effect.catchTag("SqlError", Effect.die))
      )
      .handle("logout", ({ request }) =>
        Effect.gen(function* () {
          const secret = sessionOf(request.headers["cookie"])
          const admitted = yield* admit(request)
          if (secret !== undefined && Option.isSome(admitted) && admitted.value.caller.via === "session") {
            yield* access.logout(secret, admitted.value.caller, from(request))
          }
          yield* setCookie("", 0)
        }).pipe(Effect.orDie)
      )
  })
)

export const layerAccess = HttpApiBuilder.layer(PublicApi).pipe(Layer.provide(handlers), Layer.provide(layerInputChecked))
