/** Status line, health, settings. */
import { Effect } from "effect"
import { SystemRpcs } from "#domain/rpc/SystemRpcs.ts"
import { Live } from "./Live.ts"
import { makeRecord } from "./record.ts"

export const systemHandlers = Effect.gen(function* () {
  const live = yield* Live
  const record = yield* makeRecord

  return SystemRpcs.of({
    StatusWatch: () => live.status,
    HealthWatch: () => live.health,
    ActorRestart: Effect.fnUntraced(function* ({ path }) {
      yield* live.restartActor(path)
      yield* Effect.orDie(record("actor.restart", path))
    }),
    SettingsList: () => Effect.succeed(live.settings)
  })
})
