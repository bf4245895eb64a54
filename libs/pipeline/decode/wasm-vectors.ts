/** The vectors of sixteen octets of wasm.ts, by what is in them. What is compared becomes all ones where it holds. */
import { type Address, binary, type I32, int, loader, storer, unary, unsigned, type Value, value } from "./wasm.ts"

const ofBoth = (...opcode: ReadonlyArray<number>) => binary<"v128", "v128">("v128", 0xfd, ...opcode)

/** Whatever is in it. */
export const v128 = {
  zero: value("v128", 0xfd, 0x0c, new Array<number>(16).fill(0)),
  load: loader("v128", 0xfd, 0x00),
  store: storer<"v128">(0xfd, 0x0b),
  not: unary<"v128", "v128">("v128", 0xfd, 0x4d),
  and: ofBoth(0x4e),
  andNot: ofBoth(0x4f),
  or: ofBoth(0x50),
  xor: ofBoth(0x51),
  /** The bits of `yes` where `mask` has ones, else those of `no`. */
  choose: (yes: Value<"v128">, no: Value<"v128">, mask: Value<"v128">): Value<"v128"> =>
    value("v128", yes.code, no.code, mask.code, 0xfd, 0x52),
  anyTrue: unary<"v128", "i32">("i32", 0xfd, 0x53)
}

/** Two doubles. */
export const f64x2 = {
  splat: unary<"f64", "v128">("v128", 0xfd, 0x14),
  add: ofBoth(0xf0, 0x01),
  mul: ofBoth(0xf2, 0x01),
  sub: ofBoth(0xf1, 0x01),
  eq: ofBoth(0x47),
  ne: ofBoth(0x48),
  lt: ofBoth(0x49),
  le: ofBoth(0x4b),
  ge: ofBoth(0x4c),
  /** The double at one address beside the double at another. */
  pair: (low: Address, lowOffset: number, high: Address, highOffset: number): Value<"v128"> =>
    value("v128", int(high).code, int(low).code, 0xfd, 0x5d, 0, unsigned(lowOffset), 0xfd, 0x57, 0, unsigned(highOffset), 1)
}

const shifted =
  (...opcode: ReadonlyArray<number>) =>
  (x: Value<"v128">, by: number): Value<"v128"> =>
    value("v128", x.code, int(by).code, 0xfd, opcode)
/** Words of `x`, which are 0 to 3, and of `y`, 4 to 7. */
const wordsOf =
  (...words: readonly [number, number, number, number]) =>
  (x: Value<"v128">, y: Value<"v128">): Value<"v128"> =>
    value(
      "v128",
      x.code,
      y.code,
      0xfd,
      0x0d,
      words.flatMap((word) => [0, 1, 2, 3].map((octet) => word * 4 + octet))
    )

/** Four words of 32 bits. */
export const i32x4 = {
  splat: (x: I32): Value<"v128"> => value("v128", int(x).code, 0xfd, 0x11),
  /** Four integers of 16 bits, without sign. */
  load16: loader("v128", 0xfd, 0x04),
  /** Four integers of 8 bits, without sign. */
  load8: (address: Address, offset = 0): Value<"v128"> =>
    value("v128", loader("v128", 0xfd, 0x5c)(address, offset).code, 0xfd, 0x89, 0x01, 0xfd, 0xa9, 0x01),
  add: ofBoth(0xae, 0x01),
  sub: ofBoth(0xb1, 0x01),
  mul: ofBoth(0xb5, 0x01),
  eq: ofBoth(0x37),
  gt: ofBoth(0x3b),
  shl: shifted(0xab, 0x01),
  shru: shifted(0xad, 0x01),
  least: ofBoth(0xb6, 0x01),
  most: ofBoth(0xb8, 0x01),
  /** With the word in memory in place of its word `which`. */
  with: (x: Value<"v128">, address: Address, offset: number, which: number): Value<"v128"> =>
    value("v128", int(address).code, x.code, 0xfd, 0x56, 0, unsigned(offset), which),
  /** A bit a word: its highest. */
  signs: unary<"v128", "i32">("i32", 0xfd, 0xa4, 0x01),
  /** The first two words of each in turn; the last two. */
  mixLow: wordsOf(0, 4, 1, 5),
  mixHigh: wordsOf(2, 6, 3, 7),
  /** Words 0 and 2 of each; words 1 and 3. */
  even: wordsOf(0, 2, 4, 6),
  odd: wordsOf(1, 3, 5, 7)
}

/** Two words of 64 bits. */
export const i64x2 = {
  add: ofBoth(0xce, 0x01),
  /** Products, without sign, of the first two words of 32 bits; of the last two. */
  productLow: ofBoth(0xde, 0x01),
  productHigh: ofBoth(0xdf, 0x01),
  mixLow: wordsOf(0, 1, 4, 5),
  mixHigh: wordsOf(2, 3, 6, 7)
}

/** Sixteen octets. */
export const i8x16 = {
  /** The octets of `x` that `order` names, and 0 where it says 128. The relaxed instruction: one step, as `order` says nothing else. */
  pick: ofBoth(0x80, 0x02),
  word: (x: Value<"v128">, which = 0): Value<"i32"> => value("i32", x.code, 0xfd, 0x1b, which),
  low64: unary<"v128", "i64">("i64", 0xfd, 0x1d, 0)
}
