/** What a table's column is: how a row is shown in it, how it is measured, and what becomes of it on a narrow screen. */
import type { TemplateResult } from "lit"
import { decimalsOf, inUnit, type Quantity, type Unit, unitForAll } from "../format/number.ts"

export interface Column<Row> {
  /** The server's sort key when `sort` is set. */
  readonly key: string
  readonly label: string
  /** Said in full where `label` is short. */
  readonly title?: string
  /** The unit of a column that is drawn by `cell`; number columns find their own. */
  readonly unit?: string
  /** A CSS grid track that does not depend on content: `minmax(10rem, 2fr)`, `5rem`. */
  readonly track: string
  readonly align?: "start" | "end"
  readonly sort?: boolean
  /** The order the first click asks for; the biggest first for numbers. */
  readonly first?: "ascending" | "descending"
  /** A number: the table picks one unit for the column and aligns the points. */
  readonly number?: {
    readonly quantity: Quantity
    readonly of: (row: Row) => number | bigint | null
    readonly sampling?: (row: Row) => number
  }
  readonly cell?: (row: Row) => TemplateResult | string | typeof import("lit").nothing
  /** Shown from this width of the table on, px: the less a column is asked for, the more room it waits for. */
  readonly from?: number
  /** In a list of two lines: the title, the value at its end, a word of the second line, or left out. */
  readonly narrow?: "title" | "end" | "line" | "drop"
}

/** A number column made ready for the rows shown: its unit, and the most decimals that any of them has. */
export interface Measure {
  readonly unit: Unit
  readonly decimals: number
}

export const measure = <Row>(column: Column<Row>, rows: ReadonlyArray<Row>): Measure | undefined => {
  const number = column.number
  if (number === undefined) return undefined
  const unit = unitForAll(number.quantity, rows.map(number.of))
  let decimals = 0
  for (const row of rows) decimals = Math.max(decimals, decimalsOf(inUnit(number.of(row), unit)))
  return { unit, decimals }
}

/** What stands behind a shown number, unseen, so that the points of a column align: digits share one width. */
export const padding = (shown: string, decimals: number): string => {
  const missing = decimals - decimalsOf(shown)
  if (missing <= 0) return ""
  return decimalsOf(shown) === 0 ? `.${"0".repeat(decimals)}` : "0".repeat(missing)
}
