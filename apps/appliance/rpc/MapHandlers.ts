/** Overview, topology, assets, dependencies, search. */
import { Effect } from "effect"
import { CurrentCaller } from "#domain/Operator.ts"
import { MapRpcs } from "#domain/rpc/MapRpcs.ts"
import { type Applied, Declarations, type Word } from "#pipeline/resolve/Declarations.ts"
import type { End } from "#pipeline/resolve/declared-dependencies.ts"
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

  /** Declares, or takes back what was declared of the end. */
  const declared = Effect.fnUntraced(function* (said: Word | End, note: string | undefined, dependency?: string) {
    const { name } = yield* CurrentCaller
    const declares = "serves" in said
    const entry = ({ turned }: Applied) =>
      record(declares ? "direction.declare" : "direction.withdraw", addressAndPort(said), {
        ...(dependency === undefined ? {} : { dependency }),
        ...(declares && !said.serves ? { serves: "never" } : {}),
        turned: String(turned),
        ...(note === undefined ? {} : { note })
      })
    const { turned } = yield* declares ? declarations.declare(said, name, note, entry) : declarations.withdraw(said, entry)
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
      const { declaration } = yield* dependencies.get(id)
      const drawn = declarations.endOf(id, serves === "client" ? "client" : "server").pipe(Effect.catchTag("SqlError", Effect.die))
      const { address, port, protocol } = serves === "evidence" && declaration !== null ? declaration : yield* drawn
      const end = { address, port, protocol }
      yield* declared(serves === "evidence" ? end : { ...end, serves: true }, note, id)
      return yield* dependencies.get(id)
    }),
    DeclarationList: () => Effect.orDie(declarations.list),
    DeclarationAdd: ({ note, serves = true, ...end }) => declared({ ...end, serves }, note),
    DeclarationRemove: (end) => declared(end, undefined),
    Search: Effect.fnUntraced(function* ({ text }) {
      const [things, edges] = yield* Effect.all([assets.search(text, hits), dependencies.search(text, hits)], { concurrency: 2 })
      return [...things, ...edges]
    })
  })
})
