/** One whole measurement: the scenarios asked for, played at as many pipelines as they need, judged, with the evidence of what is wrong. */
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import type { DependencyDetail } from "#domain/Dependency.ts"
import type { Config } from "../config.ts"
import type { MakeCollapse } from "../corridors/flow.ts"
import type { FlowTotals } from "../flow/FlowLedger.ts"
import { compare, type Wrong, type WrongKind } from "./compare.ts"
import { measure } from "./measure.ts"
import type { Played } from "./play.ts"
import { type Scenario, scenarios } from "./scenarios.ts"
import { ownDatabase } from "./scratch.ts"
import { type Judged, type Summary, summarise, type Target, targetsOf } from "./targets.ts"
import { makeWorld } from "./World.ts"

/** Of each kind so many are listed, with what the pipeline says for itself. */
const LISTED = 20

export interface Explained extends Wrong {
  readonly listed: boolean
  /** Begins with "; " or is empty. */
  readonly evidence: string
}

export interface Answer {
  readonly met: boolean
  readonly seed: number
  /** Played, for each pipeline. */
  readonly seconds: number
  readonly windowSeconds: number
  readonly flushSeconds: number
  readonly minFlows: number
  readonly judged: ReadonlyArray<Judged>
  readonly summary: Summary
  readonly targets: ReadonlyArray<Target>
  readonly wrong: ReadonlyArray<Explained>
  readonly played: Played
  readonly totals: FlowTotals
}

export interface RunOptions {
  /** Thresholds, services and ranges are the customer's; folder, ports, database, workers and windows are this run's own. */
  readonly config: Config
  readonly scenarios: ReadonlyArray<Scenario>
  readonly seed: number
  readonly seconds: number
  readonly progress: (line: string) => void
  readonly collapse?: MakeCollapse
}

/**
 * Windows short enough that one ends while a world plays, written often enough that a delay is that of the pipeline. A tenth of the
 * default length: what goes wrong at the edge of a window weighs ten times as much here.
 */
const aggregation = { window_size_seconds: 30, flush_interval_seconds: 1, lateness_seconds: 30 }

export const run = Effect.fnUntraced(function* (options: RunOptions) {
  const { progress, seconds, seed } = options
  const durationMs = seconds * 1000
  const workers = [...new Set(options.scenarios.map((one) => one.workers ?? 1))].sort((a, b) => a - b)
  const judged: Array<Judged> = []
  const explained: Array<Explained> = []
  const listed = new Map<WrongKind, number>()
  const played: Played = { datagrams: 0, records: 0, lost: 0, refused: 0 }
  let totals: FlowTotals | undefined
  for (const count of workers) {
    const own = options.scenarios.filter((one) => (one.workers ?? 1) === count)
    const worlds = own.map((one) => ({ one, world: makeWorld(one.name, scenarios.indexOf(one), seed, durationMs, one.build) }))
    const truths = worlds.reduce((sum, { world }) => sum + world.truths.size, 0)
    progress(
      `${own.length} scenarios, ${truths} dependencies, ${count === 1 ? "one worker" : `${count} workers`}; the database is being set up`
    )
    const part = yield* scratch(options.config, (config) =>
      measure({
        config: {
          ...config,
          aggregation: { ...config.aggregation, ...aggregation },
          ingestion: { ...config.ingestion, workers: count }
        },
        worlds: worlds.map(({ world }) => world),
        seed,
        durationMs,
        progress,
        ...(options.collapse === undefined ? {} : { collapse: options.collapse }),
        judge: Effect.fnUntraced(function* (drawn) {
          for (const { one, world } of worlds) {
            const figures = compare(world, one.sampled === true, drawn)
            judged.push({ scenario: one, figures })
            for (const wrong of figures.wrong) explained.push(yield* explain(wrong, listed))
          }
        })
      })
    )
    for (const name of ["datagrams", "records", "lost", "refused"] as const) played[name] += part.played[name]
    totals = totals === undefined ? part.totals : addTotals(totals, part.totals)
  }
  judged.sort((a, b) => scenarios.indexOf(a.scenario) - scenarios.indexOf(b.scenario))
  const targets = targetsOf(judged)
  return {
    met: targets.every(({ met }) => met),
    seed,
    seconds,
    windowSeconds: aggregation.window_size_seconds,
    flushSeconds: aggregation.flush_interval_seconds,
    minFlows: options.config.dependencies.min_flows_for_creation,
    judged,
    summary: summarise(judged),
    targets,
    wrong: explained,
    played,
    totals: totals!
  } satisfies Answer
})

const addTotals = (a: FlowTotals, b: FlowTotals): FlowTotals =>
  Object.fromEntries(Object.entries(a).map(([name, value]) => [name, value + b[name as keyof FlowTotals]])) as unknown as FlowTotals

const explain = Effect.fnUntraced(function* (wrong: Wrong, listed: Map<WrongKind, number>) {
  const before = listed.get(wrong.kind) ?? 0
  if (before >= LISTED) return { ...wrong, listed: false, evidence: "" } satisfies Explained
  listed.set(wrong.kind, before + 1)
  const why = wrong.drawn === undefined ? undefined : yield* wrong.drawn.why()
  return { ...wrong, listed: true, evidence: why === undefined ? "" : `; ${evidenceOf(why)}` } satisfies Explained
})

/** What speaks for the direction drawn, and who saw it: only what is not zero. */
const evidenceOf = ({ confidence, direction, exporters, flows }: DependencyDetail): string => {
  const terms = Object.entries(direction)
    .filter(([, value]) => value !== 0 && value !== false)
    .map(([name, value]) => (typeof value === "object" ? name : `${name} ${value}`))
  const seen = exporters.map(({ address, owner, records }) => `${address}${owner ? " (counted)" : ""} ${records}`)
  return `${terms.join(", ") || "no evidence"}; ${flows} records by ${seen.join(", ")}; confidence ${confidence.toFixed(2)}`
}

/** A folder that is removed afterwards, and a database of this run's own on the configured server or in that folder. */
const scratch = <A, E, R>(config: Config, use: (config: Config) => Effect.Effect<A, E, R>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const made = mkdtempSync(join(tmpdir(), "flowlens-accuracy-"))
          // as root, the database runs as another account, which must get in
          chmodSync(made, 0o755)
          return made
        }),
        (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
      )
      const url = config.database.url === undefined ? undefined : yield* ownDatabase(config.database.url)
      return yield* use({ ...config, data: join(folder, "data"), database: { ...config.database, url } })
    })
  )
