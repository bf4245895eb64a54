/** `/metrics` for Prometheus, with a token whose role may read metrics. */
import { Effect, Layer, Option, Stream } from "effect"
import { HttpMiddleware, HttpRouter, HttpServerResponse } from "effect/http"
import { Gate } from "../auth/Gate.ts"
import { Connections } from "../rpc/Connections.ts"
import { Live } from "../rpc/Live.ts"
import { exposition } from "./exposition.ts"
import { httpMetrics } from "./HttpCounters.ts"
import { metricFamilies } from "./metric-families.ts"
import { gated } from "./plain-gate.ts"

export const layerMetrics = Layer.effectDiscard(
  Effect.gen(function* () {
    const router = yield* HttpRouter.HttpRouter
    const live = yield* Live
    const gate = yield* Gate
    const connections = yield* Connections
    const answer = Effect.gen(function* () {
      const health = yield* live.healthNow
      const exporters = yield* live.exporters.pipe(Stream.runHead, Effect.timeoutOption("1 second"))
      const text = exposition(
        metricFamilies({
          health,
          exporters: Option.getOrElse(Option.flatten(exporters), () => []),
          http: httpMetrics.read(),
          websockets: { open: connections.live.size, refused: connections.refused }
        })
      )
      return HttpServerResponse.text(text, { contentType: "text/plain; version=0.0.4; charset=utf-8" })
    })
    yield* router.add(
      "GET",
      "/metrics",
      gated("/metrics", answer).pipe(Effect.provideService(Gate, gate), HttpMiddleware.compression())
    )
  })
)
