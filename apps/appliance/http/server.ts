/** The HTTPS server: TLS 1.2 and later, bounded headers and bodies, and an answer to "who has my port". */
import { createServer, type ServerOptions } from "node:https"
import { NodeHttpServer, NodeWS } from "@effect/platform-node"
import { Context, Effect, Layer, Schema } from "effect"
import { HttpServer, type HttpServerError } from "effect/http"
import type { Certificate } from "./certificate.ts"
import { maxBodyBytes } from "./guard.ts"

export interface ServerSettings {
  readonly host: string
  readonly port: number
  readonly certificate: Certificate
  readonly pingSeconds: number
}

export class PortUnavailable extends Schema.TaggedError<PortUnavailable>()("PortUnavailable", {
  host: Schema.String,
  port: Schema.Int,
  why: Schema.String,
  hint: Schema.String
}) {
  override get message() {
    return `cannot listen on ${this.host}:${this.port}: ${this.why}; ${this.hint}`
  }
}

const unavailable = (host: string, port: number, error: HttpServerError.ServeError): PortUnavailable => {
  const { code, message } = error.cause as NodeJS.ErrnoException
  const move = "choose another with api.port in flowlens.yaml or FLOWLENS_API_PORT"
  const known: Record<string, readonly [why: string, hint: string]> = {
    EADDRINUSE: ["another program has the port", `see which with \`ss -ltnp 'sport = :${port}'\` and stop it, or ${move}`],
    EACCES: ["this account may not open it", `ports below 1024 need CAP_NET_BIND_SERVICE; ${move}`],
    EADDRNOTAVAIL: ["this machine does not have the address", "correct api.host in flowlens.yaml or FLOWLENS_API_HOST"]
  }
  const [why, hint] = known[code ?? ""] ?? [message, move]
  return new PortUnavailable({ host, port, why, hint })
}

const tls = ({ certificate }: ServerSettings): ServerOptions => ({
  key: certificate.key,
  cert: certificate.certificate,
  minVersion: "TLSv1.2",
  maxHeaderSize: 16 * 1024,
  headersTimeout: 15_000,
  requestTimeout: 60_000,
  handshakeTimeout: 10_000
})

/** A console that stopped answering (a laptop closed, a cable pulled) is let go after two silent pings. */
const pinged = (seconds: number) =>
  class PingedWebSocket extends NodeWS.WebSocket {
    constructor(...args: ConstructorParameters<typeof NodeWS.WebSocket>) {
      super(...args)
      let silent = 0
      this.on("pong", () => (silent = 0))
      this.on("message", () => (silent = 0))
      const timer = setInterval(() => {
        if (this.readyState !== NodeWS.WebSocket.OPEN) return
        if (silent++ >= 2) this.terminate()
        else this.ping()
      }, seconds * 1000)
      timer.unref()
      this.on("close", () => clearInterval(timer))
    }
  }

/** Port that was really opened: that of the settings but for 0. */
export class Listening extends Context.Service<Listening, { readonly port: number }>()("appliance/http/Listening") {}

/** The server for `HttpRouter.serve`, and the port it really has. An open WebSocket delays its end by half a second at most. */
export const layerServer = (settings: ServerSettings) => {
  const { host, port, pingSeconds } = settings
  const server = NodeHttpServer.layer(() => createServer(tls(settings)), {
    host,
    port,
    gracefulShutdownTimeout: "500 millis",
    websocket: { maxPayload: maxBodyBytes, WebSocket: pinged(pingSeconds) as never }
  }).pipe(Layer.catchTag("ServeError", (error) => Layer.effectContext(Effect.fail(unavailable(host, port, error)))))
  const listening = Layer.effect(
    Listening,
    Effect.map(HttpServer.HttpServer, ({ address }) => Listening.of({ port: "port" in address ? Number(address.port) : port }))
  )
  return listening.pipe(Layer.provideMerge(server))
}
