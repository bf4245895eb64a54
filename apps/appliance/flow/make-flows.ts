/** Builds the flow plane's accounts and actors; corridors/flow.ts says in which order what is joined. */
import { Clock, Effect, SubscriptionRef } from "effect"
import { makePortRanks } from "#domain/PortRank.ts"
import type { WindowSlice } from "#domain/Window.ts"
import { makeServiceNames, services } from "#pipeline/enrich/services.ts"
import type { ExporterResume } from "#pipeline/ingest/exporter-reading.ts"
import { collapseSlice, type DeclaredEnds } from "#pipeline/resolve/collapse.ts"
import { makeOwners } from "#pipeline/resolve/duplicate.ts"
import type { WriteResult } from "#pipeline/resolve/Resolver.ts"
import { makeServiceRegister } from "#pipeline/resolve/ServiceRegister.ts"
import type { UncleanStop } from "#pipeline/store/BootStore.ts"
import type { Config } from "../config.ts"
import type { FlowWorkerSettings, ToFlowWorker } from "../flow-worker/messages.ts"
import type { FlowLedger } from "./FlowLedger.ts"
import { Flows, type WindowReading } from "./Flows.ts"
import type { FlowWorkerHandle } from "./flow-worker-actor.ts"
import type { TemplateBook } from "./keep-accounts.ts"

const protocolNumbers = { tcp: 6, udp: 17, sctp: 132 } as const

/** What the operator declared under `services:`, in the form that the resolver, the fold and the names want. */
export const declaredServices = (config: Config) =>
  config.services.map(({ port, protocol, name }) => ({ port, protocol: protocolNumbers[protocol], name, title: name }))

export const serviceNames = (config: Config) => makeServiceNames(declaredServices(config))

/** `declared`: the ends that operators declared, as they are at each slice. */
export const collapser = (config: Config, declared?: DeclaredEnds) => {
  const options = {
    ranks: makePortRanks(services, declaredServices(config)),
    owners: makeOwners(),
    register: makeServiceRegister(),
    ...(declared === undefined ? {} : { declared })
  }
  return (slice: WindowSlice) => collapseSlice(slice, options)
}

export const workerSettings = (
  config: Config,
  boot: string,
  worker: string,
  book: Pick<TemplateBook, "all" | "announcements">,
  resume: ReadonlyArray<ExporterResume>
): FlowWorkerSettings => ({
  boot,
  worker,
  bindAddress: config.ingestion.bind_address,
  ports: [config.ingestion.netflow_port, config.ingestion.ipfix_port, config.ingestion.sflow_port],
  receiveBufferBytes: config.ingestion.receive_buffer_size,
  reusePort: config.ingestion.workers > 1,
  windowSeconds: config.aggregation.window_size_seconds,
  latenessSeconds: config.aggregation.lateness_seconds,
  flushIntervalSeconds: config.aggregation.flush_interval_seconds,
  declaredServices: declaredServices(config),
  templates: book.all(),
  announcements: book.announcements(),
  resume,
  exporters: { sampling: {}, blocked: [] }
})

/** The accounts as a service, and what the resolve actor tells them. */
export const makeFlows = Effect.fnUntraced(function* (
  boot: string,
  ledger: FlowLedger,
  workers: ReadonlyMap<string, FlowWorkerHandle>,
  uncleanStops: ReadonlyArray<UncleanStop>
) {
  const mapVersion = yield* SubscriptionRef.make(0)
  let window: WindowReading | undefined
  const written = Effect.fnUntraced(function* (slice: WindowSlice, result: WriteResult) {
    ledger.written(slice.worker, slice.records)
    workers.get(slice.worker)?.post({ type: "windows-accepted", sequences: [slice.sequence] })
    if (window === undefined || slice.windowStart >= window.start) {
      window = {
        start: slice.windowStart,
        seconds: slice.windowSeconds,
        final: slice.final,
        writtenAt: yield* Clock.currentTimeMillis
      }
    }
    if (result.edges > 0) yield* SubscriptionRef.update(mapVersion, (version) => version + 1)
  })
  const lost = (slice: WindowSlice) =>
    Effect.sync(() => {
      ledger.lostSlice(slice.worker, slice.records)
      workers.get(slice.worker)?.post({ type: "windows-accepted", sequences: [slice.sequence] })
    })
  const flows = Flows.of({
    boot,
    uncleanStops,
    totals: Effect.sync(ledger.totals),
    exporters: Effect.sync(ledger.exporters),
    listeners: Effect.sync(ledger.listeners),
    warnings: Effect.sync(ledger.warnings),
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
    mapVersion,
    tell: (message: ToFlowWorker) => Effect.sync(() => workers.forEach((worker) => worker.post(message)))
  })
  return { flows, written, lost }
})
