/** Overview, topology, assets and dependencies from the seeded world. */
import { DateTime, Effect, Stream } from "effect"
import { Asset, AssetNotFound } from "#domain/Asset.ts"
import { assetTypes } from "#domain/AssetFamily.ts"
import { type Blindness, CoverageNotFound } from "#domain/CoverageReport.ts"
import { confidence } from "#domain/confidence.ts"
import {
  ConfidenceTerms,
  type Declaration,
  Dependency,
  DependencyDetail,
  DependencyNotFound,
  DirectionEvidence,
  DirectionUnknown
} from "#domain/Dependency.ts"
import { directionMargin } from "#domain/direction.ts"
import { protocolName } from "#domain/protocol.ts"
import { Authorised } from "#domain/rpc/Authorised.ts"
import { MapRpcs } from "#domain/rpc/MapRpcs.ts"
import { Overview, Status } from "#domain/Status.ts"
import { TopologyNode } from "#domain/Topology.ts"
import { columnsOf } from "#domain/TopologyColumns.ts"
import type { Bench } from "./Bench.ts"
import { blindnessOf, coverageReport, coverageSummary, observersOf } from "./coverage.ts"
import { ofAsset, ofDependency, parseFilter } from "./filter.ts"
import { flowSearch } from "./flows.ts"
import { networkOf } from "./network-of.ts"
import { pageOf } from "./page.ts"
import { instant, type World, windowSeconds } from "./seed/World.ts"

const millis = DateTime.toEpochMillis

/** What the seeded dependencies say was seen more than once. */
const sparedOf = (dependencies: ReadonlyArray<DependencyDetail>): NonNullable<Overview["counted"]> => {
  const exporters = new Map<string, { address: DependencyDetail["exporters"][number]["address"]; records: bigint; bytes: bigint }>()
  for (const { address, sparedBytes, sparedRecords } of dependencies.flatMap((one) => one.exporters)) {
    const known = exporters.get(address) ?? { address, records: 0n, bytes: 0n }
    exporters.set(address, { address, records: known.records + sparedRecords, bytes: known.bytes + sparedBytes })
  }
  const most = [...exporters.values()].filter((one) => one.records > 0n).sort((a, b) => (a.bytes < b.bytes ? 1 : -1))
  return {
    sparedRecords: most.reduce((sum, one) => sum + one.records, 0n),
    sparedBytes: most.reduce((sum, one) => sum + one.bytes, 0n),
    exporters: most.slice(0, 5)
  }
}

const sameEnd = (one: Pick<Declaration, "address" | "protocol" | "port">, other: typeof one) =>
  one.address === other.address && one.protocol === other.protocol && one.port === other.port

const declarationsOf = (w: World): ReadonlyArray<Declaration> => [
  ...w.declarations,
  ...[...w.dependencies.values()].flatMap(({ declaration }) => (declaration === null ? [] : [declaration]))
]

export const statusOf = (world: World): Status => {
  const now = Date.now()
  const start = Math.floor(now / (windowSeconds * 1000)) * windowSeconds * 1000
  const rate = world.exporters.reduce((sum, e) => sum + e.recordsPerSecond, 0)
  return new Status({
    at: instant(now),
    health: world.warnings.length > 0 ? "degraded" : "healthy",
    warnings: world.warnings.length,
    recordsPerSecond: rate * (0.97 + 0.06 * Math.sin(now / 7000) ** 2),
    refused: 0,
    exportersHeard: world.exporters.filter((e) => e.state !== "silent").length,
    exportersKnown: world.exporters.length,
    window:
      world.exporters.length === 0
        ? null
        : { start: instant(start - windowSeconds * 1000), seconds: windowSeconds, final: true, writtenAt: instant(start + 1_200) },
    databaseMs: 2.4 + Math.sin(now / 3000)
  })
}

