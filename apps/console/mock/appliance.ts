/** The mock appliance as two Node handlers: requests under /access and upgrades of /rpc. */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import { NodeHttpServer, NodeServices, NodeWS } from "@effect/platform-node"
import { Context, Effect, Exit, Layer, Logger, Option, Scope } from "effect"
import { Etag, HttpPlatform, HttpRouter } from "effect/http"
import { RpcSerialization, RpcServer } from "effect/rpc"
import { CurrentCaller, Forbidden, Unauthorized } from "#domain/Operator.ts"
import { may } from "#domain/Role.ts"
import { Authorised, Needs } from "#domain/rpc/Authorised.ts"
import { Rpcs } from "#domain/rpc/Rpcs.ts"
import { accessRoutes } from "./access.ts"
import { type MockOptions, makeBench, seedCookie, sessionCookie } from "./Bench.ts"
import { exporterHandlers } from "./exporter-handlers.ts"
import { mapHandlers } from "./map-handlers.ts"
import { isSeedName } from "./seed/seeds.ts"
import { accessHandlers, systemHandlers } from "./system-handlers.ts"

export interface MockAppliance {
  readonly request: (request: IncomingMessage, response: ServerResponse) => void
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Cookies to set when the address asks for a seed or a role: `/?seed=empty&as=admin`. */
  readonly cookies: (url: string) => ReadonlyArray<string>
  /** Ends every live socket; with `forMs` none is let in for that long. */
  readonly drop: (forMs?: number) => void
  readonly close: () => Promise<void>
}

const roles = ["admin", "operator", "analyst", "viewer"] as const

export const startMock = async (options: MockOptions = {}): Promise<MockAppliance> => {
  const bench = makeBench(options)
  const gate = Layer.succeed(
    Authorised,
    Authorised.of((effect, { headers, rpc }) => {
      const caller = bench.callerOf(headers)
      if (caller === null) return Effect.fail(new Unauthorized({ reason: "missing" }))
      const capability = Option.getOrUndefined(Context.getOption(rpc.annotations, Needs))
      if (capability !== "caller" && (capability === undefined || !may(caller.role, capability))) {
        return Effect.fail(new Forbidden({ capability: capability ?? "map.read", role: caller.role }))
      }
      return Effect.provideService(effect, CurrentCaller, caller)
    })
  )
  const handlers = Rpcs.toLayer({
    ...mapHandlers(bench),
    ...systemHandlers(bench),
    ...exporterHandlers(bench),
    ...accessHandlers(bench)
  })
  const rpc = RpcServer.layerHttp({ group: Rpcs, path: "/rpc", disableFatalDefects: true }).pipe(
    Layer.provide([handlers, gate, RpcSerialization.layerNdjson])
  )
  const routes = Layer.mergeAll(rpc, accessRoutes(bench)).pipe(
    Layer.provide([Etag.layer, HttpPlatform.layer.pipe(Layer.provide(NodeServices.layer)), NodeServices.layer, Logger.layer([])])
  )

  const scope = Scope.makeUnsafe()
  const wss = new NodeWS.WebSocketServer({ noServer: true })
  const [request, upgrade] = await Effect.runPromise(
    Effect.gen(function* () {
      const app = yield* HttpRouter.toHttpEffect(routes)
      return [
        yield* NodeHttpServer.makeHandler(app, { scope }),
        yield* NodeHttpServer.makeUpgradeHandler(Effect.succeed(wss), app, { scope })
      ] as const
    }).pipe(Scope.provide(scope))
  )

  const sockets = new Set<Duplex>()
  let closedUntil = 0
  const timers = new Set<NodeJS.Timeout>()
  const live = setInterval(bench.step, 4_000)
  const drop = (forMs = 0) => {
    closedUntil = Date.now() + forMs
    for (const socket of sockets) socket.destroy()
  }
  return {
    request,
    upgrade: (request, socket, head) => {
      if (Date.now() < closedUntil) return void socket.destroy()
      sockets.add(socket)
      socket.once("close", () => sockets.delete(socket))
      if (bench.seedOf(request.headers) === "stale") {
        timers.add(setTimeout(() => drop(options.staleForMs ?? 30_000), options.staleAfterMs ?? 4_000))
      }
      upgrade(request, socket, head)
    },
    cookies: (url) => {
      const asked = new URL(url, "http://mock").searchParams
      const seed = asked.get("seed") ?? undefined
      const role = roles.find((known) => known === asked.get("as"))
      return [
        ...(isSeedName(seed) ? [`${seedCookie}=${seed}; Path=/; SameSite=Strict`] : []),
        ...(role === undefined ? [] : [`${sessionCookie}=${bench.open(role, role)}; Path=/; HttpOnly; SameSite=Strict`])
      ]
    },
    drop,
    close: async () => {
      clearInterval(live)
      for (const timer of timers) clearTimeout(timer)
      for (const socket of sockets) socket.destroy()
      wss.close()
      await Effect.runPromise(Scope.close(scope, Exit.void))
    }
  }
}
