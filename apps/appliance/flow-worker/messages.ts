/**
 * What the main thread and a flow worker say to each other. Plain data; a slice's columns travel by transfer. Types only, so that either
 * side can import it without weight.
 */
import type { ExporterProtocol } from "#domain/Exporter.ts"
import type { Announcement, LearnedTemplate } from "#domain/LearnedTemplate.ts"
import type { RawChunk } from "#domain/RawChunk.ts"
import type { WindowSlice } from "#domain/Window.ts"
import type { ActorEntry } from "#pipeline/actor/ActorEntry.ts"
import type { InterfaceCounters } from "#pipeline/decode/interface-counters.ts"
import type { TemplateCounters } from "#pipeline/decode/TemplateCache.ts"
import type { ExporterPolicyInForce } from "#pipeline/ingest/ExporterTable.ts"
import type { ExporterReading, ExporterResume } from "#pipeline/ingest/exporter-reading.ts"
import type { SequenceNotes } from "#pipeline/ingest/sequence-log.ts"
import type { ListenerReading } from "#pipeline/ingest/UdpListener.ts"
import type { WindowAccount } from "#pipeline/window/window.ts"

export interface FlowWorkerSettings {
  /** Process start (UUID) and worker (`worker-1`): with a number of its own they name each slice. */
  readonly boot: string
  readonly worker: string
  readonly bindAddress: string
  /** 0: any free port. */
  readonly ports: ReadonlyArray<number>
  readonly receiveBufferBytes: number
  /** Several workers share the ports. */
  readonly reusePort: boolean
  readonly windowSeconds: number
  readonly latenessSeconds: number
  readonly flushIntervalSeconds: number
  /** Conversations held in open windows; default 1,000,000. */
  readonly maxConversations?: number
  /** An exporter that says nothing for so long is silent; default 5 minutes. */
  readonly silentAfterMs?: number
  /** Kept one of so many while the store lags and the table fills up; default 10, 1 switches it off. */
  readonly samplingUnderPressure?: number
  /** Datagrams a second taken of one exporter; default 0: all. */
  readonly exporterMaxRate?: number
  /** Services the operator declared, which outrank every other port. */
  readonly declaredServices?: ReadonlyArray<{ readonly protocol: number; readonly port: number }>
  /** Number of the first slice, default 0: a later run of this worker goes on, for what was written is known by its number. */
  readonly firstSequence?: number
  /** Single flow records are sent, at most so many a second; absent: none. */
  readonly rawMaxRate?: number
  readonly templates: ReadonlyArray<LearnedTemplate>
  /** Sampling rates and start times announced in options data. */
  readonly announcements?: ReadonlyArray<Announcement>
  readonly exporters: ExporterSettings
  /** Exporters an earlier run followed. */
  readonly resume?: ReadonlyArray<ExporterResume>
}

export interface ExporterSettings {
  /** Records of exporters that nobody approved are decoded, counted and not folded. */
  readonly requireApproval: boolean
  readonly policies: ReadonlyArray<ExporterPolicyInForce>
}

/** A datagram as it came. `at`: µs since 1970, by the worker's clock. */
export interface CapturedDatagram {
  readonly at: number
  readonly from: string
  readonly fromPort: number
  readonly toPort: number
  readonly payload: Uint8Array
}

export type ToFlowWorker =
  | { readonly type: "start"; readonly settings: FlowWorkerSettings }
  /** The slices with these numbers are written or spooled: the worker may send as many more. */
  | { readonly type: "windows-accepted"; readonly sequences: ReadonlyArray<number> }
  /** Send what the open windows hold now. */
  | { readonly type: "flush" }
  | { readonly type: "exporters"; readonly exporters: ExporterSettings }
  /** Whatever it says from now on is of a new exporter. */
  | { readonly type: "forget-exporter"; readonly address: string; readonly protocol: ExporterProtocol }
  /**
   * Tell the last datagrams of this exporter that are in memory, and take a copy of each of the next, until there are so many or `untilMs`;
   * the malformed and the refused ones too.
   */
  | {
      readonly type: "capture"
      readonly capture: string
      readonly address: string
      readonly protocol: ExporterProtocol
      readonly last: number
      readonly next: number
      readonly untilMs: number
    }
  | { readonly type: "capture-end"; readonly capture: string }
  /** Templates another worker learned, and what it heard announced. */
  | {
      readonly type: "adopt"
      readonly templates: ReadonlyArray<LearnedTemplate>
      readonly announcements: ReadonlyArray<Announcement>
    }
  /** Say a report now, not only at the next second. */
  | { readonly type: "report" }
  /** For tests of recovery: the part fails as if by a bug. `part`: `udp:2055`, `decode` or `window`. */
  | { readonly type: "fail"; readonly part: string }
  /** Close the sockets, send everything, then `stopped`. */
  | { readonly type: "stop" }

