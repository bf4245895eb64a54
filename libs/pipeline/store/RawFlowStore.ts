/** `flow_raw`: single flow records, appended as they come, found by host, port, exporter and time. */
import { PgClient } from "@effect/sql-pg"
import { Clock, Context, DateTime, Effect, Layer, Result } from "effect"
import { IpNetwork } from "effect/net"
import { SqlClient, type SqlError } from "effect/sql"
import { canonicalAddress, ipv4Text, ipv6Text } from "#domain/Address.ts"
import type { RawChunk } from "#domain/RawChunk.ts"
import { RawFlow, type RawFlowPage, type RawFlowQuery } from "#domain/RawFlow.ts"
import { FilterInvalid } from "#domain/Topology.ts"
import { float8s, int4s, int8s, texts } from "./arrays.ts"
import { cutPage, pageSql, type Sort } from "./page.ts"
import { ensurePartition } from "./partitions.ts"
import { decodeRows } from "./Sql.ts"

const newestFirst: Sort = [
  { sql: "received", type: "timestamptz" },
  { sql: "id", type: "bigint" }
]

export class RawFlowStore extends Context.Service<
  RawFlowStore,
  {
    readonly append: (chunk: RawChunk) => Effect.Effect<void, SqlError.SqlError>
    readonly search: (query: RawFlowQuery) => Effect.Effect<RawFlowPage, FilterInvalid>
  }
>()("pipeline/store/RawFlowStore") {
  /** `keep`: records are kept from now on, though there may be none yet. */
  static readonly layer = ({ keep }: { readonly keep: boolean }) =>
    Layer.effect(
      RawFlowStore,
      Effect.gen(function* () {
        const sql = yield* PgClient.PgClient
        const provided = <A, E>(effect: Effect.Effect<A, E, SqlClient.SqlClient>) =>
          Effect.provideService(effect, SqlClient.SqlClient, sql)
        const decode = decodeRows(RawFlow)

        const append = Effect.fn("RawFlowStore.append")(function* (chunk: RawChunk) {
          if (chunk.rows === 0) return
          const { rows } = chunk
          for (const day of daysOf(chunk)) yield* provided(ensurePartition("flow_raw", day))
          const instants = (column: Float64Array) => float8s(Array.from(column.subarray(0, rows), (ms) => ms / 1000))
          const counts = (column: Float64Array) => int8s(Array.from(column.subarray(0, rows), countOf))
          const ints = (column: Uint8Array | Uint16Array) => int4s(Array.from(column.subarray(0, rows)))
          const longs = (column: Uint32Array) => int8s(Array.from(column.subarray(0, rows), BigInt))
          yield* sql`INSERT INTO flow_raw (received, started, ended, octets, packets, reverse_octets, reverse_packets, sampling, input_interface,
            output_interface, source_port, destination_port, protocol, tcp_flags, exporter, source, destination)
          SELECT to_timestamp(r), to_timestamp(s), to_timestamp(e), o, p, ro, rp, n, i, x, sp, dp, pr, fl, ex::inet, sa::inet, da::inet
          FROM unnest(${instants(chunk.received)}::float8[], ${instants(chunk.start)}::float8[], ${instants(chunk.end)}::float8[],
            ${counts(chunk.bytes)}::int8[], ${counts(chunk.packets)}::int8[], ${counts(chunk.reverseBytes)}::int8[],
            ${counts(chunk.reversePackets)}::int8[], ${longs(chunk.sampling)}::int8[], ${longs(chunk.inputInterface)}::int8[],
            ${longs(chunk.outputInterface)}::int8[], ${ints(chunk.sourcePort)}::int4[], ${ints(chunk.destinationPort)}::int4[],
            ${ints(chunk.protocol)}::int4[], ${ints(chunk.tcpFlags)}::int4[],
            ${texts(Array.from(chunk.exporter.subarray(0, rows), (index) => chunk.exporters[index]!))}::text[],
            ${texts(addresses(chunk, chunk.source, 0))}::text[], ${texts(addresses(chunk, chunk.destination, 16))}::text[])
            AS t (r, s, e, o, p, ro, rp, n, i, x, sp, dp, pr, fl, ex, sa, da)`
        })

        const search = Effect.fn("RawFlowStore.search")(function* (query: RawFlowQuery) {
          const limit = query.limit ?? 100
          const page = yield* pageSql(sql, newestFirst, true, query.after)
          const host = yield* networkOf("host", query.host)
          const peer = yield* networkOf("peer", query.peer)
          const exporter = yield* networkOf("exporter", query.exporter)
          const [first] = yield* sql<{ oldest: Date | null }>`SELECT min(received) AS oldest FROM flow_raw`.pipe(Effect.orDie)
          const oldest = first?.oldest?.getTime()
          if (oldest === undefined) return { kept: keep, items: [], searchedTo: null }
          const terms = [page.behind]
          if (host !== undefined && peer !== undefined) {
            terms.push(
              sql`((source <<= ${host}::inet AND destination <<= ${peer}::inet) OR (source <<= ${peer}::inet AND destination <<= ${host}::inet))`
            )
          } else {
            const one = host ?? peer
            if (one !== undefined) terms.push(sql`(source <<= ${one}::inet OR destination <<= ${one}::inet)`)
          }
          if (query.port !== undefined) terms.push(sql`(source_port = ${query.port} OR destination_port = ${query.port})`)
          if (query.protocol !== undefined) terms.push(sql`protocol = ${query.protocol}`)
          if (exporter !== undefined) terms.push(sql`exporter <<= ${exporter}::inet`)

          // Back through time in steps that grow: a rare record is found without reading a week for a common one.
          const now = yield* Clock.currentTimeMillis
          const floor = Math.max(oldest, query.from === undefined ? 0 : DateTime.toEpochMillis(query.from))
          let until = Math.min(
            now + 60_000,
            query.to === undefined ? Number.POSITIVE_INFINITY : DateTime.toEpochMillis(query.to) + 1
          )
          let step = 600_000
          const found: Array<{ cursor: ReadonlyArray<string> }> = []
          while (until > floor && found.length <= limit) {
            const since = Math.max(floor, until - step)
            const rows = yield* sql<{
              cursor: ReadonlyArray<string>
            }>`SELECT id, received, exporter, started AS start, ended AS "end", source, destination,
              source_port AS "sourcePort", destination_port AS "destinationPort", protocol, tcp_flags AS "tcpFlags", octets, packets,
              reverse_octets AS "reverseOctets", reverse_packets AS "reversePackets", sampling::float8 AS sampling,
              input_interface::float8 AS "inputInterface", output_interface::float8 AS "outputInterface", ${page.cursor}
            FROM flow_raw WHERE received >= ${new Date(since)} AND received < ${new Date(until)}
              AND ${sql.and(terms)} ORDER BY ${page.orderBy} LIMIT ${limit + 1 - found.length}`.pipe(Effect.orDie)
            found.push(...rows)
            until = since
            step *= 4
            if ((yield* Clock.currentTimeMillis) - now > searchMs) break
          }
          const { next, rows } = cutPage(found, limit)
          return {
            kept: true,
            items: yield* decode(rows),
            ...(next === undefined ? {} : { next }),
            searchedTo: found.length <= limit && until > floor ? DateTime.makeUnsafe(until) : null
          }
        })
        return RawFlowStore.of({ append, search })
      })
    )
}

