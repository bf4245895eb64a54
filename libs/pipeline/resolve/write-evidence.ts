/**
 * Evidence flows: at most 16 real conversations of a dependency. The first keeps slot 0, the latest has slot 1, and the rest is a
 * reservoir over the hours since the dependency was first seen: each hour has the same chance to be in it, whenever the appliance was
 * restarted.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { float8s, int4s, texts } from "../store/arrays.ts"
import type { EvidenceSample } from "./collapse/EvidenceSampler.ts"

const slots = 14
const most = Number.MAX_SAFE_INTEGER

export const writeEvidence = Effect.fn("Resolver.writeEvidence")(function* (
  sql: SqlClient.SqlClient,
  samples: ReadonlyArray<EvidenceSample>
) {
  if (samples.length === 0) return
  const text = (of: (one: EvidenceSample) => string) => texts(samples.map(of))
  const int = (of: (one: EvidenceSample) => number) => int4s(samples.map((one) => Math.min(0x7fffffff, of(one))))
  const wide = (of: (one: EvidenceSample) => number) => float8s(samples.map((one) => Math.min(most, Math.round(of(one)))))
  const columns = sql.literal(
    "a, b, a_port, b_port, ports, records_ab, records_ba, bytes_ab, bytes_ba, packets_ab, packets_ba, flags_ab, flags_ba, sampling, exporter, first, last"
  )
  yield* sql`WITH u AS (
      SELECT client::inet, server::inet, service >> 16 AS protocol, service & 65535 AS port, a::inet, b::inet, a_port, b_port, ports, records_ab::bigint,
        records_ba::bigint, bytes_ab::bigint, bytes_ba::bigint, packets_ab::bigint, packets_ba::bigint, flags & 255 AS flags_ab, flags >> 8 AS flags_ba,
        sampling, exporter::inet, to_timestamp(first / 1000) AS first, to_timestamp(last / 1000) AS last
      FROM unnest(${text((one) => one.client)}::text[], ${text((one) => one.server)}::text[], ${int((one) => (one.protocol << 16) | one.port)}::int[],
        ${text((one) => one.a)}::text[], ${text((one) => one.b)}::text[], ${int((one) => one.aPort)}::int[], ${int((one) => one.bPort)}::int[],
        ${int((one) => one.ports)}::int[], ${wide((one) => one.recordsAb)}::float8[], ${wide((one) => one.recordsBa)}::float8[],
        ${wide((one) => one.bytesAb)}::float8[], ${wide((one) => one.bytesBa)}::float8[], ${wide((one) => one.packetsAb)}::float8[],
        ${wide((one) => one.packetsBa)}::float8[], ${int((one) => one.flagsAb | (one.flagsBa << 8))}::int[], ${int((one) => Math.max(1, one.sampling))}::int[],
        ${text((one) => one.exporter)}::text[], ${wide((one) => one.first)}::float8[], ${wide((one) => one.last)}::float8[])
        AS t(client, server, service, a, b, a_port, b_port, ports, records_ab, records_ba, bytes_ab, bytes_ba, packets_ab, packets_ba, flags, sampling,
          exporter, first, last)
    ), found AS (
      SELECT DISTINCT ON (d.id) d.id, GREATEST(1, ceil(EXTRACT(epoch FROM u.last - d.first_seen) / 3600)::int) AS hours, random() AS chance,
        NOT EXISTS (SELECT 1 FROM evidence_flows f WHERE f.dependency_id = d.id AND f.slot = 0) AS is_first, u.*
      FROM u JOIN asset_address c ON c.address = u.client AND c.until IS NULL
      JOIN asset_address s ON s.address = u.server AND s.until IS NULL
      JOIN LATERAL (
        SELECT id, first_seen FROM (
          SELECT id, first_seen, 0 AS around FROM dependencies WHERE source_id = c.asset_id AND target_id = s.asset_id AND protocol = u.protocol AND port = u.port
          UNION ALL
          -- turned since, or in the store only: the slice still has it the other way round
          SELECT id, first_seen, 1 FROM dependencies WHERE source_id = s.asset_id AND target_id = c.asset_id AND protocol = u.protocol AND port = u.port
        ) AS either ORDER BY around LIMIT 1) d ON true
    ), placed AS (
      SELECT 0 AS slot, * FROM found WHERE is_first
      UNION ALL SELECT 1, * FROM found WHERE NOT is_first
      UNION ALL SELECT CASE WHEN hours <= ${slots} THEN 1 + hours ELSE 2 + floor(chance * hours)::int END, * FROM found
        WHERE NOT is_first AND (hours <= ${slots} OR chance * hours < ${slots})
    )
    INSERT INTO evidence_flows (dependency_id, slot, ${columns}) SELECT id, slot, ${columns} FROM placed ORDER BY id, slot
    ON CONFLICT (dependency_id, slot) DO UPDATE SET a = excluded.a, b = excluded.b, a_port = excluded.a_port, b_port = excluded.b_port, ports = excluded.ports,
      records_ab = excluded.records_ab, records_ba = excluded.records_ba, bytes_ab = excluded.bytes_ab, bytes_ba = excluded.bytes_ba,
      packets_ab = excluded.packets_ab, packets_ba = excluded.packets_ba, flags_ab = excluded.flags_ab, flags_ba = excluded.flags_ba,
      sampling = excluded.sampling, exporter = excluded.exporter, first = excluded.first, last = excluded.last
    WHERE excluded.slot > 0`
})
