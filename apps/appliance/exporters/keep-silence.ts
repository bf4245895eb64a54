/** The body of `upkeep/silence`: since when each exporter is silent becomes a row, so that an alarm outlives a restart. */
import { Clock, DateTime, Effect, Schedule } from "effect"
import { limited } from "#pipeline/actor/limited-log.ts"
import { ExporterStore } from "#pipeline/store/ExporterStore.ts"
import { exporterKey } from "../flow/FlowLedger.ts"
import { Flows } from "../flow/Flows.ts"
import { silentSince } from "./silence.ts"

export const keepSilence = (defaultSeconds: number) =>
  Effect.gen(function* () {
    const store = yield* ExporterStore
    const flows = yield* Flows
    const startedAt = yield* Clock.currentTimeMillis
    const once = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const heard = new Map((yield* flows.exporters).map((one) => [exporterKey(one.address, one.protocol), one]))
      const changes = (yield* store.list).flatMap((exporter) => {
        const live = heard.get(exporterKey(exporter.address, exporter.protocol))
        const since = silentSince({ exporter, heardAt: live?.lastSeen, now, startedAt, defaultSeconds })
        const before = exporter.silentSince === null ? null : DateTime.toEpochMillis(exporter.silentSince)
        return since === before ? [] : [{ id: exporter.id, since }]
      })
      yield* store.markSilent(changes)
    })
    yield* once.pipe(
      Effect.catchCause((cause) => limited("silence")(Effect.logWarning("could not keep since when exporters are silent", cause))),
      Effect.repeat(Schedule.spaced("2 seconds"))
    )
  })
