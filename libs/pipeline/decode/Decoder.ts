/**
 * The way into the decoders: one datagram in, rows of a flow batch and one outcome out. Synchronous, never throws, whatever the bytes.
 * One decoder per flow worker; it owns no socket and no clock.
 */

import type { Announcement, LearnedTemplate } from "#domain/LearnedTemplate.ts"
import { type DecodeOutcome, type MalformedReason, VERSION_UNKNOWN } from "./DecodeOutcome.ts"
import { type FlowBatch, MAX_DATAGRAM, makeFlowBatch, receivedAt, type SharedMemory } from "./FlowBatch.ts"
import { type HeldSets, makeHeldSets } from "./HeldSets.ts"
import type { InterfaceCounters } from "./interface-counters.ts"
import { makePositions } from "./interpret.ts"
import { readIpfix } from "./ipfix.ts"
import { makeTemplate5, readNetflow5 } from "./netflow-v5.ts"
import { readNetflow9 } from "./netflow-v9.ts"
import { complain, makeReading } from "./Reading.ts"
import type { RecordTrace } from "./record.ts"
import { makeSflowReader } from "./sflow.ts"
import type { TemplateCache } from "./TemplateCache.ts"
import { makeTemplateReader } from "./TemplateReader.ts"

export interface DecoderOptions {
  readonly templates: TemplateCache
  /** Called when the batch has no room for the next record. Must take the rows and set `batch.length` to 0. */
  readonly full: (batch: FlowBatch) => void
  /** Memory of the batch that most rows go to: templates in use become code for it. Without it every record is interpreted. */
  readonly shared?: SharedMemory | undefined
  /** Bounds of the buffer of data sets that wait for their template. Defaults: 1 MiB an exporter, 16 MiB and 8,192 sets in all. */
  readonly maxHeldBytesPerExporter?: number
  readonly maxHeldBytes?: number
  readonly maxHeldSets?: number
  /** A template was added or changed (not merely refreshed): persist it, tell the other workers. */
  readonly onTemplate?: (learned: LearnedTemplate) => void
  /** An exporter announced a sampling rate or its start, other than before: persist it, tell the other workers. */
  readonly onAnnouncement?: (announcement: Announcement) => void
  /** RFC 7011 §8.1; `id` 0: all templates of that kind in the domain. */
  readonly onWithdrawal?: (exporterAddress: string, domain: number, id: number, kind: "data" | "options") => void
  readonly onInterfaceCounters?: (counters: InterfaceCounters) => void
  /** Once a datagram that had something wrong, with the first complaint; `outcome.complaints` counts them. */
  readonly onMalformed?: (reason: MalformedReason, exporterAddress: string, outcome: DecodeOutcome) => void
  /** Of what is remembered of running totals; 32 bits, random unless said. Two decoders with one seed forget the same flows. */
  readonly seed?: number
  /** Shows every record to people, one at a time: slow, for `flowlens decode` and for evidence. */
  readonly trace?: RecordTrace
}

export interface Decoder {
  /**
   * Decodes one datagram (`length` octets of `datagram` from 0) and appends its flow records to `batch`.
   * `exporterIndex` goes into the `exporter` column; `exporterAddress` is the text form and names the templates' owner.
   * `place`: number of its place in `shared`, if it was received there; without it the octets are copied.
   */
  readonly decode: (
    datagram: Uint8Array,
    length: number,
    exporterIndex: number,
    exporterAddress: string,
    arrivalMs: number,
    batch: FlowBatch,
    place?: number
  ) => DecodeOutcome
  /**
   * Learns a template told by another worker or read from the store, and what its domain announced, and decodes what waited for it.
   * Returns records appended.
   */
  readonly adopt: (learned: LearnedTemplate, nowMs: number, batch: FlowBatch, said?: Announcement) => number
  /** Data sets that wait for a template. */
  readonly held: Pick<HeldSets, "sets" | "bytes" | "byExporter" | "expire" | "forget">
  /** Records seen with elements the decoder has no name for, most seen first; enterprise -1 is "all others". */
  readonly unknownElements: () => ReadonlyArray<{ readonly enterprise: number; readonly element: number; readonly records: number }>
}

