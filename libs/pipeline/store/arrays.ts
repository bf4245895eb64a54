/**
 * Arrays as parameters, with their type said. The driver otherwise looks at every element, allocates for it, and refuses arrays whose
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
