/** The kernel's first loop (kernel.ts): four rows at a time against the window that is current, two in each vector of doubles. */
import { f64, give, i32, repeat, routine, type Statement, set, set32, type Value, when } from "../decode/wasm.ts"
import { f64x2, i32x4, v128 } from "../decode/wasm-vectors.ts"
import * as At from "./layout.ts"

/** Added to an integer of less than 2^51, it leaves the integer in the low bits of the double. */
const MAGIC = 2 ** 52 + 2 ** 51

/**
 * The first `to` rows against the window that starts at `base` and lasts `span` ms. Returns how many are listed at ODD, as they are not wholly
 * in it; those with IPv6 addresses are listed at SIX. Rows behind the last are made up to four; what becomes of them is nobody's.
 */
export const place = routine("place", ["i32", "f64", "f64", "f64", "i32"], ([to, base, span, arrival, tag], local) => {
  const i = local.i32()
  const by4 = local.i32()
  const by8 = local.i32()
  const odds = local.i32()
  const sixes = local.i32()
  const bits = local.i32()
  const v = local.v128
  const [magic, bases, spans, arrived, tags, none] = [v(), v(), v(), v(), v(), v()]
  const [skew, end, start, noEnd] = [v(), v(), v(), v()]
  const halves = [0, 16].map((offset) => ({
    offset,
    started: v(),
    ended: v(),
    began: v(),
    own: v(),
    easy: v()
  }))
  const [first, second] = halves as [(typeof halves)[0], (typeof halves)[0]]
  const [started, easy] = [v(), v()]
  const skewAt = (offset: number) => i32.shl(i32.load(by4, At.COLUMN.exporter + offset), 3)
  const rounded = (time: Value<"v128">) => f64x2.sub(time, magic)
  /** The low words are ms from the start of the window. */
  const times = ({ began, easy, ended, offset, own, started }: (typeof halves)[0]): ReadonlyArray<Statement> => [
    set(skew, f64x2.pair(skewAt(offset / 2), At.SKEWS, skewAt(offset / 2 + 4), At.SKEWS)),
    set(end, v128.load(by8, At.COLUMN.end + offset)),
    set(start, v128.load(by8, At.COLUMN.start + offset)),
    set(noEnd, f64x2.eq(end, none)),
    set(started, v128.andNot(f64x2.ne(start, none), noEnd)),
    set(ended, f64x2.add(v128.choose(arrived, f64x2.add(f64x2.sub(end, bases), skew), noEnd), magic)),
    set(start, f64x2.sub(start, bases)),
    set(own, f64x2.add(start, magic)),
    set(began, v128.choose(f64x2.add(f64x2.add(start, skew), magic), ended, started)),
    set(easy, v128.and(v128.and(f64x2.ge(rounded(began), none), f64x2.le(began, ended)), f64x2.lt(rounded(ended), spans)))
  ]
  const list = (at: number, count: typeof odds, shifts: ReadonlyArray<number>): ReadonlyArray<Statement> =>
    shifts.flatMap((shift, row) => [
      i32.store(i32.shl(count, 2), i32.add(i, row), at),
      set(count, i32.add(count, i32.and(i32.shru(bits, shift), i32.lt(i32.add(i, row), to))))
    ])
  return [
    set(magic, f64x2.splat(f64.const(MAGIC))),
    set(bases, f64x2.splat(base)),
    set(spans, f64x2.splat(span)),
    set(arrived, f64x2.splat(f64.sub(arrival, base))),
    set(tags, i32x4.splat(tag)),
    repeat(
      [
        set32(by4, i32.shl(i, 2)),
        set32(by8, i32.shl(i, 3)),
        set(none, i32x4.splat(0)),
        ...times(first),
        ...times(second),
        v128.store(by4, i32x4.even(first.ended, second.ended), At.ENDED),
        v128.store(by4, i32x4.even(first.began, second.began), At.BEGAN),
        v128.store(by4, i32x4.even(first.own, second.own), At.OWN),
        set(started, i32x4.even(first.started, second.started)),
        set(easy, i32x4.even(first.easy, second.easy)),
        // What is not easy is NOWHERE for now, which is all ones.
        v128.store(by4, v128.or(v128.or(tags, i32x4.shru(started, 31)), v128.not(easy)), At.MARK),
        set(bits, i32.xor(i32x4.signs(easy), 15)),
        when(bits, list(At.ODD, odds, [0, 1, 2, 3])),
        set(bits, i32.and(i32.load(i, At.COLUMN.family), 0x02020202)),
        when(bits, list(At.SIX, sixes, [1, 9, 17, 25])),
        set(i, i32.add(i, 4))
      ],
      i32.ltu(i, to)
    ),
    i32.store(0, sixes, At.SAID_SIXES),
    give(odds)
  ]
})
