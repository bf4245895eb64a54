/**
 * Upkeep: what must happen to rows without anybody asking. Partitions are made ahead, dependencies that fell silent are marked stale,
 * assets get names and types.
 */
import { Effect, Layer, Schedule } from "effect"
import { limited } from "#pipeline/actor/limited-log.ts"
import * as Supervisor from "#pipeline/actor/Supervisor.ts"
import type { HostName } from "#pipeline/enrich/hosts-file.ts"
import { DependencyStore } from "#pipeline/store/DependencyStore.ts"
import { keepAhead } from "#pipeline/store/partitions.ts"
import type { Config } from "../config.ts"
import { identify } from "../flow/identify.ts"

export const layerUpkeep = (config: Config, names: ReadonlyArray<HostName>) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const upkeep = yield* Supervisor.make({ path: "upkeep" })
      yield* upkeep.start("partitions", () => keepAhead())
      yield* upkeep.start("identify", () => identify(config.assets.hosts_file, names))
      yield* upkeep.start("stale", () => keepStale(config.dependencies.stale_after_hours))
    })
  )

const keepStale = (hours: number) =>
  Effect.flatMap(DependencyStore, (dependencies) => dependencies.sweepStale(hours)).pipe(
    Effect.catchCause((cause) => limited("stale")(Effect.logWarning("could not look for stale dependencies", cause))),
    Effect.repeat(Schedule.spaced("5 minutes"))
  )
