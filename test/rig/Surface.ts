/** The whole HTTPS surface on a port of its own, over a real database, with live values that a test sets. */
import { mkdtempSync } from "node:fs"
import type { IncomingHttpHeaders } from "node:http"
import { request as httpsRequest, type RequestOptions } from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NodeWS } from "@effect/platform-node"
import { Context, DateTime, Effect, Layer, Option, Stream, SubscriptionRef } from "effect"
import { RpcClient, type RpcClientError, RpcSerialization } from "effect/rpc"
import { Socket } from "effect/socket"
import type { Exporter } from "#domain/Exporter.ts"
import { FlowAccount, HealthDetail, PublicHealth } from "#domain/Health.ts"
import type { Role } from "#domain/Role.ts"
import { Rpcs } from "#domain/rpc/Rpcs.ts"
import { ActorNotFound } from "#domain/rpc/SystemRpcs.ts"
import { Overview, Status } from "#domain/Status.ts"
import { Declarations } from "#pipeline/resolve/Declarations.ts"
import { AssetStore } from "#pipeline/store/AssetStore.ts"
import { AuditStore } from "#pipeline/store/AuditStore.ts"
import { CoverageStore } from "#pipeline/store/CoverageStore.ts"
import { DependencyStore } from "#pipeline/store/DependencyStore.ts"
import { ExporterPolicyStore } from "#pipeline/store/ExporterPolicyStore.ts"
import { ExporterStore } from "#pipeline/store/ExporterStore.ts"
import { OperatorStore } from "#pipeline/store/OperatorStore.ts"
import { RawFlowStore } from "#pipeline/store/RawFlowStore.ts"
import { SessionStore } from "#pipeline/store/SessionStore.ts"
import { TokenStore } from "#pipeline/store/TokenStore.ts"
import { TopologyStore } from "#pipeline/store/TopologyStore.ts"
import { Access } from "../../apps/appliance/auth/Access.ts"
import type { AccessOptions } from "../../apps/appliance/auth/AccessOptions.ts"
import { layerAuth } from "../../apps/appliance/auth/layer.ts"
import { hashPassword } from "../../apps/appliance/auth/password.ts"
import { newToken, sha256 } from "../../apps/appliance/auth/secret.ts"
import { Captures } from "../../apps/appliance/exporters/Captures.ts"
import { ExporterDesk } from "../../apps/appliance/exporters/ExporterDesk.ts"
import { FlowLine } from "../../apps/appliance/flow/FlowLine.ts"
import { type Certificate, loadCertificate } from "../../apps/appliance/http/certificate.ts"
import { Listening } from "../../apps/appliance/http/server.ts"
import { layerSurface, type SurfaceSettings } from "../../apps/appliance/http/surface.ts"
import { Live } from "../../apps/appliance/rpc/Live.ts"

const at = DateTime.makeUnsafe("2026-11-20T12:00:00Z")

export const someStatus = new Status({
  at,
  health: "healthy",
  warnings: 0,
  recordsPerSecond: 0,
  refused: 0,
  exportersHeard: 0,
  exportersKnown: 0,
  window: null,
  databaseMs: 1
})

const noFlow = {
  datagrams: 0n,
  records: 0n,
  malformed: 0n,
  refused: 0n,
  kernelDropped: 0n,
  failed: 0n,
  late: 0n,
  lostOpenSlices: 0n
}

export const someHealth = new HealthDetail({
  status: "healthy",
  version: "0.1.0",
  startedAt: at,
  actors: [],
  warnings: [],
  flow: new FlowAccount(noFlow),
  database: { reachable: true, embedded: true, roundTripMs: 0.4, sizeBytes: 9_000_000n, version: "18.4" },
  storage: { classes: [], hoursUpTo: null, daysUpTo: null, dropped: [], reserveBytes: 1e9, mostBytes: 0, exhausted: false },
  memoryBytes: 100_000_000,
  disk: { freeBytes: 5e10, totalBytes: 1e11 }
})

/** What a test sets for the live streams. */
export class LiveValues extends Context.Service<
  LiveValues,
  {
    readonly status: SubscriptionRef.SubscriptionRef<Status>
    readonly health: SubscriptionRef.SubscriptionRef<HealthDetail>
    readonly exporters: SubscriptionRef.SubscriptionRef<ReadonlyArray<Exporter>>
    readonly restarted: Array<string>
  }
