/**
 * Flow: in each worker's thread datagram → decode → batch → window → slice; here: slice → collapse → resolve → assets and dependencies.
 *
 * | mailbox | when full |
 * | --- | --- |
 * | slices → resolve | never: a worker has two on their way, then merges; the mailbox holds more than that of each |
 * | templates → store | slides: the newest change wins, and the book keeps every template |
 */
import { randomUUID } from "node:crypto"
import { Effect, Layer } from "effect"
import { networkSet } from "#domain/Address.ts"
import type { WindowSlice } from "#domain/Window.ts"
import * as Mailbox from "#pipeline/actor/Mailbox.ts"
import * as Supervisor from "#pipeline/actor/Supervisor.ts"
import type { CollapsedSlice } from "#pipeline/resolve/edges.ts"
import { Resolver } from "#pipeline/resolve/Resolver.ts"
import { BootStore } from "#pipeline/store/BootStore.ts"
import { ExporterStore } from "#pipeline/store/ExporterStore.ts"
import type { Config } from "../config.ts"
import { makeFlowLedger } from "../flow/FlowLedger.ts"
import { Flows } from "../flow/Flows.ts"
import { type FlowWorkerHandle, startFlowWorker, type TemplateChange } from "../flow/flow-worker-actor.ts"
import { keepLast, keepProgress, keepTemplates, makeTemplateBook } from "../flow/keep-accounts.ts"
import { collapser, makeFlows, serviceNames, workerSettings } from "../flow/make-flows.ts"
import { type InHand, resolveSlices } from "../flow/resolve-slices.ts"
import { version } from "../version.ts"

const stopWithin = "20 seconds"

/** What turns slices into edges. */
export type MakeCollapse = (config: Config) => (slice: WindowSlice) => CollapsedSlice

const make = Effect.fnUntraced(function* (config: Config, makeCollapse: MakeCollapse) {
  const boot = randomUUID()
  const boots = yield* BootStore
  const unclean = yield* boots.begin(boot, version)
  const store = yield* ExporterStore
  const book = makeTemplateBook(yield* store.loadTemplates, yield* store.loadAnnouncements)
  const followed = yield* store.loadSequences
  const ledger = makeFlowLedger(networkSet(config.classification.internal_ranges))
  const workers = new Map<string, FlowWorkerHandle>()
  const names = Array.from({ length: config.ingestion.workers }, (_, i) => `worker-${i + 1}`)

  const slices = yield* Mailbox.make<WindowSlice>({
    actor: "flow/resolve",
    name: "slices",
    capacity: 16 * names.length,
    policy: "wait"
  })
  const changes = yield* Mailbox.make<TemplateChange>({
    actor: "flow/templates",
    name: "template changes",
    capacity: 1024,
    policy: "slide"
  })
  const { flows, written, lost } = yield* makeFlows(boot, ledger, workers, unclean)
  const hand: InHand = { slice: undefined, tries: 0 }

  const flow = yield* Supervisor.make({ path: "flow" })
  yield* flow.start("resolve", () => resolveSlices({ mailbox: slices, collapse: makeCollapse(config), written, lost }, hand), {
    mailbox: slices
  })
  yield* flow.start("templates", () => keepTemplates(changes, book), { mailbox: changes })
  yield* flow.start("progress", () => keepProgress(boot, ledger))
  for (const worker of names) {
    const others = (message: Parameters<FlowWorkerHandle["post"]>[0]) =>
      workers.forEach((other) => other.worker !== worker && other.post(message))
    const settings = Effect.sync(() => workerSettings(config, boot, worker, book, [...followed, ...ledger.exporters()]))
    workers.set(worker, yield* startFlowWorker(flow, { worker, settings, ledger, slices, templates: changes, others }))
  }

  // Runs before the actors are interrupted: sockets close, what is held is handed over and written, and the row says a clean end.
  yield* Effect.addFinalizer(() =>
    Effect.forEach(workers.values(), (worker) => worker.stop, { discard: true }).pipe(
      Effect.andThen(Effect.suspend(() => untilEmpty(() => slices.read().depth === 0 && hand.slice === undefined))),
      Effect.andThen(Effect.suspend(() => keepLast(boot, ledger))),
      Effect.timeout(stopWithin),
      Effect.catchCause((cause) => Effect.logError("could not write everything before the end", cause))
    )
  )
  return flows
})

const untilEmpty = (empty: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (empty() ? Effect.void : Effect.andThen(Effect.sleep("20 millis"), untilEmpty(empty))))

/** Gives `Flows`. Needs the stores and the registry of actors. `makeCollapse`: ours; a test breaks it to see that accuracy falls. */
export const layerFlow = (config: Config, makeCollapse: MakeCollapse = collapser) =>
  Layer.effect(Flows, make(config, makeCollapse)).pipe(
    Layer.provide(
      Resolver.layer({
        assets: { minFlows: config.assets.min_flows_for_creation, autoCreate: config.assets.auto_create },
        dependencies: { minFlows: config.dependencies.min_flows_for_creation },
        internalRanges: config.classification.internal_ranges,
        serviceName: serviceNames(config).name
      })
    )
  )
