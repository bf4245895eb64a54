/**
 * Upkeep: what must happen to rows without anybody asking. Partitions are made ahead, how well we look is written down, dependencies that
 * were not seen meanwhile are marked stale, assets get names and types.
 */
import { Effect, Layer } from "effect"
import * as Supervisor from "#pipeline/actor/Supervisor.ts"
import type { HostName } from "#pipeline/enrich/hosts-file.ts"
import { keepAhead } from "#pipeline/store/partitions.ts"
import type { Config } from "../config.ts"
import { keepCoverage, keepStale, makeCoverageBoard } from "../coverage/keep-coverage.ts"
import { keepSilence } from "../exporters/keep-silence.ts"
import { identify } from "../flow/identify.ts"

export const layerUpkeep = (config: Config, names: ReadonlyArray<HostName>) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const upkeep = yield* Supervisor.make({ path: "upkeep" })
      yield* upkeep.start("partitions", () => keepAhead())
      yield* upkeep.start("silence", () => keepSilence(config.exporters.silence_seconds))
      yield* upkeep.start("identify", () => identify(config.assets.hosts_file, names))
      const windowSeconds = config.aggregation.window_size_seconds
      const board = makeCoverageBoard(windowSeconds, config.exporters.silence_seconds)
      yield* upkeep.start("coverage", () => keepCoverage(board, windowSeconds))
      yield* upkeep.start("stale", () => keepStale(board, config.dependencies.stale_after_hours))
    })
  )