/** A search answers within about so long with what it has found. */
const searchMs = 5000

const dayMs = 86_400_000
const daysOf = ({ received, rows }: RawChunk): ReadonlySet<number> => {
  const days = new Set<number>()
  for (let i = 0; i < rows; i++) days.add(Math.floor(received[i]! / dayMs) * dayMs)
  return days
}

const most = 2n ** 63n - 1n
const countOf = (value: number): bigint => {
  const count = BigInt(Math.max(0, Math.trunc(value)))
  return count > most ? most : count
}

const addresses = ({ family, ipv6, rows }: RawChunk, column: Uint32Array, offset: number): ReadonlyArray<string | null> =>
  Array.from({ length: rows }, (_, i) =>
    family[i] === 4 ? ipv4Text(column[i]!) : family[i] === 6 ? ipv6Text(ipv6, i * 32 + offset) : null
  )

/** An address, or a network with no bit set behind its prefix. */
const networkOf = (field: string, text: string | undefined): Effect.Effect<string | undefined, FilterInvalid> => {
  if (text === undefined || text.trim() === "") return Effect.succeed(undefined)
  const bare = text.trim()
  if (canonicalAddress(bare) !== undefined) return Effect.succeed(bare)
  return Result.isSuccess(IpNetwork.fromString(bare))
    ? Effect.succeed(bare)
    : Effect.fail(new FilterInvalid({ filter: bare.slice(0, 100), position: 0, expected: `an address or a network as ${field}` }))
}
