/** For load balancers and watchdogs: no login, no address, no name. */
import { Effect, Layer, Schema } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { PublicHealth } from "#domain/Health.ts"
import { Live } from "../rpc/Live.ts"
import { consoleFiles } from "./static.ts"

const encode = Schema.encodeSync(PublicHealth)

/**
 * `/health` is 503 when unhealthy, `/ready` when a check fails: the appliance answers, but not usefully. A browser that goes to
 * `/health` gets the console's page of that name.
 */
export const layerHealth = (consoleFolder: string) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const router = yield* HttpRouter.HttpRouter
      const live = yield* Live
      const page = yield* consoleFiles(consoleFolder)
      const verdict = Effect.map(live.publicHealth, (health) =>
        HttpServerResponse.jsonUnsafe(encode(health), { status: health.status === "unhealthy" ? 503 : 200 })
      )
      yield* router.add(
        "GET",
        "/health",
        Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) =>
          headers["accept"]?.includes("text/html") ? page : verdict
        )
      )
      yield* router.add(
        "GET",
        "/ready",
        Effect.map(live.publicHealth, ({ checks }) => {
          const ready = !Object.values(checks).includes("fail")
          return HttpServerResponse.jsonUnsafe({ ready }, { status: ready ? 200 : 503 })
        })
      )
    })
  )
