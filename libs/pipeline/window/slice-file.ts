/**
 * A window slice as a file, and back. Pure: the checksum is an argument, the bytes lie in memory.
 *
 * 32 octets: `FLSLICE1`, byte order, length of the heading, its checksum, checksum of the body, length of the body; then the heading (JSON:
 * the slice's name, its window, and which columns follow) and the body: every column from a multiple of 8. Columns are named, so that a file
 * of an earlier version is still read: a column it does not have is 0, one that nobody asks for is passed over.
 */
import { Result } from "effect"
import type { ConversationColumns, EgressColumns, SliceExporter, WindowSlice } from "#domain/Window.ts"
import { emptyEgress } from "./egress.ts"
import { emptyColumns } from "./emit-columns.ts"

/** Octets before the heading. */
export const PREFIX = 32
const MAGIC = [...new TextEncoder().encode("FLSLICE1")]
const BYTE_ORDER = 0x0a0b0c0d
/** Exporters of a slice stand in the body, so that a heading is small; this is a bound for what a damaged length may ask for. */
const LONGEST_HEADING = 64 * 1024

type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array
export type Checksum = (bytes: Uint8Array, before?: number) => number

type Plain = Omit<WindowSlice, "exporters" | "ipv6" | "columns" | "egress">

/** What a file says of itself before its body. */
export interface SliceHeading extends Plain {
  /** When the process that made the slice began, ms since 1970. */
  readonly bootAt: number
}

interface Section {
  readonly name: string
  readonly type: "u8" | "u16" | "u32" | "f64"
  readonly length: number
}

interface FileHeading extends SliceHeading {
  readonly sections: ReadonlyArray<Section>
}

const widths = { u8: 1, u16: 2, u32: 4, f64: 8 } as const
const typeOf = (column: Column): Section["type"] =>
  column instanceof Float64Array ? "f64" : column instanceof Uint32Array ? "u32" : column instanceof Uint16Array ? "u16" : "u8"
const bytesOf = (column: Column) => new Uint8Array(column.buffer, column.byteOffset, column.byteLength)
const padded = (length: number) => (length + 7) & ~7
const padding = new Uint8Array(8)

export interface EncodedSlice {
  /** One after the other; the columns' own memory, not copies. */
  readonly parts: ReadonlyArray<Uint8Array>
  readonly bytes: number
}

export const encodeSlice = (slice: WindowSlice, bootAt: number, checksum: Checksum): EncodedSlice => {
  const { exporters, ipv6, columns, egress, ...plain } = slice
  const named: ReadonlyArray<readonly [string, Column]> = [
    ["exporters", new TextEncoder().encode(JSON.stringify(exporters))],
    ["ipv6", ipv6],
    ...Object.entries(columns).map(([name, column]) => [`columns.${name}`, column as Column] as const),
    ...Object.entries(egress ?? {}).map(([name, column]) => [`egress.${name}`, column as Column] as const)
  ]
  const heading: FileHeading = {
    ...plain,
    bootAt,
    sections: named.map(([name, column]) => ({ name, type: typeOf(column), length: column.length }))
  }
  const text = new TextEncoder().encode(JSON.stringify(heading))
  const head = new Uint8Array(padded(text.length)).fill(0x20)
  head.set(text)
  const body: Array<Uint8Array> = []
  let length = 0
  let sum = 0
  for (const [, column] of named) {
    if (column.byteLength === 0) continue
    const gap = padded(column.byteLength) - column.byteLength
    for (const part of gap === 0 ? [bytesOf(column)] : [bytesOf(column), padding.subarray(0, gap)]) {
      sum = checksum(part, sum)
      length += part.length
      body.push(part)
    }
  }
  const prefix = new Uint8Array(PREFIX)
  const view = new DataView(prefix.buffer)
  prefix.set(MAGIC)
  // in the machine's own order, as the columns are
  new Uint32Array(prefix.buffer, 8, 1)[0] = BYTE_ORDER
  view.setUint32(12, head.length, true)
  view.setUint32(16, checksum(head), true)
  view.setUint32(20, sum, true)
  view.setFloat64(24, length, true)
  return { parts: [prefix, head, ...body], bytes: PREFIX + head.length + length }
}

export type FileFault = "not a slice" | "torn" | "checksum"

interface Prefix {
  readonly headLength: number
  readonly headSum: number
  readonly bodySum: number
  readonly bodyLength: number
}

const readPrefix = (bytes: Uint8Array): Result.Result<Prefix, FileFault> => {
  if (bytes.length < PREFIX) return Result.fail("torn")
  if (MAGIC.some((octet, i) => bytes[i] !== octet)) return Result.fail("not a slice")
  if (new Uint32Array(bytes.slice(8, 12).buffer)[0] !== BYTE_ORDER) return Result.fail("not a slice")
  const view = new DataView(bytes.buffer, bytes.byteOffset, PREFIX)
  const prefix = {
    headLength: view.getUint32(12, true),
    headSum: view.getUint32(16, true),
    bodySum: view.getUint32(20, true),
    bodyLength: view.getFloat64(24, true)
  }
  if (prefix.headLength > LONGEST_HEADING || !Number.isSafeInteger(prefix.bodyLength) || prefix.bodyLength < 0) {
    return Result.fail("not a slice")
  }
  return Result.succeed(prefix)
}

