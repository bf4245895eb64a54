/** Overview, topology, assets, dependencies, search. */
import { Effect } from "effect"
import { MapRpcs } from "#domain/rpc/MapRpcs.ts"
import { AssetStore } from "#pipeline/store/AssetStore.ts"
import { CoverageStore } from "#pipeline/store/CoverageStore.ts"
import { DependencyStore } from "#pipeline/store/DependencyStore.ts"
import { RawFlowStore } from "#pipeline/store/RawFlowStore.ts"
import { TopologyStore } from "#pipeline/store/TopologyStore.ts"
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
    Search: Effect.fnUntraced(function* ({ text }) {
      const [things, edges] = yield* Effect.all([assets.search(text, hits), dependencies.search(text, hits)], { concurrency: 2 })
      return [...things, ...edges]
    })
  })
})
