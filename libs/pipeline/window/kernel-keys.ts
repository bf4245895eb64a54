/**
 * The kernel's second loop (kernel.ts): from columns to keys and hashes by the folding rule (fold.ts), four rows at a time and without a branch
 * that follows the traffic; then to slots. Rows behind the last are made up to four; what becomes of them is nobody's.
 */
import {
  give,
  i32,
  i64,
  type Local,
  repeat,
  routine,
  type Scope,
  type Statement,
  set,
  set32,
  type Value,
  when
} from "../decode/wasm.ts"
import { i32x4, i64x2, v128 } from "../decode/wasm-vectors.ts"
import * as At from "./layout.ts"
import * as Slot from "./slot.ts"

type Word = Value<"i32">
type Four<T> = readonly [T, T, T, T]

/** Odd numbers whose bits follow no rule: 2^32 by the golden ratio, and one that spreads each bit over half of the others. */
const SPREAD = [0x9e3779b1, 0x85ebca6b] as const

/**
 * The hash of a key's four words: NH of UMAC (Black et al., RFC 4418 §5.2), so that whoever does not know the secrets cannot choose addresses
 * that collide; its 64 bits then become 32, each of which hangs on all of them: addresses in a row do not come to lie in a row.
 */
export const hashInto = (
  hash: Local<"i32">,
  [a, b, ports, meta]: Four<Word>,
  [secretA, secretB, secretC, secretD]: Four<Word>,
  wide: Local<"i64">
): ReadonlyArray<Statement> => {
  const product = (x: Word, one: Word, y: Word, other: Word) =>
    i64.mul(i64.fromUnsigned(i32.add(x, one)), i64.fromUnsigned(i32.add(y, other)))
  return [
    set(wide, i64.add(product(a, secretA, b, secretB), product(ports, secretC, meta, secretD))),
    set(hash, i32.add(i32.fromLow(i64.shru(wide, 32)), i32.mul(i32.fromLow(wide), SPREAD[0]))),
    set(hash, i32.mul(i32.xor(hash, i32.shru(hash, 15)), SPREAD[1])),
    set(hash, i32.xor(hash, i32.shru(hash, 16)))
  ]
}

/** The same of four keys. */
const hashesInto = (
  hash: Local<"v128">,
  [a, b, ports, meta]: Four<Local<"v128">>,
  secrets: Four<Local<"v128">>,
  [first, second]: readonly [Local<"v128">, Local<"v128">],
  local: Scope
): ReadonlyArray<Statement> => {
  const salted = [a, b, ports, meta].map(() => local.v128()) as unknown as Four<Local<"v128">>
  const low = local.v128()
  const high = local.v128()
  const sum = (product: (x: Value<"v128">, y: Value<"v128">) => Value<"v128">) =>
    i64x2.add(product(salted[0], salted[1]), product(salted[2], salted[3]))
  return [
    ...[a, b, ports, meta].map((word, n) => set(salted[n]!, i32x4.add(word, secrets[n]!))),
    set(low, sum(i64x2.productLow)),
    set(high, sum(i64x2.productHigh)),
    set(hash, i32x4.add(i32x4.odd(low, high), i32x4.mul(i32x4.even(low, high), first))),
    set(hash, i32x4.mul(v128.xor(hash, i32x4.shru(hash, 15)), second)),
    set(hash, v128.xor(hash, i32x4.shru(hash, 16)))
  ]
}

