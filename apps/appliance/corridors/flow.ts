/**
 * Flow: in each worker's thread datagram → decode → batch → window → slice; here: slice → spool → merge → collapse → resolve → assets and
 * dependencies.
 *
 * | mailbox | when full |
 * | --- | --- |
 * | slices → spool | never: a worker has two on their way, then merges; the mailbox holds more than that of each |
 * | backlog → resolve | on disk, to the spool's bound; past it slices are not acknowledged (spool-slices.ts) |
 * | single flow records → store | refuses and counts, where they are kept at all |
 * | templates → store | slides: the newest change wins, and the book keeps every template |
 */
import { randomUUID } from "node:crypto"
import { join } from "node:path"
import { Clock, Effect, Layer, Option, SubscriptionRef } from "effect"
import { networkSet } from "#domain/Address.ts"
import type { RawChunk } from "#domain/RawChunk.ts"
import type { WindowSlice } from "#domain/Window.ts"
import * as Mailbox from "#pipeline/actor/Mailbox.ts"
import * as Supervisor from "#pipeline/actor/Supervisor.ts"
import { makeOwners } from "#pipeline/resolve/collapse/duplicate.ts"
import type { SliceEdges } from "#pipeline/resolve/collapse/edges.ts"
import { makeServiceRegister } from "#pipeline/resolve/collapse/ServiceRegister.ts"
import { Declarations } from "#pipeline/resolve/Declarations.ts"
import { primeOwners } from "#pipeline/resolve/prime-owners.ts"
import { primeRegister } from "#pipeline/resolve/prime-register.ts"
import { Resolver } from "#pipeline/resolve/Resolver.ts"
import { ExporterPolicyStore } from "#pipeline/store/ExporterPolicyStore.ts"
import { ExporterStore } from "#pipeline/store/ExporterStore.ts"
import { openSpool } from "#pipeline/window/Spool.ts"
import type { Config } from "../config.ts"
import { makeBacklog } from "../flow/Backlog.ts"
import { keepNotes } from "../flow/boot-notes.ts"
import { endFlow } from "../flow/end-flow.ts"
import { makeFlowLedger } from "../flow/FlowLedger.ts"
import { FlowLine } from "../flow/FlowLine.ts"
import { Flows } from "../flow/Flows.ts"
import { type FlowWorkerHandle, startFlowWorker, type TemplateChange } from "../flow/flow-worker-actor.ts"
import { keepProgress, keepTemplates, makeTemplateBook } from "../flow/keep-accounts.ts"
import { foldLast, foldSeconds, keepFolding, makeFoldState } from "../flow/keep-folding.ts"
import { keepRaw, makeRawAccount, takeRaw } from "../flow/keep-raw.ts"
import { collapser, type KnownEnds, makeFlows, serviceNames, workerSettings } from "../flow/make-flows.ts"
import { makeWriteState, resolveSlices } from "../flow/resolve-slices.ts"
import { makeSpoolAccount } from "../flow/SpoolAccount.ts"
import { type InHand, spoolSlices } from "../flow/spool-slices.ts"
import { takeUp } from "../flow/take-up.ts"
import { version } from "../version.ts"

const stopWithin = "35 seconds"
/** Slices stay in memory beside the disk up to so many octets. */
const heldBytes = 64 * 1024 ** 2

/** What turns slices into edges. */
export type MakeCollapse = (config: Config, known?: KnownEnds) => (slice: WindowSlice) => SliceEdges

