/**
 * Who sends flows to this worker, and how well it is heard. An exporter is an address and a protocol, never a UDP source port: it keeps
 * its identity over a restart. Its index stands in the batches' `exporter` column and never changes.
 *
 * Counters are plain numbers changed as datagrams come; readings are taken once a second.
 */
import type { ExporterProtocol } from "#domain/Exporter.ts"
import type { ExporterMeasures } from "#domain/ExporterMeasures.ts"
import type { Approval, SamplingOverride } from "#domain/ExporterPolicy.ts"
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
  /** An exporter lost its place to another: its index has another owner from now on. Not called for a forgotten one. */
  readonly evicted?: (address: string, protocol: ExporterProtocol, index: number) => void
}

/** An override where records say nothing, or whatever they say. */
export interface ExporterPolicyInForce {
  readonly address: string
  readonly protocol: ExporterProtocol
  readonly approval: Approval
  readonly sampling: SamplingOverride | null
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
  /** What people decided. An exporter that is not named is undecided. */
  readonly configure: (policies: ReadonlyArray<ExporterPolicyInForce>, requireApproval: boolean) => void
  /** Rate to write over what the exporter's records say; 0 none. */
  readonly replacedRate: (index: number) => number
  /** Its records are decoded, counted and not folded. */
  readonly withheld: (index: number) => boolean
  /** Starts anew should it send again. */
  readonly forget: (address: string, protocol: ExporterProtocol) => void
  readonly indicesOf: (address: string) => ReadonlyArray<number>
  /** Once a second: moves the rates on. */
  readonly tick: (nowMs: number) => void
  readonly read: (
    nowMs: number,
    silentAfterMs: number,
    decoder: DecoderView,
    measured?: (index: number, sequenceLost: number) => ExporterMeasures
  ) => ReadonlyArray<ExporterReading>
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
  let policies: ReadonlyMap<string, ExporterPolicyInForce> = new Map()
  let requireApproval = false
  let seconds = 0
  /** When each entry of the exporters' histories was taken. */
  const times = new Float64Array(RATE_SECONDS)
  /** Domains followed, of all exporters together. */
  let domains = 0
  /** In order of their first datagram; the first is the first to go. */
  const unproven = new Set<Exporter>()
  let searchedMs = Number.NEGATIVE_INFINITY
  const verdict: SequenceVerdict = { lost: 0, reset: false }

  const apply = (exporter: Exporter): void => {
    const policy = policies.get(`${exporter.protocol} ${exporter.address}`)
    const override = policy?.sampling ?? undefined
    sampling[exporter.index] = override?.rate ?? 0
    exporter.replacedRate = override?.mode === "replaces" ? override.rate : 0
    exporter.turnedAway = policy?.approval === "blocked"
    exporter.withholds = requireApproval && policy?.approval !== "approved"
  }

  const make = (address: string, protocol: ExporterProtocol, nowMs: number, index: number): Exporter => {
    if (index >= skewMs.length) {
      const wider = new Float64Array(skewMs.length * 2)
      wider.set(skewMs)
      skewMs = wider
      const rates = new Uint32Array(sampling.length * 2)
      rates.set(sampling)
      sampling = rates
    }
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
      sampling: 0,
      skewMs: Number.NaN,
      blocked: 0,
      withheld: 0,
      turnedAway: false,
      withholds: false,
      replacedRate: 0,
      forgotten: false,
      domains: new Map(),
      history: new Float64Array(RATE_SECONDS)
    }
    apply(exporter)
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
    if (!victim.forgotten) {
      byProtocol[victim.protocol].delete(victim.address)
      evicted?.(victim.address, victim.protocol, victim.index)
    }
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
      let known = byProtocol[protocol].get(address)
      if (known === undefined) {
        const index = all.length < limit ? all.length : evict(nowMs)
        if (index < 0) return -1
        known = make(address, protocol, nowMs, index)
      }
      if (known.turnedAway) {
        known.blocked++
        return -2
      }
      return known.index
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
      if (exporter.withholds) exporter.withheld += outcome.records + outcome.released
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
    configure: (inForce, approvalRequired) => {
      policies = new Map(inForce.map((one) => [`${one.protocol} ${one.address}`, one]))
      requireApproval = approvalRequired
      all.forEach(apply)
    },
    replacedRate: (index) => all[index]!.replacedRate,
    withheld: (index) => all[index]!.withholds,
    forget: (address, protocol) => {
      const known = byProtocol[protocol].get(address)
      earlier.delete(`${protocol} ${address}`)
      if (known === undefined) return
      byProtocol[protocol].delete(address)
      // open windows hold its index still: it is given away only when there is no room
      known.forgotten = true
      unproven.add(known)
    },
    indicesOf: (address) =>
      Object.values(byProtocol).flatMap((exporters) => {
        const known = exporters.get(address)
        return known === undefined ? [] : [known.index]
      }),
    tick: (nowMs) => {
      const place = seconds % RATE_SECONDS
      times[place] = nowMs
      for (const exporter of all) exporter.history[place] = exporter.records
      seconds++
    },
    read: (nowMs, silentAfterMs, decoder, measured) =>
      all
        .filter((exporter) => !exporter.forgotten)
        .map((exporter) => {
          const before = seconds >= RATE_SECONDS ? seconds % RATE_SECONDS : -1
          const beforeMs = before < 0 ? Number.NEGATIVE_INFINITY : times[before]!
          return readExporter(
            exporter,
            nowMs,
            silentAfterMs,
            before,
            beforeMs,
            decoder,
            measured?.(exporter.index, exporter.sequenceLost)
          )
        })
  }
}
