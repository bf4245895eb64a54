/** What the store knows of ends that serve → the register of a fresh start. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { ipv4Value } from "#domain/Address.ts"
import { addressKey } from "./collapse/address-key.ts"
import type { ServiceRegister } from "./collapse/ServiceRegister.ts"

const most = 100_000

/** Ends with the most clients first. Dependencies that stand on no more than a port's name or a guess say nothing. */
export const primeRegister = Effect.fnUntraced(function* (register: ServiceRegister) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ address: string; protocol: number; port: number; clients: number; windows: number }>`
    SELECT host(target_address) AS address, protocol, port, count(*)::int AS clients,
      max(CASE WHEN history > 0 OR syn_forward > syn_reverse OR syn_ack_forward > syn_ack_reverse OR declared THEN LEAST(windows, 15) ELSE 0 END)::int AS windows
    FROM dependencies WHERE status <> 'candidate' AND direction_weight > 0.3
    GROUP BY target_address, protocol, port ORDER BY clients DESC LIMIT ${most}`
  for (const row of rows) {
    const four = ipv4Value(row.address)
    register.prime(addressKey(four === undefined ? 6 : 4, four ?? 0, row.address), row.protocol, row.port, row.clients, row.windows)
  }
})
