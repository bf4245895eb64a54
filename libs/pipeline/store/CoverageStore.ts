/** The coverage ledger: how well each exporter was heard in each window, and who sees which of our networks. */
import { Clock, Context, DateTime, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { Address } from "#domain/Address.ts"
import { CoverageCell, CoverageNotFound, type CoverageQuery, CoverageReport, CoverageSummary } from "#domain/CoverageReport.ts"
import { type CoverageTerms, coverageOf } from "#domain/coverage.ts"
import type { ExporterProtocol } from "#domain/Exporter.ts"
import type { ExporterId } from "#domain/ids.ts"
import { windowStartOf } from "#domain/Window.ts"
import { cellsOf, type LedgerRow, termsOfRow, type UpTime } from "./coverage-cells.ts"
import { ensurePartition } from "./partitions.ts"
import { readSight, usualObservers } from "./sight.ts"

interface Of {
  readonly address: string
  readonly protocol: ExporterProtocol
}

/** One exporter and window; instants are ms since 1970. */
export interface CoverageRow extends Of {
  readonly start: number
  readonly terms: CoverageTerms
}
export type StoredCoverage = CoverageRow

export interface CoverageSpan extends Of {
  readonly since: number
  readonly until: number
  readonly open: boolean
}

/** `windows`: how many more windows it was seen in. */
export interface SubnetCount {
  readonly subnet: string
  readonly exporter: string
  readonly records: number
  readonly windows: number
  readonly at: number
}

export interface CoverageOptions {
  readonly windowSeconds: number
}

const MOST_WINDOWS = 9000
const MOST_CELLS = 3000

export class CoverageStore extends Context.Service<
  CoverageStore,
  {
    /** At a start: what an earlier run left open ended when it was last heard. */
    readonly begin: Effect.Effect<void, SqlError.SqlError>
    /** Rows of windows that began at `from` or later. */
    readonly since: (from: number) => Effect.Effect<ReadonlyArray<StoredCoverage>, SqlError.SqlError>
    /** Makes rows and spans be these, adds the counts. An exporter that has no row yet is passed over. */
    readonly save: (
      rows: ReadonlyArray<CoverageRow>,
      spans: ReadonlyArray<CoverageSpan>,
      subnets: ReadonlyArray<SubnetCount>
    ) => Effect.Effect<void, SqlError.SqlError>
    readonly report: (query: CoverageQuery) => Effect.Effect<CoverageReport, CoverageNotFound>
    readonly summary: Effect.Effect<CoverageSummary>
    /** Forgets networks and spans that ended before. Windows go with their partitions. */
    readonly forgetBefore: (before: number) => Effect.Effect<void, SqlError.SqlError>
  }
>()("pipeline/store/CoverageStore") {
  static readonly layer = (options: CoverageOptions) =>
    Layer.effect(
      CoverageStore,
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const span = options.windowSeconds * 1000

        const saveRows = Effect.fnUntraced(function* (rows: ReadonlyArray<CoverageRow>) {
          if (rows.length === 0) return
          for (const day of new Set(rows.map(({ start }) => Math.floor(start / 86_400_000)))) {
            yield* ensurePartition("coverage", day * 86_400_000).pipe(Effect.provideService(SqlClient.SqlClient, sql))
          }
          const text = JSON.stringify(
            rows.map(({ address, protocol, start, terms }) => {
              const { state, quality } = coverageOf(terms)
              return { address, protocol, at: new Date(start).toISOString(), ...terms, state, quality }
            })
          )
          yield* sql`INSERT INTO coverage (time, exporter_id, datagrams, records, sequence_lost, malformed, held_dropped, refused, heard_seconds,
              seconds, kernel_share, discarded_share, quality, held_sets, pressure, sampling, skew_ms, state)
            SELECT x.at, e.id, x.datagrams, x.records, x."sequenceLost", x.malformed, x."heldDropped", x.refused, x."heardSeconds", x.seconds,
              x."kernelShare", x."discardedShare", x.quality, x."heldSets", x.pressure, x.sampling, x."skewMs", x.state
            FROM jsonb_to_recordset(${text}::text::jsonb) AS x(address inet, protocol text, at timestamptz, datagrams bigint, records bigint,
                "sequenceLost" bigint, malformed bigint, "heldDropped" bigint, refused bigint, "heardSeconds" float8, seconds float8,
                "kernelShare" float8, "discardedShare" float8, quality float8, "heldSets" integer, pressure integer, sampling bigint,
                "skewMs" float8, state text)
              JOIN exporters e ON e.address = x.address AND e.protocol = x.protocol
            ON CONFLICT (exporter_id, time) DO UPDATE SET datagrams = excluded.datagrams, records = excluded.records,
              sequence_lost = excluded.sequence_lost, malformed = excluded.malformed, held_dropped = excluded.held_dropped,
              refused = excluded.refused, heard_seconds = excluded.heard_seconds, seconds = excluded.seconds,
              kernel_share = excluded.kernel_share, discarded_share = excluded.discarded_share, quality = excluded.quality,
              held_sets = excluded.held_sets, pressure = excluded.pressure, sampling = excluded.sampling, skew_ms = excluded.skew_ms,
              state = excluded.state`
        })

        const saveSpans = (spans: ReadonlyArray<CoverageSpan>): Effect.Effect<unknown, SqlError.SqlError> => {
          if (spans.length === 0) return Effect.void
          const text = JSON.stringify(
            spans.map((each) => ({ ...each, since: new Date(each.since).toISOString(), until: new Date(each.until).toISOString() }))
          )
          return sql`INSERT INTO coverage_span AS s (exporter_id, since, until, open)
            SELECT e.id, x.since, x.until, x.open
            FROM jsonb_to_recordset(${text}::text::jsonb) AS x(address inet, protocol text, since timestamptz, until timestamptz, open boolean)
              JOIN exporters e ON e.address = x.address AND e.protocol = x.protocol
            ON CONFLICT (exporter_id, since) DO UPDATE SET until = excluded.until, open = excluded.open
            WHERE s.until <> excluded.until OR s.open <> excluded.open`
        }

        const saveSubnets = (subnets: ReadonlyArray<SubnetCount>): Effect.Effect<unknown, SqlError.SqlError> => {
          if (subnets.length === 0) return Effect.void
          const text = JSON.stringify(subnets.map((each) => ({ ...each, at: new Date(each.at).toISOString() })))
          return sql`INSERT INTO coverage_subnet AS c (subnet, exporter, first_seen, last_seen, records, windows)
            SELECT subnet, exporter, at, at, records, windows
            FROM jsonb_to_recordset(${text}::text::jsonb) AS x(subnet cidr, exporter inet, records bigint, windows bigint, at timestamptz)
            ORDER BY subnet, exporter
            ON CONFLICT (subnet, exporter) DO UPDATE SET last_seen = GREATEST(c.last_seen, excluded.last_seen),
              first_seen = LEAST(c.first_seen, excluded.first_seen), records = c.records + excluded.records,
              windows = c.windows + excluded.windows`
        }

        const ledgerRows = (addresses: ReadonlyArray<string> | ExporterId, from: number, to: number) =>
          sql<LedgerRow>`SELECT host(e.address) AS address, e.name, e.protocol, c.time AS at, c.seconds, c.heard_seconds AS "heardSeconds",
              c.datagrams, c.records, c.sequence_lost AS "sequenceLost", c.malformed, c.held_dropped AS "heldDropped", c.held_sets AS "heldSets",
              c.refused, c.kernel_share AS "kernelShare", c.discarded_share AS "discardedShare", c.pressure, c.sampling, c.skew_ms AS "skewMs"
            FROM exporters e JOIN coverage c ON c.exporter_id = e.id
            WHERE ${
              typeof addresses === "string"
                ? sql`e.id = ${addresses}::text::bigint`
                : sql`host(e.address) = ANY(string_to_array(${addresses.join(" ")}, ' '))`
            }
              AND c.time >= ${new Date(from)} AND c.time < ${new Date(to)} ORDER BY c.time`

        const upTimes = (from: number, to: number) =>
          sql<UpTime>`SELECT (extract(epoch FROM started_at) * 1000)::float8 AS since,
              (extract(epoch FROM COALESCE(stopped_at, GREATEST(seen_at, started_at))) * 1000)::float8 AS until
            FROM boots WHERE started_at < ${new Date(to)} AND COALESCE(stopped_at, seen_at) > ${new Date(from)}`

        const report = Effect.fn("CoverageStore.report")(function* (query: CoverageQuery) {
          if (query.exporter === undefined && query.subnet === undefined) return yield* new CoverageNotFound({ exporter: null })
          const now = yield* Clock.currentTimeMillis
          const cellSeconds =
            query.cellSeconds === undefined || query.cellSeconds <= options.windowSeconds ? undefined : query.cellSeconds
          const to = Math.min(now, query.to.epochMilliseconds)
          const most = cellSeconds === undefined ? MOST_CELLS : MOST_WINDOWS
          const from = windowStartOf(Math.max(query.from.epochMilliseconds, to - most * span), options.windowSeconds)
          const sight = yield* readSight(sql, new Date(to), to >= now - 30_000).pipe(Effect.orDie)
          const [exporter] =
            query.exporter === undefined
              ? []
              : yield* sql<{ address: string; firstSeen: number }>`SELECT host(address) AS address,
                  (extract(epoch FROM first_seen) * 1000)::float8 AS "firstSeen"
                FROM exporters WHERE id = ${query.exporter}::text::bigint`.pipe(Effect.orDie)
          if (query.exporter !== undefined && exporter === undefined)
            return yield* new CoverageNotFound({ exporter: query.exporter })
          const observers =
            query.subnet === undefined ? [] : yield* usualObservers(sql, new Date(to), query.subnet).pipe(Effect.orDie)
          const who = query.exporter ?? observers.map(({ exporter: address }) => address)
          const [rows, up] = yield* Effect.all([ledgerRows(who, from, to), upTimes(from, to)], { concurrency: 2 }).pipe(
            Effect.orDie
          )
          const known = exporter?.firstSeen ?? Math.min(...observers.map(({ firstSeen }) => firstSeen), Number.POSITIVE_INFINITY)
          const cells = cellsOf(rows, {
            from,
            to,
            windowSeconds: options.windowSeconds,
            cellSeconds,
            up,
            known,
            of: query.subnet === undefined ? "exporter" : "subnet"
          })
          const addresses = exporter === undefined ? observers.map(({ exporter: address }) => address) : [exporter.address]
          return new CoverageReport({
            from: DateTime.makeUnsafe(from),
            to: DateTime.makeUnsafe(Math.max(from, to)),
            cells: cells.slice(-MOST_CELLS).map(
              (cell) =>
                new CoverageCell({
                  ...cell,
                  seconds: Math.round(cell.seconds),
                  at: DateTime.makeUnsafe(cell.at),
                  reasons: [...cell.reasons]
                })
            ),
            observers: observers.map((one) => ({
              address: one.exporter as Address,
              name: sight.name(one.exporter),
              records: one.records,
              lastSeen: DateTime.makeUnsafe(one.lastSeen),
              looking: sight.blindness([one.exporter]) === undefined
            })),
            blind: addresses.length === 0 ? null : (sight.blindness(addresses, query.exporter) ?? null)
          })
        })

        return CoverageStore.of({
          begin: sql`UPDATE coverage_span s SET open = false, until = GREATEST(s.since, LEAST(s.until, e.last_seen))
            FROM exporters e WHERE e.id = s.exporter_id AND s.open`.pipe(Effect.asVoid, Effect.withSpan("CoverageStore.begin")),
          since: Effect.fn("CoverageStore.since")(function* (from) {
            const rows = yield* sql<LedgerRow>`SELECT host(e.address) AS address, e.name, e.protocol, c.time AS at, c.seconds,
                c.heard_seconds AS "heardSeconds", c.datagrams, c.records, c.sequence_lost AS "sequenceLost", c.malformed,
                c.held_dropped AS "heldDropped", c.held_sets AS "heldSets", c.refused, c.kernel_share AS "kernelShare",
                c.discarded_share AS "discardedShare", c.pressure, c.sampling, c.skew_ms AS "skewMs"
              FROM coverage c JOIN exporters e ON e.id = c.exporter_id WHERE c.time >= ${new Date(from)}`
            return rows.map((row) => ({
              address: row.address,
              protocol: row.protocol,
              start: row.at.getTime(),
              terms: termsOfRow(row)
            }))
          }),
          save: Effect.fn("CoverageStore.save")(function* (rows, spans, subnets) {
            yield* saveRows(rows)
            yield* sql.withTransaction(Effect.andThen(saveSpans(spans), saveSubnets(subnets)))
          }),
          report,
          summary: Effect.gen(function* () {
            const now = yield* Clock.currentTimeMillis
            const sight = yield* readSight(sql, new Date(now), true)
            const blind: Array<number> = []
            let blindSubnets = 0
            for (const observers of Map.groupBy(yield* usualObservers(sql, new Date(now)), ({ subnet }) => subnet).values()) {
              const blindness = sight.blindness(observers.map(({ exporter }) => exporter))
              if (blindness === undefined) continue
              blindSubnets++
              if (blindness.since !== null) blind.push(blindness.since.epochMilliseconds)
            }
            const { looking, exporters } = sight.count()
            return new CoverageSummary({
              looking,
              exporters,
              blindSubnets,
              blindSince: blind.length === 0 ? null : DateTime.makeUnsafe(Math.min(...blind))
            })
          }).pipe(Effect.orDie, Effect.withSpan("CoverageStore.summary")),
          forgetBefore: Effect.fn("CoverageStore.forgetBefore")(function* (before) {
            yield* sql`DELETE FROM coverage_span WHERE until < ${new Date(before)} AND NOT open`
            yield* sql`DELETE FROM coverage_subnet WHERE last_seen < ${new Date(before)}`
          })
        })
      })
    )
}
