/** What is said of an exporter, once a second, and what it is said from. */
import type { ExporterProtocol, ExporterState } from "#domain/Exporter.ts"
import { type ExporterMeasures, noMeasures } from "#domain/ExporterMeasures.ts"
import type { MalformedReason } from "../decode/DecodeOutcome.ts"
import type { Share } from "./admission.ts"
import type { ClockTrack } from "./exporter-clock.ts"
import type { SequenceTrack } from "./sequence.ts"

/** Seconds over which a rate is taken. */
export const RATE_SECONDS = 60

/** Plain data: crosses the thread boundary. Counters are since the worker started. */
export interface ExporterReading {
  readonly address: string
  readonly protocol: ExporterProtocol
  readonly state: ExporterState
  /** ms since 1970 */
  readonly firstSeen: number
  readonly lastSeen: number
  readonly datagrams: number
  readonly octets: number
  readonly records: number
  readonly recordsPerSecond: number
  /** Datagrams (v9, sFlow) or records (v5, IPFIX) that did not arrive, by the exporter's own sequence numbers. */
  readonly sequenceLost: number
  readonly sequenceResets: number
  /** Complaints of the decoder, in all and by reason. */
  readonly malformed: number
  readonly malformedReasons: Readonly<Partial<Record<MalformedReason, number>>>
  readonly heldSets: number
  readonly heldDropped: number
  readonly templates: number
  /** Templates it sent that were new or had changed. */
  readonly templatesTaught: number
  /** Elements nobody here has a name for, "enterprise.element" → records. */
  readonly unknownElements: Readonly<Record<string, number>>
  /** Something it sent could be decoded. */
  readonly proven: boolean
  readonly optionsRecords: number
  readonly sampling: number
  readonly clockSkewMs: number | null
  readonly observationDomains: ReadonlyArray<number>
  /** The sequence number each domain's next datagram should have, for whoever goes on counting after this worker. */
  readonly sequences: ReadonlyArray<readonly [domain: number, expected: number]>
  /** Datagrams turned away because the operator blocked the exporter. */
  readonly blocked: number
  /** Flow records decoded and not folded, because it is not approved and must be. */
  readonly withheld: number
  /** Datagrams turned away because it sent more than its share, and that share now, datagrams a second; null: as many as it sends. */
  readonly overLimit: number
  readonly limit: number | null
  /** Flow records of traffic that was not let through, and those whose conversation was found inside a tunnel. */
  readonly denied: number
  readonly tunnelled: number
  /** Times its clock was set by more than a minute. */
  readonly clockJumps: number
  /** Flow records in no window: it holds as many conversations as it may; left out by sampling under pressure; its window was closed. */
  readonly recordsRefused: number
  readonly recordsLeftOut: number
  readonly recordsLate: number
  readonly measures: ExporterMeasures
}

/** What other stages know of an exporter, by its index. */
export interface StageView {
  readonly measured: (index: number, sequenceLost: number) => ExporterMeasures
  readonly unfolded: (index: number) => Pick<ExporterReading, "recordsRefused" | "recordsLeftOut" | "recordsLate">
}

/** Where an earlier run stopped counting: what is sent meanwhile then shows as a gap, and is not forgotten. */
export interface ExporterResume {
  readonly address: string
  readonly protocol: ExporterProtocol
  /** ms since 1970 */
  readonly lastSeen: number
  readonly sequences: ReadonlyArray<readonly [domain: number, expected: number]>
}

/** What the table keeps of one exporter. */
export interface Exporter {
  readonly index: number
  proven: boolean
  readonly address: string
  readonly protocol: ExporterProtocol
  readonly firstSeen: number
  lastSeen: number
  datagrams: number
  octets: number
  records: number
  sequenceLost: number
  sequenceResets: number
  malformed: number
  readonly reasons: Map<MalformedReason, number>
  heldDropped: number
  templatesTaught: number
  optionsRecords: number
  sampling: number
  readonly clock: ClockTrack
  /** When it was first and last heard, ms that no setting of our clock moves. */
  readonly madeMs: number
  heardMs: number
  readonly share: Share
  overLimit: number
  denied: number
  tunnelled: number
  blocked: number
  withheld: number
  /** People decided on it; blocked it; must approve it before its records are folded. */
  decided: boolean
  turnedAway: boolean
  withholds: boolean
  /** Written over the rate of its records; 0 none. */
  replacedRate: number
  /** Its place is kept for what open windows hold of it, and it is said no more. */
  forgotten: boolean
  readonly domains: Map<number, SequenceTrack>
  /** Records so far at each of the last seconds, oldest at `seconds % RATE_SECONDS`. */
  readonly history: Float64Array
}