const MIB = 1_048_576

export const makeDecoder = (options: DecoderOptions): Decoder => {
  const { onMalformed, templates, trace } = options
  const reading = makeReading(makeFlowBatch(1), options.full, options.shared, options.seed)
  const positions = makePositions()
  const held = makeHeldSets({
    bytesPerExporter: options.maxHeldBytesPerExporter ?? MIB,
    bytes: options.maxHeldBytes ?? 16 * MIB,
    sets: options.maxHeldSets ?? 8192
  })
  const reader = makeTemplateReader({
    reading,
    positions,
    templates,
    held,
    onTemplate: options.onTemplate,
    onAnnouncement: options.onAnnouncement,
    onWithdrawal: options.onWithdrawal,
    trace
  })
  const sflow = makeSflowReader({ reading, onInterfaceCounters: options.onInterfaceCounters, trace })
  const template5 = makeTemplate5()
  const { bytes, outcome, view } = reading

  const reset = (): void => {
    outcome.version = VERSION_UNKNOWN
    outcome.observationDomain = 0
    outcome.sequence = 0
    outcome.sequenceStep = -1
    outcome.exportMs = 0
    outcome.uptimeMs = 0
    outcome.records = 0
    outcome.denied = 0
    outcome.tunnelled = 0
    outcome.optionsRecords = 0
    outcome.templates = 0
    outcome.optionsTemplates = 0
    outcome.withdrawals = 0
    outcome.held = 0
    outcome.heldRefused = 0
    outcome.released = 0
    outcome.unknownSets = 0
    outcome.flowSamples = 0
    outcome.expandedFlowSamples = 0
    outcome.counterSamples = 0
    outcome.expandedCounterSamples = 0
    outcome.discardSamples = 0
    outcome.otherSamples = 0
    outcome.agent = ""
    outcome.malformed = ""
    outcome.complaints = 0
  }

  const enter = (exporterIndex: number, exporterAddress: string, arrivalMs: number, batch: FlowBatch): void => {
    reset()
    reading.exporterIndex = exporterIndex
    reading.exporterAddress = exporterAddress
    reading.arrivalMs = arrivalMs
    if (reading.batch !== batch) {
      reading.batch = batch
      reading.ipv6 = new DataView(batch.ipv6.buffer, batch.ipv6.byteOffset, batch.ipv6.byteLength)
    }
  }

  return {
    decode: (datagram, length, exporterIndex, exporterAddress, arrivalMs, batch, place = -1) => {
      enter(exporterIndex, exporterAddress, arrivalMs, batch)
      const have = Math.min(length, datagram.length, MAX_DATAGRAM)
      const start = place < 0 ? 0 : receivedAt(place)
      if (place < 0) bytes.set(have === datagram.length ? datagram : datagram.subarray(0, have))
      reading.start = start
      reading.end = start + have
      if (have < 4) complain(outcome, "short-header")
      else {
        switch (view.getUint16(start)) {
          case 9:
            readNetflow9(reader)
            break
          case 10:
            readIpfix(reader)
            break
          case 5:
            readNetflow5(reading, template5, positions, trace)
            break
          case 0:
            if (view.getUint32(start) === 5) sflow.read()
            else complain(outcome, "unknown-version")
            break
          default:
            complain(outcome, "unknown-version")
        }
        outcome.released = reader.release()
      }
      if (outcome.malformed !== "" && onMalformed !== undefined) onMalformed(outcome.malformed, exporterAddress, outcome)
      return outcome
    },
    adopt: (learned, nowMs, batch, said) => {
      enter(0, learned.exporter, nowMs, batch)
      outcome.version = learned.version === 9 ? 9 : 10
      reader.adopt(learned)
      if (said !== undefined) templates.learnAnnouncement(said)
      return reader.release()
    },
    held,
    unknownElements: templates.unknownElements.report
  }
}
