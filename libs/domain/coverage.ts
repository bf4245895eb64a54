/**
 * How well an exporter was heard in a window: a documented function of stored terms, so that anyone can recompute it.
 *
 *     clear   = heard × arrived × read × kept          what would have been seen, had it happened
 *     quality = clear × sampled                        0..1
 *     heard   = seconds heard / seconds of the window  from one datagram to the next, while the exporter is not silent
 *     arrived = min(g/(g + sequence lost), 1 − kernel share) × d/(d + refused)   g records or datagrams, as the exporter counts
 *     read    = 1 − (malformed + given up)/d           0 when every data set still waits for its template
 *     kept    = (1 − discarded share)/pressure         1 of `pressure` records was kept
 *     sampled = 1/(1 + log10 rate)                     1:10 is 0.5, 1:1000 is 0.25
 *
 * blind: clear < 0.1 · partial: clear < 0.95 · sampled: rate > 1 · good: the rest. An exporter *looks* while clear ≥ 0.5; only such
 * time counts towards calling a dependency stale. A clock that is off is measured and corrected, so it costs no quality and is said.
 */
import { Schema } from "effect"

export const CoverageState = Schema.Literals(["good", "sampled", "partial", "blind"])
export type CoverageState = typeof CoverageState.Type

/** The stored terms of one exporter in one window. */
export interface CoverageTerms {
  /** Length of the window so far. */
  readonly seconds: number
  readonly heardSeconds: number
  readonly datagrams: number
  readonly records: number
  /** Missing by the exporter's own numbers, in the unit it counts in. */
  readonly sequenceLost: number
  readonly sequenceUnit: "datagrams" | "records"
  readonly malformed: number
  /** Data sets given up for want of a template, and those that wait at the end. */
  readonly heldDropped: number
  readonly heldSets: number
  /** Datagrams turned away because the exporter is blocked or over its limit. */
  readonly refused: number
  /** Of all datagrams that reached the appliance: dropped by the kernel. 0..1. */
  readonly kernelShare: number
  /** Of all records folded: never written. 0..1. */
  readonly discardedShare: number
  /** One record of so many was kept while the store lagged. */
  readonly pressure: number
  /** One packet of so many; 0 and 1: all. */
  readonly sampling: number
  readonly skewMs: number | null
}

export interface Coverage {
  readonly heard: number
  readonly arrived: number
  readonly read: number
  readonly kept: number
  readonly sampled: number
  readonly clear: number
  readonly quality: number
  readonly state: CoverageState
}

const BLIND_BELOW = 0.1
const PARTIAL_BELOW = 0.95
const LOOKS_FROM = 0.5
const skewWorthSayingMs = 30_000

const share = (part: number, whole: number) => (whole <= 0 ? 1 : Math.min(1, Math.max(0, part / whole)))

export const coverageOf = (t: CoverageTerms): Coverage => {
  const heard = t.seconds <= 0 ? 0 : share(t.heardSeconds, t.seconds)
  const got = t.sequenceUnit === "records" ? t.records : t.datagrams
  const bySequence = share(got, got + t.sequenceLost)
  const arrived = Math.min(bySequence, 1 - Math.min(1, t.kernelShare)) * share(t.datagrams, t.datagrams + t.refused)
  const read = t.records === 0 && t.heldSets > 0 ? 0 : t.datagrams === 0 ? 1 : 1 - share(t.malformed + t.heldDropped, t.datagrams)
  const kept = (1 - Math.min(1, t.discardedShare)) / Math.max(1, t.pressure)
  const sampled = 1 / (1 + Math.log10(Math.max(1, t.sampling)))
  const clear = heard * arrived * read * kept
  const state = clear < BLIND_BELOW ? "blind" : clear < PARTIAL_BELOW ? "partial" : t.sampling > 1 ? "sampled" : "good"
  return { heard, arrived, read, kept, sampled, clear, quality: clear * sampled, state }
}

/** Whether something that was not seen then can be said not to have happened. */
export const looks = (coverage: Pick<Coverage, "clear">): boolean => coverage.clear >= LOOKS_FROM

const percent = (part: number) => `${part > 0 && part < 0.01 ? "<1" : Math.round(part * 100)} %`

