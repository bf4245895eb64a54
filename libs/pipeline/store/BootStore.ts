/** How far each process start got. What the last one folded and never wrote is what a hard stop cost. */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"

/** Totals of one process start over all its workers. */
export interface BootProgress {
  readonly datagrams: number
  /** Records folded into windows. */
  readonly records: number
  /** Records of slices that were committed. */
  readonly recordsWritten: number
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
    readonly begin: (boot: string, version: string) => Effect.Effect<ReadonlyArray<UncleanStop>, SqlError.SqlError>
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
            stopped_at = CASE WHEN ${stopped} THEN now() END WHERE boot = ${boot}::uuid`.pipe(Effect.asVoid)
      return BootStore.of({
        begin: Effect.fn("BootStore.begin")(function* (boot, version) {
          return yield* sql.withTransaction(
            Effect.gen(function* () {
              const unclean = yield* sql<{ boot: string; seenAt: Date; recordsLost: bigint }>`
                UPDATE boots SET reported_at = now() WHERE stopped_at IS NULL AND reported_at IS NULL
                RETURNING boot::text, seen_at AS "seenAt",
                  -- slices that were committed after the last progress are not lost
                  GREATEST(records - GREATEST(records_written,
                    (SELECT coalesce(sum(w.records), 0)::bigint FROM window_writes w WHERE w.boot = boots.boot)), 0) AS "recordsLost"`
              yield* sql`INSERT INTO boots (boot, version) VALUES (${boot}::uuid, ${version})`
              return unclean
            })
          )
        }),
        progress: (boot, p) => write(boot, p, false),
        end: (boot, p) => write(boot, p, true)
      })
    })
  )
}
