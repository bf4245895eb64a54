/** For load balancers and watchdogs: no login, no address, no name. */
import { Effect, Layer, Schema } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { PublicHealth } from "#domain/Health.ts"
import { Live } from "../rpc/Live.ts"

const encode = Schema.encodeSync(PublicHealth)

/** `/health` is 503 when unhealthy, `/ready` when a check fails: the appliance answers, but not usefully. */
export const layerHealth = Layer.effectDiscard(
  Effect.gen(function* () {
    const router = yield* HttpRouter.HttpRouter
    const live = yield* Live
    yield* router.add(
      "GET",
      "/health",
      Effect.map(live.publicHealth, (health) =>
        HttpServerResponse.jsonUnsafe(encode(health), { status: health.status === "unhealthy" ? 503 : 200 })
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
