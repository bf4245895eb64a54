/** The gate for plain HTTP: the caller of a request, with the capability it needs. */
import { Effect, Option } from "effect"
import type { HttpServerRequest } from "effect/http"
import { Unauthorized } from "#domain/Operator.ts"
import type { Capability } from "#domain/Role.ts"
import { bearerOf, Gate, sessionOf } from "../auth/Gate.ts"
import { sameOrigin } from "./origin.ts"

/** A database that is away is a defect: the request fails, it is not refused. */
export const admit = Effect.fnUntraced(function* (
  request: HttpServerRequest.HttpServerRequest,
  needs: Capability | "caller" | undefined
) {
  const gate = yield* Gate
  const { headers } = request
  // fetched by a page elsewhere: its browser sends no such cookie (SameSite=Strict); this is the second lock
  const session =
    sameOrigin(headers) === "other" || headers["sec-fetch-site"] === "cross-site" ? undefined : sessionOf(headers["cookie"])
  const bearer = bearerOf(headers["authorization"])
  if (bearer === undefined && session === undefined) return yield* new Unauthorized({ reason: "missing" })
  const admitted = yield* gate
    .admit({ bearer, session, source: Option.getOrNull(request.remoteAddress) })
    .pipe(Effect.catchTag("SqlError", Effect.die))
  yield* gate.authorise(admitted, needs)
  return admitted
})
