/** Rows of the ledger as an unbroken line of cells: a window without a row is blind, and says whether we or the exporter were away. */
import { type Cell, type CoverageTerms, coverageOf, coverageReasons, foldCells, mergeTerms } from "#domain/coverage.ts"
import { type ExporterProtocol, exporterProtocolNames } from "#domain/Exporter.ts"
import { windowStartOf } from "#domain/Window.ts"

/** A row as the driver gives it. */
export interface LedgerRow {
  readonly address: string
  readonly name: string | null
  readonly protocol: ExporterProtocol
  readonly at: Date
  readonly seconds: number
  readonly heardSeconds: number
  readonly datagrams: bigint
  readonly records: bigint
  readonly sequenceLost: bigint
  readonly malformed: bigint
  readonly heldDropped: bigint
  readonly heldSets: number
  readonly refused: bigint
  readonly kernelShare: number
  readonly discardedShare: number
  readonly pressure: number
  readonly sampling: bigint
  readonly skewMs: number | null
}

/** A run of the appliance, ms since 1970. */
export interface UpTime {
  readonly since: number
  readonly until: number
}

export interface CellOptions {
  readonly from: number
  readonly to: number
  readonly windowSeconds: number
  /** Undefined: a cell a window. */
  readonly cellSeconds: number | undefined
  readonly up: ReadonlyArray<UpTime>
  /** When it was seen for the first time. */
  readonly known: number
  /** Of a network the best of its exporters counts, and each is named. */
  readonly of: "exporter" | "subnet"
}

export const termsOfRow = (row: LedgerRow): CoverageTerms => ({
  seconds: row.seconds,
  heardSeconds: row.heardSeconds,
  datagrams: Number(row.datagrams),
  records: Number(row.records),
  sequenceLost: Number(row.sequenceLost),
  sequenceUnit: row.protocol === "netflow9" || row.protocol === "sflow5" ? "datagrams" : "records",
  malformed: Number(row.malformed),
  heldDropped: Number(row.heldDropped),
  heldSets: row.heldSets,
  refused: Number(row.refused),
  kernelShare: row.kernelShare,
  discardedShare: row.discardedShare,
  pressure: row.pressure,
  sampling: Number(row.sampling),
  skewMs: row.skewMs
})

const nameOf = (row: LedgerRow) => `${row.name ?? row.address} ${exporterProtocolNames[row.protocol]}`

export const cellsOf = (rows: ReadonlyArray<LedgerRow>, options: CellOptions): ReadonlyArray<Cell> => {
  const { from, to, windowSeconds, cellSeconds, up, known } = options
  const span = windowSeconds * 1000
  const byWindow = Map.groupBy(rows, (row) => windowStartOf(row.at.getTime(), windowSeconds))
  const cells: Array<Cell> = []
  for (let at = windowStartOf(from, windowSeconds); at < to; at += span) {
    const seconds = (Math.min(at + span, to) - at) / 1000
    const here = byWindow.get(at)
    cells.push(
      here === undefined
        ? { at, seconds, state: "blind", quality: 0, reasons: [absent(at, Math.min(at + span, to), up, known)] }
        : options.of === "subnet"
          ? ofSubnet(here, at, seconds)
          : ofExporter(here.map(termsOfRow), at, seconds)
    )
  }
  return cellSeconds === undefined ? cells : foldCells(cells, cellSeconds)
}

/** Windows were shorter once when there are several rows. A row that ends early is of a run that ended with it. */
const ofExporter = (terms: ReadonlyArray<CoverageTerms>, at: number, seconds: number): Cell => {
  const merged = terms.reduce(mergeTerms)
  const whole = { ...merged, seconds: Math.max(merged.seconds, seconds - SETTLING_SECONDS) }
  const { state, quality } = coverageOf(whole)
  return { at, seconds, state, quality, reasons: coverageReasons(whole) }
}

/** The newest row is as old as the last write. */
const SETTLING_SECONDS = 15

const ofSubnet = (rows: ReadonlyArray<LedgerRow>, at: number, seconds: number): Cell => {
  const each = [...Map.groupBy(rows, nameOf)].map(([name, of]) => ({ name, cell: ofExporter(of.map(termsOfRow), at, seconds) }))
  const best = each.reduce((a, b) => (b.cell.quality > a.cell.quality ? b : a)).cell
  return {
    ...best,
    reasons: each.flatMap(({ name, cell }) => (cell.reasons.length === 0 ? [] : [`${name}: ${cell.reasons.join(", ")}`]))
  }
}

const absent = (from: number, to: number, up: ReadonlyArray<UpTime>, known: number): string => {
  const ran = up.reduce((sum, run) => sum + Math.max(0, Math.min(run.until, to) - Math.max(run.since, from)), 0)
  if (ran * 2 < to - from) return "the appliance was down"
  return to <= known ? "not heard yet" : "silent"
}
