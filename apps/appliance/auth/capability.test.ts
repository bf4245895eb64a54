/**
 * Who may call what (FL-SEC-01): every RPC, REST endpoint and plain address with its capability, each called by each role over the real
 * server. What is added without a row here fails, and so does a role that gets through where its row says no.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Cause, Context, DateTime, Effect, Exit, Layer, Option, Stream } from "effect"
import { HttpApi } from "effect/http-api"
import { RpcSchema } from "effect/rpc"
import { RestApi } from "#domain/http/RestApi.ts"
import { type Capability, capabilities, may, Role } from "#domain/Role.ts"
import { Needs } from "#domain/rpc/Authorised.ts"
import { Rpcs } from "#domain/rpc/Rpcs.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { call, layerTestSurface, rpcClient, token } from "../../../test/rig/Surface.ts"
import { plainNeeds } from "../http/plain-gate.ts"

const rpcs: Record<string, Capability | "caller"> = {
  OverviewWatch: "map.read",
  TopologyGet: "map.read",
  CoverageList: "map.read",
  MapVersionWatch: "map.read",
  AssetList: "map.read",
  AssetGet: "map.read",
  AssetDependencies: "map.read",
  DependencyList: "map.read",
  DependencyGet: "map.read",
  FlowSearch: "flows.read",
  DependencyDeclare: "dependencies.write",
  DeclarationList: "map.read",
  DeclarationAdd: "dependencies.write",
  DeclarationRemove: "dependencies.write",
  Search: "map.read",
  StatusWatch: "map.read",
  ExportersWatch: "exporters.read",
  ExporterTemplates: "exporters.read",
  ExporterHistoryWatch: "exporters.read",
  ExporterAdd: "exporters.write",
  ExporterChange: "exporters.write",
  ExporterForget: "exporters.write",
  CaptureStart: "exporters.write",
  CaptureEnd: "exporters.write",
  CapturesWatch: "exporters.read",
  HealthWatch: "health.read",
  ActorRestart: "actors.restart",
  SettingsList: "settings.read",
  Whoami: "caller",
  OperatorList: "operators.write",
  OperatorAdd: "operators.write",
  OperatorChange: "operators.write",
  TokenList: "tokens.own",
  TokenCreate: "tokens.own",
  TokenRevoke: "tokens.own",
  AuditList: "audit.read",
  AuditVerify: "audit.read"
}

const rest: Record<string, Capability | "caller"> = {
  "GET /api/v1/assets": "map.read",
  "GET /api/v1/assets/:id": "map.read",
  "GET /api/v1/assets/:id/dependencies": "map.read",
  "GET /api/v1/dependencies": "map.read",
  "GET /api/v1/dependencies/:id": "map.read",
  "GET /api/v1/topology": "map.read",
  "GET /api/v1/coverage": "map.read",
  "GET /api/v1/flows": "flows.read",
  "GET /api/v1/exporters": "exporters.read",
  "GET /api/v1/exporters/:id": "exporters.read",
  "GET /api/v1/exporters/:id/templates": "exporters.read",
  "GET /api/v1/exporters/:id/history": "exporters.read",
  "POST /api/v1/exporters": "exporters.write",
  "PATCH /api/v1/exporters/:id": "exporters.write",
  "DELETE /api/v1/exporters/:id": "exporters.write",
  "GET /api/v1/exporters/:id/captures": "exporters.read",
  "POST /api/v1/exporters/:id/captures": "exporters.write",
  "GET /api/v1/exporters/:id/captures/:file": "exporters.write",
  "DELETE /api/v1/exporters/:id/captures/:capture": "exporters.write",
  "GET /api/v1/health": "health.read"
}

const plain: Record<string, Capability | "caller"> = {
  "/metrics": "metrics.read",
  "/docs": "caller",
  "/api/openapi.json": "caller"
}

/** The smallest payload each takes; a row that is not there is an answer too, being refused is not. */
const payloads: Record<string, unknown> = {
  TopologyGet: {},
  CoverageList: { from: DateTime.makeUnsafe(0), to: DateTime.makeUnsafe(3_600_000) },
  AssetList: {},
  AssetGet: { id: "1" },
  AssetDependencies: { id: "1", side: "both" },
  DependencyList: {},
  DependencyGet: { id: "1" },
  FlowSearch: {},
  DependencyDeclare: { id: "1", serves: "server" },
  DeclarationAdd: { address: "192.0.2.1", protocol: 6, port: 443 },
  DeclarationRemove: { address: "192.0.2.1", protocol: 6, port: 443 },
  Search: { text: "x" },
  ExporterTemplates: { id: "1" },
  ExporterAdd: { address: "192.0.2.1", protocol: "ipfix", name: null },
  ExporterChange: { id: "999", change: {} },
  ExporterForget: { id: "999" },
  CaptureStart: { id: "999", request: { next: 1, seconds: 1 } },
  CaptureEnd: { id: "0123456789abcdef" },
  CapturesWatch: { id: "1" },
  ActorRestart: { path: "flow/x" },
  OperatorAdd: { name: "somebody", role: "viewer", password: "a quiet river bank" },
  OperatorChange: { id: "999", role: "viewer" },
  TokenCreate: { name: "x", role: "viewer" },
  TokenRevoke: { id: "999" },
  AuditList: {}
}

