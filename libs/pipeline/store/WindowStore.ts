/** What was written of each window. */
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { WindowTotal } from "#domain/Status.ts"
import { decodeRows } from "./Sql.ts"

export interface NewestWindow {
  readonly start: Date
  readonly seconds: number
  readonly final: boolean
  readonly writtenAt: Date
}

/** The account of one window; `records` = `counted` + `duplicates`. */
export interface WindowAccount extends NewestWindow {
  readonly slices: number
  readonly records: bigint
  readonly counted: bigint
  readonly duplicates: bigint
  readonly attempts: bigint
  readonly groupRecords: bigint
  readonly icmpRecords: bigint
  readonly flows: bigint
  readonly packets: bigint
  readonly bytes: bigint
  readonly rawPackets: bigint
  readonly rawBytes: bigint
  readonly sampling: number
  readonly pressureSampling: number
}

export class WindowStore extends Context.Service<
  WindowStore,
  {
    readonly newest: Effect.Effect<NewestWindow | undefined>
    /** The last `count` windows with traffic, oldest first. */
    readonly totals: (count: number) => Effect.Effect<ReadonlyArray<WindowTotal>>
    readonly accounts: (count: number) => Effect.Effect<ReadonlyArray<WindowAccount>>
  }
>()("pipeline/store/WindowStore") {
  static readonly layer = Layer.effect(
    WindowStore,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const decodeTotals = decodeRows(WindowTotal)
      return WindowStore.of({
        newest:
          sql<NewestWindow>`SELECT start, seconds, final, written_at AS "writtenAt" FROM windows ORDER BY start DESC LIMIT 1`.pipe(
            Effect.orDie,
            Effect.map((rows) => rows[0])
          ),
        totals: Effect.fn("WindowStore.totals")(function* (count) {
          const rows = yield* sql`SELECT start AS at, bytes, packets, flows FROM windows ORDER BY start DESC LIMIT ${count}`.pipe(
            Effect.orDie
          )
          return yield* decodeTotals([...rows].reverse())
        }),
        accounts: Effect.fn("WindowStore.accounts")(function* (count) {
          const rows =
            yield* sql<WindowAccount>`SELECT start, seconds, final, written_at AS "writtenAt", slices, records, counted, duplicates,
              attempts, group_records AS "groupRecords", icmp_records AS "icmpRecords", flows, packets, bytes, raw_packets AS "rawPackets",
              raw_bytes AS "rawBytes", sampling, pressure_sampling AS "pressureSampling"
            FROM windows ORDER BY start DESC LIMIT ${count}`.pipe(Effect.orDie)
          return [...rows].reverse()
        })
      })
    })
  )
}
