/** The mock speaks the console's real contract over a real socket. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { NodeWS } from "@effect/platform-node"
import { Effect, Exit, Layer, Stream } from "effect"
import { RpcClient, RpcSerialization } from "effect/rpc"
import { Socket } from "effect/socket"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { Rpcs } from "#domain/rpc/Rpcs.ts"
import { rowsOf } from "#domain/TopologyColumns.ts"
import { type MockAppliance, startMock } from "./appliance.ts"
import { mockPassword } from "./Bench.ts"

let mock: MockAppliance
const server = createServer((request, response) => mock.request(request, response))
let port = 0

beforeAll(async () => {
  mock = await startMock()
  server.on("upgrade", (request, socket, head) => mock.upgrade(request, socket, head))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  port = (server.address() as AddressInfo).port
})

afterAll(async () => {
  await mock.close()
  server.closeAllConnections()
  server.close()
})

const login = async (name: string, password = mockPassword) =>
  fetch(`http://127.0.0.1:${port}/access/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, password })
  })

const cookieFor = async (seed: string, name = "admin") => {
  const session = (await login(name)).headers.get("set-cookie")?.split(";")[0] ?? ""
  return `${session}; mock_seed=${seed}`
}

const ask = async <A, E>(
  cookie: string,
  use: (client: RpcClient.FromGroup<typeof Rpcs, unknown>) => Effect.Effect<A, E>
): Promise<Exit.Exit<A, E>> => {
  const constructor = Layer.succeed(Socket.WebSocketConstructor)(
    (url) => new NodeWS.WebSocket(url, { headers: { cookie } }) as never
  )
  const protocol = RpcClient.layerProtocolSocket().pipe(
    Layer.provide(RpcSerialization.layerNdjson),
    Layer.provide(Socket.layerWebSocket(`ws://127.0.0.1:${port}/rpc`)),
    Layer.provide(constructor)
  )
  return Effect.runPromise(
    RpcClient.make(Rpcs).pipe(
      Effect.flatMap((client) => Effect.exit(use(client as never))),
      Effect.scoped,
      Effect.provide(protocol)
    )
  )
}

const succeeded = <A, E>(exit: Exit.Exit<A, E>): A => {
  assert.isTrue(Exit.isSuccess(exit), String(exit))
  return (exit as Exit.Success<A, E>).value
}

describe("the mock appliance", () => {
  it("refuses who has no session, and a wrong password", async () => {
    assert.isTrue(Exit.isFailure(await ask("", (api) => api.Whoami())))
    assert.strictEqual((await login("admin", "wrong")).status, 401)
  })

  it("serves a site with three tiers, each dependency between known assets", async () => {
    const cookie = await cookieFor("full")
    const topology = succeeded(await ask(cookie, (api) => Effect.map(api.TopologyGet({}), rowsOf)))
    const known = new Set(topology.nodes.map((n) => n.id))
    assert.isAbove(topology.nodes.length, 60)
    assert.isAbove(topology.edges.length, 150)
    assert.isTrue(topology.edges.every((e) => known.has(e.client) && known.has(e.server)))
    const filtered = succeeded(
      await ask(cookie, (api) => api.AssetList({ filter: "type:database", sort: "name", order: "ascending" }))
    )
    assert.deepStrictEqual(
      filtered.items.map((a) => a.name),
      ["cache-01", "cache-02", "db-01", "db-02", "db-03", "db-04"]
    )
    assert.isTrue(Exit.isFailure(await ask(cookie, (api) => api.AssetList({ filter: "colour:red" }))))
  })

  it("pages through ten thousand assets without missing one", async () => {
    const cookie = await cookieFor("large")
    const seen = new Set<string>()
    let after: string | undefined
    do {
      const page = succeeded(
        await ask(cookie, (api) => api.AssetList({ limit: 1000, sort: "name", ...(after === undefined ? {} : { after }) }))
      )
      for (const asset of page.items) seen.add(asset.id)
      after = page.next
    } while (after !== undefined)
    assert.strictEqual(seen.size, 10_000)
    const topology = succeeded(await ask(cookie, (api) => Effect.map(api.TopologyGet({}), rowsOf)))
    assert.strictEqual(topology.edges.length, 10_000)
    assert.isAtMost(topology.nodes.length, 1_000)
  })

  it("is empty when fresh, breaks when failing, and holds a viewer back", async () => {
    const fresh = await cookieFor("empty")
    assert.strictEqual(succeeded(await ask(fresh, (api) => api.TopologyGet({}))).nodes.length, 0)
    assert.isTrue(Exit.isFailure(await ask(await cookieFor("failing"), (api) => api.TopologyGet({}))))
    assert.isTrue(Exit.isFailure(await ask(await cookieFor("viewer"), (api) => api.OperatorList())))
    const status = succeeded(await ask(fresh, (api) => api.StatusWatch().pipe(Stream.take(1), Stream.runCollect)))
    assert.strictEqual(status[0]?.exportersKnown, 0)
  })
})
