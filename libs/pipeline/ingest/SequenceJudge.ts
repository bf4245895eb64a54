/**
 * Follows the sequence numbers of exporters whom several workers hear (sequence-log.ts). What the workers say is held for a moment, until all
 * of them have said what arrived by then, and judged in order of the numbers: which worker was faster does not matter.
 */
import type { ExporterProtocol } from "#domain/Exporter.ts"
import { makeObservationDomains, type Numbered } from "./observation-domains.ts"
import { makeSequenceTrack, REORDERED, type SequenceHeader } from "./sequence.ts"
import { COLUMNS, type SequenceNotes } from "./sequence-log.ts"

/** A worker that is busy reads what arrived this much later than another. */
const HOLD_MS = 1000
/** And one that was stopped for longer still closes the gaps it seemed to leave in the last ten to twenty seconds. */
const LATE_MS = 10_000
/** One that says nothing for so long is not waited for. */
const GONE_MS = 5000
/** Numbers that a stopped worker may tell of the time before the others heard anything. */
const BEFORE_FIRST = 65_536
const SPAN_MS = 300_000
/** Addresses are easily invented: who was not heard for longest goes first. */
const MOST_EXPORTERS = 8192

interface Row extends SequenceHeader {
  readonly at: number
}

/** The number that was expected at a time. */
interface Mark {
  readonly at: number
  readonly expected: number
}

interface Judged extends Numbered {
  /** Of each domain, where it stood LATE_MS ago or before, and since. */
  readonly marks: Map<number, readonly [Mark, Mark]>
  /** Not judged yet, by domain. */
  readonly waiting: Map<number, Array<Row>>
  turnedAway: boolean
  /** What was lost when this span began, and the one before. */
  lostBefore: readonly [number, number]
}

export interface SequenceVerdicts {
  readonly sequenceLost: number
  readonly sequenceResets: number
  readonly observationDomains: ReadonlyArray<number>
  readonly sequences: ReadonlyArray<readonly [domain: number, expected: number]>
  /** Lost in the last five to ten minutes. */
  readonly lostLately: number
}

export interface SequenceJudge {
  readonly take: (worker: string, notes: SequenceNotes) => void
  /** The worker says no more; after the last one, everything is judged. */
  readonly left: (worker: string) => void
  readonly of: (address: string, protocol: ExporterProtocol) => SequenceVerdicts | undefined
  /** Where an earlier run stopped counting. */
  readonly resume: (address: string, protocol: ExporterProtocol, sequences: SequenceVerdicts["sequences"], lastMs: number) => void
  readonly forget: (address: string, protocol: ExporterProtocol) => void
}