/** Rows from `i` on, `count` of them, to KEY, HASH and AUX; those on their way out are listed at EGRESS_ROWS. */
const makeKeys = (i: Local<"i32">, count: Local<"i32">, secrets: ReadonlyArray<Word>, local: Scope): ReadonlyArray<Statement> => {
  const k = local.i32()
  const by2 = local.i32()
  const by4 = local.i32()
  const kind = local.i32()
  const bits = local.i32()
  const egress = local.i32()
  const v = local.v128
  const [mark, family, source, destination, sourcePort, destinationPort] = [v(), v(), v(), v(), v(), v()]
  const [standing, rankGap, ported, alike, turned, turn] = [v(), v(), v(), v(), v(), v()]
  const [a, b, portA, portB, ports, meta, hash] = [v(), v(), v(), v(), v(), v(), v()]
  const [ends, moreEnds, rest, moreRest] = [v(), v(), v(), v()]
  const salts = secrets.map(() => v()) as unknown as Four<Local<"v128">>
  const spread = [v(), v()] as const
  const lessFamily = v()
  const none = v()
  const rank = (column: number) => i32.load8(i32.or(kind, i32.load16(by2, column)), At.RANKS)
  /** Which of four rows were taken on the way out. */
  const listEgress = [0, 1, 2, 3].flatMap((row) => [
    i32.store(i32.shl(egress, 2), i32.add(k, row), At.EGRESS_ROWS),
    set(egress, i32.add(egress, i32.and(i32.eq(i32.load8(i, At.COLUMN.direction + row), 1), i32.lt(i32.add(k, row), count))))
  ])
  return [
    // A loop of its own: what was just stored by the word cannot be loaded by the four without waiting.
    repeat(
      [
        set32(by2, i32.shl(i32.add(i, k), 1)),
        set(kind, i32.shl(i32.load8(i32.load8(i32.add(i, k), At.COLUMN.protocol), At.CLASSES), 16)),
        i32.store(i32.shl(k, 2), i32.add(kind, i32.sub(rank(At.COLUMN.sourcePort), rank(At.COLUMN.destinationPort))), At.STANDING),
        set(k, i32.add(k, 1))
      ],
      i32.ltu(k, count)
    ),
    set32(k, 0),
    // Constants in a loop are made anew in each round.
    ...spread.map((one, n) => set(one, i32x4.splat(SPREAD[n]!))),
    set(lessFamily, i32x4.splat(Slot.FAMILY6_BIT + 1 - 6)),
    ...salts.map((salt, n) => set(salt, i32x4.splat(secrets[n]!))),
    repeat(
      [
        set32(by2, i32.shl(i, 1)),
        set32(by4, i32.shl(i, 2)),
        set(mark, v128.load(by4, At.MARK)),
        set(family, i32x4.load8(i, At.COLUMN.family)),
        set(none, i32x4.splat(0)),
        set(turn, i32x4.eq(family, none)),
        when(v128.anyTrue(turn), [
          // Without addresses: counted once, and nowhere from now on.
          set(bits, i32.and(i32x4.signs(turn), i32.xor(i32x4.signs(i32x4.eq(mark, i32x4.splat(At.NOWHERE))), -1))),
          when(i32.lt(i32.sub(count, k), 4), [set(bits, i32.and(bits, i32.sub(i32.shl(1, i32.sub(count, k)), 1)))]),
          i32.store(0, i32.add(i32.load(0, At.SAID_NO_ADDRESS), i32.count(bits)), At.SAID_NO_ADDRESS),
          set(mark, v128.or(mark, turn)),
          v128.store(by4, mark, At.MARK)
        ]),
        set(standing, v128.load(i32.shl(k, 2), At.STANDING)),
        set(ported, i32x4.gt(standing, none)),
        set(rankGap, i32x4.shl(standing, 16)),
        set(source, v128.load(by4, At.COLUMN.source)),
        set(destination, v128.load(by4, At.COLUMN.destination)),
        set(sourcePort, v128.and(i32x4.load16(by2, At.COLUMN.sourcePort), ported)),
        set(destinationPort, v128.and(i32x4.load16(by2, At.COLUMN.destinationPort), ported)),
        set(alike, i32x4.eq(rankGap, none)),
        // By rank, where these are alike by address, where these are by port.
        set(turned, v128.and(i32x4.eq(source, destination), i32x4.gt(sourcePort, destinationPort))),
        set(turned, v128.and(alike, v128.or(i32x4.gt(source, destination), turned))),
        set(turned, v128.or(i32x4.gt(rankGap, none), turned)),
        set(turn, v128.and(v128.xor(source, destination), turned)),
        set(a, v128.xor(source, turn)),
        set(b, v128.xor(destination, turn)),
        set(turn, v128.and(v128.xor(sourcePort, destinationPort), turned)),
        set(portA, v128.xor(sourcePort, turn)),
        set(portB, v128.xor(destinationPort, turn)),
        set(ports, v128.or(portB, v128.and(i32x4.shl(portA, 16), alike))),
        set(
          meta,
          v128.or(
            v128.or(
              i32x4.shl(i32x4.shru(mark, At.WINDOW_SHIFT), At.WINDOW_SHIFT),
              i32x4.shl(v128.load(by4, At.COLUMN.exporter), Slot.EXPORTER_SHIFT)
            ),
            v128.or(
              i32x4.shl(i32x4.load8(i, At.COLUMN.protocol), Slot.PROTOCOL_SHIFT),
              // The family is 4 or 6, and -1 is added where ranks are alike: FAMILY6_BIT and 1 if folded are left.
              i32x4.add(i32x4.add(family, alike), lessFamily)
            )
          )
        ),
        set(bits, i32.xor(i32.load(i, At.COLUMN.direction), 0x01010101)),
        // An octet that is 0 now borrows from those above it.
        when(i32.and(i32.and(i32.sub(bits, 0x01010101), i32.xor(bits, -1)), 0x80808080), listEgress),
        ...hashesInto(hash, [a, b, ports, meta], salts, spread, local),
        v128.store(i32.shl(k, 2), hash, At.HASH),
        v128.store(
          i32.shl(k, 2),
          // What holds is -1.
          i32x4.sub(portA, i32x4.add(i32x4.shl(turned, At.TURNED_SHIFT), i32x4.shl(ported, At.PORTED_SHIFT))),
          At.AUX
        ),
        set(ends, i32x4.mixLow(a, b)),
        set(moreEnds, i32x4.mixHigh(a, b)),
        set(rest, i32x4.mixLow(ports, meta)),
        set(moreRest, i32x4.mixHigh(ports, meta)),
        ...[
          i64x2.mixLow(ends, rest),
          i64x2.mixHigh(ends, rest),
          i64x2.mixLow(moreEnds, moreRest),
          i64x2.mixHigh(moreEnds, moreRest)
        ].map((key, n) => v128.store(i32.shl(k, 4), key, At.KEY + n * 16)),
        set(i, i32.add(i, 4)),
        set(k, i32.add(k, 4))
      ],
      i32.ltu(k, count)
    ),
    i32.store(0, egress, At.SAID_EGRESS)
  ]
}

