/** How far each process start got. What the last one folded and never wrote is what a hard stop cost. */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { float8s, texts } from "./arrays.ts"

/** Totals of one process start over all its workers. */
export interface BootProgress {
  readonly datagrams: number
  /** Records folded into windows. */
  readonly records: number
  /** Records of slices that were committed. */
  readonly recordsWritten: number
}

/** What a start wrote of itself beside the database; it may be newer than its row, which the database could not take. */
export interface BootNote extends BootProgress {
  readonly boot: string
  /** ms since 1970 */
  readonly at: number
  /** It ended as it was asked to, and everything it held was written or spooled. */
  readonly clean: boolean
}

/** The name of a slice (Window.ts). */
export interface SliceName {
  readonly boot: string
  readonly worker: string
  readonly sequence: number
}

/** What earlier starts left on the disk. */
export interface LeftBehind {
  readonly notes: ReadonlyArray<BootNote>
  /** Slices that will be written now: their records are not lost. */
  readonly spooled: ReadonlyArray<{ readonly boot: string; readonly records: number }>
}

/** An earlier start that did not stop cleanly and was not reported yet. */
export interface UncleanStop {
  readonly boot: string
  readonly seenAt: Date
  readonly recordsLost: bigint
}

export class BootStore extends Context.Service<
  BootStore,
  {
    /** Registers this start and takes the unclean stops before it: each is reported once. */
    readonly begin: (
      boot: string,
      version: string,
      left?: LeftBehind
    ) => Effect.Effect<ReadonlyArray<UncleanStop>, SqlError.SqlError>
    /** Which of these slices were committed. */
    readonly written: (names: ReadonlyArray<SliceName>) => Effect.Effect<ReadonlyArray<boolean>, SqlError.SqlError>
    /** Slices of these earlier starts were written now: their rows say so. */
    readonly settle: (boots: ReadonlyArray<string>) => Effect.Effect<void, SqlError.SqlError>
    readonly progress: (boot: string, progress: BootProgress) => Effect.Effect<void, SqlError.SqlError>
    /** Marks a clean stop: everything folded was written, or is counted as lost by the caller. */
    readonly end: (boot: string, progress: BootProgress) => Effect.Effect<void, SqlError.SqlError>
  }
>()("pipeline/store/BootStore") {
  static readonly layer = Layer.effect(
    BootStore,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const write = (boot: string, p: BootProgress, stopped: boolean) =>
        sql`UPDATE boots SET seen_at = now(), datagrams = ${p.datagrams}, records = ${p.records}, records_written = ${p.recordsWritten},
            stopped_at = CASE WHEN ${stopped} THEN now() ELSE stopped_at END WHERE boot = ${boot}::uuid`.pipe(Effect.asVoid)
      return BootStore.of({
        begin: Effect.fn("BootStore.begin")(function* (boot, version, left = { notes: [], spooled: [] }) {
          return yield* sql.withTransaction(
            Effect.gen(function* () {
              if (left.notes.length > 0) yield* takeNotes(sql, left.notes)
              const unclean = yield* sql<{ boot: string; seenAt: Date; recordsLost: bigint }>`
                UPDATE boots SET reported_at = now() WHERE stopped_at IS NULL AND reported_at IS NULL
                RETURNING boot::text, seen_at AS "seenAt",
                  -- slices that were committed after the last progress are not lost
                  GREATEST(records - GREATEST(records_written,
                    (SELECT coalesce(sum(w.records), 0)::bigint FROM window_writes w WHERE w.boot = boots.boot))
                    - (SELECT coalesce(sum(s.records), 0)::bigint
                       FROM unnest(${texts(left.spooled.map((one) => one.boot))}::text[],
                         ${float8s(left.spooled.map((one) => one.records))}::float8[]) AS s(boot, records) WHERE s.boot::uuid = boots.boot),
                    0) AS "recordsLost"`
              yield* sql`INSERT INTO boots (boot, version) VALUES (${boot}::uuid, ${version})`
              return unclean
            })
          )
        }),
        written: Effect.fn("BootStore.written")(function* (names) {
          if (names.length === 0) return []
          const found = yield* sql<{ n: number }>`SELECT n::int FROM unnest(${texts(names.map((one) => one.boot))}::text[],
              ${texts(names.map((one) => one.worker))}::text[], ${float8s(names.map((one) => one.sequence))}::float8[])
              WITH ORDINALITY AS name(boot, worker, sequence, n)
            WHERE EXISTS (SELECT FROM window_writes w
              WHERE w.boot = name.boot::uuid AND w.worker = name.worker AND w.sequence = name.sequence::bigint)`
          const there = new Set(found.map((row) => row.n))
          return names.map((_, i) => there.has(i + 1))
        }),
        settle: (boots) =>
          sql`UPDATE boots b SET records_written = GREATEST(records_written,
              (SELECT coalesce(sum(w.records), 0)::bigint FROM window_writes w WHERE w.boot = b.boot))
            WHERE b.boot = ANY(${texts(boots)}::text[]::uuid[])`.pipe(Effect.asVoid),
        progress: (boot, p) => write(boot, p, false),
        end: (boot, p) => write(boot, p, true)
      })
    })
  )
}

const takeNotes = (sql: SqlClient.SqlClient, notes: ReadonlyArray<BootNote>) =>
  sql`UPDATE boots b SET datagrams = GREATEST(b.datagrams, n.datagrams::bigint), records = GREATEST(b.records, n.records::bigint),
      records_written = GREATEST(b.records_written, n.written::bigint), seen_at = GREATEST(b.seen_at, to_timestamp(n.at / 1000)),
      stopped_at = CASE WHEN n.clean THEN to_timestamp(n.at / 1000) END
    FROM unnest(${texts(notes.map((one) => one.boot))}::text[], ${float8s(notes.map((one) => one.datagrams))}::float8[],
      ${float8s(notes.map((one) => one.records))}::float8[], ${float8s(notes.map((one) => one.recordsWritten))}::float8[],
      ${float8s(notes.map((one) => one.at))}::float8[], ${texts(notes.map((one) => String(one.clean)))}::text[]::boolean[])
      AS n(boot, datagrams, records, written, at, clean)
    WHERE b.boot = n.boot::uuid AND b.stopped_at IS NULL AND b.reported_at IS NULL`
