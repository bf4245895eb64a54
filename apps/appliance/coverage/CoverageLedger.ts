/**
 * How well each exporter is heard, from what the flow workers count once a second. Plain numbers; nothing here waits.
 *
 * An exporter is heard from one datagram to the next unless it falls silent in between; time since the last datagram counts until its
 * limit says that it was silence, and is then taken back. So the last windows of each exporter stay open to change until the next
 * datagram, or the silence, settles them.
 */
import { type CoverageTerms, coverageOf, looks, mergeTerms } from "#domain/coverage.ts"
import type { ExporterProtocol } from "#domain/Exporter.ts"
import { windowStartOf } from "#domain/Window.ts"
import type { CoverageRow, CoverageSpan, StoredCoverage } from "#pipeline/store/CoverageStore.ts"
import { type ExporterTotals, exporterKey, type FlowTotals } from "../flow/FlowLedger.ts"

/** What one second says. */
export interface CoverageReading {
  /** ms since 1970 */
  readonly at: number
  readonly exporters: ReadonlyArray<ExporterTotals>
  readonly totals: Pick<FlowTotals, "datagrams" | "kernelDropped" | "folded" | "lost">
  /** One record of so many is kept now. */
  readonly pressure: number
}

interface Counts {
  datagrams: number
  records: number
  sequenceLost: number
  malformed: number
  heldDropped: number
  heldSets: number
  refused: number
  /** Flow records that found no room in a window. */
  recordsRefused: number
  sampling: number
  skewMs: number | null
  /** Seconds heard in an earlier run of the appliance. */
  heardBefore: number
}

interface Whole {
  datagrams: number
  kernelDropped: number
  folded: number
  lost: number
  pressure: number
}

interface Followed {
  readonly address: string
  readonly protocol: ExporterProtocol
  before: ExporterTotals | undefined
  /** Times of silence are between these: when it was heard, oldest first; the last may still grow. */
  readonly heard: Array<{ from: number; to: number }>
  silent: boolean
  readonly windows: Map<number, Counts>
  span: { since: number; until: number; open: boolean } | undefined
  /** Spans that ended and were not taken yet. */
  readonly ended: Array<{ since: number; until: number; open: boolean }>
}

const noCounts = (): Counts => ({
  datagrams: 0,
  records: 0,
  sequenceLost: 0,
  malformed: 0,
  heldDropped: 0,
  heldSets: 0,
  refused: 0,
  recordsRefused: 0,
  sampling: 0,
  skewMs: null,
  heardBefore: 0
})

const noWhole = (): Whole => ({ datagrams: 0, kernelDropped: 0, folded: 0, lost: 0, pressure: 1 })

/** Sequence numbers count datagrams in NetFlow v9 and sFlow, records in NetFlow v5 and IPFIX. */
export const sequenceUnit = (protocol: ExporterProtocol): CoverageTerms["sequenceUnit"] =>
  protocol === "netflow9" || protocol === "sflow5" ? "datagrams" : "records"

/** Windows that can wait for a database that is away: a day of five-minute windows. */
const MOST_WINDOWS = 288

export interface CoverageLedgerOptions {
  readonly windowSeconds: number
  /** An exporter that says nothing for so long is silent, from its last datagram on. */
  readonly silentAfterMs: (exporter: ExporterTotals) => number
}

