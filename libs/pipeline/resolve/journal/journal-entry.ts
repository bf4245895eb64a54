/**
 * Known rows as bytes and back. Each column is written as narrow as its largest value allows: a slice of 50,000 edges is about two
 * megabytes, which is what the database takes to its log and its table.
 *
 *     version u8 = 1 · rows u32 · observers u32 · columns (21 of the rows, 6 of the observers)
 *     column: width u8 (0 one value for all, 1, 2, 4 unsigned, 8 double) · base f64 · values
 *
 * `base` is added to unsigned values; all numbers are little-endian.
 */
import { type Columns, columnCount, type KnownRows, makeKnownRows, seenColumnCount } from "./KnownRows.ts"

const version = 1
const header = 9

interface Shape {
  readonly width: 0 | 1 | 2 | 4 | 8
  readonly base: number
}

const shapeOf = (values: Float64Array, length: number): Shape => {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  let whole = 1
  for (let i = 0; i < length; i++) {
    const value = values[i]!
    low = Math.min(low, value)
    high = Math.max(high, value)
    whole &= Number.isSafeInteger(value) ? 1 : 0
  }
  if (length === 0) return { width: 0, base: 0 }
  if (low === high) return { width: 0, base: low }
  if (whole === 0) return { width: 8, base: 0 }
  const span = high - low
  return { width: span < 256 ? 1 : span < 65_536 ? 2 : span < 2 ** 32 ? 4 : 8, base: span < 2 ** 32 ? low : 0 }
}

export const encodeEntry = (rows: KnownRows): Uint8Array => {
  const parts = [rows.edges, rows.observers]
  const shapes = parts.map((part) => part.columns.map((values) => shapeOf(values, part.length)))
  let size = header
  parts.forEach((part, p) => {
    for (const shape of shapes[p]!) size += header + shape.width * part.length
  })
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, version)
  view.setUint32(1, rows.edges.length, true)
  view.setUint32(5, rows.observers.length, true)
  let at = header
  parts.forEach((part, p) => {
    part.columns.forEach((values, c) => {
      const { base, width } = shapes[p]![c]!
      view.setUint8(at, width)
      view.setFloat64(at + 1, base, true)
      at += header
      const end = part.length
      if (width === 1) for (let i = 0; i < end; i++) bytes[at + i] = values[i]! - base
      else if (width === 2) for (let i = 0; i < end; i++) view.setUint16(at + i * 2, values[i]! - base, true)
      else if (width === 4) for (let i = 0; i < end; i++) view.setUint32(at + i * 4, values[i]! - base, true)
      else if (width === 8) for (let i = 0; i < end; i++) view.setFloat64(at + i * 8, values[i]!, true)
      at += width * end
    })
  })
  return bytes
}

/** Undefined: not an entry of this version, or cut short. */
export const decodeEntry = (bytes: Uint8Array, exporters: ReadonlyArray<string>): KnownRows | undefined => {
  if (bytes.length < header || bytes[0] !== version) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const rows = makeKnownRows(0)
  rows.exporters.push(...exporters)
  let at = header
  const read = (into: Columns, count: number, length: number): boolean => {
    const columns: Array<Float64Array> = []
    for (let c = 0; c < count; c++) {
      if (at + header > bytes.length) return false
      const width = view.getUint8(at)
      const base = view.getFloat64(at + 1, true)
      at += header
      if (![0, 1, 2, 4, 8].includes(width) || at + width * length > bytes.length) return false
      const values = new Float64Array(length)
      if (width === 0) values.fill(base)
      else if (width === 1) for (let i = 0; i < length; i++) values[i] = bytes[at + i]! + base
      else if (width === 2) for (let i = 0; i < length; i++) values[i] = view.getUint16(at + i * 2, true) + base
      else if (width === 4) for (let i = 0; i < length; i++) values[i] = view.getUint32(at + i * 4, true) + base
      else for (let i = 0; i < length; i++) values[i] = view.getFloat64(at + i * 8, true)
      columns.push(values)
      at += width * length
    }
    into.columns = columns
    into.length = length
    return true
  }
  const whole =
    read(rows.edges, columnCount, view.getUint32(1, true)) && read(rows.observers, seenColumnCount, view.getUint32(5, true))
  return whole ? rows : undefined
}
