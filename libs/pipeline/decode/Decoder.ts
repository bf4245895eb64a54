/**
 * The way into the decoders: one datagram in, rows of a flow batch and one outcome out. Synchronous, never throws.
 * One decoder per flow worker; it owns no socket and no clock.
 */
import type { DecodeOutcome, MalformedReason } from "./DecodeOutcome.ts"
import type { FlowBatch } from "./FlowBatch.ts"
import type { LearnedTemplate, TemplateCache } from "./TemplateCache.ts"

/** One sFlow generic interface counters record (format 1). Reused: copy what is to be kept. */
export interface InterfaceCounters {
  exporterIndex: number
  exporterAddress: string
  /** sFlow agent's address and sub-agent, which name the switch whatever address the datagram came from. */
  agent: string
  subAgent: number
  arrivalMs: number
  ifIndex: number
  ifType: number
  ifSpeed: number
  /** 0 unknown, 1 full, 2 half, 3 in, 4 out. */
  ifDirection: number
  /** Bit 0 admin up, bit 1 operational up. */
  ifStatus: number
  inOctets: number
  inUnicast: number
  inMulticast: number
  inBroadcast: number
  inDiscards: number
  inErrors: number
  inUnknownProtocols: number
  outOctets: number
  outUnicast: number
  outMulticast: number
  outBroadcast: number
  outDiscards: number
  outErrors: number
  promiscuous: number
}

export interface DecoderOptions {
  readonly templates: TemplateCache
  /** Called when the batch has no room for the next record. Must take the rows and set `batch.length` to 0. */
  readonly full: (batch: FlowBatch) => void
  /** Bounds of the buffer of data sets that wait for their template. Defaults: 1 MiB an exporter, 16 MiB in all, 4,096 sets in all. */
  readonly maxHeldBytesPerExporter?: number
  readonly maxHeldBytes?: number
  readonly maxHeldSets?: number
  /** A template was added or changed (not merely refreshed): persist it, tell the other workers. */
  readonly onTemplate?: (learned: LearnedTemplate) => void
  /** `id` 0 with kind: all templates of that kind in the domain (RFC 7011 §8.1). */
  readonly onWithdrawal?: (exporterAddress: string, domain: number, id: number) => void
  readonly onInterfaceCounters?: (counters: InterfaceCounters) => void
  readonly onMalformed?: (reason: MalformedReason, exporterAddress: string, outcome: DecodeOutcome) => void
}

export interface Decoder {
  /**
   * Decodes one datagram (`length` bytes of `datagram` from 0) and appends its flow records to `batch`.
   * `exporterIndex` goes into the `exporter` column; `exporterAddress` is the text form and names the templates' owner.
   */
  readonly decode: (
    datagram: Uint8Array,
    length: number,
    exporterIndex: number,
    exporterAddress: string,
    arrivalMs: number,
    batch: FlowBatch
  ) => DecodeOutcome
  /** Learns a template told by another worker or read from the store and decodes what waited for it. Returns records appended. */
  readonly adopt: (learned: LearnedTemplate, nowMs: number, batch: FlowBatch) => number
  /** Data sets waiting for a template. */
  readonly held: {
    readonly sets: number
    readonly bytes: number
    readonly byExporter: (exporterAddress: string) => { readonly sets: number; readonly bytes: number }
    /** Drops what has waited longer than `maxAgeMs`; returns how many sets were given up. */
    readonly expire: (nowMs: number, maxAgeMs: number) => number
  }
  /** Records seen with elements the decoder has no name for, by enterprise and id; bounded, the rest is counted under `other`. */
  readonly unknownElements: () => ReadonlyArray<{ readonly enterprise: number; readonly element: number; readonly records: number }>
}

export declare const makeDecoder: (options: DecoderOptions) => Decoder