>()("test/rig/LiveValues") {}

const layerLiveValues = Layer.effect(
  LiveValues,
  Effect.gen(function* () {
    return LiveValues.of({
      status: yield* SubscriptionRef.make(someStatus),
      health: yield* SubscriptionRef.make(someHealth),
      exporters: yield* SubscriptionRef.make<ReadonlyArray<Exporter>>([]),
      restarted: []
    })
  })
)

const layerLive = Layer.effect(
  Live,
  Effect.gen(function* () {
    const values = yield* LiveValues
    const status = SubscriptionRef.changes(values.status)
    const overview = (now: Status) =>
      new Overview({
        status: now,
        warnings: [],
        assets: 0,
        internalAssets: 0,
        dependencies: 0,
        services: 0,
        newAssetsLastHour: 0,
        newDependenciesLastHour: 0,
        traffic: [],
        windowSeconds: 300,
        newest: [],
        busiest: []
      })
    return Live.of({
      status,
      overview: Stream.map(status, overview),
      exporters: SubscriptionRef.changes(values.exporters),
      exporterHistory: Stream.concat(Stream.make([]), Stream.never),
      health: SubscriptionRef.changes(values.health),
      mapVersion: Stream.concat(Stream.make(1), Stream.never),
      healthNow: SubscriptionRef.get(values.health),
      publicHealth: Effect.map(
        SubscriptionRef.get(values.health),
        ({ status: health, version }) =>
          new PublicHealth({
            status: health,
            version,
            uptimeSeconds: 1,
            checks: { database: health === "unhealthy" ? "fail" : "pass" }
          })
      ),
      restartActor: (path) =>
        path.startsWith("flow/") ? Effect.sync(() => void values.restarted.push(path)) : Effect.fail(new ActorNotFound({ path })),
      settings: []
    })
  })
)

export const layerStores = Layer.mergeAll(
  AssetStore.layer({ confidenceThreshold: 0.5 }),
  Declarations.layer,
  DependencyStore.layer({ confidenceThreshold: 0.5 }),
  TopologyStore.layer({ confidenceThreshold: 0.5, maxNodes: 5000, maxEdges: 20000 }),
  ExporterPolicyStore.layer,
  CoverageStore.layer({ windowSeconds: 300 }),
  ExporterStore.layer,
  OperatorStore.layer,
  SessionStore.layer,
  TokenStore.layer,
  AuditStore.layer,
  RawFlowStore.layer({ keep: false })
)

/** The data folder of the surface and its certificate. */
export class SurfaceFiles extends Context.Service<SurfaceFiles, { readonly data: string; readonly certificate: Certificate }>()(
  "test/rig/SurfaceFiles"
) {}