const make = Effect.fnUntraced(function* (config: Config, makeCollapse: MakeCollapse) {
  const boot = randomUUID()
  const folder = join(config.data, "spool")
  const spool = yield* openSpool({
    folder,
    maxBytes: config.ingestion.spool_max_size,
    bootAt: yield* Clock.currentTimeMillis
  })
  const backlog = makeBacklog({
    memoryBytes: heldBytes,
    // who asks for slices every second wants to see them soon
    mostWaitMs: Math.min(60, 6 * config.aggregation.flush_interval_seconds) * 1000,
    workers: config.ingestion.workers
  })
  const state = makeWriteState()
  const folding = makeFoldState()
  const spooling = makeSpoolAccount(spool, backlog, state)
  const unclean = yield* takeUp(boot, version, folder, spool, backlog)
  const store = yield* ExporterStore
  const book = makeTemplateBook(yield* store.loadTemplates, yield* store.loadAnnouncements)
  const followed = yield* store.loadSequences
  const line = yield* FlowLine
  line.setExporters({
    requireApproval: config.exporters.require_approval,
    policies: yield* (yield* ExporterPolicyStore).inForce
  })
  const ledger = makeFlowLedger(networkSet(config.classification.internal_ranges))
  const workers = new Map<string, FlowWorkerHandle>()
  const names = Array.from({ length: config.ingestion.workers }, (_, i) => `worker-${i + 1}`)
  if (names.length > 1) ledger.resume(followed)

  const slices = yield* Mailbox.make<WindowSlice>({
    actor: "flow/spool",
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
  const raw = yield* Mailbox.make<RawChunk>({ actor: "flow/raw", name: "single flow records", capacity: 16, policy: "refuse" })
  const rawAccount = makeRawAccount()
  const { flows, accepted, written, lost } = yield* makeFlows(boot, ledger, workers, unclean, spooling, folding)
  const hand: InHand = { slice: undefined }

  const flow = yield* Supervisor.make({ path: "flow" })
  yield* flow.start("spool", () => spoolSlices({ mailbox: slices, spool, backlog, accepted }, hand), {
    mailbox: slices,
    gauges: { files: () => spool.reading().files, octets: () => spool.reading().bytes }
  })
  const register = makeServiceRegister()
  const owners = makeOwners()
  yield* Effect.orDie(Effect.andThen(primeRegister(register), primeOwners(owners, config.aggregation.window_size_seconds)))
  // absent where nobody declares: measurements
  const declared = Option.getOrUndefined(yield* Effect.serviceOption(Declarations))?.ends
  const collapse = makeCollapse(config, { register, owners, ...(declared === undefined ? {} : { declared }) })
  yield* flow.start("resolve", () => resolveSlices({ backlog, spool, collapse, written, lost }, state), {
    gauges: { waiting: () => backlog.reading().slices, windows: () => backlog.reading().windows, writes: () => state.writes }
  })
  yield* flow.start("fold", () =>
    keepFolding(
      SubscriptionRef.update(flows.mapVersion, (version) => version + 1),
      folding
    )
  )
  yield* flow.start("templates", () => keepTemplates(changes, book), { mailbox: changes })
  if (config.flow_raw.keep) {
    yield* flow.start("raw", () => keepRaw(raw, rawAccount), {
      mailbox: raw,
      gauges: { written: () => rawAccount.written, lost: () => rawAccount.lost, leftOut: () => rawAccount.leftOut }
    })
  }
  yield* flow.start("notes", () => keepNotes(folder, boot, ledger))
  yield* flow.start("progress", () => keepProgress(boot, ledger))
  line.attach((message) => {
    if (message.type === "forget-exporter") ledger.forget(message.address, message.protocol)
    workers.forEach((worker) => worker.post(message))
    return workers.size
  })
  for (const worker of names) {
    const others = (message: Parameters<FlowWorkerHandle["post"]>[0]) =>
      workers.forEach((other) => other.worker !== worker && other.post(message))
    const settings = Effect.sync(() =>
      workerSettings(config, boot, worker, book, [...followed, ...ledger.exporters()], line.exporters())
    )
    workers.set(
      worker,
      yield* startFlowWorker(flow, {
        worker,
        settings,
        ledger,
        slices,
        templates: changes,
        others,
        captured: line.captured,
        raw: takeRaw(raw, rawAccount)
      })
    )
  }

  // Runs before the actors are interrupted.
  yield* Effect.addFinalizer(() =>
    Effect.forEach(workers.values(), (worker) => worker.stop, { discard: true, concurrency: "unbounded" }).pipe(
      Effect.andThen(
        endFlow({ boot, folder, ledger, backlog, state, inHand: () => slices.read().depth > 0 || hand.slice !== undefined })
      ),
      Effect.andThen((written) => (written ? foldLast : Effect.void)),
      Effect.timeout(stopWithin),
      Effect.catchCause((cause) => Effect.logError("could not end in time", cause))
    )
  )
  return flows
})

/** Gives `Flows`. Needs the stores and the registry of actors. `makeCollapse`: ours; a test breaks it to see that accuracy falls. */
export const layerFlow = (config: Config, makeCollapse: MakeCollapse = collapser) =>
  Layer.effect(Flows, make(config, makeCollapse)).pipe(
    Layer.provide(
      Resolver.layer({
        assets: { minFlows: config.assets.min_flows_for_creation, autoCreate: config.assets.auto_create },
        dependencies: { minFlows: config.dependencies.min_flows_for_creation },
        internalRanges: config.classification.internal_ranges,
        serviceName: serviceNames(config).name,
        foldSeconds: foldSeconds(config.aggregation.flush_interval_seconds)
      })
    )
  )