const count = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const isHeading = (value: unknown): value is FileHeading => {
  const h = value as FileHeading
  return (
    typeof h === "object" &&
    h !== null &&
    typeof h.boot === "string" &&
    typeof h.worker === "string" &&
    typeof h.final === "boolean" &&
    [h.bootAt, h.sequence, h.windowStart, h.windowSeconds, h.pressureSampling, h.records, h.rows].every(count) &&
    h.windowSeconds > 0 &&
    Array.isArray(h.sections) &&
    h.sections.every((s: Section) => typeof s.name === "string" && Object.hasOwn(widths, s.type) && count(s.length))
  )
}

const readFileHeading = (bytes: Uint8Array, prefix: Prefix, checksum: Checksum): Result.Result<FileHeading, FileFault> => {
  const text = bytes.subarray(PREFIX, PREFIX + prefix.headLength)
  if (text.length < prefix.headLength) return Result.fail("torn")
  if (checksum(text) !== prefix.headSum) return Result.fail("checksum")
  let heading: unknown
  try {
    heading = JSON.parse(new TextDecoder().decode(text))
  } catch {
    return Result.fail("not a slice")
  }
  return isHeading(heading) ? Result.succeed(heading) : Result.fail("not a slice")
}

/** The heading from the first octets of a file of `size` octets: 64 KiB and the prefix always suffice. */
export const readHeading = (start: Uint8Array, size: number, checksum: Checksum): Result.Result<SliceHeading, FileFault> =>
  Result.flatMap(readPrefix(start), (prefix) =>
    Result.flatMap(readFileHeading(start, prefix, checksum), ({ sections: _, ...heading }) =>
      size === PREFIX + prefix.headLength + prefix.bodyLength ? Result.succeed(heading) : Result.fail("torn" as const)
    )
  )

/** The heading even of a file that is torn behind it, for the account of what was lost. */
export const readHeadingOnly = (start: Uint8Array, checksum: Checksum): Result.Result<SliceHeading, FileFault> =>
  Result.flatMap(readPrefix(start), (prefix) => readFileHeading(start, prefix, checksum))

/** `bytes`: a whole file at the start of its own buffer. The slice's columns are views of it. */
export const decodeSlice = (bytes: Uint8Array, checksum: Checksum): Result.Result<WindowSlice, FileFault> =>
  Result.flatMap(readPrefix(bytes), (prefix) =>
    Result.flatMap(readFileHeading(bytes, prefix, checksum), (heading) => {
      const from = PREFIX + prefix.headLength
      const body = bytes.subarray(from)
      if (body.length !== prefix.bodyLength) return Result.fail("torn")
      if (checksum(body) !== prefix.bodySum) return Result.fail("checksum")
      return assemble(bytes, from, heading)
    })
  )

const view = (bytes: Uint8Array, at: number, { type, length }: Section): Column => {
  const start = bytes.byteOffset + at
  switch (type) {
    case "f64":
      return new Float64Array(bytes.buffer, start, length)
    case "u32":
      return new Uint32Array(bytes.buffer, start, length)
    case "u16":
      return new Uint16Array(bytes.buffer, start, length)
    case "u8":
      return new Uint8Array(bytes.buffer, start, length)
  }
}

const assemble = (bytes: Uint8Array, from: number, heading: FileHeading): Result.Result<WindowSlice, FileFault> => {
  const { sections, bootAt: _, ...plain } = heading
  // a heading is believed only as far as there are octets
  if (plain.rows > bytes.length) return Result.fail("not a slice")
  const found = new Map<string, Column>()
  let at = from
  for (const section of sections) {
    // first, for the sizes below are of 32 bits
    if (section.length > bytes.length) return Result.fail("torn")
    const size = section.length * widths[section.type]
    if (at + padded(size) > bytes.length || (bytes.byteOffset + at) % 8 !== 0) return Result.fail("torn")
    found.set(section.name, view(bytes, at, section))
    at += padded(size)
  }
  /** The columns under a name, each of the type that is wanted now. */
  const group = <A extends object>(name: string, wanted: A, rows: number): A | undefined => {
    const columns: Record<string, Column> = {}
    for (const [key, empty] of Object.entries(wanted) as ReadonlyArray<readonly [string, Column]>) {
      const stored = found.get(`${name}.${key}`)
      if (stored !== undefined && stored.length !== rows) return undefined
      if (stored !== undefined && typeOf(stored) === typeOf(empty)) columns[key] = stored
      else if (stored !== undefined) empty.set(stored)
      columns[key] ??= empty
    }
    return columns as A
  }
  const columns = group<ConversationColumns>("columns", emptyColumns(plain.rows), plain.rows)
  const out = found.get("egress.row")?.length
  const egress = out === undefined ? undefined : group<EgressColumns>("egress", emptyEgress(out), out)
  const ipv6 = found.get("ipv6")
  const names = found.get("exporters")
  if (columns === undefined || !(ipv6 instanceof Uint8Array) || !(names instanceof Uint8Array)) return Result.fail("not a slice")
  let exporters: ReadonlyArray<SliceExporter>
  try {
    exporters = JSON.parse(new TextDecoder().decode(names))
  } catch {
    return Result.fail("not a slice")
  }
  return Result.succeed({ ...plain, exporters, ipv6, columns, ...(egress === undefined ? {} : { egress }) })
}
