/**
 * One slice of a window → assets, dependencies and traffic, in one transaction of a fixed number of statements, whatever the number of
 * rows. What is new goes to its tables at once; traffic of what is known goes to a journal, and a minute later to the tables. Writing a slice twice changes nothing; when it fails, nothing of it was written and it can be offered again.
 */
import { Clock, Context, Effect, Exit, Layer, Semaphore } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { networkSet } from "#domain/Address.ts"
import { float8s, int4s, texts } from "../store/arrays.ts"
import { ensurePartition } from "../store/partitions.ts"
import type { EvidenceSample } from "./collapse/EvidenceSampler.ts"
import type { SliceEdges, SliceTotals } from "./collapse/edges.ts"
import { type FoldResult, foldKnown, nothingFolded } from "./fold-known.ts"
import {
  createAddressStage,
  createAssets,
  type InventoryOptions,
  knownAddresses,
  lockInventory,
  matchAddresses,
  planByLength,
  updateAssets
} from "./Inventory.ts"
import { removeEntries } from "./journal/journal.ts"
import { type Memory, makeMemory } from "./Memory.ts"
import { createEdgeStage, joinDoubles, loadEdges, settleDirections } from "./match-edges.ts"
import { findGuesses, retireGuesses } from "./retire-guesses.ts"
import { findStrays, retireStrays } from "./retire-strays.ts"
import { type Staged, type StageOptions, stage } from "./stage.ts"
import { findWrongWay, turnWrongWay } from "./turn-dependencies.ts"
import {
  addObservations,
  addTraffic,
  countEdges,
  type DependencyOptions,
  writeDependencies,
  writeServices
} from "./write-dependencies.ts"
import { writeEvidence } from "./write-evidence.ts"

/** The name of a slice: it is written once under it. */
export interface SliceName {
  readonly boot: string
  readonly worker: string
  readonly sequence: number
}

/** A slice that is being written: its name, the records folded into it, and its rows as they came. */
export interface SliceClaim extends SliceName {
  readonly records: number
  readonly rows: number
}

/** What is written at once: one slice, or several of one window that were merged before they were collapsed. */
export interface SliceWrite {
  readonly claims: ReadonlyArray<SliceClaim>
  /** ms since 1970. */
  readonly windowStart: number
  readonly windowSeconds: number
  readonly final: boolean
  readonly pressureSampling: number
  readonly slice: SliceEdges
}

export interface WriteResult {
  /** False: some of the slices were written before, and nothing was done. */
  readonly written: boolean
  /** Those; what is left may be offered again without them. */
  readonly alreadyWritten: ReadonlyArray<SliceName>
  readonly edges: number
  /** Assets that became active with this slice, dependencies likewise, and those seen again after a silence. */
  readonly newAssets: number
  readonly newDependencies: number
  readonly reopenedDependencies: number
  /** Dependencies whose direction was corrected. */
  readonly turnedDependencies: number
}

export interface ResolverOptions {
  readonly assets: InventoryOptions
  readonly dependencies: DependencyOptions
  /** Networks that are ours. */
  readonly internalRanges: ReadonlyArray<string>
  readonly serviceName: (protocol: number, port: number) => string | undefined
  /** How long traffic of known dependencies may wait in the journal; 0, the default: it does not. */
  readonly foldSeconds?: number
}

/** Rows in waiting after which they are folded whatever the time: about 50 MB. */
const mostPending = 300_000
/** Each row in waiting lets all of them wait so much longer: 50,000 wait four minutes, and so for the end of their window. */
const rowMilliseconds = 5

const nothing: WriteResult = {
  written: false,
  alreadyWritten: [],
  edges: 0,
  newAssets: 0,
  newDependencies: 0,
  reopenedDependencies: 0,
  turnedDependencies: 0
}

export class Resolver extends Context.Service<
  Resolver,
  {
    /**
     * What is new is in every table when this is done. Traffic of known dependencies is in `windows` and the journal, and in the other
     * tables after `foldSeconds`, where it is not much, and at the latest when the last slice of its window was written.
     */
    readonly write: (slice: SliceWrite) => Effect.Effect<WriteResult, SqlError.SqlError>
    /** Brings the tables up to date, when that is due or `now`; also with what an earlier process left. */
    readonly fold: (now?: boolean) => Effect.Effect<FoldResult, SqlError.SqlError>
    /** Entries of the journal that cannot be read: their traffic is in `windows` only. */
    readonly unreadable: () => number
  }
