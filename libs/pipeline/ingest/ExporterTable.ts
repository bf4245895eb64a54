/**
 * Who sends flows to this worker, and how well it is heard. An exporter is an address and a protocol, never a UDP source port: it keeps
 * its identity over a restart. Its index stands in the batches' `exporter` column and never changes.
 *
 * Counters are plain numbers changed as datagrams come; readings are taken once a second.
 */
import type { ExporterProtocol } from "#domain/Exporter.ts"
import type { Approval, SamplingOverride } from "#domain/ExporterPolicy.ts"
import type { SliceExporter } from "#domain/Window.ts"
import { type DecodeOutcome, decodable, type MalformedReason } from "../decode/DecodeOutcome.ts"
import { makeAdmission, makeShare } from "./admission.ts"
import { makeClockTrack, shiftClock, takeSample } from "./exporter-clock.ts"
import {
  type DecoderView,
  type Exporter,
  type ExporterReading,
  type ExporterResume,
  RATE_SECONDS,
  readExporter,
  type StageView
} from "./exporter-reading.ts"
import { makeObservationDomains, otherStepOf } from "./observation-domains.ts"
import { makePlaces } from "./Places.ts"
import type { SequenceLog, SequenceNotes } from "./sequence-log.ts"

/** Exporters one worker keeps; when they are as many, Places.ts says whose datagrams are refused and who has to leave. */
export const MAX_EXPORTERS = 4096
/** Rows decoded by the old measure of a clock are folded by it when it changes by more than this. */
const CLOCK_MOVED_MS = 1000

export interface ExporterTableOptions {
  readonly limit?: number
  readonly resume?: ReadonlyArray<ExporterResume>
  /** Sequence numbers are judged by somebody who hears other workers, too. */
  readonly sequences?: SequenceLog
  /** Datagrams a second taken of one exporter; 0, the default: all. */
  readonly maxRate?: number
  /** Keeps senders from choosing addresses that are taken for one another. */
  readonly seed?: number
  /** An exporter was forgotten or lost its place to another: whatever comes with its index is another's. */
  readonly left?: (address: string, index: number) => void
}

/** An override where records say nothing, or whatever they say. */
export interface ExporterPolicyInForce {
  readonly address: string
  readonly protocol: ExporterProtocol
  readonly approval: Approval
  readonly sampling: SamplingOverride | null
}

export interface ExporterTable {
  /** Index of the exporter, made on first sight or, in a full table, on second; -1 when it is refused; -2 when it is blocked. */
  readonly find: (address: string, protocol: ExporterProtocol, nowMs: number) => number
  /**
   * Takes the export time of a header (0: none) before its records are decoded. Calls `moved` first when the exporter's clock is off by
   * another amount than before: what was decoded by the old one must be folded by it.
   */
  readonly clock: (index: number, exportMs: number, arrivalMs: number, moved: () => void) => void
  /** Whether the exporter has not sent more than its share (admission.ts); counted when it has. */
  readonly admit: (index: number, nowMs: number) => boolean
  /** Once a second: whether the kernel dropped datagrams since the last call. */
  readonly balance: (dropping: boolean, nowMs: number) => void
  /** Our own clock was set by so much; `nowMs` and `arrivalMs` are by the new one from now on. */
  readonly stepped: (byMs: number) => void
  /** Takes what the decoder saw of a datagram. */
  readonly heard: (index: number, outcome: DecodeOutcome, octets: number, arrivalMs: number) => void
  /** Records that had waited for a template which somebody else brought. */
  readonly released: (index: number, records: number, nowMs: number) => void
  readonly malformed: (index: number, reason: MalformedReason) => void
  /** A template that was not known before. */
  readonly taught: (index: number) => void
  /** Largest rate seen in flow records of this exporter. */
  readonly sampled: (index: number, rate: number) => void
  readonly address: (index: number) => string
  readonly named: (index: number) => SliceExporter
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
  /** Open windows hold nothing of what was folded so far: an index may have another owner. */
  readonly windowsEmptied: (nowMs: number) => void
  readonly indexOf: (address: string, protocol: ExporterProtocol) => number | undefined
  /** Sequence numbers since the last call, for their judge; undefined where this table judges itself. */
  readonly takeSequences: (nowMs: number) => SequenceNotes | undefined
  /** Once a second: moves the rates on. */
  readonly tick: (nowMs: number) => void
  readonly read: (nowMs: number, silentAfterMs: number, decoder: DecoderView, stages?: StageView) => ReadonlyArray<ExporterReading>
}

