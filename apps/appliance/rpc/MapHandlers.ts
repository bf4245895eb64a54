/** Overview, topology, assets, dependencies, search. */
import { Effect } from "effect"
import { CurrentCaller } from "#domain/Operator.ts"
import { MapRpcs } from "#domain/rpc/MapRpcs.ts"
import { Declarations, type End } from "#pipeline/resolve/Declarations.ts"
import { AssetStore } from "#pipeline/store/AssetStore.ts"
import { CoverageStore } from "#pipeline/store/CoverageStore.ts"
import { DependencyStore } from "#pipeline/store/DependencyStore.ts"
import { RawFlowStore } from "#pipeline/store/RawFlowStore.ts"
import { TopologyStore } from "#pipeline/store/TopologyStore.ts"
import { Live } from "./Live.ts"
import { makeRecord } from "./record.ts"

const addressAndPort = ({ address, port, protocol }: End) => `${address}:${port}/${protocol}`

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
  const record = yield* makeRecord

  const declared = Effect.fnUntraced(function* (end: End, serves: boolean, note: string | undefined, dependency?: string) {
    const { name } = yield* CurrentCaller
    const { turned } = yield* serves ? declarations.declare(end, name, note) : declarations.withdraw(end)
    yield* record(serves ? "direction.declare" : "direction.withdraw", addressAndPort(end), {
      ...(dependency === undefined ? {} : { dependency }),
      turned: String(turned),
      ...(note === undefined ? {} : { note })
    })
    return { turned }
  }, Effect.orDie)

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
      const end = yield* declarations
        .endOf(id, serves === "client" ? "client" : "server")
        .pipe(Effect.catchTag("SqlError", Effect.die))
      yield* declared(end, serves !== "evidence", note, id)
      return yield* dependencies.get(id)
    }),
    DeclarationList: () => Effect.orDie(declarations.list),
    DeclarationAdd: ({ note, ...end }) => declared(end, true, note),
    DeclarationRemove: (end) => declared(end, false, undefined),
    Search: Effect.fnUntraced(function* ({ text }) {
      const [things, edges] = yield* Effect.all([assets.search(text, hits), dependencies.search(text, hits)], { concurrency: 2 })
      return [...things, ...edges]
    })
  })
})
