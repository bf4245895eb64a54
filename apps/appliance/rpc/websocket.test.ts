import { NodeWS } from "@effect/platform-node"
import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Duration, Effect, Exit, Layer, Scope, Stream } from "effect"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { call, layerTestSurface, rpcClient, token } from "../../../test/rig/Surface.ts"
import { Listening } from "../http/server.ts"

interface Ended {
  readonly code: number
  readonly afterMs: number
}

/** Opens a socket, does something with it, and waits for the server to end it: for long, as a busy machine may need it. */
const untilEnded = (headers: Record<string, string>, options: object, begin: (socket: NodeWS.WebSocket) => void = () => {}) =>
  Effect.flatMap(Listening, ({ port }) =>
    Effect.callback<Ended>((resume) => {
      const socket = new NodeWS.WebSocket(`wss://127.0.0.1:${port}/rpc`, { rejectUnauthorized: false, headers, ...options })
      let since = 0
      socket.on("open", () => {
        since = Date.now()
        begin(socket)
      })
      socket.on("error", () => {})
      socket.on("close", (code) => resume(Effect.succeed({ code, afterMs: Date.now() - since })))
      return Effect.sync(() => socket.terminate())
    })
  ).pipe(Effect.timeout("60 seconds"))

const whoami = `${JSON.stringify({ _tag: "Request", id: "1", tag: "Whoami", payload: null, headers: [] })}\n`

const options = { pingSeconds: 1, strangerSeconds: 1 }
const layerSurface = layerTestSurface(options).pipe(Layer.provideMerge(layerTestDatabase))

layer(layerSurface, { excludeTestServices: true })("a live connection", (it) => {
  it.effect(
    "is ended when nobody was let in on it, and not when somebody was",
    Effect.fnUntraced(function* () {
      const stranger = yield* untilEnded({}, {})
      assert.isAbove(stranger.afterMs, 900)
      const { headers } = yield* token("viewer")
      const friend = yield* Effect.exit(untilEnded(headers, {}, (socket) => socket.send(whoami)).pipe(Effect.timeout("3 seconds")))
      assert.isTrue(Exit.isFailure(friend))
    })
  )

  it.effect(
    "is ended when the other side answers no ping",
    Effect.fnUntraced(function* () {
      const { headers } = yield* token("viewer")
      const silent = yield* untilEnded(headers, { autoPong: false }, (socket) => socket.send(whoami))
      assert.isAbove(silent.afterMs, 2000)
    })
  )

  it.effect(
    "is ended by a message of more than a megabyte, and by nonsense harms nobody else",
    Effect.fnUntraced(function* () {
      const { headers } = yield* token("viewer")
      const client = yield* rpcClient(headers)
      const large = yield* untilEnded(headers, {}, (socket) => socket.send("x".repeat(1024 * 1024 + 1)))
      assert.strictEqual(large.code, 1009)
      yield* untilEnded({}, {}, (socket) => {
        for (const text of [
          "{}\n",
          "[]\n",
          "null\n",
          "\0\n",
          '{"_tag":"Request","id":"1","tag":"Whoami","headers":{"a":1}}\n',
          '{"_tag":"Request"}\n'
        ]) {
          socket.send(text)
        }
      }).pipe(Effect.exit)
      assert.strictEqual((yield* client.Whoami(undefined)).via, "token")
      assert.strictEqual((yield* call("/health")).status, 200)
    }, Effect.scoped)
  )
})

describe("the server", () => {
  it.live(
    "stops with a stream open, long before the twenty seconds that the protocol would wait",
    Effect.fnUntraced(function* () {
      const scope = yield* Scope.make()
      const database = yield* Layer.build(layerTestDatabase)
      const context = yield* Layer.buildWithScope(layerTestSurface(), scope).pipe(Effect.provideContext(database))
      const surface = Context.merge(database, context)
      const client = yield* Effect.provideContext(
        Effect.flatMap(token("viewer"), ({ headers }) => rpcClient(headers)),
        surface
      )
      yield* client.Whoami(undefined)
      yield* Effect.forkChild(Stream.runDrain(client.StatusWatch(undefined)).pipe(Effect.exit))
      const [took] = yield* Effect.timed(Scope.close(scope, Exit.void))
      assert.isBelow(Duration.toSeconds(took), 15)
    }, Effect.scoped)
  )
})