export interface HeldSets {
  readonly byExporter: (address: string) => { readonly sets: number }
}

/** What the decoder knows of an exporter of NetFlow v9 or IPFIX. */
export interface DecoderView {
  readonly held: HeldSets
  readonly templates: (address: string) => number
  readonly unknownElements: (
    address: string,
    version: 9 | 10
  ) => ReadonlyArray<{ readonly enterprise: number; readonly element: number; readonly records: number }>
}

const nothingUnfolded = { recordsRefused: 0, recordsLeftOut: 0, recordsLate: 0 }

/**
 * One exporter as it is now. `before`: place in its history of the oldest reading, taken at `beforeMs`; -1 while the table is younger than
 * that. The rate is over the time that really passed: a busy machine ticks late. Times here are ms that no setting of our clock moves.
 */
export const readExporter = (
  exporter: Exporter,
  nowMs: number,
  silentAfterMs: number,
  before: number,
  beforeMs: number,
  { held, templates, unknownElements }: DecoderView,
  limit: number,
  { measured, unfolded }: Partial<StageView> = {}
): ExporterReading => {
  const flows = exporter.protocol === "netflow9" || exporter.protocol === "ipfix"
  const heldSets = flows ? held.byExporter(exporter.address).sets : 0
  const seconds = Math.max(1, (nowMs - Math.max(beforeMs, exporter.madeMs)) / 1000)
  const counted = before < 0 ? 0 : exporter.history[before]!
  return {
    address: exporter.address,
    protocol: exporter.protocol,
    state: nowMs - exporter.heardMs > silentAfterMs ? "silent" : heldSets > 0 ? "waiting" : "heard",
    firstSeen: exporter.firstSeen,
    lastSeen: exporter.lastSeen,
    datagrams: exporter.datagrams,
    octets: exporter.octets,
    records: exporter.records,
    recordsPerSecond: (exporter.records - counted) / seconds,
    sequenceLost: exporter.sequenceLost,
    sequenceResets: exporter.sequenceResets,
    malformed: exporter.malformed,
    malformedReasons: Object.fromEntries(exporter.reasons),
    heldSets,
    heldDropped: exporter.heldDropped,
    templates: flows ? templates(exporter.address) : 0,
    templatesTaught: exporter.templatesTaught,
    unknownElements: flows
      ? Object.fromEntries(
          unknownElements(exporter.address, exporter.protocol === "ipfix" ? 10 : 9).map((one) => [
            `${one.enterprise}.${one.element}`,
            one.records
          ])
        )
      : {},
    proven: exporter.proven,
    optionsRecords: exporter.optionsRecords,
    sampling: exporter.sampling,
    clockSkewMs: Number.isNaN(exporter.clock.skewMs) ? null : Math.round(exporter.clock.skewMs),
    observationDomains: [...exporter.domains.keys()],
    sequences: [...exporter.domains].flatMap(([domain, { expected }]) => (expected < 0 ? [] : [[domain, expected] as const])),
    blocked: exporter.blocked,
    withheld: exporter.withheld,
    overLimit: exporter.overLimit,
    limit: Number.isFinite(limit) ? Math.round(limit) : null,
    denied: exporter.denied,
    tunnelled: exporter.tunnelled,
    clockJumps: exporter.clock.jumps,
    ...(unfolded?.(exporter.index) ?? nothingUnfolded),
    measures: measured?.(exporter.index, exporter.sequenceLost) ?? noMeasures
  }
}
