/**
 * `Live`: what browsers watch. One actor reads the vitals about once a second, and the figures of a watched Overview when the map changed; every
 * watcher shares the latest value, so a hundred consoles cost no more than one.
 */
import { Clock, Effect, Layer, Stream, SubscriptionRef } from "effect"
import type { ExporterHistory } from "#domain/Exporter.ts"
import { ActorNotFound } from "#domain/rpc/SystemRpcs.ts"
import { SettingReading } from "#domain/Settings.ts"
import { Overview } from "#domain/Status.ts"
import { limited } from "#pipeline/actor/limited-log.ts"
import { Registry } from "#pipeline/actor/Registry.ts"
import * as Supervisor from "#pipeline/actor/Supervisor.ts"
import { CoverageStore } from "#pipeline/store/CoverageStore.ts"
import { StatsStore } from "#pipeline/store/StatsStore.ts"
import { WindowStore } from "#pipeline/store/WindowStore.ts"
import { makeExporterHistories } from "../exporters/ExporterHistories.ts"
import { Flows } from "../flow/Flows.ts"
import { Live } from "../rpc/Live.ts"
import { publicHealth, type VitalSigns, Vitals } from "./Vitals.ts"

const dayOfWindows = 288
const historyEveryMs = 10_000
const figuresAtMostEveryMs = 2_000
const figuresAtLeastEveryMs = 30_000
/** Vitals are read once a second; of thousands of exporters, each a tenth of a millisecond of the thread that everything waits for, less often. */
const restMs = (exporters: number): number => Math.max(1000, exporters)

export interface LiveOptions {
  readonly settings: ReadonlyArray<SettingReading>
  readonly windowSeconds: number
}

export const layerLive = (options: LiveOptions) => Layer.effect(Live, make(options))

type Figures = Pick<
  Overview,
  | "assets"
  | "internalAssets"
  | "dependencies"
  | "services"
  | "newAssetsLastHour"
  | "newDependenciesLastHour"
  | "traffic"
  | "coverage"
  | "counted"
  | "newest"
  | "busiest"
>

const readFigures = Effect.gen(function* () {
  const stats = yield* StatsStore
  const windows = yield* WindowStore
  const { assets, internalAssets, dependencies, services, newAssetsLastHour, newDependenciesLastHour } = yield* stats.counts
  return {
    assets,
    internalAssets,
    dependencies,
    services,
    newAssetsLastHour,
    newDependenciesLastHour,
    traffic: yield* windows.totals(dayOfWindows),
    coverage: yield* (yield* CoverageStore).summary,
    counted: yield* stats.spared(5),
    newest: yield* stats.newest(8),
    busiest: yield* stats.busiest(8)
  } satisfies Figures
})

const overviewOf = ({ health, status }: VitalSigns, figures: Figures, windowSeconds: number) =>
  new Overview({ status, warnings: health.warnings, windowSeconds, ...figures })

const make = Effect.fnUntraced(function* ({ settings, windowSeconds }: LiveOptions) {
  const context = yield* Effect.context<CoverageStore | StatsStore | WindowStore>()
  const vitals = yield* Vitals
  const flows = yield* Flows
  const registry = yield* Registry
  const first = yield* vitals.read
  const signs = yield* SubscriptionRef.make(first)
  const histories = makeExporterHistories()
  const history = yield* SubscriptionRef.make<ReadonlyArray<ExporterHistory>>([])
  let figures: Figures = yield* readFigures
  const overview = yield* SubscriptionRef.make(overviewOf(first, figures, windowSeconds))

  let readAt = yield* Clock.currentTimeMillis
  let readVersion = -1
  let watchers = 0
  const keepFigures = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const version = yield* SubscriptionRef.get(flows.mapVersion)
    const age = now - readAt
    const changed = version !== readVersion && age > figuresAtMostEveryMs
    // nobody looks: they are read when somebody comes
    if (watchers === 0 || (age < figuresAtLeastEveryMs && !changed)) return
    // a database that went away in between leaves the last figures; the warning above them says so
    yield* readFigures.pipe(
      Effect.map((read) => {
        figures = read
        readAt = now
        readVersion = version
      }),
      Effect.catchCause((cause) => limited("overview")(Effect.logWarning("could not read the figures of the overview", cause)))
    )
  })
  const showOverview = Effect.gen(function* () {
    const now = yield* SubscriptionRef.get(signs)
    if (now.health.database.reachable) yield* keepFigures
    yield* SubscriptionRef.set(overview, overviewOf(now, figures, windowSeconds))
  })

  const supervisor = yield* Supervisor.make({ path: "console" })
  yield* supervisor.start("vitals", () =>
    Effect.gen(function* () {
      let historyAt = 0
      for (;;) {
        const now = yield* Clock.currentTimeMillis
        const next = yield* vitals.read
        yield* SubscriptionRef.set(signs, next)
        histories.note(now, next.exporters)
        if (now - historyAt >= historyEveryMs) {
          historyAt = now
          yield* SubscriptionRef.set(history, histories.read(now))
        }
        yield* showOverview
        yield* Effect.sleep(restMs(next.exporters.length))
      }
    })
  )
  const changes = <A>(of: (signs: VitalSigns) => A) => Stream.map(SubscriptionRef.changes(signs), of)
  return Live.of({
    status: changes((s) => s.status),
    exporters: changes((s) => s.exporters),
    exporterHistory: SubscriptionRef.changes(history),
    health: changes((s) => s.health),
    overview: Stream.unwrap(
      Effect.gen(function* () {
        yield* Effect.acquireRelease(
          Effect.sync(() => watchers++),
          () => Effect.sync(() => watchers--)
        )
        yield* Effect.provideContext(showOverview, context)
        return SubscriptionRef.changes(overview)
      })
    ),
    mapVersion: SubscriptionRef.changes(flows.mapVersion),
    healthNow: Effect.map(SubscriptionRef.get(signs), (s) => s.health),
    publicHealth: Effect.gen(function* () {
      return publicHealth((yield* SubscriptionRef.get(signs)).health, yield* Clock.currentTimeMillis)
    }),
    restartActor: (path) => registry.restart(path).pipe(Effect.mapError(() => new ActorNotFound({ path }))),
    // the configuration knows more of each knob than people are shown
    settings: settings.map(({ knob, value, source, description }) => new SettingReading({ knob, value, source, description }))
  })
})