export const makeCoverageLedger = ({ windowSeconds, silentAfterMs }: CoverageLedgerOptions) => {
  const span = windowSeconds * 1000
  const followed = new Map<string, Followed>()
  const wholes = new Map<number, Whole>()
  let before: CoverageReading["totals"] | undefined
  let now = 0
  let current = Number.NEGATIVE_INFINITY

  const follow = (address: string, protocol: ExporterProtocol): Followed => {
    const key = exporterKey(address, protocol)
    let one = followed.get(key)
    if (one === undefined) {
      one = { address, protocol, before: undefined, heard: [], silent: true, windows: new Map(), span: undefined, ended: [] }
      followed.set(key, one)
    }
    return one
  }

  const countsOf = (one: Followed, start: number): Counts => {
    let counts = one.windows.get(start)
    if (counts === undefined) {
      counts = noCounts()
      one.windows.set(start, counts)
    }
    return counts
  }

  const heardMs = (one: Followed, from: number, to: number): number =>
    one.heard.reduce((sum, each) => sum + Math.max(0, Math.min(each.to, to) - Math.max(each.from, from)), 0)

  const termsOf = (one: Followed, start: number): CoverageTerms => {
    const counts = one.windows.get(start) ?? noCounts()
    const whole = wholes.get(start) ?? noWhole()
    const end = Math.min(start + span, Math.max(now, start))
    const seconds = (end - start) / 1000
    return {
      seconds,
      heardSeconds: Math.min(seconds, counts.heardBefore + heardMs(one, start, end) / 1000),
      datagrams: counts.datagrams,
      records: counts.records,
      sequenceLost: counts.sequenceLost,
      sequenceUnit: sequenceUnit(one.protocol),
      malformed: counts.malformed,
      heldDropped: counts.heldDropped,
      heldSets: counts.heldSets,
      refused: counts.refused,
      kernelShare: whole.kernelDropped === 0 ? 0 : whole.kernelDropped / (whole.datagrams + whole.kernelDropped),
      discardedShare: Math.max(
        whole.lost === 0 ? 0 : Math.min(1, whole.lost / Math.max(whole.folded, whole.lost)),
        counts.recordsRefused === 0 ? 0 : Math.min(1, counts.recordsRefused / Math.max(counts.records, counts.recordsRefused))
      ),
      pressure: whole.pressure,
      sampling: counts.sampling,
      skewMs: counts.skewMs
    }
  }

  const hear = (one: Followed, reading: ExporterTotals, start: number): void => {
    const was = one.before
    one.before = reading
    const silent = now - reading.lastSeen > silentAfterMs(reading)
    // of one that stays silent nothing is kept: a window without a row is blind
    if (silent && one.silent && reading.lastSeen === was?.lastSeen) return
    const counts = countsOf(one, start)
    const grown = (
      name: "datagrams" | "records" | "sequenceLost" | "malformed" | "heldDropped" | "blocked" | "overLimit" | "recordsRefused"
    ) => Math.max(0, reading[name] - (was?.[name] ?? 0))
    counts.datagrams += grown("datagrams")
    counts.records += grown("records")
    counts.malformed += grown("malformed")
    counts.heldDropped += grown("heldDropped")
    counts.refused += grown("blocked") + grown("overLimit")
    counts.recordsRefused += grown("recordsRefused")
    // a gap that the first datagram shows lies before it, in a time that is blind already
    if (was !== undefined) counts.sequenceLost += grown("sequenceLost")
    counts.heldSets = reading.heldSets
    counts.sampling = Math.max(counts.sampling, reading.sampling)
    counts.skewMs = reading.clockSkewMs ?? counts.skewMs

    const last = one.heard.at(-1)
    if (reading.lastSeen > (was?.lastSeen ?? Number.NEGATIVE_INFINITY)) {
      if (one.silent || last === undefined) one.heard.push({ from: reading.lastSeen, to: reading.lastSeen })
      else last.to = Math.max(last.to, reading.lastSeen)
    }
    const heard = one.heard.at(-1)
    if (heard !== undefined)
      heard.to = silent ? Math.max(heard.from, Math.min(heard.to, reading.lastSeen)) : Math.max(heard.to, now)
    one.silent = silent
  }

  /** Opens, extends or ends the time in which the exporter looks. Answers whether that changed. */
  const look = (one: Followed): boolean => {
    const heard = one.heard.at(-1)
    const terms = termsOf(one, current)
    // the first moments of a window say little: they are judged with the window before
    const judged =
      terms.seconds * 2 < windowSeconds && one.windows.has(current - span) ? mergeTerms(termsOf(one, current - span), terms) : terms
    // how long it was heard is judged by its silence
    const fit = looks(coverageOf({ ...judged, seconds: 1, heardSeconds: 1 }))
    if (one.silent || heard === undefined || !fit) {
      if (one.span === undefined) return false
      const until = one.silent && heard !== undefined ? heard.to : Math.max(one.span.since, Math.min(one.span.until, current))
      one.ended.push({ since: one.span.since, until: Math.max(one.span.since, until), open: false })
      one.span = undefined
      return true
    }
    if (one.span !== undefined) {
      one.span.until = now
      return false
    }
    const since = Math.max(heard.from, current)
    // a window is judged as a whole: one that turned bad and good again was good from its begin
    if (one.ended.at(-1)?.since === since) one.ended.pop()
    one.span = { since, until: now, open: true }
    return true
  }

  return {
    /** Once a second. Answers whether an exporter began or ceased to look. */
    take: (reading: CoverageReading): boolean => {
      now = Math.max(now, reading.at)
      // a clock that is set back goes on in the window it had reached
      current = Math.max(current, windowStartOf(now, windowSeconds))
      let whole = wholes.get(current)
      if (whole === undefined) {
        whole = noWhole()
        wholes.set(current, whole)
      }
      const { totals } = reading
      whole.datagrams += Math.max(0, totals.datagrams - (before?.datagrams ?? 0))
      whole.kernelDropped += Math.max(0, totals.kernelDropped - (before?.kernelDropped ?? 0))
      whole.folded += Math.max(0, totals.folded - (before?.folded ?? 0))
      whole.lost += Math.max(0, totals.lost - (before?.lost ?? 0))
      whole.pressure = Math.max(whole.pressure, reading.pressure)
      before = totals
      let changed = false
      for (const exporter of reading.exporters) {
        const one = follow(exporter.address, exporter.protocol)
        hear(one, exporter, current)
        changed = look(one) || changed
      }
      return changed
    },

    /** What an earlier run of the appliance counted in a window that still lasts. */
    resume: (stored: ReadonlyArray<StoredCoverage>): void => {
      for (const { address, protocol, start, terms } of stored) {
        const { datagrams, records, sequenceLost, malformed, heldDropped, refused, sampling, skewMs, heardSeconds } = terms
        follow(address, protocol).windows.set(start, {
          ...{ datagrams, records, sequenceLost, malformed, heldDropped, refused, sampling, skewMs },
          recordsRefused: Math.round(terms.discardedShare * records),
          heldSets: 0,
          heardBefore: heardSeconds
        })
      }
    },

    /** Rows and spans as they are now; those that can still change come again. Forget them with `settle` once they are stored. */
    read: (): { readonly rows: ReadonlyArray<CoverageRow>; readonly spans: ReadonlyArray<CoverageSpan> } => ({
      rows: [...followed.values()].flatMap((one) =>
        [...one.windows.keys()].flatMap((start) => {
          const terms = termsOf(one, start)
          return terms.seconds === 0 ? [] : [{ address: one.address, protocol: one.protocol, start, terms }]
        })
      ),
      spans: [...followed.values()].flatMap(({ address, protocol, ended, span: lasts }) =>
        [...ended, ...(lasts === undefined ? [] : [lasts])].map((each) => ({ address, protocol, ...each }))
      )
    }),

    /** What was read is stored: windows that nothing can change any more are forgotten. Also when it could not be, beyond a day. */
    settle: (stored: boolean): void => {
      for (const one of followed.values()) {
        // the window before is judged with the current one, and what follows the last datagram may turn out silent
        const certain = Math.min(current - span, one.silent ? current : (one.before?.lastSeen ?? current))
        for (const start of one.windows.keys()) {
          if ((stored && start + span <= certain) || start < current - MOST_WINDOWS * span) one.windows.delete(start)
        }
        const oldest = Math.min(current - span, ...one.windows.keys())
        while (one.heard.length > 1 && one.heard[0]!.to < oldest) one.heard.shift()
        if (stored) one.ended.splice(0, Math.max(0, one.ended.length - 1))
        else if (one.ended.length > MOST_WINDOWS) one.ended.shift()
      }
      for (const start of wholes.keys()) if (start < current - MOST_WINDOWS * span) wholes.delete(start)
    }
  }
}

export type CoverageLedger = ReturnType<typeof makeCoverageLedger>
