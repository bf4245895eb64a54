/** Overview, topology, assets, dependencies, search. */
import { Effect } from "effect"
import { CurrentCaller } from "#domain/Operator.ts"
import { MapRpcs } from "#domain/rpc/MapRpcs.ts"
import { Declarations } from "#pipeline/resolve/Declarations.ts"
import { AssetStore } from "#pipeline/store/AssetStore.ts"
import { AuditStore } from "#pipeline/store/AuditStore.ts"
import { CoverageStore } from "#pipeline/store/CoverageStore.ts"
import { DependencyStore } from "#pipeline/store/DependencyStore.ts"
import { RawFlowStore } from "#pipeline/store/RawFlowStore.ts"
import { TopologyStore } from "#pipeline/store/TopologyStore.ts"
import { CallSource } from "./Connections.ts"
import { Live } from "./Live.ts"

/** Of each kind; the palette shows ten lines in all. */
const hits = 10

export const mapHandlers = Effect.gen(function* () {
  const live = yield* Live
  const assets = yield* AssetStore
  const dependencies = yield* DependencyStore
  const topology = yield* TopologyStore
  const coverage = yield* CoverageStore
  const raw = yield* RawFlowStore
  const declarations = yield* Declarations
  const audit = yield* AuditStore

  return MapRpcs.of({
    OverviewWatch: () => live.overview,
    TopologyGet: (query) => topology.get(query),
    MapVersionWatch: () => live.mapVersion,
    CoverageList: (query) => coverage.report(query),
    AssetList: (query) => assets.page(query),
    AssetGet: ({ id }) => assets.get(id),
    AssetDependencies: ({ id, side }) => dependencies.ofAsset(id, side),
    DependencyList: (query) => dependencies.page(query),
    DependencyGet: ({ id }) => dependencies.get(id),
    FlowSearch: (query) => raw.search(query),
    DependencyDeclare: Effect.fnUntraced(function* ({ id, serves, note }) {
      const { name, via } = yield* CurrentCaller
      const end = yield* declarations
        .endOf(id, serves === "client" ? "client" : "server")
        .pipe(Effect.catchTag("SqlError", Effect.die))
      const { turned } = yield* Effect.orDie(
        serves === "evidence" ? declarations.withdraw(end) : declarations.declare(end, name, note)
      )
      const what = `${end.address}:${end.port}/${end.protocol}`
      yield* Effect.orDie(
        audit.append({
          actor: name,
          via,
          source: yield* CallSource,
          action: serves === "evidence" ? "direction.withdraw" : "direction.declare",
          subject: what,
          outcome: "done",
          detail: { dependency: id, turned: String(turned), ...(note === undefined ? {} : { note }) }
        })
      )
      return yield* dependencies.get(id)
    }),
    Search: Effect.fnUntraced(function* ({ text }) {
      const [things, edges] = yield* Effect.all([assets.search(text, hits), dependencies.search(text, hits)], { concurrency: 2 })
      return [...things, ...edges]
    })
  })
})
