/**
 * The body of `upkeep/silence`: since when each exporter is silent becomes a row, so that an alarm outlives a restart; and of senders heard
 * for a moment only so many rows are left.
 */
import { Clock, DateTime, Effect, Schedule } from "effect"
import type { Exporter } from "#domain/Exporter.ts"
import { limited } from "#pipeline/actor/limited-log.ts"
import { ExporterStore } from "#pipeline/store/ExporterStore.ts"
import { exporterKey } from "../flow/FlowLedger.ts"
import { Flows } from "../flow/Flows.ts"
import { silentSince } from "./silence.ts"
import { strangersOf } from "./strangers.ts"

export const keepSilence = (defaultSeconds: number) =>
  Effect.gen(function* () {
    const store = yield* ExporterStore
    const flows = yield* Flows
    const startedAt = yield* Clock.currentTimeMillis
    const once = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const heard = new Map((yield* flows.exporters).map((one) => [exporterKey(one.address, one.protocol), one]))
      const rows = yield* store.list
      const followed = ({ address, protocol }: Exporter) => heard.get(exporterKey(address, protocol))
      const changes = rows.flatMap((exporter) => {
        const since = silentSince({ exporter, heardAt: followed(exporter)?.lastSeen, now, startedAt, defaultSeconds })
        const before = exporter.silentSince === null ? null : DateTime.toEpochMillis(exporter.silentSince)
        return since === before ? [] : [{ id: exporter.id, since }]
      })
      yield* store.markSilent(changes)
      yield* store.forgetAll(strangersOf(rows, (one) => followed(one) !== undefined).map(({ id }) => id))
    })
    yield* once.pipe(
      Effect.catchCause((cause) => limited("silence")(Effect.logWarning("could not keep since when exporters are silent", cause))),
      Effect.repeat(Schedule.spaced("2 seconds"))
    )
  })