const overviewOf = (world: World): Overview => {
  const hourAgo = Date.now() - 3_600_000
  const assets = [...world.assets.values()]
  const dependencies = [...world.dependencies.values()]
  const newest = [...dependencies].sort((a, b) => millis(b.firstSeen) - millis(a.firstSeen)).slice(0, 8)
  const busiest = [...assets].sort((a, b) => (a.bytes < b.bytes ? 1 : -1)).slice(0, 8)
  return new Overview({
    status: statusOf(world),
    warnings: world.warnings,
    assets: assets.length,
    internalAssets: assets.filter((a) => a.internal).length,
    dependencies: dependencies.length,
    services: new Set(dependencies.map((d) => `${d.server.id}:${d.port}/${d.protocol}`)).size,
    newAssetsLastHour: assets.filter((a) => millis(a.firstSeen) > hourAgo).length,
    newDependenciesLastHour: dependencies.filter((d) => millis(d.firstSeen) > hourAgo).length,
    traffic: world.traffic,
    windowSeconds,
    coverage: coverageSummary(world),
    counted: sparedOf(dependencies),
    newest: newest.map(({ id, client, server, port, protocol, service, firstSeen }) => ({
      id,
      client: client.name,
      server: server.name,
      port,
      protocol,
      service,
      firstSeen
    })),
    busiest: busiest.map((a) => ({ id: a.id, name: a.name, address: a.addresses[0]!, bytes: a.bytes, clients: a.clients }))
  })
}

/** As a defect: what a console sees when the store does not answer. */
const broken = Effect.die(new Error("the store did not answer within 5 s"))