>()("pipeline/resolve/Resolver") {
  static readonly layer = (options: ResolverOptions) =>
    Layer.effect(
      Resolver,
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const memory = makeMemory(options.assets.autoCreate)
        const alone = Semaphore.makeUnsafe(1)
        const stageOptions = {
          internal: networkSet(options.internalRanges),
          serviceName: options.serviceName,
          known: memory.known
        }
        /** What a transaction learned is true once it is committed; of any other everything is forgotten. */
        const transaction = <A, E>(body: Effect.Effect<A, E>) =>
          sql.withTransaction(body).pipe(
            Effect.onExit((exit) => (Exit.isSuccess(exit) ? Effect.void : Effect.sync(memory.forget))),
            alone.withPermits(1)
          )
        const partitionOf = (windowStart: number) =>
          ensurePartition("flow_stats", windowStart).pipe(Effect.provideService(SqlClient.SqlClient, sql))
        const fold = foldDue(sql, memory, partitionOf, options)
        const retire = Effect.fnUntraced(function* (samples: ReadonlyArray<EvidenceSample>) {
          const guesses = yield* findGuesses(sql, samples)
          const some =
            guesses.length > 0 || (yield* findWrongWay(sql, samples)).length > 0 || (yield* findStrays(sql, samples)).length > 0
          if (!some) return 0
          return yield* transaction(
            Effect.gen(function* () {
              yield* lockInventory(sql)
              yield* memory.recall(sql)
              yield* fold(true)
              const turned = (yield* retireGuesses(sql, guesses)) + (yield* turnWrongWay(sql, samples))
              return turned + (yield* retireStrays(sql, samples))
            })
          )
        })
        return Resolver.of({
          unreadable: () => memory.unreadable,
          write: Effect.fn("Resolver.write")(function* (slice) {
            yield* partitionOf(slice.windowStart)
            const result = yield* transaction(writeSlice(sql, slice, stageOptions, memory, fold, options))
            if (!result.written) return result
            const samples = slice.slice.samples ?? []
            // not worth a slice: what is not done now is offered again within the hour
            return yield* writeEvidence(sql, samples).pipe(
              Effect.andThen(retire(samples)),
              Effect.map((retired) => ({ ...result, turnedDependencies: result.turnedDependencies + retired })),
              Effect.catch((error) => Effect.as(Effect.logWarning("could not keep evidence flows", error), result))
            )
          }),
          fold: Effect.fn("Resolver.fold")(function* (now) {
            const at = yield* Clock.currentTimeMillis
            if (!memory.unsure() && !(now === true && memory.pending.windows.length > 0) && !isDue(memory, at, options))
              return nothingFolded
            return yield* transaction(
              Effect.gen(function* () {
                yield* lockInventory(sql)
                yield* memory.recall(sql)
                return yield* fold(now === true)
              })
            )
          })
        })
      })
    )
}

const isDue = ({ pending, since }: Memory, at: number, options: ResolverOptions): boolean => {
  const waits = (options.foldSeconds ?? 0) * 1000
  const rows = pending.size()
  return rows > mostPending || at - since >= (waits === 0 ? 0 : Math.max(waits, rows * rowMilliseconds))
}

type Fold = (now: boolean) => Effect.Effect<FoldResult, SqlError.SqlError>

const foldDue =
  (
    sql: SqlClient.SqlClient,
    memory: Memory,
    partitionOf: (windowStart: number) => Effect.Effect<unknown, SqlError.SqlError>,
    options: ResolverOptions
  ): Fold =>
  (now) =>
    Effect.gen(function* () {
      const { pending } = memory
      const at = yield* Clock.currentTimeMillis
      if (pending.windows.length === 0) return nothingFolded
      if (!now && !isDue(memory, at, options)) return nothingFolded
      for (const { windowStart } of pending.windows) yield* partitionOf(windowStart)
      const found = memory.entries.length === 0 ? 0 : yield* removeEntries(sql, memory.entries)
      // another appliance took them over while this one was thought to be dead
      if (found !== memory.entries.length) return yield* gone(memory.entries.length - found)
      const result = yield* foldKnown(sql, pending.windows, options)
      memory.folded()
      return result
    })

