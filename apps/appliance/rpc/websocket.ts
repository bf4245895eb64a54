/** RPC over WebSocket at `/rpc`, one JSON object a line. */
import { randomUUID } from "node:crypto"
import { Effect, Layer, Option } from "effect"
import { Headers, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { RpcSerialization, RpcServer } from "effect/rpc"
import { Rpcs } from "#domain/rpc/Rpcs.ts"
import { bearerOf, sessionOf } from "../auth/Gate.ts"
import { sameOrigin } from "../http/origin.ts"
import { problem } from "../http/problem.ts"
import { type Connection, Connections, connectionHeader } from "./Connections.ts"

export interface WebSocketOptions {
  readonly maxConnections: number
  /** Nobody holds a connection longer without being let in; default 10. */
  readonly strangerSeconds?: number | undefined
}

/** One request line at most. Answers may be longer. */
const maxRequestBytes = 1024 * 1024

export const layerRpc = ({ maxConnections, strangerSeconds = 10 }: WebSocketOptions) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const connections = yield* Connections
      const router = yield* HttpRouter.HttpRouter
      const { protocol, httpEffect } = yield* RpcServer.makeProtocolWithHttpEffectWebsocket

      const upgrade = Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        const { headers } = request
        if (headers["upgrade"]?.toLowerCase() !== "websocket") {
          return problem({ status: 426, title: "WebSocket only", detail: "this address speaks RPC over WebSocket" })
        }
        const session = sessionOf(headers["cookie"])
        // a page of another origin could open this socket with the visitor's cookie (CWE-1385)
        if (session !== undefined ? sameOrigin(headers) !== "same" : sameOrigin(headers) === "other") {
          return problem({ status: 403, title: "Wrong origin", detail: "calls with a session come from the console's own origin" })
        }
        if (connections.live.size >= maxConnections) {
          connections.refused++
          return problem({
            status: 503,
            title: "Too many connections",
            detail: `${maxConnections} live connections are open, as many as api.websocket.max_connections allows`
          })
        }
        const connection: Connection = {
          bearer: bearerOf(headers["authorization"]),
          session,
          source: Option.getOrNull(request.remoteAddress),
          admitted: false
        }
        const name = randomUUID()
        const strangers = Effect.andThen(
          Effect.sleep(`${strangerSeconds} seconds`),
          Effect.suspend(() => (connection.admitted ? Effect.never : Effect.succeed(HttpServerResponse.empty())))
        )
        return yield* Effect.acquireUseRelease(
          Effect.sync(() => connections.live.set(name, connection)),
          () =>
            Effect.raceFirst(
              Effect.provideService(
                httpEffect,
                HttpServerRequest.HttpServerRequest,
                request.modify({ headers: Headers.fromInput({ [connectionHeader]: name }) })
              ),
              strangers
            ),
          () => Effect.sync(() => connections.live.delete(name))
        )
      })
      yield* router.add("GET", "/rpc", upgrade)

      // The protocol puts the upgrade's headers, of which we left one, before those that the client wrote into its message; later ones
      // win. So of the client's own none passes but its token.
      const run: typeof protocol.run = (f) =>
        protocol.run((id, message) => {
          if (message._tag !== "Request") return f(id, message)
          const [connection, ...own] = message.headers
          const passed = own.filter((header) => Array.isArray(header) && String(header[0]).toLowerCase() === "authorization")
          return f(id, { ...message, headers: connection === undefined ? [] : [connection, ...passed] })
        })
      yield* RpcServer.make(Rpcs, { disableFatalDefects: true, disableTracing: true }).pipe(
        Effect.provideService(RpcServer.Protocol, { ...protocol, run }),
        Effect.forkScoped
      )
    })
  ).pipe(
    Layer.provide(Layer.succeed(RpcSerialization.RpcSerialization, RpcSerialization.makeNdjson({ maxBufferSize: maxRequestBytes })))
  )
