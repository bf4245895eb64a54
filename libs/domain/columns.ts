/**
 * Columns of numbers: how a hundred thousand things of one shape travel. A column is typed memory in code and an array of numbers in
 * JSON, and is looked at in one loop each way: a schema that visits every element costs more than to read them from the database.
 */
import { Effect, Schema, SchemaIssue, SchemaTransformation } from "effect"

type Wire = ReadonlyArray<unknown>

/** What JSON.parse made of an array; its elements are the column's to judge. */
const Wire = Schema.declare<Wire>((value): value is Wire => Array.isArray(value), {
  expected: "an array",
  toCodecJson: () => undefined
})

/** `read`: undefined where an element does not fit. */
const column = <A extends object>(
  made: new (length: number) => A,
  expected: string,
  read: (wire: Wire) => A | undefined,
  write: (column: A) => Wire
) =>
  Wire.pipe(
    Schema.decodeTo(
      Schema.instanceOf(made),
      SchemaTransformation.transformEffect({
        decode: (wire: Wire, options) => {
          const found = read(wire)
          return found === undefined
            ? Effect.fail(new SchemaIssue.InvalidValue({ message: `expected ${expected} only` }, wire, options))
            : Effect.succeed(found)
        },
        encode: (found: A) => Effect.succeed(write(found))
      })
    )
  )

/** A loop: `Array.from` asks typed memory for an iterator, which takes ten times as long. */
const numbers = (found: Int32Array | Uint8Array | Float64Array): Wire => {
  const wire = new Array<number>(found.length)
  for (let i = 0; i < found.length; i++) wire[i] = found[i]!
  return wire
}

const readInto =
  <A extends { [index: number]: number }>(made: new (length: number) => A, fits: (value: number) => boolean) =>
  (wire: Wire): A | undefined => {
    const found = new made(wire.length)
    for (let i = 0; i < wire.length; i++) {
      const value = wire[i]
      if (typeof value !== "number" || !fits(value)) return undefined
      found[i] = value
    }
    return found
  }

/** Whole numbers of 32 bits: ports, places in another list. */
export const Ints = column(
  Int32Array,
  "whole numbers of 32 bits",
  readInto(Int32Array, (value) => (value | 0) === value),
  numbers
)

/** Yes or no, as 1 and 0. */
export const Flags = column(
  Uint8Array,
  "0 and 1",
  readInto(Uint8Array, (value) => value === 0 || value === 1),
  numbers
)

export const Floats = column(Float64Array, "numbers", readInto(Float64Array, Number.isFinite), numbers)

const readCounts = (wire: Wire): BigInt64Array | undefined => {
  const found = new BigInt64Array(wire.length)
  for (let i = 0; i < wire.length; i++) {
    const value = wire[i]
    if (typeof value === "number" ? !Number.isSafeInteger(value) : typeof value !== "string" || !/^-?\d{16,19}$/.test(value))
      return undefined
    const exact = BigInt(value as number | string)
    found[i] = exact
    if (found[i] !== exact) return undefined
  }
  return found
}

const writeCounts = (found: BigInt64Array): Wire => {
  const wire = new Array<number | string>(found.length)
  for (let i = 0; i < found.length; i++) {
    const near = Number(found[i])
    wire[i] = Number.isSafeInteger(near) ? near : String(found[i])
  }
  return wire
}

/** Ids and octets, exact: numbers in JSON up to 2^53, decimal text beyond (FL-DB-15). */
export const Counts = column(BigInt64Array, "whole numbers of 64 bits", readCounts, writeCounts)
