/**
 * Who sends flows to this worker, and how well it is heard. An exporter is an address and a protocol, never a UDP source port: it keeps
 * its identity over a restart. Its index stands in the batches' `exporter` column and never changes.
 *
 * Counters are plain numbers changed as datagrams come; readings are taken once a second.
 */
import type { ExporterProtocol } from "#domain/Exporter.ts"
import type { DecodeOutcome, MalformedReason } from "../decode/DecodeOutcome.ts"
import {
  type DecoderView,
  type Exporter,
  type ExporterReading,
  type ExporterResume,
  RATE_SECONDS,
  readExporter
} from "./exporter-reading.ts"
import { followSequence, makeSequenceTrack, type SequenceVerdict } from "./sequence.ts"

/**
 * Exporters one worker keeps. An address is easily invented, so when there is no room those go first that never sent anything that could be
 * decoded, then those silent for a day; datagrams of further ones are refused and counted.
 */
export const MAX_EXPORTERS = 4096
const SILENT_LONG_MS = 24 * 3600_000
/** How often the table is searched for silent ones while strangers knock. */
const SEARCH_EVERY_MS = 1000
/** Observation domains of one exporter whose sequence numbers are followed. */
const MAX_DOMAINS = 1024
/** And of all together beyond a few each: every one is told each second and stored, and whoever invents datagrams invents domains. */
const MAX_DOMAINS_IN_ALL = 16_384
const FEW_DOMAINS = 4
/** A clock that is off by more than it was by this much was set, or another capture is replayed: start anew. */
const SKEW_JUMP_MS = 60_000
const SKEW_SMOOTHING = 1 / 16

export interface ExporterTableOptions {
  readonly limit?: number
  readonly resume?: ReadonlyArray<ExporterResume>
  /** An exporter lost its place to another: its index has another owner from now on. */
  readonly evicted?: (address: string, protocol: ExporterProtocol) => void
}

export interface ExporterTable {
  /** Index of the exporter, made on first sight; -1 when the table is full; -2 when it is blocked. */
  readonly find: (address: string, protocol: ExporterProtocol, nowMs: number) => number
  /**
   * Takes the export time of a header (0: none) before its records are decoded. Calls `jumped` first when the exporter's clock was set:
   * what was decoded by the old clock must be folded by it.
   */
  readonly clock: (index: number, exportMs: number, arrivalMs: number, jumped: () => void) => void
  /** Takes what the decoder saw of a datagram. */
  readonly heard: (index: number, outcome: DecodeOutcome, octets: number, arrivalMs: number) => void
  readonly malformed: (index: number, reason: MalformedReason) => void
  /** Largest rate seen in flow records of this exporter. */
  readonly sampled: (index: number, rate: number) => void
  readonly address: (index: number) => string
  readonly size: () => number
  /** Columns the window stage reads; they are replaced when the table grows. */
  readonly columns: () => { readonly skewMs: Float64Array; readonly sampling: Uint32Array }
  /** Rates to apply where records say nothing, and addresses to turn away. */
  readonly configure: (overrides: ReadonlyMap<string, number>, blocked: ReadonlySet<string>) => void
  /** Once a second: moves the rates on. */
  readonly tick: () => void
  readonly read: (nowMs: number, silentAfterMs: number, decoder: DecoderView) => ReadonlyArray<ExporterReading>
}

/** Sets that wait for a template do not count: nobody knows whether they are what they say. */
const decodable = (outcome: DecodeOutcome): boolean =>
  outcome.records +
    outcome.released +
    outcome.optionsRecords +
    outcome.templates +
    outcome.optionsTemplates +
    outcome.flowSamples +
    outcome.counterSamples +
    outcome.discardSamples +
    outcome.otherSamples >
  0