export const mapHandlers = (bench: Bench) => {
  const world = (headers: Record<string, string>) => Effect.sync(() => bench.worldOf(headers))
  const works = (headers: Record<string, string>) =>
    Effect.suspend(() => (bench.seedOf(headers) === "failing" ? broken : world(headers)))
  return MapRpcs.middleware(Authorised).of({
    OverviewWatch: (_, { headers }) =>
      Stream.tick("2 seconds").pipe(Stream.mapEffect(() => Effect.map(world(headers), overviewOf))),
    MapVersionWatch: (_, { headers }) =>
      Stream.tick("1 second").pipe(
        Stream.mapEffect(() => Effect.map(world(headers), (w) => w.version)),
        Stream.changes
      ),
    TopologyGet: Effect.fnUntraced(function* (query, { headers }) {
      const w = yield* works(headers)
      const matches = yield* parseFilter(query.filter, "dependency")
      const at = query.at === undefined ? undefined : millis(query.at)
      const dependencies = [...w.dependencies.values()]
        .filter(
          (d) =>
            matches(ofDependency(d)) &&
            (at === undefined || (millis(d.firstSeen) <= at && (d.state !== "stale" || at <= millis(d.lastSeen))))
        )
        .slice(0, query.maxEdges ?? 100_000)
      const shown = new Set(dependencies.flatMap((d) => [d.client.id, d.server.id]))
      const blindness: Array<Blindness> = []
      const reasons = new Map<string, number>()
      const blind = (found: Blindness | null | undefined): { readonly blind?: number } => {
        if (found == null || (at !== undefined && found.since !== null && at < millis(found.since))) return {}
        const index = reasons.get(found.why) ?? blindness.push(found) - 1
        reasons.set(found.why, index)
        return { blind: index }
      }
      const observers = observersOf(w)
      return columnsOf({
        at: instant(at ?? Date.now()),
        live: at === undefined,
        nodes: [...shown].map((id) => {
          const { name, addresses, type, internal, environment } = w.assets.get(id)!
          const address = addresses[0]!
          const network = networkOf(address, internal)
          const sight = blind(blindnessOf(w, [...(observers.get(network)?.keys() ?? [])]))
          return new TopologyNode({ id, name, address, type, internal, environment, network, ...sight })
        }),
        edges: dependencies.map((d) => ({
          id: d.id,
          client: d.client.id,
          server: d.server.id,
          port: d.port,
          protocol: d.protocol,
          service: d.service,
          bytes: d.bytesToServer + d.bytesToClient,
          rateBps: w.rates.get(d.id) ?? 0,
          sampled: d.sampling > 1,
          confidence: d.confidence,
          stale: d.state === "stale",
          ...blind(d.blind)
        })),
        blindness,
        nodesLeftOut: 0,
        edgesLeftOut: 0
      })
    }),
    CoverageList: Effect.fnUntraced(function* (query, { headers }) {
      const report = coverageReport(yield* works(headers), query, Date.now())
      return report ?? (yield* new CoverageNotFound({ exporter: query.exporter ?? null }))
    }),
    AssetList: Effect.fnUntraced(function* (query, { headers }) {
      const w = yield* world(headers)
      const matches = yield* parseFilter(query.filter, "asset")
      const sort = query.sort ?? "lastSeen"
      return pageOf(
        [...w.assets.values()].filter((a) => matches(ofAsset(a))).map((a) => new Asset(a)),
        query,
        (a) => {
          const value = a[sort]
          return typeof value === "object" ? millis(value) : value
        },
        "descending"
      )
    }),
    AssetGet: Effect.fnUntraced(function* ({ id }, { headers }) {
      const w = yield* works(headers)
      return w.assets.get(id) ?? (yield* new AssetNotFound({ id }))
    }),
    AssetDependencies: Effect.fnUntraced(function* ({ id, side }, { headers }) {
      const w = yield* world(headers)
      if (!w.assets.has(id)) return yield* new AssetNotFound({ id })
      return [...w.dependencies.values()]
        .filter((d) => (side !== "server" && d.client.id === id) || (side !== "client" && d.server.id === id))
        .map((d) => new Dependency(d))
    }),
    DependencyList: Effect.fnUntraced(function* (query, { headers }) {
      const w = yield* works(headers)
      const matches = yield* parseFilter(query.filter, "dependency")
      const sort = query.sort ?? "lastSeen"
      return pageOf(
        [...w.dependencies.values()].filter((d) => matches(ofDependency(d))).map((d) => new Dependency(d)),
        query,
        (d) => {
          if (sort === "client" || sort === "server") return d[sort].name
          const value = sort === "bytes" ? d.bytesToServer + d.bytesToClient : d[sort]
          return typeof value === "object" ? millis(value) : value
        },
        "descending"
      )
    }),
    DependencyGet: Effect.fnUntraced(function* ({ id }, { headers }) {
      const w = yield* world(headers)
      const found = w.dependencies.get(id)
      return found ?? (yield* new DependencyNotFound({ id }))
    }),
    FlowSearch: Effect.fnUntraced(function* (query, { headers }) {
      return flowSearch(yield* world(headers), query)
    }),
    DependencyDeclare: Effect.fnUntraced(function* ({ id, serves, note }, { headers }) {
      const w = yield* world(headers)
      const found = w.dependencies.get(id)
      if (found === undefined) return yield* new DependencyNotFound({ id })
      if (serves === "client") return yield* new DirectionUnknown({ id, ports: 2 })
      const declaration =
        serves === "evidence"
          ? null
          : {
              address: found.server.address,
              protocol: found.protocol,
              port: found.port,
              serves: true,
              by: "ana",
              at: instant(Date.now()),
              note: note ?? null
            }
      const direction = new DirectionEvidence({ ...found.direction, declared: declaration !== null })
      const terms = new ConfidenceTerms({ ...found.terms, direction: directionMargin(direction) })
      const told = new DependencyDetail({ ...found, declaration, direction, terms, confidence: confidence(terms) })
      w.dependencies.set(id, told)
      return told
    }),
    DeclarationList: (_, { headers }) => Effect.map(world(headers), declarationsOf),
    DeclarationAdd: Effect.fnUntraced(function* ({ address, note, port, protocol, serves = true }, { headers }) {
      const w = yield* world(headers)
      const end = { address, protocol, port, serves, by: "ana", at: instant(Date.now()), note: note ?? null }
      w.declarations = [end, ...w.declarations.filter((one) => !sameEnd(one, end))]
      return { turned: 0 }
    }),
    DeclarationRemove: Effect.fnUntraced(function* (end, { headers }) {
      const w = yield* world(headers)
      w.declarations = w.declarations.filter((one) => !sameEnd(one, end))
      for (const found of w.dependencies.values()) {
        if (found.declaration !== null && sameEnd(found.declaration, end))
          w.dependencies.set(found.id, new DependencyDetail({ ...found, declaration: null }))
      }
      return { turned: 0 }
    }),
    Search: Effect.fnUntraced(function* ({ text }, { headers }) {
      const w = yield* world(headers)
      const wanted = text.trim().toLowerCase()
      if (wanted === "") return []
      const assets = [...w.assets.values()]
        .filter((a) => a.name.toLowerCase().includes(wanted) || a.addresses.some((address) => address.startsWith(wanted)))
        .slice(0, 12)
        .map((a) => ({
          kind: "asset" as const,
          id: a.id as string,
          title: a.name,
          detail: `${assetTypes[a.type].label}, ${a.addresses[0]}`
        }))
      const dependencies = [...w.dependencies.values()]
        .filter((d) => d.service === wanted || String(d.port) === wanted)
        .slice(0, 6)
        .map((d) => ({
          kind: "dependency" as const,
          id: d.id as string,
          title: `${d.client.name} → ${d.server.name}`,
          detail: `${d.port}/${protocolName(d.protocol)}`
        }))
      return [...assets, ...dependencies]
    })
  })
}