/** Wants a database; gives `Listening`, the stores, what auth/layer.ts makes, and `LiveValues`. */
export const layerTestSurface = (
  options: { readonly access?: AccessOptions["Service"] } & Partial<
    Pick<SurfaceSettings, "maxConnections" | "consoleFolder" | "pingSeconds" | "strangerSeconds">
  > = {}
) => {
  const data = mkdtempSync(join(tmpdir(), "flowlens-surface-"))
  const access = options.access ?? { session: { hours: 24, idleMinutes: 0 }, lockout: { failures: 5, minutes: 15 } }
  const files = Layer.effect(
    SurfaceFiles,
    Effect.map(loadCertificate(data), (certificate) => SurfaceFiles.of({ data, certificate }))
  ).pipe(Layer.orDie)
  const surface = Layer.unwrap(
    Effect.map(SurfaceFiles, ({ certificate }) =>
      layerSurface({
        host: "127.0.0.1",
        port: 0,
        certificate,
        pingSeconds: options.pingSeconds ?? 30,
        strangerSeconds: options.strangerSeconds,
        maxConnections: options.maxConnections ?? 20,
        pages: { default: 50, maximum: 1000 },
        consoleFolder: options.consoleFolder ?? join(data, "no-console")
      })
    )
  )
  return surface.pipe(
    Layer.provideMerge(ExporterDesk.layer({ requireApproval: false })),
    Layer.provideMerge(Captures.layer({ dataFolder: data, bindAddress: "127.0.0.1" })),
    Layer.provideMerge(FlowLine.layer),
    Layer.provideMerge(layerLive),
    Layer.provideMerge(layerLiveValues),
    Layer.provideMerge(layerAuth({ access, dataFolder: data })),
    Layer.provideMerge(layerStores),
    Layer.provideMerge(files)
  )
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Call extends Pick<RequestOptions, "method" | "headers"> {
  /** Sent as JSON; a string or bytes as they are. */
  readonly body?: unknown
}

/** One request over a connection of its own, as a program makes it: no Origin, no cookie jar. */
export const call = (path: string, { body, method, headers }: Call = {}) =>
  Effect.flatMap(Listening, ({ port }) =>
    Effect.callback<Answer, Error>((resume) => {
      const raw = typeof body === "string" || body instanceof Uint8Array
      const type = body === undefined || raw ? {} : { "content-type": "application/json" }
      const request = httpsRequest(
        {
          host: "127.0.0.1",
          port,
          path,
          method: method ?? (body === undefined ? "GET" : "POST"),
          agent: false,
          rejectUnauthorized: false,
          headers: { ...type, ...(headers as Record<string, string>) }
        },
        (response) => {
          const parts: Array<Buffer> = []
          response.on("data", (part) => parts.push(part))
          response.on("end", () =>
            resume(
              Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(parts).toString() })
            )
          )
        }
      )
      request.on("error", (error) => resume(Effect.fail(error)))
      request.end(body === undefined || raw ? body : JSON.stringify(body))
      return Effect.sync(() => request.destroy())
    })
  )

export type TestClient = RpcClient.FromGroup<typeof Rpcs, RpcClientError.RpcClientError>

/** An RPC client over a real WebSocket whose upgrade request has these headers. */
export const rpcClient = Effect.fnUntraced(function* (headers: Record<string, string>) {
  const { port } = yield* Listening
  const construct = (url: string) =>
    new NodeWS.WebSocket(url, { rejectUnauthorized: false, headers }) as unknown as globalThis.WebSocket
  const protocol = yield* Layer.build(
    RpcClient.layerProtocolSocket().pipe(
      Layer.provide([
        RpcSerialization.layerNdjson,
        Socket.layerWebSocket(`wss://127.0.0.1:${port}/rpc`).pipe(
          Layer.provide(Layer.succeed(Socket.WebSocketConstructor)(construct as never))
        )
      ])
    )
  )
  return yield* RpcClient.make(Rpcs).pipe(Effect.provideContext(protocol))
})

/** The status of a WebSocket upgrade that is refused, 101 when it is not. */
export const upgradeStatus = (headers: Record<string, string>) =>
  Effect.flatMap(Listening, ({ port }) =>
    Effect.callback<number>((resume) => {
      const socket = new NodeWS.WebSocket(`wss://127.0.0.1:${port}/rpc`, { rejectUnauthorized: false, headers })
      socket.on("open", () => resume(Effect.succeed(101)))
      socket.on("unexpected-response", (_request, response) => resume(Effect.succeed(response.statusCode ?? 0)))
      socket.on("error", () => {})
      return Effect.sync(() => socket.terminate())
    })
  )

export const password = "a quiet river bank"

/** An operator of that role who can log in; none is made twice. */
export const operator = (name: string, role: Role) =>
  Effect.gen(function* () {
    const store = yield* OperatorStore
    const made = yield* store.add({ name, role, passwordHash: yield* hashPassword(password) })
    return Option.isSome(made) ? made.value : (yield* store.list).find((one) => one.name === name)!
  })

/** A session of an operator: its cookie, with the Origin a browser would send. */
export const session = (name: string) =>
  Effect.gen(function* () {
    const { port } = yield* Listening
    const { secret } = yield* (yield* Access).login({ name, password, source: "127.0.0.1" })
    return { cookie: `flowlens_session=${secret}`, origin: `https://127.0.0.1:${port}` }
  })

export const token = (role: Role, owner?: string) =>
  Effect.gen(function* () {
    const secret = newToken()
    const made = yield* (yield* TokenStore).create({ secretHash: sha256(secret), name: "test", role, owner, days: undefined })
    return { secret, id: made.id, headers: { authorization: `Bearer ${secret}` } }
  })
