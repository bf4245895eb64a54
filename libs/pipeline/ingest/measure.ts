/**
 * Measures what the coach reads (libs/domain/ExporterMeasures.ts), an exporter at a time. Of each exporter a bounded number of datagrams a
 * second is looked into, so that a busy one costs no more than a quiet one. Figures are of two spans, the last full one and the one that
 * runs: what was mended is out of them within ten minutes.
 */
import type { ExporterProtocol } from "#domain/Exporter.ts"
import { DURATION_EDGES, type ExporterMeasures, mergeMeasures, noMeasures } from "#domain/ExporterMeasures.ts"
import type { WindowSlice } from "#domain/Window.ts"
import type { DecodeOutcome } from "../decode/DecodeOutcome.ts"
import { DIRECTION_UNKNOWN, type FlowBatch } from "../decode/FlowBatch.ts"

/** Datagrams of one exporter that are looked into a second: 1 in 600 at a million records a second. */
const LOOKS_A_SECOND = 50
const SPAN_MS = 5 * 60_000
/** Octets of UDP payload in an Ethernet frame of 1,500 (IPv4; IPv6 has 20 fewer). */
const FITS_A_FRAME = 1472
/** Packets of a TCP conversation after which an answer must have been seen; more of them where packets are sampled. */
const ENOUGH_PACKETS = 8
const ENOUGH_SAMPLED = 24
/** Datagrams until the smoothed skew of a clock of whole seconds has settled, and how far it may jump and be the same clock. */
const SETTLED_DATAGRAMS = 64
const SAME_CLOCK_MS = 60_000
const DRIFT_BASE_MS = 2 * 3600_000

type Counts = { -readonly [K in keyof ExporterMeasures]: ExporterMeasures[K] extends number ? number : never }

interface Span {
  counts: Counts
  durations: Array<number>
  templateIntervalMs: number | null
}

interface Watch {
  now: Span
  before: Span
  startedMs: number
  beforeMs: number
  looksLeft: number
  templateMs: number
  waitingSinceMs: number
  lostBefore: number
  skewMs: number
  skewAtMs: number
  skewNowMs: number
  heard: number
}

export interface Measurer {
  /** After a datagram was decoded: its rows are those from `from` on, if they are still in the batch. */
  readonly datagram: (
    index: number,
    outcome: DecodeOutcome,
    octets: number,
    batch: FlowBatch,
    from: number,
    skewMs: number,
    nowMs: number
  ) => void
  /** A record that says again what the exporter said from other interfaces. */
  readonly repeated: (index: number) => void
  /** Conversations of a slice before it leaves. */
  readonly slice: (slice: WindowSlice, indexOf: (address: string, protocol: ExporterProtocol) => number | undefined) => void
  /** Once a second. */
  readonly tick: (nowMs: number, kernelDropped: number) => void
  readonly read: (index: number, sequenceLost: number, nowMs: number) => ExporterMeasures
  /** The index has another owner. */
  readonly forget: (index: number) => void
}

const emptySpan = (): Span => ({
  counts: Object.fromEntries(Object.entries(noMeasures).filter(([, value]) => typeof value === "number")) as unknown as Counts,
  durations: [...noMeasures.durations],
  templateIntervalMs: null
})

const bucketOf = (seconds: number): number => {
  let bucket = 0
  while (bucket < DURATION_EDGES.length && seconds > DURATION_EDGES[bucket]!) bucket++
  return bucket
}

const hasTemplates = (version: DecodeOutcome["version"]): boolean => version === 9 || version === 10

