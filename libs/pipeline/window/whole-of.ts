import { f64, i64, type Value } from "../decode/wasm.ts"

/** Added to an integer of less than 2^51, it leaves the integer in the low bits of the double. */
const MAGIC = 2 ** 52 + 2 ** 51
const magicBits = new BigInt64Array(Float64Array.of(MAGIC).buffer)[0]!
/** A whole number of a double, of at most 51 bits. */
export const wholeOf = (x: Value<"f64">): Value<"i64"> => i64.sub(i64.bitsOf(f64.add(x, f64.const(MAGIC))), i64.const(magicBits))
