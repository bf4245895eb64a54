/** Builds the flow plane's accounts and actors; corridors/flow.ts says in which order what is joined. */
import { Clock, Effect, SubscriptionRef } from "effect"
import { makePortRanks } from "#domain/PortRank.ts"
import type { WindowSlice } from "#domain/Window.ts"
import { makeServiceNames, services } from "#pipeline/enrich/services.ts"
import type { ExporterResume } from "#pipeline/ingest/exporter-reading.ts"
import { collapseEdges } from "#pipeline/resolve/collapse/collapse.ts"
import type { DeclaredEnds } from "#pipeline/resolve/collapse/decide-directions.ts"
import { makeOwners, type Owners } from "#pipeline/resolve/collapse/duplicate.ts"
import { makeEvidenceSampler } from "#pipeline/resolve/collapse/EvidenceSampler.ts"
import { makeServiceRegister, type ServiceRegister } from "#pipeline/resolve/collapse/ServiceRegister.ts"
import { Resolver, type WriteResult } from "#pipeline/resolve/Resolver.ts"
import { BootStore, type UncleanStop } from "#pipeline/store/BootStore.ts"
import type { Config } from "../config.ts"
import type { ExporterSettings, FlowWorkerSettings, ToFlowWorker } from "../flow-worker/messages.ts"
import type { SliceFacts, Waiting } from "./Backlog.ts"
import type { FlowLedger } from "./FlowLedger.ts"
import { Flows, type WindowReading } from "./Flows.ts"
import type { FlowWorkerHandle } from "./flow-worker-actor.ts"
import type { TemplateBook } from "./keep-accounts.ts"
import { type FoldState, foldWarnings } from "./keep-folding.ts"
import type { SpoolAccount } from "./SpoolAccount.ts"

const protocolNumbers = { tcp: 6, udp: 17, sctp: 132 } as const

/** What the operator declared under `services:`, in the form that the resolver, the fold and the names want. */
export const declaredServices = (config: Config) =>
  config.services.map(({ port, protocol, name }) => ({ port, protocol: protocolNumbers[protocol], name, title: name }))

export const serviceNames = (config: Config) => makeServiceNames(declaredServices(config))

/** What is known before the first slice: ends that operators declared, as they are at each slice, and what the store tells. */
export interface KnownEnds {
  readonly declared?: DeclaredEnds
  readonly owners?: Owners
  readonly register?: ServiceRegister
}

/** Conversations that a slice may keep as evidence: 2000 a minute, each of which the database looks for in four tables. */
const evidenceOf = (flushIntervalSeconds: number): number => Math.max(500, Math.round((2000 / 60) * flushIntervalSeconds))

export const collapser = (config: Config, known: KnownEnds = {}) => {
  const options = {
    ranks: makePortRanks(services, declaredServices(config)),
    owners: makeOwners(),
    register: makeServiceRegister(),
    sampler: makeEvidenceSampler(evidenceOf(config.aggregation.flush_interval_seconds)),
    ...known
  }
  return (slice: WindowSlice) => collapseEdges(slice, options)
}

export const workerSettings = (
  config: Config,
  boot: string,
  worker: string,
  book: Pick<TemplateBook, "all" | "announcements">,
  resume: ReadonlyArray<ExporterResume>,
  exporters: ExporterSettings
): FlowWorkerSettings => ({
  boot,
  worker,
  bindAddress: config.ingestion.bind_address,
  ports: [config.ingestion.netflow_port, config.ingestion.ipfix_port, config.ingestion.sflow_port],
  receiveBufferBytes: config.ingestion.receive_buffer_size,
  reusePort: config.ingestion.workers > 1,
  exporterMaxRate: config.ingestion.exporter_max_rate,
  windowSeconds: config.aggregation.window_size_seconds,
  latenessSeconds: config.aggregation.lateness_seconds,
  flushIntervalSeconds: config.aggregation.flush_interval_seconds,
  maxConversations: config.aggregation.max_conversations,
  declaredServices: declaredServices(config),
  ...(config.flow_raw.keep ? { rawMaxRate: config.flow_raw.max_rate } : {}),
  templates: book.all(),
  announcements: book.announcements(),
  resume,
  exporters
})

/** The accounts as a service, and what the actors that spool and write tell them. */
export const makeFlows = Effect.fnUntraced(function* (
  boot: string,
  ledger: FlowLedger,
  workers: ReadonlyMap<string, FlowWorkerHandle>,
  uncleanStops: ReadonlyArray<UncleanStop>,
  spooling: SpoolAccount,
  folding: FoldState
) {
  const boots = yield* BootStore
  const resolver = yield* Resolver
  const mapVersion = yield* SubscriptionRef.make(0)
  let window: WindowReading | undefined
  const accepted = (slice: SliceFacts) => {
    if (slice.boot === boot) workers.get(slice.worker)?.post({ type: "windows-accepted", sequences: [slice.sequence] })
  }
  const written = Effect.fnUntraced(function* (done: ReadonlyArray<Waiting>, result: WriteResult) {
    const now = yield* Clock.currentTimeMillis
    for (const { facts, spooled } of done) {
      if (spooled === undefined) accepted(facts)
      if (facts.boot === boot) ledger.written(facts.worker, facts.records)
      if (window === undefined || facts.windowStart >= window.start) {
        const { windowStart: start, windowSeconds: seconds, final } = facts
        window = { start, seconds, final: final || (window?.start === start && window.final), writtenAt: now }
      }
    }
    const earlier = done.map(({ facts }) => facts).filter((facts) => facts.boot !== boot)
    if (earlier.length > 0) {
      spooling.replayed(earlier)
      yield* boots.settle([...new Set(earlier.map((facts) => facts.boot))]).pipe(Effect.ignore)
    }
    if (result.edges > 0) yield* SubscriptionRef.update(mapVersion, (version) => version + 1)
  })
  const lost = ({ facts, spooled }: Waiting) =>
    Effect.sync(() => {
      if (facts.boot === boot) ledger.lostSlice(facts.worker, facts.records)
      spooling.lost(facts.records)
      if (spooled === undefined) accepted(facts)
    })
  const flows = Flows.of({
    boot,
    uncleanStops,
    totals: Effect.sync(ledger.totals),
    exporters: Effect.sync(ledger.exporters),
    listeners: Effect.sync(ledger.listeners),
    warnings: Effect.map(Clock.currentTimeMillis, (now) => [
      ...ledger.warnings(),
      ...spooling.warnings(now),
      ...foldWarnings(folding, resolver.unreadable())
    ]),
    spool: Effect.map(Clock.currentTimeMillis, spooling.reading),
    recordsPerSecond: Effect.sync(ledger.recordsPerSecond),
    unknownElements: Effect.sync(() =>
      Object.fromEntries(ledger.unknownElements().map((one) => [`${one.enterprise}.${one.element}`, one.records]))
    ),
    window: Effect.sync(() => window),
    pressure: Effect.sync(ledger.pressure),
    takeSubnets: Effect.sync(() => {
      const counts = ledger.subnets.take()
      return { counts, putBack: () => ledger.subnets.putBack(counts) }
    }),
    settle: Effect.asVoid(resolver.fold(true)),
    mapVersion,
    tell: (message: ToFlowWorker) => Effect.sync(() => workers.forEach((worker) => worker.post(message)))
  })
  return { flows, accepted, written, lost }
})
