/**
 * Who sends flows to this worker, and how well it is heard. An exporter is an address and a protocol, never a UDP source port: it keeps
 * its identity over a restart. Its index stands in the batches' `exporter` column and never changes.
 *
 * Counters are plain numbers changed as datagrams come; readings are taken once a second.
 */
import type { ExporterProtocol, ExporterState } from "#domain/Exporter.ts"
import type { DecodeOutcome, MalformedReason } from "../decode/DecodeOutcome.ts"
import { followSequence, makeSequenceTrack, type SequenceTrack, type SequenceVerdict } from "./sequence.ts"

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
const RATE_SECONDS = 60

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
}

/** Where an earlier run stopped counting: what is sent meanwhile then shows as a gap, and is not forgotten. */
export interface ExporterResume {
  readonly address: string
  readonly protocol: ExporterProtocol
  /** ms since 1970 */
  readonly lastSeen: number
  readonly sequences: ReadonlyArray<readonly [domain: number, expected: number]>
}

interface Exporter {
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
  optionsRecords: number
  sampling: number
  skewMs: number
  blocked: number
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
    read: (nowMs, silentAfterMs, { held, templates, unknownElements }) =>
      all.map((exporter) => {
        const flows = exporter.protocol === "netflow9" || exporter.protocol === "ipfix"
        const heldSets = flows ? held.byExporter(exporter.address).sets : 0
        const span = Math.min(seconds, RATE_SECONDS)
        const before = seconds >= RATE_SECONDS ? exporter.history[seconds % RATE_SECONDS]! : 0
        return {
          address: exporter.address,
          protocol: exporter.protocol,
          state: nowMs - exporter.lastSeen > silentAfterMs ? "silent" : heldSets > 0 ? "waiting" : "heard",
          firstSeen: exporter.firstSeen,
          lastSeen: exporter.lastSeen,
          datagrams: exporter.datagrams,
          octets: exporter.octets,
          records: exporter.records,
          recordsPerSecond: span === 0 ? 0 : (exporter.records - before) / span,
          sequenceLost: exporter.sequenceLost,
          sequenceResets: exporter.sequenceResets,
          malformed: exporter.malformed,
          malformedReasons: Object.fromEntries(exporter.reasons),
          heldSets,
          heldDropped: exporter.heldDropped,
          templates: flows ? templates(exporter.address) : 0,
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
          clockSkewMs: Number.isNaN(exporter.skewMs) ? null : Math.round(exporter.skewMs),
          observationDomains: [...exporter.domains.keys()],
          sequences: [...exporter.domains].flatMap(([domain, { expected }]) => (expected < 0 ? [] : [[domain, expected] as const])),
          blocked: exporter.blocked
        }
      })
  }
}