export const makeMeasurer = (): Measurer => {
  const watches: Array<Watch | undefined> = []
  let kernelDropped = 0

  const watch = (index: number, nowMs: number): Watch => {
    let one = watches[index]
    if (one === undefined) {
      one = {
        now: emptySpan(),
        before: emptySpan(),
        startedMs: nowMs,
        beforeMs: nowMs,
        looksLeft: LOOKS_A_SECOND,
        templateMs: nowMs,
        waitingSinceMs: 0,
        lostBefore: -1,
        skewMs: Number.NaN,
        skewAtMs: 0,
        skewNowMs: 0,
        heard: 0
      }
      watches[index] = one
    }
    return one
  }

  const look = ({ counts, durations }: Span, batch: FlowBatch, from: number): void => {
    for (let i = from; i < batch.length; i++) {
      counts.looked++
      const protocol = batch.protocol[i]!
      if (protocol === 6) {
        const flags = batch.tcpFlags[i]!
        counts.tcp++
        if (flags !== 0) counts.tcpWithFlags++
        // SYN, FIN and RST alone make records of one packet everywhere
        if (batch.packets[i] === 1 && (flags & 0x07) === 0) counts.tcpSingle++
      }
      if (protocol === 6 || protocol === 17) {
        counts.ported++
        if (batch.sourcePort[i] === 0 && batch.destinationPort[i] === 0) counts.portless++
      }
      const end = batch.end[i]!
      if (end !== 0) {
        counts.withTimes++
        const start = batch.start[i]!
        if (start !== 0 && end >= start) durations[bucketOf((end - start) / 1000)]!++
      }
      if (batch.inputInterface[i] !== 0 || batch.outputInterface[i] !== 0) counts.withInterfaces++
      const direction = batch.direction[i]!
      if (direction === 0) counts.ingress++
      else if (direction !== DIRECTION_UNKNOWN) counts.egress++
    }
  }

  const clock = (one: Watch, skewMs: number, nowMs: number): void => {
    one.skewNowMs = skewMs
    if (++one.heard < SETTLED_DATAGRAMS) return
    const moved = Math.abs(skewMs - one.skewMs)
    if (!(moved < SAME_CLOCK_MS) || nowMs - one.skewAtMs > DRIFT_BASE_MS) {
      one.skewMs = skewMs
      one.skewAtMs = nowMs
    }
  }

  return {
    datagram: (index, outcome, octets, batch, from, skewMs, nowMs) => {
      const one = watch(index, nowMs)
      const { counts } = one.now
      counts.datagrams++
      counts.octets += octets
      counts.records += outcome.records + outcome.released
      counts.optionsRecords += outcome.optionsRecords
      if (octets > counts.largestDatagram) counts.largestDatagram = octets
      if (octets > FITS_A_FRAME) counts.oversized++
      if (hasTemplates(outcome.version)) {
        const interval = nowMs - one.templateMs
        if (interval > (one.now.templateIntervalMs ?? -1)) one.now.templateIntervalMs = interval
        if (outcome.templates > 0) one.templateMs = nowMs
        if (outcome.held > 0 && one.waitingSinceMs === 0) one.waitingSinceMs = nowMs
        if (outcome.released > 0 && one.waitingSinceMs !== 0) {
          counts.waitedMs = Math.max(counts.waitedMs, nowMs - one.waitingSinceMs)
          one.waitingSinceMs = 0
        }
      }
      if (outcome.exportMs !== 0) clock(one, skewMs, nowMs)
      if (one.looksLeft > 0 && batch.length > from) {
        one.looksLeft--
        look(one.now, batch, from)
      }
    },
    repeated: (index) => {
      const counts = watches[index]?.now.counts
      if (counts !== undefined) counts.repeats++
    },
    slice: (slice, indexOf) => {
      const spans = slice.exporters.map(({ address, protocol }) => {
        const index = protocol === undefined ? undefined : indexOf(address, protocol)
        return index === undefined ? undefined : watches[index]?.now.counts
      })
      if (spans.every((span) => span === undefined)) return
      const { exporter, packetsAb, packetsBa, protocol, rawPackets, recordsAb, recordsBa, sampling } = slice.columns
      for (let row = 0; row < slice.rows; row++) {
        const counts = spans[exporter[row]!]
        if (counts === undefined) continue
        counts.allConversations++
        if (protocol[row] !== 6 || rawPackets[row]! < (sampling[row]! > 1 ? ENOUGH_SAMPLED : ENOUGH_PACKETS)) continue
        counts.conversations++
        if (packetsAb[row] === 0 || packetsBa[row] === 0) counts.oneWay++
      }
      const { egress } = slice
      if (egress === undefined) return
      for (let i = 0; i < egress.row.length; i++) {
        const row = egress.row[i]!
        const counts = spans[exporter[row]!]
        if (counts === undefined) continue
        const ab = egress.recordsAb[i]!
        const ba = egress.recordsBa[i]!
        if ((ab > 0 && recordsAb[row]! > ab) || (ba > 0 && recordsBa[row]! > ba)) counts.doubled++
      }
    },
    tick: (nowMs, dropped) => {
      const more = dropped - kernelDropped
      kernelDropped = dropped
      for (const one of watches) {
        if (one === undefined) continue
        one.looksLeft = LOOKS_A_SECOND
        if (more > 0) one.now.counts.kernelDropped += more
        if (nowMs - one.startedMs < SPAN_MS) continue
        one.beforeMs = one.startedMs
        one.startedMs = nowMs
        one.before = one.now
        one.now = emptySpan()
      }
    },
    read: (index, sequenceLost, nowMs) => {
      const one = watches[index]
      if (one === undefined) return noMeasures
      // what was sent while nobody listened, before this run, is no news of the network
      if (one.lostBefore < 0) one.lostBefore = sequenceLost
      one.now.counts.lost += sequenceLost - one.lostBefore
      one.lostBefore = sequenceLost
      const spans = [one.before, one.now].map(
        ({ counts, durations, templateIntervalMs }): ExporterMeasures => ({
          ...counts,
          durations,
          templateIntervalMs,
          repeatedOn: ""
        })
      )
      const unsettled = Number.isNaN(one.skewMs)
      const both = mergeMeasures(spans[0]!, spans[1]!)
      return {
        ...both,
        // a datagram that was only late takes its loss back, maybe in the next span
        lost: Math.max(0, both.lost),
        spanMs: nowMs - one.beforeMs,
        waitedMs: Math.max(
          one.now.counts.waitedMs,
          one.before.counts.waitedMs,
          one.waitingSinceMs === 0 ? 0 : nowMs - one.waitingSinceMs
        ),
        driftMs: unsettled ? 0 : one.skewNowMs - one.skewMs,
        driftOverMs: unsettled ? 0 : nowMs - one.skewAtMs
      }
    },
    forget: (index) => {
      watches[index] = undefined
    }
  }
}
