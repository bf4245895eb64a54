/** Around every request: limits, the origin of changes, the headers of every answer, and what a failure looks like. */
import { createHash } from "node:crypto"
import { ByteSize, Cause, Effect, type Types } from "effect"
import {
  HttpEffect,
  HttpIncomingMessage,
  HttpRouter,
  type HttpServerError,
  HttpServerRequest,
  HttpServerResponse
} from "effect/http"
import { toFault } from "./faults.ts"
import { httpMetrics } from "./HttpCounters.ts"
import { sameOrigin } from "./origin.ts"
import { problem } from "./problem.ts"

export const maxBodyBytes = 1024 * 1024

/** The console: everything from here, nothing inline. */
const consolePolicy = [
  "default-src 'self'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join("; ")

/** The documentation page has its script and style inline; the one script is named by its hash. */
const docsPolicy = (script: string) =>
  [
    "default-src 'none'",
    `script-src 'sha256-${createHash("sha256").update(script).digest("base64")}'`,
    "style-src 'unsafe-inline'",
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join("; ")

let docs: { readonly body: object; readonly policy: string } | undefined

const policyOf = (path: string, { body }: HttpServerResponse.HttpServerResponse): string => {
  if (path !== "/docs" || body._tag !== "Uint8Array") return consolePolicy
  if (docs?.body !== body) {
    const script = /<script>([\s\S]*?)<\/script>/.exec(new TextDecoder().decode(body.body))?.[1] ?? ""
    docs = { body, policy: docsPolicy(script) }
  }
  return docs.policy
}

const fixed = {
  "strict-transport-security": "max-age=31536000",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()"
}

const withHeaders = (path: string) => (response: HttpServerResponse.HttpServerResponse) =>
  HttpServerResponse.setHeaders(response, {
    ...fixed,
    "content-security-policy": policyOf(path, response),
    // what static.ts does not mark is an answer about somebody's network
    "cache-control": response.headers["cache-control"] ?? "no-store"
  })

const isHttpServerError = (error: unknown): error is HttpServerError.HttpServerError =>
  typeof error === "object" && error !== null && (error as { readonly _tag?: unknown })._tag === "HttpServerError"

const tooLarge = problem(
  { status: 413, title: "Body too large", detail: `a request body may have ${maxBodyBytes} octets` },
  { connection: "close" }
)

const respond = (request: HttpServerRequest.HttpServerRequest, cause: Cause.Cause<unknown>) =>
  Effect.gen(function* () {
    const error = Cause.squash(cause)
    if (isHttpServerError(error)) {
      const reason = error.reason as { readonly _tag: string; readonly reason?: string }
      if (reason._tag === "RouteNotFound") {
        return problem({ status: 404, title: "Not found", detail: `nothing answers ${request.method} at this address` })
      }
      if (reason._tag === "RequestParseError") {
        return reason.reason === "BodyTooLarge"
          ? tooLarge
          : problem({ status: 400, title: "Bad request", detail: "the request cannot be read" })
      }
    }
    const fault = yield* toFault(`${request.method} ${pathOf(request.url)}`, cause)
    return fault.retry
      ? problem({ status: 503, title: "Not available now", detail: fault.message }, { "retry-after": "5" })
      : problem({ status: 500, title: "Internal error", detail: fault.message })
  })

export const pathOf = (url: string): string => url.split(/[?#]/, 1)[0]!

const safe = new Set(["GET", "HEAD", "OPTIONS"])

export const layerGuard = HttpRouter.middleware(
  (app): Effect.Effect<HttpServerResponse.HttpServerResponse, Types.unhandled, HttpServerRequest.HttpServerRequest> =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const path = pathOf(request.url)
      yield* HttpEffect.appendPreResponseHandler((_request, response) => {
        httpMetrics.count(path, response.status)
        return Effect.succeed(withHeaders(path)(response))
      })
      // A page elsewhere must not act with this browser's session, nor log it in as somebody else.
      if (!safe.has(request.method) && sameOrigin(request.headers) === "other") {
        return problem({ status: 403, title: "Wrong origin", detail: "changes are taken from the console's own origin only" })
      }
      if (Number(request.headers["content-length"] ?? 0) > maxBodyBytes) return tooLarge
      return yield* (app as Effect.Effect<HttpServerResponse.HttpServerResponse, unknown>).pipe(
        // for a body that does not say how long it is
        Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(maxBodyBytes)),
        Effect.catchCause((cause) => (Cause.hasInterruptsOnly(cause) ? Effect.interrupt : respond(request, cause)))
      )
    }),
  { global: true }
)