export const makeSequenceJudge = (): SequenceJudge => {
  const observed = makeObservationDomains()
  const exporters = new Map<string, Judged>()
  const untils = new Map<string, number>()
  let spanFrom = Number.NEGATIVE_INFINITY
  let judged = Number.NEGATIVE_INFINITY
  const keyOf = (address: string, protocol: ExporterProtocol) => `${protocol} ${address}`

  const judgedOf = (address: string, protocol: ExporterProtocol): Judged => {
    const key = keyOf(address, protocol)
    let one = exporters.get(key)
    if (one === undefined) {
      one = {
        protocol,
        domains: new Map(),
        sequenceLost: 0,
        sequenceResets: 0,
        waiting: new Map(),
        marks: new Map(),
        turnedAway: false,
        lostBefore: [0, 0]
      }
      exporters.set(key, one)
      if (exporters.size > MOST_EXPORTERS) {
        const [oldest, gone] = exporters.entries().next().value!
        observed.forget(gone)
        exporters.delete(oldest)
      }
    } else {
      exporters.delete(key)
      exporters.set(key, one)
    }
    return one
  }

  /** It was late, and taken for lost. */
  const close = (one: Judged, domain: number, { step }: Row): void => {
    const track = one.domains.get(domain)!
    const closed = Math.min(track.open, Math.max(0, step))
    track.open -= closed
    one.sequenceLost = Math.max(0, one.sequenceLost - closed)
  }

  const mark = (one: Judged, domain: number, base: number, at: number, reset: boolean): void => {
    const expected = one.domains.get(domain)?.expected ?? -1
    const known = one.marks.get(domain)
    if (expected < 0) one.marks.delete(domain)
    else if (known === undefined || reset) {
      const from = { at, expected: reset ? expected : base }
      one.marks.set(domain, [from, from])
    } else if (at - known[1].at >= LATE_MS) one.marks.set(domain, [known[1], { at, expected }])
  }

  /** Judges what arrived by `bound`, and what came later but carries an earlier number. */
  const judge = (one: Judged, domain: number, rows: Array<Row>, bound: number): Array<Row> => {
    const ripe = rows.filter(({ at }) => at <= bound)
    if (ripe.length === 0) return rows
    const expected = one.domains.get(domain)?.expected ?? -1
    const base = expected >= 0 ? expected : ripe[0]!.sequence
    const far = (row: Row) => (row.sequence - base) | 0
    // What lies further behind is of an exporter that began anew.
    const goesOn = (row: Row) => far(row) >= -REORDERED * Math.max(1, row.step)
    const last = ripe.reduce((most, row) => (goesOn(row) ? Math.max(most, far(row)) : most), Number.NEGATIVE_INFINITY)
    const before: Array<Row> = []
    const anew: Array<Row> = []
    const left: Array<Row> = []
    const marks = one.marks.get(domain)
    const reach = marks?.[0].expected
    const young = marks !== undefined && marks[0] === marks[1]
    for (const row of rows) {
      if (goesOn(row)) (far(row) <= last ? before : left).push(row)
      else if (reach !== undefined && ((row.sequence - reach) | 0) >= 0) close(one, domain, row)
      // Sent before the first one we know of.
      else if (young && ((row.sequence - reach!) | 0) > -BEFORE_FIRST) continue
      else (row.at <= bound ? anew : left).push(row)
    }
    const inOrder = (a: Row, b: Row) => far(a) - far(b)
    const resets = one.sequenceResets
    for (const row of [...before.sort(inOrder), ...anew.sort(inOrder)]) observed.follow(one, domain, row, row.at)
    mark(one, domain, base, bound, one.sequenceResets !== resets)
    return left
  }

  const judgeUntil = (bound: number): void => {
    const next = Number.isFinite(bound) && Math.abs(bound - spanFrom) >= SPAN_MS
    if (next) spanFrom = bound
    for (const one of exporters.values()) {
      if (next) one.lostBefore = [one.lostBefore[1], one.sequenceLost]
      if (one.turnedAway) {
        // What we turned away ourselves is counted as that, and did not get lost on the way.
        one.turnedAway = false
        one.waiting.clear()
        one.marks.clear()
        for (const [domain] of one.domains) one.domains.set(domain, makeSequenceTrack())
      }
      for (const [domain, rows] of one.waiting) {
        const left = judge(one, domain, rows, bound)
        if (left.length === 0) one.waiting.delete(domain)
        else one.waiting.set(domain, left)
      }
    }
  }

  return {
    take: (worker, notes) => {
      untils.set(worker, notes.until)
      const named = notes.exporters.map(({ address, protocol }) => judgedOf(address, protocol!))
      for (const { address, protocol } of notes.turnedAway) judgedOf(address, protocol!).turnedAway = true
      const { values } = notes
      for (let at = 0; at < notes.rows * COLUMNS; at += COLUMNS) {
        const { waiting } = named[values[at]!]!
        const domain = values[at + 1]!
        const rows = waiting.get(domain)
        const row = {
          sequence: values[at + 2]!,
          step: values[at + 3]!,
          otherStep: values[at + 4]!,
          uptimeMs: values[at + 5]!,
          at: values[at + 6]!
        }
        if (rows === undefined) waiting.set(domain, [row])
        else rows.push(row)
      }
      const bound = Math.max(Math.min(...untils.values()), notes.until - GONE_MS) - HOLD_MS
      // Once for all workers, not once for each; a clock that was set back must not stop it.
      if (Math.abs(bound - judged) < HOLD_MS / 2) return
      judged = bound
      judgeUntil(bound)
    },
    left: (worker) => {
      untils.delete(worker)
      if (untils.size === 0) judgeUntil(Number.POSITIVE_INFINITY)
    },
    of: (address, protocol) => {
      const one = exporters.get(keyOf(address, protocol))
      if (one === undefined) return undefined
      return {
        sequenceLost: one.sequenceLost,
        sequenceResets: one.sequenceResets,
        lostLately: Math.max(0, one.sequenceLost - one.lostBefore[0]),
        observationDomains: [...one.domains.keys()],
        sequences: [...one.domains].flatMap(([domain, { expected }]) => (expected < 0 ? [] : [[domain, expected] as const]))
      }
    },
    resume: (address, protocol, sequences, lastMs) => observed.resume(judgedOf(address, protocol), sequences, lastMs),
    forget: (address, protocol) => {
      const key = keyOf(address, protocol)
      const one = exporters.get(key)
      if (one === undefined) return
      observed.forget(one)
      exporters.delete(key)
    }
  }
}
