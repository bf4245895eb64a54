/**
 * Arrays as parameters, with their type said, and columns as answers. The driver otherwise looks at every element, allocates for it, and refuses arrays whose
 * numbers are partly beyond 32 bits.
 */
import { PgTypes } from "@effect/sql-pg"
import { Result } from "effect"

const of =
  <A>(oid: number) =>
  (values: ReadonlyArray<A>): PgTypes.Parameter =>
    Result.getOrThrow(PgTypes.array(values, oid))

export const int4s = of<number>(PgTypes.OID.int4)
export const int8s = of<bigint>(PgTypes.OID.int8)
export const float8s = of<number>(PgTypes.OID.float8)
export const bools = of<boolean>(PgTypes.OID.bool)
export const texts = of<string | null>(PgTypes.OID.text)

/**
 * A column of numbers as `string_agg(int8send(x), '')` answers it: values alone, the high octet first. An array of the driver's would
 * carry a length with each and become a value each. Null: no rows.
 */
const columnOf =
  <A extends BigInt64Array | Int32Array | Float64Array>(
    made: { new (length: number): A; readonly BYTES_PER_ELEMENT: number },
    read: (view: DataView, column: A, i: number) => void
  ) =>
  (octets: Uint8Array | null): A => {
    if (octets === null) return new made(0)
    const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength)
    const column = new made(octets.byteLength / made.BYTES_PER_ELEMENT)
    for (let i = 0; i < column.length; i++) read(view, column, i)
    return column
  }

export const int4Column = columnOf(Int32Array, (view, column, i) => {
  column[i] = view.getInt32(i * 4)
})
export const int8Column = columnOf(BigInt64Array, (view, column, i) => {
  column[i] = view.getBigInt64(i * 8)
})
export const float8Column = columnOf(Float64Array, (view, column, i) => {
  column[i] = view.getFloat64(i * 8)
})
