/** The bodies of `upkeep/coverage` and `upkeep/stale`: how well we look is written down, and what was not seen meanwhile is concluded. */
import { Clock, Duration, Effect, SubscriptionRef } from "effect"
import type { ExporterProtocol } from "#domain/Exporter.ts"
import { windowStartOf } from "#domain/Window.ts"
import { limited } from "#pipeline/actor/limited-log.ts"
import { CoverageStore } from "#pipeline/store/CoverageStore.ts"
import { DependencyStore } from "#pipeline/store/DependencyStore.ts"
import { ExporterStore } from "#pipeline/store/ExporterStore.ts"
import { exporterKey } from "../flow/FlowLedger.ts"
import { Flows } from "../flow/Flows.ts"
import { type CoverageLedger, makeCoverageLedger } from "./CoverageLedger.ts"
import { makeWrittenUpTo } from "./written-up-to.ts"

const dayMs = 86_400_000
/** Windows are for looking back; spans and networks are what a past map and a long silence are judged by. */
const keepSpansMs = 400 * dayMs

/** What the two actors share, over restarts of either. */
export interface CoverageBoard {
  readonly ledger: CoverageLedger
  readonly written: ReturnType<typeof makeWrittenUpTo>
  /** Seconds after which an exporter is silent, of those with a limit of their own. */
  readonly limits: Map<string, number>
  resumed: boolean
  upTo: number | undefined
}

export const makeCoverageBoard = (windowSeconds: number, silenceSeconds: number): CoverageBoard => {
  const limits = new Map<string, number>()
  const silentAfterMs = ({ address, protocol }: { readonly address: string; readonly protocol: ExporterProtocol }) =>
    (limits.get(exporterKey(address, protocol)) ?? silenceSeconds) * 1000
  return {
    ledger: makeCoverageLedger({ windowSeconds, silentAfterMs }),
    written: makeWrittenUpTo(),
    limits,
    resumed: false,
    upTo: undefined
  }
}

export const keepCoverage = (board: CoverageBoard, windowSeconds: number) =>
  Effect.gen(function* () {
    const flows = yield* Flows
    const store = yield* CoverageStore
    const beatMs = Math.min(10, windowSeconds / 5) * 1000
    if (!board.resumed) {
      yield* store.begin
      board.ledger.resume(yield* store.since(windowStartOf(yield* Clock.currentTimeMillis, windowSeconds)))
      board.resumed = true
    }
    let savedAt = 0
    let prunedAt = 0
    for (;;) {
      const now = yield* Clock.currentTimeMillis
      const totals = yield* flows.totals
      const changed = board.ledger.take({ at: now, exporters: yield* flows.exporters, totals, pressure: yield* flows.pressure })
      const { oldestSeconds } = yield* flows.spool
      const written = board.written.take(now, totals)
      // what an earlier run left in the spool is none of this run's figures
      board.upTo =
        written === undefined || oldestSeconds === null
          ? written
          : Math.min(written, now - oldestSeconds * 1000 - windowSeconds * 1000)
      if (changed || now - savedAt >= beatMs) {
        yield* readLimits(board.limits)
        const { rows, spans } = board.ledger.read()
        const subnets = yield* flows.takeSubnets
        const saved = yield* store.save(rows, spans, subnets.counts).pipe(
          Effect.as(true),
          Effect.timeout("20 seconds"),
          Effect.catch((error) =>
            Effect.as(limited("coverage")(Effect.logWarning("could not keep the coverage ledger", error)), false)
          )
        )
        if (!saved) subnets.putBack()
        board.ledger.settle(saved)
        savedAt = now
        // what is hatched on the map has changed
        if (changed && saved) yield* SubscriptionRef.update(flows.mapVersion, (version) => version + 1)
        if (saved && now - prunedAt > 3_600_000) {
          prunedAt = now
          yield* store
            .forgetBefore(now - keepSpansMs)
            .pipe(Effect.catch((error) => limited("coverage")(Effect.logWarning("could not forget old coverage", error))))
        }
      }
      yield* Effect.sleep("1 second")
    }
  })

const readLimits = (limits: Map<string, number>) =>
  Effect.gen(function* () {
    const exporters = yield* (yield* ExporterStore).list
    limits.clear()
    for (const { address, policy, protocol } of exporters)
      if (policy.silenceSeconds !== null) limits.set(exporterKey(address, protocol), policy.silenceSeconds)
  }).pipe(Effect.catchCause(() => Effect.void))

/** Looks often enough that what becomes stale is told soon after its time; the time itself does not depend on it. */
export const keepStale = (board: CoverageBoard, staleAfterHours: number) =>
  Effect.gen(function* () {
    const dependencies = yield* DependencyStore
    const flows = yield* Flows
    const every = Duration.seconds(Math.min(300, Math.max(1, staleAfterHours * 180)))
    for (;;) {
      if (board.upTo !== undefined) {
        const ended = yield* dependencies
          .sweepStale({ staleAfterHours, upTo: board.upTo, settle: flows.settle })
          .pipe(
            Effect.catchCause((cause) =>
              Effect.as(limited("stale")(Effect.logWarning("could not look for stale dependencies", cause)), 0)
            )
          )
        if (ended > 0) yield* SubscriptionRef.update(flows.mapVersion, (version) => version + 1)
      }
      yield* Effect.sleep(board.upTo === undefined ? "1 second" : every)
    }
  })
