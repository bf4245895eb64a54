/** Pending traffic of known dependencies → dependencies, flow_stats, assets, services: what was written at once in the journal, a minute later. */

import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { type InventoryOptions, planByLength, updateAssets } from "./Inventory.ts"
import type { PendingWindow } from "./journal/Pending.ts"
import { emptyStages, knownEnds, loadKnown } from "./load-known.ts"
import { createEdgeStage } from "./match-edges.ts"
import {
  addObservations,
  addTraffic,
  countEdges,
  createAddedStage,
  type DependencyOptions,
  writeDependencies,
  writeServices
} from "./write-dependencies.ts"

export interface FoldResult {
  /** Dependencies that were added to, once for each window. */
  readonly edges: number
  readonly newAssets: number
  readonly newDependencies: number
  readonly reopenedDependencies: number
}

export const nothingFolded: FoldResult = { edges: 0, newAssets: 0, newDependencies: 0, reopenedDependencies: 0 }

const noNames = { service: [], name: [] }

/** Needs `lockInventory`, and a partition for each window. */
export const foldKnown = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  windows: ReadonlyArray<PendingWindow>,
  options: { readonly assets: InventoryOptions; readonly dependencies: DependencyOptions }
) {
  let result = nothingFolded
  for (const { rows, windowStart } of windows) {
    const start = new Date(windowStart)
    yield* planByLength(sql, true)
    yield* createEdgeStage(sql)
    yield* createAddedStage(sql)
    yield* emptyStages(sql)
    yield* loadKnown(sql, rows, start)
    yield* planByLength(sql, false)
    const counts = yield* countEdges(sql)
    const newAssets = yield* updateAssets(sql, options.assets, knownEnds(sql))
    yield* addTraffic(sql, start, counts)
    yield* addObservations(sql, counts)
    const newDependencies = yield* writeDependencies(sql, options.dependencies, noNames, counts)
    yield* writeServices(sql, noNames)
    result = {
      edges: result.edges + counts.edges,
      newAssets: result.newAssets + newAssets,
      newDependencies: result.newDependencies + newDependencies,
      reopenedDependencies: result.reopenedDependencies + counts.reopened
    }
  }
  if (windows.length > 0) yield* emptyStages(sql)
  return result
})
