/** Status line, exporters, health, settings. */
import { Effect } from "effect"
import { CurrentCaller } from "#domain/Operator.ts"
import { SystemRpcs } from "#domain/rpc/SystemRpcs.ts"
import { AuditStore } from "#pipeline/store/AuditStore.ts"
import { ExporterStore } from "#pipeline/store/ExporterStore.ts"
import { CallSource } from "./Connections.ts"
import { Live } from "./Live.ts"

export const systemHandlers = Effect.gen(function* () {
  const live = yield* Live
  const exporters = yield* ExporterStore
  const audit = yield* AuditStore

  const record = Effect.fnUntraced(function* (action: string, subject: string, detail: Readonly<Record<string, string>> = {}) {
    const { name, via } = yield* CurrentCaller
    yield* Effect.orDie(audit.append({ actor: name, via, source: yield* CallSource, action, subject, outcome: "done", detail }))
  })

  return SystemRpcs.of({
    StatusWatch: () => live.status,
    ExportersWatch: () => live.exporters,
    ExporterTemplates: ({ id }) => exporters.templates(id),
    ExporterRename: Effect.fnUntraced(function* ({ id, name }) {
      yield* exporters.rename(id, name)
      yield* record("exporter.rename", id, { name: name ?? "" })
    }),
    HealthWatch: () => live.health,
    ActorRestart: Effect.fnUntraced(function* ({ path }) {
      yield* live.restartActor(path)
      yield* record("actor.restart", path)
    }),
    SettingsList: () => Effect.succeed(live.settings)
  })
})
