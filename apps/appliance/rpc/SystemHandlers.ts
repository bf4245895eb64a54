/** Status line, health, settings. */
import { Effect } from "effect"
import { CurrentCaller } from "#domain/Operator.ts"
import { SystemRpcs } from "#domain/rpc/SystemRpcs.ts"
import { AuditStore } from "#pipeline/store/AuditStore.ts"
import { CallSource } from "./Connections.ts"
import { Live } from "./Live.ts"

export const systemHandlers = Effect.gen(function* () {
  const live = yield* Live
  const audit = yield* AuditStore

  const record = Effect.fnUntraced(function* (action: string, subject: string, detail: Readonly<Record<string, string>> = {}) {
    const { name, via } = yield* CurrentCaller
    yield* Effect.orDie(audit.append({ actor: name, via, source: yield* CallSource, action, subject, outcome: "done", detail }))
  })

  return SystemRpcs.of({
    StatusWatch: () => live.status,
    HealthWatch: () => live.health,
    ActorRestart: Effect.fnUntraced(function* ({ path }) {
      yield* live.restartActor(path)
      yield* record("actor.restart", path)
    }),
    SettingsList: () => Effect.succeed(live.settings)
  })
})