/** What keeps a window from being good, worst first, in words; empty when nothing does. */
export const coverageReasons = (t: CoverageTerms): ReadonlyArray<string> => {
  const c = coverageOf(t)
  const found: Array<readonly [share: number, words: string]> = []
  const seconds = Math.round(t.seconds)
  if (c.heard < 1) found.push([c.heard, t.heardSeconds <= 0 ? "silent" : `heard for ${Math.round(t.heardSeconds)} of ${seconds} s`])
  if (t.sequenceLost > 0) {
    const got = t.sequenceUnit === "records" ? t.records : t.datagrams
    const arrived = share(got, got + t.sequenceLost)
    found.push([arrived, `${percent(1 - arrived)} of its ${t.sequenceUnit} lost on the way`])
  }
  if (t.kernelShare > 0) found.push([1 - t.kernelShare, `${percent(t.kernelShare)} of all datagrams dropped by the kernel`])
  if (t.refused > 0)
    found.push([
      share(t.datagrams, t.datagrams + t.refused),
      `${percent(t.refused / (t.datagrams + t.refused))} of its datagrams refused here`
    ])
  if (t.records === 0 && t.heldSets > 0) found.push([0, "all its flow sets wait for their template"])
  else if (t.heldDropped > 0) found.push([c.read, `${t.heldDropped} flow sets given up for want of their template`])
  if (t.malformed > 0) found.push([c.read, `${t.malformed} malformed datagrams or sets`])
  if (t.pressure > 1) found.push([1 / t.pressure, `one record of ${t.pressure} kept while the store lagged`])
  if (t.discardedShare > 0) found.push([1 - t.discardedShare, `${percent(t.discardedShare)} of all records never written`])
  if (t.sampling > 1) found.push([c.sampled, `samples one packet of ${t.sampling}`])
  if (t.skewMs !== null && Math.abs(t.skewMs) > skewWorthSayingMs)
    found.push([
      1,
      `its clock is ${Math.round(Math.abs(t.skewMs) / 1000)} s ${t.skewMs > 0 ? "behind" : "ahead"}, which is corrected`
    ])
  return found.sort((a, b) => a[0] - b[0]).map(([, words]) => words)
}

/** Two parts of time as one: counts and seconds add, what is a state is the later's or the worse. */
export const mergeTerms = (a: CoverageTerms, b: CoverageTerms): CoverageTerms => {
  const weight = a.seconds + b.seconds
  const mean = (of: (t: CoverageTerms) => number) => (weight <= 0 ? 0 : (of(a) * a.seconds + of(b) * b.seconds) / weight)
  return {
    seconds: weight,
    heardSeconds: a.heardSeconds + b.heardSeconds,
    datagrams: a.datagrams + b.datagrams,
    records: a.records + b.records,
    sequenceLost: a.sequenceLost + b.sequenceLost,
    sequenceUnit: b.sequenceUnit,
    malformed: a.malformed + b.malformed,
    heldDropped: a.heldDropped + b.heldDropped,
    heldSets: b.heldSets,
    refused: a.refused + b.refused,
    kernelShare: mean((t) => t.kernelShare),
    discardedShare: mean((t) => t.discardedShare),
    pressure: Math.max(a.pressure, b.pressure),
    sampling: Math.max(a.sampling, b.sampling),
    skewMs: b.skewMs ?? a.skewMs
  }
}

export interface Cell {
  /** ms since 1970 */
  readonly at: number
  readonly seconds: number
  readonly state: CoverageState
  readonly quality: number
  readonly reasons: ReadonlyArray<string>
}

/** Windows in order as cells of `cellSeconds`: blind when all of one is, partial when any of it was not seen whole. */
export const foldCells = (cells: ReadonlyArray<Cell>, cellSeconds: number): ReadonlyArray<Cell> => {
  const folded: Array<Cell> = []
  let group: Array<Cell> = []
  const close = () => {
    const first = group[0]
    if (first === undefined) return
    const seconds = group.reduce((sum, cell) => sum + cell.seconds, 0)
    const of = (state: CoverageState) => group.filter((cell) => cell.state === state).reduce((sum, cell) => sum + cell.seconds, 0)
    const [blind, partial, sampled] = [of("blind"), of("partial"), of("sampled")]
    const state = blind === seconds ? "blind" : blind + partial > 0 ? "partial" : sampled > 0 ? "sampled" : "good"
    const minutes = (part: number) => `${Math.max(1, Math.round(part / 60))} of ${Math.max(1, Math.round(seconds / 60))} min`
    folded.push({
      at: Math.floor(first.at / (cellSeconds * 1000)) * cellSeconds * 1000,
      seconds,
      state,
      quality: seconds === 0 ? 0 : group.reduce((sum, cell) => sum + cell.quality * cell.seconds, 0) / seconds,
      reasons: [
        ...(blind > 0 && blind < seconds ? [`blind for ${minutes(blind)}`] : []),
        ...(partial > 0 ? [`partial for ${minutes(partial)}`] : []),
        ...new Set(group.flatMap((cell) => cell.reasons).filter((words) => !/\d/.test(words) || words.startsWith("samples")))
      ]
    })
    group = []
  }
  for (const cell of cells) {
    const first = group[0]
    if (first !== undefined && Math.floor(first.at / (cellSeconds * 1000)) !== Math.floor(cell.at / (cellSeconds * 1000))) close()
    group.push(cell)
  }
  close()
  return folded
}