const gone = (entries: number) =>
  new SqlError.SqlError({
    reason: new SqlError.SerializationError({
      cause: undefined,
      message: `window_journal: ${entries} entries were folded by others`
    })
  })

const writeSlice = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  slice: SliceWrite,
  stageOptions: StageOptions,
  memory: Memory,
  fold: Fold,
  options: ResolverOptions
) {
  const windowStart = new Date(slice.windowStart)
  const alreadyWritten = yield* claim(sql, slice.claims, windowStart)
  if (alreadyWritten.length > 0) return { ...nothing, alreadyWritten }
  // taken before any row of ours is locked, so that writers wait for it and never for each other's rows
  yield* lockInventory(sql)
  yield* memory.recall(sql)
  // what is looked up again is newer than what waits
  const before = memory.known.size() === 0 ? yield* fold(true) : nothingFolded
  const staged = stage(slice.slice, stageOptions)
  yield* addWindow(sql, slice, staged, windowStart)
  yield* addSavings(sql, staged.totals.savings ?? [], windowStart)
  const looked = staged.addresses.address.length === 0 ? nothing : yield* writeStaged(sql, staged, windowStart, memory, options)
  yield* memory.note(sql, slice.windowStart, staged.known, slice.final || (options.foldSeconds ?? 0) === 0)
  const folded = yield* fold(slice.final)
  return {
    ...looked,
    written: true,
    edges: looked.edges + staged.known.edges.length,
    newAssets: looked.newAssets + before.newAssets + folded.newAssets,
    newDependencies: looked.newDependencies + before.newDependencies + folded.newDependencies,
    reopenedDependencies: looked.reopenedDependencies + before.reopenedDependencies + folded.reopenedDependencies
  }
})

/** Edges that are not known, and addresses that have none: all that they change, at once. */
const writeStaged = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  staged: Staged,
  windowStart: Date,
  memory: Memory,
  options: ResolverOptions
) {
  yield* planByLength(sql, true)
  yield* createAddressStage(sql)
  yield* createEdgeStage(sql)
  yield* matchAddresses(sql, staged.addresses)
  yield* loadEdges(sql, staged, windowStart)
  yield* planByLength(sql, false)
  const directions = yield* settleDirections(sql, windowStart)
  yield* joinDoubles(sql, directions.settled)
  const counts = yield* countEdges(sql)
  const created = yield* createAssets(sql, options.assets)
  const activated = yield* updateAssets(sql, options.assets, knownAddresses(sql))
  yield* addTraffic(sql, windowStart, counts)
  yield* addObservations(sql, counts)
  const newDependencies = yield* writeDependencies(sql, options.dependencies, staged.services, counts)
  yield* writeServices(sql, staged.services)
  yield* learnSizes(sql, counts.made)
  yield* memory.learn(sql, staged, directions.edges)
  return {
    ...nothing,
    edges: counts.edges,
    newAssets: created + activated,
    newDependencies,
    reopenedDependencies: counts.reopened,
    turnedDependencies: directions.turned
  }
})

/** Takes all names or, when some are taken already, none; answers those. A name that another transaction is taking is waited for. */
const claim = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, claims: ReadonlyArray<SliceClaim>, windowStart: Date) {
  const names = sql`unnest(${texts(claims.map((one) => one.boot))}::text[]::uuid[], ${texts(claims.map((one) => one.worker))}::text[],
      ${float8s(claims.map((one) => one.sequence))}::float8[]::bigint[], ${float8s(claims.map((one) => one.records))}::float8[]::bigint[],
      ${int4s(claims.map((one) => one.rows))}::int[]) WITH ORDINALITY AS mine(boot, worker, sequence, records, rows, n)`
  // in one order: two writers with names in common wait for one another in turn
  const taken = yield* sql<{ n: number }>`WITH taken AS (
      INSERT INTO window_writes (boot, worker, sequence, window_start, records, rows)
      SELECT boot, worker, sequence, ${windowStart}, records, rows FROM ${names} ORDER BY boot, worker, sequence
      ON CONFLICT DO NOTHING RETURNING boot, worker, sequence
    ) SELECT n::int FROM ${names} JOIN taken USING (boot, worker, sequence)`
  if (taken.length === claims.length) return []
  yield* sql`DELETE FROM window_writes w USING ${names} WHERE n = ANY(${int4s(taken.map((row) => row.n))}::int[])
    AND w.boot = mine.boot AND w.worker = mine.worker AND w.sequence = mine.sequence`
  const ours = new Set(taken.map((row) => row.n))
  return claims.filter((_, i) => !ours.has(i + 1)).map(({ boot, worker, sequence }) => ({ boot, worker, sequence }))
})

