/**
 * Numbers for people: three significant digits, one unit a column, the exact value kept beside. `–` is no data, `0` is zero.
 * Rates are bit/s and volumes octets, both in steps of 1000.
 */
import { grouped } from "#domain/digits.ts"

export type Quantity = "bytes" | "bits" | "rate" | "count" | "ms"

export interface Unit {
  /** What a shown number is multiplied with to give the exact one. */
  readonly factor: number
  /** As it stands in the head: `MB`, `kbit/s`, `k`, or nothing. */
  readonly name: string
}

export const none = "–"

const steps = ["", "k", "M", "G", "T", "P", "E"] as const
const named: Record<Quantity, (prefix: string) => string> = {
  bytes: (prefix) => `${prefix}B`,
  bits: (prefix) => `${prefix}bit/s`,
  rate: (prefix) => `${prefix}/s`,
  count: (prefix) => prefix,
  ms: () => "ms"
}

/** Whole, with its digits in threes. */
export const plain: Unit = { factor: 1, name: "" }

const unitAt = (quantity: Quantity, step: number): Unit => ({ factor: 1000 ** step, name: named[quantity](steps[step]!) })

const stepOf = (value: number): number => {
  const size = Math.abs(value)
  if (size < 1000) return 0
  // 999 600 shown with three digits is 1.00 M, not 1000 k
  let step = Math.floor(Math.log10(size) / 3)
  if (Number((size / 1000 ** step).toPrecision(3)) >= 1000) step += 1
  return Math.min(step, steps.length - 1)
}

/** The unit in which the largest of the values has one to three digits before its point. Counts stay plain below 100 000. */
export const unitFor = (quantity: Quantity, values: Iterable<number | bigint | null | undefined>): Unit => {
  let largest = 0
  for (const value of values) {
    if (value === null || value === undefined) continue
    const size = Math.abs(Number(value))
    if (size > largest) largest = size
  }
  if (quantity === "ms" || (quantity === "count" && largest < 100_000)) return unitAt(quantity, 0)
  return unitAt(quantity, stepOf(largest))
}

/**
 * One unit for a whole column: that of its middle value, so that neither the one giant nor the many dwarfs decide; but never so small
 * that the largest needs more than five digits.
 */
export const unitForAll = (quantity: Quantity, values: Iterable<number | bigint | null | undefined>): Unit => {
  const sizes: Array<number> = []
  for (const value of values) {
    const size = value === null || value === undefined ? 0 : Math.abs(Number(value))
    if (size > 0 && Number.isFinite(size)) sizes.push(size)
  }
  if (sizes.length === 0) return unitAt(quantity, 0)
  sizes.sort((a, b) => a - b)
  const largest = sizes.at(-1)!
  if (quantity === "ms" || (quantity === "count" && largest < 100_000)) return unitAt(quantity, 0)
  let step = stepOf(sizes[sizes.length >> 1]!)
  while (step < steps.length - 1 && largest / 1000 ** step >= 99_999.5) step += 1
  return unitAt(quantity, step)
}

/** `value` in `unit` with three significant digits and at most three decimals; smaller than that says so. */
export const inUnit = (value: number | bigint | null | undefined, unit: Unit): string => {
  if (value === null || value === undefined) return none
  const exact = Number(value)
  if (!Number.isFinite(exact)) return none
  if (exact === 0) return "0"
  const scaled = exact / unit.factor
  const size = Math.abs(scaled)
  if (unit.factor === 1 && Number.isInteger(scaled)) return grouped(String(scaled))
  if (size < 0.001) return scaled < 0 ? ">−0.001" : "<0.001"
  if (size >= 999.5) return grouped(String(Math.round(scaled)))
  const decimals = Math.min(3, Math.max(0, 2 - Math.floor(Math.log10(Number(size.toPrecision(3))))))
  return scaled.toFixed(decimals).replace("-", "−")
}

/** Alone, with its own unit: `41.2 kB`. */
export const alone = (quantity: Quantity, value: number | bigint | null | undefined): string => {
  if (value === null || value === undefined) return none
  const unit = unitFor(quantity, [value])
  const text = inUnit(value, unit)
  if (unit.name === "") return text
  return quantity === "count" ? `${text}${unit.name}` : `${text} ${unit.name}`
}

/** Three digits and a step without a space, for the status line: `41.2k`. */
export const briefly = (value: number): string => {
  const unit = unitAt("count", stepOf(value))
  return `${inUnit(Math.abs(value) < 1000 ? Math.round(value) : value, unit)}${unit.name}`
}

/** A round number of an axis in its unit: no zeros behind the point that say nothing. */
export const tickText = (tick: number, unit: Unit): string => {
  const [whole = "", ...decimals] = String(Number((tick / unit.factor).toPrecision(6))).split(".")
  return [grouped(whole), ...decimals].join(".")
}

/** The exact value, as it is copied and shown as title: no grouping that a spreadsheet would not take. */
export const exactly = (value: number | bigint | null | undefined): string =>
  value === null || value === undefined ? none : String(value)

/** Decimals of a shown number: what a column pads so that its points align. */
export const decimalsOf = (shown: string): number => {
  const point = shown.indexOf(".")
  return point < 0 ? 0 : shown.length - point - 1
}

/** A share of one as per cent without decimals, except near the ends where they matter. */
export const perCent = (share: number): string => {
  const value = share * 100
  if (value > 0 && value < 1) return `${value.toPrecision(1)} %`
  return value > 99 && value < 100 ? `${(Math.floor(value * 10) / 10).toFixed(1)} %` : `${Math.round(value)} %`
}

/** `1 asset`, `12 assets`. */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${inUnit(count, plain)} ${count === 1 ? one : many}`
