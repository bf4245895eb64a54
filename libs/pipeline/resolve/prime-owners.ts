/** What the store knows of conversations that several exporters see → the owners of a fresh start: a restart changes none of them. */
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { ipv4Value } from "#domain/Address.ts"
import { addressKey } from "./collapse/address-key.ts"
import type { Owners } from "./collapse/duplicate.ts"

const most = 100_000

const key = (address: string) => {
  const four = ipv4Value(address)
  return addressKey(four === undefined ? 6 : 4, four ?? 0, address)
}

/**
 * The latest first. What was counted in the window of the last record counts as seen by the owner, so that it is neither taken over nor
 * counted again within that window; of an older one it is said to have spoken in the window before this, since nobody listened.
 */
export const primeOwners = Effect.fnUntraced(function* (owners: Owners, windowSeconds: number) {
  const sql = yield* SqlClient.SqlClient
  const windowMs = windowSeconds * 1000
  const now = yield* Clock.currentTimeMillis
  const before = Math.floor(now / windowMs) * windowMs - windowMs
  const rows = yield* sql<{
    client: string
    server: string
    protocol: number
    port: number
    sampling: number
    owner: string
    other: string | null
    window: number
    packets: number
    toServer: number
    toClient: number
  }>`SELECT host(d.source_address) AS client, host(d.target_address) AS server, d.protocol, d.port, d.sampling, host(d.owner_exporter) AS owner,
      (SELECT host(min(x.exporter)) FROM dependency_exporter x WHERE x.dependency_id = d.id AND x.owner AND x.exporter <> d.owner_exporter) AS other,
      extract(epoch FROM d.at)::float8 * 1000 AS window, COALESCE(t.packets, 0)::float8 AS packets, COALESCE(t.to_server, 0)::float8 AS "toServer",
      COALESCE(t.to_client, 0)::float8 AS "toClient"
    FROM (SELECT *, to_timestamp(floor(extract(epoch FROM last_seen) / ${windowSeconds}::int) * ${windowSeconds}::int) AS at FROM dependencies
      WHERE exporters > 1 AND status = 'active' AND owner_exporter IS NOT NULL ORDER BY last_seen DESC LIMIT ${most}::int) AS d
    LEFT JOIN LATERAL (SELECT sum(s.packets) AS packets, sum(s.bytes_to_server) AS to_server, sum(s.bytes_to_client) AS to_client FROM flow_stats s
      WHERE d.at >= ${new Date(before)} AND s.time = d.at AND s.source_id = d.source_id AND s.target_id = d.target_id AND s.protocol = d.protocol AND s.port = d.port) AS t ON true`
  for (const row of rows) {
    const place = owners.place(key(row.client), key(row.server), (row.port << 8) | row.protocol)
    const share = row.toServer + row.toClient === 0 ? 0.5 : row.toServer / (row.toServer + row.toClient)
    const packets = Math.round(row.packets * share)
    const windowStart = Math.max(before, row.window)
    const { sampling } = row
    owners.prime(place, 0, { address: row.owner, sampling, windowStart, packets, bytes: row.toServer })
    owners.prime(place, 1, {
      address: row.other ?? row.owner,
      sampling,
      windowStart,
      packets: row.packets - packets,
      bytes: row.toClient
    })
  }
})