export const makeExporterTable = (options: ExporterTableOptions = {}): ExporterTable => {
  const { limit = MAX_EXPORTERS, resume = [], evicted } = options
  const earlier = new Map(resume.map((one) => [`${one.protocol} ${one.address}`, one]))
  const byProtocol: Record<ExporterProtocol, Map<string, Exporter>> = {
    netflow5: new Map(),
    netflow9: new Map(),
    ipfix: new Map(),
    sflow5: new Map()
  }
  const all: Array<Exporter> = []
  let skewMs = new Float64Array(16)
  let sampling = new Uint32Array(16)
  let overrides: ReadonlyMap<string, number> = new Map()
  let blocked: ReadonlySet<string> = new Set()
  let seconds = 0
  /** Domains followed, of all exporters together. */
  let domains = 0
  /** In order of their first datagram; the first is the first to go. */
  const unproven = new Set<Exporter>()
  let searchedMs = Number.NEGATIVE_INFINITY
  const verdict: SequenceVerdict = { lost: 0, reset: false }

  const make = (address: string, protocol: ExporterProtocol, nowMs: number, index: number): Exporter => {
    if (index >= skewMs.length) {
      const wider = new Float64Array(skewMs.length * 2)
      wider.set(skewMs)
      skewMs = wider
      const rates = new Uint32Array(sampling.length * 2)
      rates.set(sampling)
      sampling = rates
    }
    sampling[index] = overrides.get(address) ?? 0
    skewMs[index] = 0
    const exporter: Exporter = {
      index,
      proven: false,
      address,
      protocol,
      firstSeen: nowMs,
      lastSeen: nowMs,
      datagrams: 0,
      octets: 0,
      records: 0,
      sequenceLost: 0,
      sequenceResets: 0,
      malformed: 0,
      reasons: new Map(),
      heldDropped: 0,
      optionsRecords: 0,
      sampling: sampling[index]!,
      skewMs: Number.NaN,
      blocked: 0,
      domains: new Map(),
      history: new Float64Array(RATE_SECONDS)
    }
    const before = earlier.get(`${protocol} ${address}`)
    for (const [domain, expected] of before?.sequences ?? []) {
      domains++
      exporter.domains.set(domain, { ...makeSequenceTrack(), expected, lastMs: before!.lastSeen })
    }
    all[index] = exporter
    unproven.add(exporter)
    byProtocol[protocol].set(address, exporter)
    return exporter
  }

  /** Index of an exporter that gives up its place, or -1. Of the silent ones the window stage holds nothing any more. */
  const evict = (nowMs: number): number => {
    let [victim] = unproven
    if (victim === undefined && nowMs - searchedMs >= SEARCH_EVERY_MS) {
      searchedMs = nowMs
      const silent = all.filter((one) => nowMs - one.lastSeen > SILENT_LONG_MS)
      victim = silent.reduce<Exporter | undefined>((a, b) => (a === undefined || b.lastSeen < a.lastSeen ? b : a), undefined)
      // more than one may have to go: look again at the next stranger
      if (silent.length > 1) searchedMs = Number.NEGATIVE_INFINITY
    }
    if (victim === undefined) return -1
    unproven.delete(victim)
    domains -= victim.domains.size
    byProtocol[victim.protocol].delete(victim.address)
    evicted?.(victim.address, victim.protocol)
    return victim.index
  }

  const follow = (exporter: Exporter, outcome: DecodeOutcome, arrivalMs: number): void => {
    let track = exporter.domains.get(outcome.observationDomain)
    if (track === undefined) {
      const { size } = exporter.domains
      if (size >= MAX_DOMAINS || (size >= FEW_DOMAINS && domains >= MAX_DOMAINS_IN_ALL)) return
      domains++
      track = makeSequenceTrack()
      exporter.domains.set(outcome.observationDomain, track)
    }
    const { protocol } = exporter
    const counts = protocol === "netflow9" || protocol === "sflow5" ? "datagrams" : "records"
    // What the number would move by if this exporter counts in the unit its protocol does not say.
    const sure = protocol === "netflow9" && outcome.unknownSets + outcome.optionsRecords + outcome.complaints === 0
    const otherStep = counts === "records" ? 1 : sure ? outcome.records : -1
    followSequence(track, outcome.sequence, outcome.sequenceStep, counts, outcome.uptimeMs, arrivalMs, verdict, otherStep)
    exporter.sequenceLost = Math.max(0, exporter.sequenceLost + verdict.lost)
    if (verdict.reset) exporter.sequenceResets++
  }

  return {
    find: (address, protocol, nowMs) => {
      const known = byProtocol[protocol].get(address)
      if (blocked.size > 0 && blocked.has(address)) {
        if (known !== undefined) known.blocked++
        return -2
      }
      if (known !== undefined) return known.index
      const index = all.length < limit ? all.length : evict(nowMs)
      return index < 0 ? -1 : make(address, protocol, nowMs, index).index
    },
    clock: (index, exportMs, arrivalMs, jumped) => {
      if (exportMs === 0) return
      const exporter = all[index]!
      const sample = arrivalMs - exportMs
      const off = sample - exporter.skewMs
      if (off >= -SKEW_JUMP_MS && off <= SKEW_JUMP_MS) {
        exporter.skewMs += off * SKEW_SMOOTHING
      } else {
        if (!Number.isNaN(exporter.skewMs)) jumped()
        exporter.skewMs = sample
      }
      skewMs[index] = Math.round(exporter.skewMs)
    },
    heard: (index, outcome, octets, arrivalMs) => {
      const exporter = all[index]!
      exporter.datagrams++
      exporter.octets += octets
      exporter.lastSeen = arrivalMs
      if (!exporter.proven && decodable(outcome)) {
        exporter.proven = true
        unproven.delete(exporter)
      }
      exporter.records += outcome.records + outcome.released
      exporter.optionsRecords += outcome.optionsRecords
      exporter.heldDropped += outcome.heldRefused
      if (outcome.version !== 0 && outcome.malformed !== "short-header") follow(exporter, outcome, arrivalMs)
    },
    malformed: (index, reason) => {
      const exporter = all[index]!
      exporter.malformed++
      exporter.reasons.set(reason, (exporter.reasons.get(reason) ?? 0) + 1)
    },
    sampled: (index, rate) => {
      const exporter = all[index]!
      if (rate > exporter.sampling) exporter.sampling = rate
    },
    address: (index) => all[index]!.address,
    size: () => all.length,
    columns: () => ({ skewMs, sampling }),
    configure: (rates, turnedAway) => {
      overrides = rates
      blocked = turnedAway
      for (const exporter of all) {
        const rate = overrides.get(exporter.address) ?? 0
        sampling[exporter.index] = rate
        if (rate > exporter.sampling) exporter.sampling = rate
      }
    },
    tick: () => {
      for (const exporter of all) exporter.history[seconds % RATE_SECONDS] = exporter.records
      seconds++
    },
    read: (nowMs, silentAfterMs, decoder) => all.map((exporter) => readExporter(exporter, nowMs, silentAfterMs, seconds, decoder))
  }
}