const countRecords = (exporter: Exporter, records: number): void => {
  exporter.records += records
  if (exporter.withholds) exporter.withheld += records
}

export const makeExporterTable = (options: ExporterTableOptions = {}): ExporterTable => {
  const { limit = MAX_EXPORTERS, maxRate = 0, resume = [], left, seed = 0, sequences } = options
  const places = makePlaces<Exporter>(limit, seed)
  const admission = makeAdmission(maxRate)
  const observed = makeObservationDomains()
  const header = { sequence: 0, step: 0, otherStep: 0, uptimeMs: 0 }
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
  /** Of the last datagram: most come after another of the same exporter. */
  let last: Exporter | undefined
  let policies: ReadonlyMap<string, ExporterPolicyInForce> = new Map()
  let requireApproval = false
  let seconds = 0
  /** When each entry of the exporters' histories was taken. */
  const times = new Float64Array(RATE_SECONDS)
  /** What our clock was set by so far: without it, time only moves forward. */
  let stepsMs = 0
  const steady = (nowMs: number): number => nowMs - stepsMs

  const apply = (exporter: Exporter): void => {
    const policy = policies.get(`${exporter.protocol} ${exporter.address}`)
    const override = policy?.sampling ?? undefined
    sampling[exporter.index] = override?.rate ?? 0
    exporter.replacedRate = override?.mode === "replaces" ? override.rate : 0
    exporter.decided = policy !== undefined
    if (exporter.decided || exporter.proven) places.stays(exporter)
    else places.unproven(exporter)
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
      templatesTaught: 0,
      optionsRecords: 0,
      sampling: 0,
      clock: makeClockTrack(),
      madeMs: steady(nowMs),
      heardMs: steady(nowMs),
      share: makeShare(),
      overLimit: 0,
      denied: 0,
      tunnelled: 0,
      blocked: 0,
      withheld: 0,
      decided: false,
      turnedAway: false,
      withholds: false,
      replacedRate: 0,
      forgotten: false,
      domains: new Map(),
      history: new Float64Array(RATE_SECONDS)
    }
    apply(exporter)
    const before = earlier.get(`${protocol} ${address}`)
    if (before !== undefined && sequences === undefined) observed.resume(exporter, before.sequences, steady(before.lastSeen))
    all[index] = exporter
    byProtocol[protocol].set(address, exporter)
    return exporter
  }

  const prove = (exporter: Exporter): void => {
    exporter.proven = true
    places.stays(exporter)
  }

  /** Index of an exporter that gives up its place, or -1. */
  const evict = (nowMs: number): number => {
    const victim = places.leaver(all, steady(nowMs))
    if (victim === undefined) return -1
    observed.forget(victim)
    last = undefined
    if (!victim.forgotten) {
      byProtocol[victim.protocol].delete(victim.address)
      left?.(victim.address, victim.index)
    }
    return victim.index
  }

  /** A place for one who is not known, or -1. */
  const placeOf = (address: string, protocol: ExporterProtocol, nowMs: number): number => {
    const decided = policies.has(`${protocol} ${address}`)
    if (all.length < places.room(decided)) return all.length
    return decided || places.knocks(address, protocol) ? evict(nowMs) : -1
  }

  return {
    find: (address, protocol, nowMs) => {
      let known = last !== undefined && last.address === address && last.protocol === protocol ? last : undefined
      known ??= byProtocol[protocol].get(address)
      if (known === undefined) {
        const index = placeOf(address, protocol, nowMs)
        if (index < 0) return -1
        known = make(address, protocol, nowMs, index)
      }
      last = known
      if (known.turnedAway) {
        known.blocked++
        return -2
      }
      return known.index
    },
    clock: (index, exportMs, arrivalMs, moved) => {
      if (exportMs === 0) return
      const { clock } = all[index]!
      const first = Number.isNaN(clock.skewMs)
      const skew = Math.round(takeSample(clock, arrivalMs - exportMs, steady(arrivalMs)))
      const before = skewMs[index]!
      if (skew === before) return
      if (!first && Math.abs(skew - before) > CLOCK_MOVED_MS) moved()
      skewMs[index] = skew
    },
    admit: (index, nowMs) => {
      const exporter = all[index]!
      if (admission.admit(exporter.share, steady(nowMs))) return true
      exporter.overLimit++
      exporter.heardMs = steady(nowMs)
      exporter.lastSeen = nowMs
      return false
    },
    balance: (dropping, nowMs) =>
      admission.balance(
        all.map(({ share }) => share),
        dropping,
        steady(nowMs)
      ),
    stepped: (byMs) => {
      stepsMs += byMs
      for (const exporter of all) {
        if (Number.isNaN(exporter.clock.skewMs)) continue
        shiftClock(exporter.clock, byMs)
        skewMs[exporter.index]! += byMs
      }
    },
    heard: (index, outcome, octets, arrivalMs) => {
      const exporter = all[index]!
      exporter.datagrams++
      exporter.octets += octets
      exporter.lastSeen = arrivalMs
      exporter.heardMs = steady(arrivalMs)
      exporter.denied += outcome.denied
      exporter.tunnelled += outcome.tunnelled
      if (!exporter.proven && decodable(outcome)) prove(exporter)
      countRecords(exporter, outcome.records + outcome.released)
      exporter.optionsRecords += outcome.optionsRecords
      exporter.heldDropped += outcome.heldRefused
      if (outcome.version === 0 || outcome.malformed === "short-header") return
      if (sequences !== undefined) sequences.note(exporter, outcome, arrivalMs)
      else {
        header.sequence = outcome.sequence
        header.step = outcome.sequenceStep
        header.otherStep = otherStepOf(exporter.protocol, outcome)
        header.uptimeMs = outcome.uptimeMs
        observed.follow(exporter, outcome.observationDomain, header, steady(arrivalMs))
      }
    },
    released: (index, records, nowMs) => {
      if (records === 0) return
      const exporter = all[index]!
      prove(exporter)
      exporter.heardMs = steady(nowMs)
      countRecords(exporter, records)
    },
    malformed: (index, reason) => {
      const exporter = all[index]!
      exporter.malformed++
      exporter.reasons.set(reason, (exporter.reasons.get(reason) ?? 0) + 1)
    },
    taught: (index) => {
      all[index]!.templatesTaught++
    },
    sampled: (index, rate) => {
      const exporter = all[index]!
      if (rate > exporter.sampling) exporter.sampling = rate
    },
    address: (index) => all[index]!.address,
    named: (index) => ({ address: all[index]!.address, protocol: all[index]!.protocol }),
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
      last = undefined
      // open windows hold its index still: it is given away only when there is no room
      known.forgotten = true
      left?.(address, known.index)
    },
    windowsEmptied: (nowMs) => places.windowsEmptied(steady(nowMs)),
    indexOf: (address, protocol) => byProtocol[protocol].get(address)?.index,
    takeSequences: (nowMs) => sequences?.take(all, nowMs),
    tick: (nowMs) => {
      const place = seconds % RATE_SECONDS
      times[place] = steady(nowMs)
      for (const exporter of all) exporter.history[place] = exporter.records
      seconds++
    },
    read: (nowMs, silentAfterMs, decoder, stages) =>
      all
        .filter((exporter) => !exporter.forgotten)
        .map((exporter) => {
          const before = seconds >= RATE_SECONDS ? seconds % RATE_SECONDS : -1
          const beforeMs = before < 0 ? Number.NEGATIVE_INFINITY : times[before]!
          return readExporter(exporter, steady(nowMs), silentAfterMs, before, beforeMs, decoder, admission.limit(), stages)
        })
  }
}
