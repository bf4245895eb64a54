/**
 * The typed client of everything the console can ask, over one WebSocket. It reconnects by itself; what was running when the socket
 * dropped fails and is asked again by rpc/Subject.ts. The session cookie travels with the upgrade request.
 */
import { Context, Effect, Layer, ManagedRuntime } from "effect"
import { RpcClient, type RpcClientError, RpcSerialization } from "effect/rpc"
import { Socket } from "effect/socket"
import { Rpcs } from "#domain/rpc/Rpcs.ts"

export type Calls = RpcClient.FromGroup<typeof Rpcs, RpcClientError.RpcClientError>

export class Api extends Context.Service<Api, Calls>()("console/rpc/Api") {}

const address = Effect.sync(() => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/rpc`)

const layer = Layer.effect(Api, RpcClient.make(Rpcs)).pipe(
  Layer.provide(RpcClient.layerProtocolSocket({ retryTransientErrors: true })),
  Layer.provide(RpcSerialization.layerNdjson),
  Layer.provide(Socket.layerWebSocket(address)),
  Layer.provide(Socket.layerWebSocketConstructorGlobal)
)

let runtime: ManagedRuntime.ManagedRuntime<Api, never> | undefined

/** The runtime of this session; opened by the first who asks. */
export const connection = (): ManagedRuntime.ManagedRuntime<Api, never> => {
  runtime ??= ManagedRuntime.make(layer)
  return runtime
}

/** Ends the socket: after logout, so that the next one is opened with the next cookie. */
export const hangUp = (): void => {
  const ended = runtime
  runtime = undefined
  if (ended !== undefined) void ended.dispose()
}

/** Runs one call to its end, for actions: `await act((api) => api.ExporterRename({ id, name }))`. Fails with the call's own error. */
export const act = <A, E>(call: (api: Calls) => Effect.Effect<A, E>): Promise<A> =>
  connection().runPromise(Effect.flatMap(Api, call))
