/** A resolver with its stores on a database of its own, and what its tests ask of the tables. */
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { defaultInternalRanges } from "#domain/Address.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { collapsed, sliceOf } from "../../../test/rig/slices.ts"
import { AssetStore } from "../store/AssetStore.ts"
import { DependencyStore } from "../store/DependencyStore.ts"
import type { Edge } from "./collapse/edges.ts"
import { Resolver, type SliceWrite } from "./Resolver.ts"

export const hour = 3_600_000

export const everything = Layer.mergeAll(
  Resolver.layer({
    assets: { minFlows: 5, autoCreate: true },
    dependencies: { minFlows: 3 },
    internalRanges: defaultInternalRanges,
    serviceName: (protocol, port) => (protocol === 6 && port === 5432 ? "postgresql" : undefined)
  }),
  DependencyStore.layer({ confidenceThreshold: 0.5 }),
  AssetStore.layer({ confidenceThreshold: 0.5 })
).pipe(Layer.provideMerge(layerTestDatabase))

export const put = (slice: SliceWrite) => Resolver.use((resolver) => resolver.write(slice))
export const write = (edges: ReadonlyArray<Edge>, fields: Partial<SliceWrite> = {}) => put(sliceOf(collapsed(edges), fields))
export const query = <A extends object>(text: string) => Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe<A>(text))

export const dependency = (client: string, server: string) =>
  query<Record<string, unknown> & { id: bigint; status: string; windows: number }>(
    `SELECT d.* FROM dependencies d WHERE source_address = '${client}' AND target_address = '${server}'`
  )
