/** The gate in front of addresses that are no part of an HttpApi: metrics, the documentation and the OpenAPI document. */
import { Effect } from "effect"
import { HttpServerRequest, type HttpServerResponse } from "effect/http"
import type { Forbidden, Unauthorized } from "#domain/Operator.ts"
import type { Capability } from "#domain/Role.ts"
import { admit } from "./admission.ts"
import { problem } from "./problem.ts"

/** RFC 6750 §3 asks for the challenge. */
export const refusal = (error: Unauthorized | Forbidden): HttpServerResponse.HttpServerResponse =>
  error._tag === "Unauthorized"
    ? problem({ status: 401, title: "Not authenticated", detail: error.message }, { "www-authenticate": "Bearer" })
    : problem({ status: 403, title: "Not permitted", detail: error.message })

/** Every such address with what it needs: the table that the role test reads. */
export const plainNeeds = {
  "/metrics": "metrics.read",
  "/docs": "caller",
  "/api/openapi.json": "caller"
} as const satisfies Record<string, Capability | "caller">

export const gated = <R>(path: keyof typeof plainNeeds, answer: Effect.Effect<HttpServerResponse.HttpServerResponse, never, R>) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    Effect.matchEffect(admit(request, plainNeeds[path]), {
      onFailure: (error) => Effect.succeed(refusal(error)),
      onSuccess: () => answer
    })
  )