/** Rows from `i` on, `count` of them, into the piece. Four secret numbers make the hash. Returns how many are listed at MISSES. */
export const keys = routine("keys", ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"], (parameters, local) => {
  const [i, count, mask, slots, ...secrets] = parameters
  const k = local.i32()
  const k4 = local.i32()
  const slot = local.i32()
  const hit = local.i32()
  const misses = local.i32()
  const touched = local.i32()
  return [
    i32.store(0, 0, At.SAID_NO_ADDRESS),
    i32.store(0, 0, At.SAID_NOWHERE),
    ...makeKeys(i, count, secrets, local),
    // A loop of its own, so short that as many misses are under way as the processor can have.
    set32(k4, 0),
    repeat(
      [i32.store(k4, i32.load(i32.shl(i32.and(i32.load(k4, At.HASH), mask), 2), At.INDEX), At.SLOT), set32(k4, i32.add(k4, 4))],
      i32.ltu(k4, i32.shl(count, 2))
    ),
    set32(k, 0),
    repeat(
      [
        set32(k4, i32.shl(k, 2)),
        set(slot, i32.shl(i32.and(i32.load(k4, At.SLOT), At.SLOT_MASK), Slot.SLOT_BYTES_SHIFT)),
        set(hit, i32.isZero(v128.anyTrue(v128.xor(v128.load(i32.shl(k, 4), At.KEY), v128.load(i32.add(slots, slot)))))),
        // The second line of the slot is asked for as well, before it is needed.
        set(touched, i32.or(touched, i32.load(i32.add(slots, slot), 64))),
        i32.store(k4, i32.and(slot, i32.sub(0, hit)), At.SLOT),
        i32.store(i32.shl(misses, 2), k, At.MISSES),
        set(misses, i32.add(misses, i32.xor(hit, 1))),
        set(k, i32.add(k, 1))
      ],
      i32.ltu(k, count)
    ),
    i32.store(0, touched, At.SAID_TOUCHED),
    give(misses)
  ]
})
