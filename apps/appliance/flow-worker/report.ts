/** The worker's figures as one report: what the health page, `/metrics` and the exporters page show of it. */
import { performance } from "node:perf_hooks"
import type { ExporterMeasures } from "#domain/ExporterMeasures.ts"
import type { ActorEntry } from "#pipeline/actor/ActorEntry.ts"
import type { Decoder } from "#pipeline/decode/Decoder.ts"
import type { TemplateCache } from "#pipeline/decode/TemplateCache.ts"
import type { ExporterTable } from "#pipeline/ingest/ExporterTable.ts"
import type { ListenerReading } from "#pipeline/ingest/UdpListener.ts"
import type { Windows } from "#pipeline/window/window.ts"
import type { FlowWorkerReport, FlowWorkerSettings } from "./messages.ts"
import type { OwnClock } from "./own-clock.ts"
import type { Part } from "./part.ts"

/** Slices that may wait for the store; further conversations stay merged in the open windows. */
export const MOST_IN_FLIGHT = 2

/** Counters of the worker, changed where the thing they count happens. */
export interface Tally {
  datagrams: number
  octets: number
  decoded: number
  malformed: number
  refusedBlocked: number
  refusedExporters: number
  refusedOverLimit: number
  failed: number
  records: number
  recordsFailed: number
  flushesHeldBack: number
  slicesSent: number
  heldExpired: number
  /** One record of so many is kept. */
  pressure: number
}

export const newTally = (): Tally => ({
  datagrams: 0,
  octets: 0,
  decoded: 0,
  malformed: 0,
  refusedBlocked: 0,
  refusedExporters: 0,
  refusedOverLimit: 0,
  failed: 0,
  records: 0,
  recordsFailed: 0,
  flushesHeldBack: 0,
  slicesSent: 0,
  heldExpired: 0,
  pressure: 1
})

export interface Reported {
  readonly at: number
  readonly settings: FlowWorkerSettings
  readonly parts: { readonly whole: Part; readonly decoding: Part; readonly windowing: Part }
  readonly tally: Tally
  readonly clock: OwnClock
  readonly inFlight: number
  readonly listeners: ReadonlyArray<ListenerReading>
  readonly exporters: ExporterTable
  readonly measured: (index: number, sequenceLost: number) => ExporterMeasures
  readonly windows: Windows
  readonly templates: TemplateCache
  readonly decoder: Decoder
}

let busySince = performance.eventLoopUtilization()

/** Share of the time since the last call in which the thread was busy. */
const busyRatio = (): number => {
  const now = performance.eventLoopUtilization()
  const { utilization } = performance.eventLoopUtilization(now, busySince)
  busySince = now
  return utilization
}

const listenerEntry = (path: string, reading: ListenerReading): ActorEntry => ({
  path: `${path}/udp:${reading.port}`,
  state: reading.state,
  since: reading.since,
  restarts: reading.restarts,
  lastError: reading.lastError === null ? null : { message: reading.lastError.message, at: reading.lastError.at },
  // Its mailbox is the kernel's buffer, measured in octets (UdpListener.ts).
  mailbox: null,
  gauges: {
    datagrams: reading.datagrams,
    octets: reading.octets,
    bufferGranted: reading.bufferGranted,
    kernelQueued: reading.kernelQueued,
    kernelDropped: reading.kernelDropped,
    batches: reading.batches ? 1 : 0
  },
  remote: true,
  restartable: false
})

export const reportOf = (from: Reported): FlowWorkerReport => {
  const { at, decoder, exporters, inFlight, listeners, parts, settings, tally, templates, windows } = from
  const path = `flow/${settings.worker}`
  const account = windows.account()
  const conversations = windows.conversations()
  const refused = tally.refusedBlocked + tally.refusedExporters + tally.refusedOverLimit
  const recordsFailed = tally.recordsFailed + account.failed
  const kernelDropped = listeners.reduce((sum, reading) => sum + reading.kernelDropped, 0)
  return {
    at,
    worker: settings.worker,
    exporters: exporters.read(
      at,
      settings.silentAfterMs ?? 300_000,
      {
        held: decoder.held,
        templates: templates.countByExporter,
        unknownElements: templates.unknownElements.ofExporter
      },
      { measured: from.measured, unfolded: windows.unfolded }
    ),
    listeners,
    actors: [
      parts.whole.entry({ datagrams: tally.datagrams, records: tally.records, exporters: exporters.size() }),
      ...listeners.map((reading) => listenerEntry(path, reading)),
      parts.decoding.entry({
        decoded: tally.decoded,
        malformed: tally.malformed,
        refused,
        failed: tally.failed,
        records: tally.records,
        templates: templates.size,
        heldSets: decoder.held.sets,
        heldExpired: tally.heldExpired
      }),
      parts.windowing.entry(
        {
          records: account.records,
          folded: account.folded,
          repeated: account.repeated,
          late: account.late,
          split: account.split,
          moved: account.moved,
          refusedParts: account.refusedParts,
          refused: account.refusedConversations + account.refusedNoAddress,
          failed: recordsFailed,
          conversations,
          openWindows: windows.openWindows(),
          pressureSampling: tally.pressure
        },
        {
          name: "closed windows",
          policy: "wait",
          capacity: MOST_IN_FLIGHT,
          depth: inFlight,
          offered: tally.slicesSent,
          taken: tally.slicesSent - inFlight,
          refused: 0
        }
      )
    ],
    datagrams: {
      datagrams: tally.datagrams,
      octets: tally.octets,
      decoded: tally.decoded,
      malformed: tally.malformed,
      refused,
      refusedBlocked: tally.refusedBlocked,
      refusedExporters: tally.refusedExporters,
      refusedOverLimit: tally.refusedOverLimit,
      failed: tally.failed,
      kernelDropped,
      records: tally.records,
      recordsFailed,
      flushesHeldBack: tally.flushesHeldBack
    },
    windows: {
      ...account,
      open: windows.openWindows(),
      conversations,
      bytesHeld: windows.bytesHeld(),
      slicesInFlight: inFlight,
      pressureSampling: tally.pressure
    },
    templates: {
      size: templates.size,
      learned: templates.counters.learned,
      evicted: templates.counters.evicted,
      crowdedOut: templates.counters.crowdedOut,
      expired: templates.counters.expired
    },
    clock: { steps: from.clock.steps(), lastStepMs: from.clock.lastStepMs() },
    unknownElements: decoder.unknownElements(),
    busyRatio: busyRatio()
  }
}
