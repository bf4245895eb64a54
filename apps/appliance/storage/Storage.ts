/**
 * Keeps the store within its time and its room: rolls up, drops what is older than configured, and what is oldest when the disk of the
 * embedded database runs low or the database is larger than it may be. Says what it did.
 */
import { statfs } from "node:fs/promises"
import { Clock, Context, DateTime, Effect, Layer, SubscriptionRef } from "effect"
import { SqlClient } from "effect/sql"
import { type DroppedPartition, StorageClass, StorageReading } from "#domain/Storage.ts"
import { limited } from "#pipeline/actor/limited-log.ts"
import * as Supervisor from "#pipeline/actor/Supervisor.ts"
import { AuditStore } from "#pipeline/store/AuditStore.ts"
import { forgetWritesBefore, listPartitions, type Partitioned } from "#pipeline/store/partitions.ts"
import { keepDays, makeRoom, type RetentionDays } from "#pipeline/store/retention.ts"
import { rollUp } from "#pipeline/store/rollup.ts"
import { Database } from "../postgres/Database.ts"

export interface StorageOptions {
  readonly dataFolder: string
  readonly days: RetentionDays
  /** Days entries of the audit log are kept; 0: for ever. */
  readonly auditDays: number
  /** Octets that must stay free on the disk of the data folder. */
  readonly reserveBytes: number
  /** Octets the database may have; 0: as many as the disk. */
  readonly mostBytes: number
  /** How long after its end an hour still gets records. */
  readonly settleSeconds: number
}

export class Storage extends Context.Service<Storage, { readonly read: Effect.Effect<StorageReading> }>()(
  "appliance/storage/Storage"
) {
  static readonly layer = (options: StorageOptions) => Layer.effect(Storage, make(options))
}

const everySeconds = 15
const dayMs = 86_400_000
/** Slices are claimed by name; none is offered again so long after it was written. */
const claimsMs = 60 * dayMs
const rememberedDrops = 20

const make = Effect.fnUntraced(function* (options: StorageOptions) {
  const { auditDays, dataFolder, days, mostBytes, reserveBytes, settleSeconds } = options
  const sql = yield* SqlClient.SqlClient
  const audit = yield* AuditStore
  const { embedded } = yield* Database
  let dropped: ReadonlyArray<DroppedPartition> = []
  let exhausted = false

  const note = (names: ReadonlyArray<string>, why: DroppedPartition["why"]) =>
    Effect.gen(function* () {
      if (names.length === 0) return
      const at = yield* DateTime.now
      dropped = [...names.map((name) => ({ name, at, why })), ...dropped].slice(0, rememberedDrops)
      const say = why === "room" ? Effect.logWarning("dropped the oldest data to make room") : Effect.logInfo("dropped old data")
      yield* Effect.annotateLogs(say, { partitions: names.join(", ") })
    })

  const short = Effect.gen(function* () {
    if (mostBytes > 0) {
      const [row] = yield* sql<{ bytes: number }>`SELECT pg_database_size(current_database())::float8 AS bytes`
      if (row!.bytes > mostBytes) return true
    }
    // how full another server's disk is we cannot see
    if (!embedded) return false
    const { bavail, bsize } = yield* Effect.promise(() => statfs(dataFolder))
    return bavail * bsize < reserveBytes
  })

  const keepRoom = Effect.gen(function* () {
    for (;;) {
      if (!(yield* short)) {
        exhausted = false
        return
      }
      const gone = yield* makeRoom(yield* Clock.currentTimeMillis)
      if (gone === undefined) {
        exhausted = true
        return
      }
      yield* note([gone.name], "room")
    }
  })

  const readClasses = Effect.gen(function* () {
    const partitions = yield* listPartitions()
    const classes = (Object.keys(days) as Array<Partitioned>).map((name) => {
      const own = partitions.filter(({ table }) => table === name)
      const instant = (at: number | undefined) => (at === undefined ? null : DateTime.makeUnsafe(at))
      return new StorageClass({
        name,
        keepDays: days[name],
        partitions: own.length,
        from: instant(own[0]?.start),
        until: instant(own.at(-1)?.end),
        bytes: BigInt(own.reduce((sum, { bytes }) => sum + bytes, 0))
      })
    })
    const [made] = yield* sql<{
      hours: Date | null
      days: Date | null
    }>`SELECT max(start) FILTER (WHERE grain = 'hour') + interval '1 hour' AS hours,
      max(start) FILTER (WHERE grain = 'day') + interval '1 day' AS days FROM rollups`
    const instant = (at: Date | null | undefined) => (at == null ? null : DateTime.makeUnsafe(at))
    return new StorageReading({
      classes,
      hoursUpTo: instant(made?.hours),
      daysUpTo: instant(made?.days),
      dropped,
      reserveBytes,
      mostBytes,
      exhausted
    })
  })

  const reading = yield* SubscriptionRef.make(
    new StorageReading({ classes: [], hoursUpTo: null, daysUpTo: null, dropped, reserveBytes, mostBytes, exhausted })
  )
  let agedAt = 0
  const turn = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    yield* keepRoom
    yield* rollUp({ now, settleSeconds })
    if (now - agedAt > 3_600_000) {
      yield* note(yield* keepDays(days, now), "age")
      yield* forgetWritesBefore(new Date(now - claimsMs))
      if (auditDays > 0) yield* audit.forgetBefore(new Date(now - auditDays * dayMs))
      agedAt = now
    }
    yield* SubscriptionRef.set(reading, yield* readClasses)
  })

  const upkeep = yield* Supervisor.make({ path: "storage" })
  yield* upkeep.start("retention", () =>
    turn.pipe(
      Effect.catch((error) => limited("storage")(Effect.logWarning("could not keep the store in order", error))),
      Effect.andThen(Effect.sleep(`${everySeconds} seconds`)),
      Effect.forever
    )
  )
  return Storage.of({ read: SubscriptionRef.get(reading) })
})