/** Totals since the worker started. datagrams = decoded + malformed + refused + failed. */
export interface DatagramAccount {
  readonly datagrams: number
  readonly octets: number
  readonly decoded: number
  /** Nothing in it could be used. */
  readonly malformed: number
  readonly refused: number
  readonly refusedBlocked: number
  readonly refusedExporters: number
  /** Of exporters that sent more than their share. */
  readonly refusedOverLimit: number
  /** Lost to an exception in the decoder, which then was started again. */
  readonly failed: number
  /** Dropped by the kernel before they could be read; not part of `datagrams`. */
  readonly kernelDropped: number
  /** Records decoded, and those lost to an exception while they were folded: decoded = window.records + recordsFailed. */
  readonly records: number
  readonly recordsFailed: number
  /** Flushes that had to wait because the store had not accepted two slices yet. */
  readonly flushesHeldBack: number
}

export interface UnknownElement {
  readonly enterprise: number
  readonly element: number
  readonly records: number
}

export interface FlowWorkerReport {
  /** ms since 1970 */
  readonly at: number
  readonly worker: string
  readonly exporters: ReadonlyArray<ExporterReading>
  readonly listeners: ReadonlyArray<ListenerReading>
  readonly actors: ReadonlyArray<ActorEntry>
  readonly datagrams: DatagramAccount
  readonly windows: WindowAccount & {
    readonly open: number
    readonly conversations: number
    readonly bytesHeld: number
    readonly slicesInFlight: number
    /** 1: every record is kept. */
    readonly pressureSampling: number
  }
  readonly templates: Pick<TemplateCounters, "learned" | "evicted" | "crowdedOut" | "expired"> & { readonly size: number }
  /** Times this machine's clock was set while the worker ran, and what by the last time, ms. */
  readonly clock: { readonly steps: number; readonly lastStepMs: number }
  readonly unknownElements: ReadonlyArray<UnknownElement>
  readonly busyRatio: number
}

/** A condition people should know of; while it lasts it stands in every report's `warnings`. */
export interface FlowWarning {
  /** Stable; docs/troubleshoot.md has a section of that name. */
  readonly code:
    | "listener-down"
    | "receive-buffer"
    | "datagrams-singly"
    | "kernel-drops"
    | "store-lags"
    | "conversations-full"
    | "exporters-full"
    | "exporter-over-limit"
    | "template-flood"
    | "templates-full"
    | "own-clock-set"
  readonly detail: string
  readonly subject: string
}

/** RFC 7011 §8.1: one template, or with id 0 all of that kind in the domain. */
export interface Withdrawal {
  readonly exporter: string
  readonly domain: number
  readonly id: number
  readonly kind: LearnedTemplate["kind"]
}

export type FromFlowWorker =
  /** The first state of every listener: bound, or failed and tried again. */
  | { readonly type: "ready"; readonly listeners: ReadonlyArray<ListenerReading> }
  | { readonly type: "slice"; readonly slice: WindowSlice }
  /** Single flow records, where they are kept; `leftOut`: so many more came since the last chunk than are allowed in a second. */
  | { readonly type: "raw"; readonly chunk: RawChunk; readonly leftOut: number }
  /** Added or changed since the last message, and withdrawn. */
  | {
      readonly type: "templates"
      readonly learned: ReadonlyArray<LearnedTemplate>
      readonly withdrawn: ReadonlyArray<Withdrawal>
      readonly announced: ReadonlyArray<Announcement>
    }
  /** Interface counters of sFlow, at most once a second. */
  | { readonly type: "interfaces"; readonly counters: ReadonlyArray<InterfaceCounters> }
  /** Where workers share their ports: sequence numbers since the last message, once a second and at the end. */
  | { readonly type: "sequences"; readonly notes: SequenceNotes }
  /** Once the last ones, also when there are none; the next ones once a second or when there are many. */
  | {
      readonly type: "captured"
      readonly capture: string
      readonly which: "last" | "next"
      readonly datagrams: ReadonlyArray<CapturedDatagram>
    }
  /** Once a second. */
  | { readonly type: "report"; readonly report: FlowWorkerReport; readonly warnings: ReadonlyArray<FlowWarning> }
  /** Everything was sent; the thread ends. */
  | { readonly type: "stopped"; readonly report: FlowWorkerReport }
