/** What tests of retired dependencies look at. */
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { collapsed, monday, sliceOf } from "../../../test/rig/slices.ts"
import { DependencyStore } from "../store/DependencyStore.ts"
import type { EvidenceSample } from "./collapse/EvidenceSampler.ts"
import type { Edge } from "./collapse/edges.ts"
import { Resolver } from "./Resolver.ts"

export const everything = (foldSeconds: number) =>
  Layer.mergeAll(
    Resolver.layer({
      assets: { minFlows: 1, autoCreate: true },
      dependencies: { minFlows: 1 },
      internalRanges: ["10.0.0.0/8"],
      serviceName: (_, port) => (port === 5060 ? "sip" : undefined),
      foldSeconds
    }),
    DependencyStore.layer({ confidenceThreshold: 0.5 })
  ).pipe(Layer.provideMerge(layerTestDatabase))

export const query = <A>(text: string) => SqlClient.SqlClient.use((sql) => sql.unsafe<A & object>(text))

export const write = (edges: ReadonlyArray<Edge>, samples: ReadonlyArray<EvidenceSample>, windowStart = monday) =>
  Resolver.use((resolver) => resolver.write(sliceOf({ ...collapsed(edges), samples }, { windowStart })))

export const drawn = (net: string) =>
  query<{ id: bigint; edge: string }>(
    `SELECT id, host(source_address) || '>' || host(target_address) || ':' || port AS edge FROM dependencies WHERE source_address << '${net}.0/24' ORDER BY id`
  )

/** What each host sent over all of its dependencies and in every grain: nothing of it may change. */
export const sums = Effect.fnUntraced(function* (net: string) {
  const traffic = (
    table: string,
    flows: string,
    where: string
  ) => `SELECT '${table}' AS of, name, sum(ends.flows)::text AS flows, sum(ends.packets)::text AS packets, sum(ends.sent)::text AS sent
    FROM (SELECT source_id AS id, ${flows} AS flows, packets, bytes_to_server AS sent FROM ${where}
      UNION ALL SELECT target_id, ${flows}, packets, bytes_to_client FROM ${where}) AS ends JOIN assets a USING (id) WHERE name LIKE '${net}.%' GROUP BY name`
  return yield* query(`${traffic("dependencies", "total_flows", "(SELECT *, total_packets AS packets FROM dependencies) AS d")}
    UNION ALL ${traffic("flow_stats", "flows", "flow_stats")} UNION ALL ${traffic("hours", "flows", "flow_stats_hour")}
    UNION ALL ${traffic("days", "flows", "flow_stats_day")} ORDER BY 1, 2`)
})