/** A table that grew by much is planned for as if it were small until it is analysed; the server's own job comes too late for the next slice. */
const learnSizes = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, made: number) {
  if (made < 1000) return
  const [known] = yield* sql<{ rows: number }>`SELECT reltuples::float8 AS rows FROM pg_class WHERE oid = 'dependencies'::regclass`
  if (made > known!.rows / 10) yield* sql`ANALYZE dependencies, flow_stats, assets, asset_address`
})

/** Octets beyond what a double counts exactly are told as that many: a record may claim anything. */
const addSavings = (sql: SqlClient.SqlClient, savings: NonNullable<SliceTotals["savings"]>, windowStart: Date) =>
  savings.length === 0
    ? Effect.void
    : sql`INSERT INTO exporter_savings AS x (exporter, hour, records, bytes)
        SELECT exporter::inet, date_trunc('hour', ${windowStart}::timestamptz, 'UTC'), sum(records)::bigint, LEAST(sum(bytes), 4611686018427387903)::bigint
        FROM unnest(${texts(savings.map((one) => one.exporter))}::text[], ${float8s(savings.map((one) => Math.min(one.records, Number.MAX_SAFE_INTEGER)))}::float8[],
          ${float8s(savings.map((one) => Math.min(Math.round(one.bytes), Number.MAX_SAFE_INTEGER)))}::float8[]) AS u(exporter, records, bytes)
        GROUP BY exporter ORDER BY exporter
        ON CONFLICT (exporter, hour) DO UPDATE SET records = x.records + excluded.records,
          bytes = LEAST(x.bytes, 4611686018427387903 - excluded.bytes) + excluded.bytes`

const addWindow = (sql: SqlClient.SqlClient, slice: SliceWrite, { totals }: Staged, start: Date) =>
  sql`INSERT INTO windows AS w (start, seconds, final, slices, records, counted, duplicates, attempts, group_records, icmp_records, flows, packets, bytes,
      raw_packets, raw_bytes, sampling, pressure_sampling, written_at)
    VALUES (${start}, ${slice.windowSeconds}, ${slice.final}, ${slice.claims.length}, ${slice.claims.reduce((sum, one) => sum + one.records, 0)}, ${totals.counted}, ${totals.duplicates},
      ${totals.attempts}, ${totals.groupRecords}, ${totals.icmpRecords}, ${totals.flows}, ${totals.packets}, ${totals.bytes}, ${totals.rawPackets}, ${totals.rawBytes},
      ${totals.sampling}, ${slice.pressureSampling}, now())
    ON CONFLICT (start) DO UPDATE SET final = w.final OR excluded.final, slices = w.slices + excluded.slices, records = w.records + excluded.records,
      counted = w.counted + excluded.counted, duplicates = w.duplicates + excluded.duplicates, attempts = w.attempts + excluded.attempts,
      group_records = w.group_records + excluded.group_records, icmp_records = w.icmp_records + excluded.icmp_records, flows = LEAST(w.flows, 4611686018427387903 - excluded.flows) + excluded.flows, packets = LEAST(w.packets, 4611686018427387903 - excluded.packets) + excluded.packets,
      bytes = LEAST(w.bytes, 4611686018427387903 - excluded.bytes) + excluded.bytes, raw_packets = LEAST(w.raw_packets, 4611686018427387903 - excluded.raw_packets) + excluded.raw_packets, raw_bytes = LEAST(w.raw_bytes, 4611686018427387903 - excluded.raw_bytes) + excluded.raw_bytes,
      sampling = GREATEST(w.sampling, excluded.sampling), pressure_sampling = GREATEST(w.pressure_sampling, excluded.pressure_sampling),
      written_at = excluded.written_at`