const bodies: Record<string, unknown> = {
  "POST /api/v1/exporters": { address: "192.0.2.1", protocol: "ipfix", name: null },
  "PATCH /api/v1/exporters/:id": {},
  "POST /api/v1/exporters/:id/captures": { next: 1, seconds: 1 }
}

const restEndpoints = (() => {
  const found: Record<string, Capability | "caller" | undefined> = {}
  HttpApi.reflect(RestApi, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => {
      found[`${endpoint.method} ${endpoint.path}`] = Option.getOrUndefined(Context.getOption(endpoint.annotations, Needs))
    }
  })
  return found
})()

const granted = (role: Role, needs: Capability | "caller") => needs === "caller" || may(role, needs)

describe("the table of capabilities", () => {
  it("has a row for every RPC, endpoint and address, saying what the contract says", () => {
    const declared = Object.fromEntries(
      [...Rpcs.requests].map(([name, rpc]) => [name, Option.getOrUndefined(Context.getOption(rpc.annotations, Needs))])
    )
    assert.deepStrictEqual(declared, rpcs)
    assert.deepStrictEqual(restEndpoints, rest)
    assert.deepStrictEqual({ ...plainNeeds }, plain)
  })

  it("gives each role what the one below it has", () => {
    const roles: ReadonlyArray<Role> = ["viewer", "analyst", "operator", "admin"]
    for (const [i, role] of roles.entries()) {
      for (const lesser of roles.slice(0, i)) {
        for (const capability of capabilities[lesser]) assert.isTrue(may(role, capability), `${role} ${capability}`)
      }
    }
  })
})

type Calls = Record<string, (payload: unknown) => Effect.Effect<unknown, unknown> | Stream.Stream<unknown, unknown>>

const outcomeOf = (exit: Exit.Exit<unknown, unknown>): "refused" | "in" | "unauthenticated" => {
  if (Exit.isSuccess(exit)) return "in"
  const error = Cause.squash(exit.cause) as { readonly _tag?: string }
  return error._tag === "Forbidden" ? "refused" : error._tag === "Unauthorized" ? "unauthenticated" : "in"
}

const askEach = Effect.fnUntraced(function* (headers: Record<string, string>) {
  const client = (yield* rpcClient(headers)) as unknown as Calls
  const outcomes: Record<string, string> = {}
  for (const [name, rpc] of Rpcs.requests) {
    const answer = client[name]!(payloads[name])
    const exit = yield* RpcSchema.isStreamSchema(rpc.successSchema)
      ? Effect.exit(Stream.runHead(answer as Stream.Stream<unknown, unknown>))
      : Effect.exit(answer as Effect.Effect<unknown, unknown>)
    outcomes[name] = outcomeOf(exit)
  }
  for (const name of [...Object.keys(rest), ...Object.keys(plain)]) {
    const [method = "GET", path = name] = name.includes(" ") ? name.split(" ") : ["GET", name]
    const filled = path.replace(":id", "999").replace(":file", "0123456789abcdef.pcap").replace(":capture", "0123456789abcdef")
    const body = bodies[name]
    const { status } = yield* call(filled, { method, headers, ...(body === undefined ? {} : { body }) })
    outcomes[name] = status === 403 ? "refused" : status === 401 ? "unauthenticated" : status < 500 ? "in" : `failed ${status}`
  }
  return outcomes
})

layer(layerTestSurface().pipe(Layer.provideMerge(layerTestDatabase)), { excludeTestServices: true })("the gate", (it) => {
  const every = { ...rpcs, ...rest, ...plain }
  for (const role of Role.literals) {
    it.effect(
      `lets ${role} do what its row says and nothing else`,
      Effect.fnUntraced(function* () {
        const { headers } = yield* token(role)
        const expected = Object.fromEntries(
          Object.entries(every).map(([name, needs]) => [name, granted(role, needs) ? "in" : "refused"])
        )
        assert.deepStrictEqual(yield* askEach(headers), expected)
      }, Effect.scoped)
    )
  }

  it.effect(
    "lets nobody in without a login or a token",
    Effect.fnUntraced(function* () {
      const expected = Object.fromEntries(Object.keys(every).map((name) => [name, "unauthenticated"]))
      assert.deepStrictEqual(yield* askEach({}), expected)
      assert.deepStrictEqual(yield* askEach({ authorization: `Bearer fl_${"x".repeat(43)}` }), expected)
    }, Effect.scoped)
  )

  it.effect(
    "answers without one only where it must",
    Effect.fnUntraced(function* () {
      for (const path of ["/health", "/ready", "/access/state"]) assert.strictEqual((yield* call(path)).status, 200, path)
    })
  )
})
