/** The API's own description: OpenAPI for programs, a page for people. Both are made from the contract and load nothing from outside. */
import { Effect, Layer } from "effect"
import { HttpMiddleware, HttpRouter, HttpServerResponse } from "effect/http"
import { HttpApiSwagger, OpenApi } from "effect/http-api"
import { RestApi } from "#domain/http/RestApi.ts"
import { Gate } from "../auth/Gate.ts"
import { gated } from "./plain-gate.ts"

export const layerDocs = Layer.effectDiscard(
  Effect.gen(function* () {
    const router = yield* HttpRouter.HttpRouter
    const gate = yield* Gate
    const document = HttpServerResponse.jsonUnsafe(OpenApi.fromApi(RestApi))
    yield* router.add(
      "GET",
      "/api/openapi.json",
      gated("/api/openapi.json", Effect.succeed(document)).pipe(Effect.provideService(Gate, gate), HttpMiddleware.compression())
    )
    // the page registers itself on a router; ours puts the gate before it
    const gatedRouter: HttpRouter.HttpRouter = {
      ...router,
      add: (method, path, handler, options) =>
        router.add(
          method,
          path,
          gated("/docs", handler as Effect.Effect<HttpServerResponse.HttpServerResponse>).pipe(
            Effect.provideService(Gate, gate),
            HttpMiddleware.compression()
          ) as never,
          options
        )
    }
    yield* Layer.build(HttpApiSwagger.layer(RestApi, { path: "/docs" })).pipe(
      Effect.provideService(HttpRouter.HttpRouter, gatedRouter)
    )
  })
)
