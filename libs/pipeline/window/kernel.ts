/**
 * The fold of a batch, in WebAssembly (wasm.ts) because checked array accesses and branches cost three quarters of it in JavaScript
 * (docs/decisions/007). A piece of at most 256 rows passes four loops, so short that the cache misses of many rows are under way at once,
 * and almost without branches, which a processor would guess wrong:
 *
 * - `place`: is the row wholly in the current window? What is not, JavaScript places (place-rows.ts).
 * - `keys`: rows → keys and hashes by the folding rule (fold.ts), then the slot that the index has for them, if it is theirs.
 * - `resolve`: rows whose slot was not found so: the next slots of the index, or a fresh one.
 * - `add` (kernel-add.ts): volumes, times and evidence into the slots. Rows that belong nowhere go to slot 0, which is nobody's.
 */
import { portClass } from "#domain/PortRank.ts"
import {
  assemble,
  f64,
  f64x2,
  give,
  i32,
  i64,
  type Local,
  repeat,
  routine,
  type Statement,
  select,
  set,
  set32,
  type Value,
  when
} from "../decode/wasm.ts"
import { add } from "./kernel-add.ts"
import * as At from "./layout.ts"
import * as Slot from "./slot.ts"
import { wholeOf } from "./whole-of.ts"

const SLOT_MASK = (1 << At.SLOT_BITS) - 1
const TAG_MASK = ~SLOT_MASK

/**
 * The four words of a key as a number whose upper half is its hash. Black et al., UMAC (RFC 4418 §5.2): whoever does not know the secrets
 * cannot choose addresses that collide.
 */
const hashInto = (
  hash: Local<"i64">,
  [a, b, ports, meta]: readonly [Value<"i32">, Value<"i32">, Value<"i32">, Value<"i32">],
  [secretA, secretB, secretC, secretD]: readonly [Value<"i32">, Value<"i32">, Value<"i32">, Value<"i32">]
): ReadonlyArray<Statement> => {
  const product = (x: Value<"i32">, one: Value<"i32">, y: Value<"i32">, other: Value<"i32">) =>
    i64.mul(i64.fromUnsigned(i32.add(x, one)), i64.fromUnsigned(i32.add(y, other)))
  return [
    set(hash, i64.add(product(a, secretA, b, secretB), product(ports, secretC, meta, secretD))),
    set(hash, i64.mul(i64.xor(hash, i64.shru(hash, 32)), i64.const(0x9e3779b97f4a7c15n)))
  ]
}

/** Rows `i` to `to` against the window that starts at `base` and lasts `span` ms. Returns how many are listed at ODD; others are at SIX. */
const place = routine("place", ["i32", "i32", "f64", "i64", "f64", "i32"], ([i, to, base, span, arrival, tag], local) => {
  const by4 = local.i32()
  const by8 = local.i32()
  const sender = local.i32()
  const skew = local.f64()
  const end = local.f64()
  const start = local.f64()
  const ended = local.i64()
  const began = local.i64()
  const started = local.i32()
  const easy = local.i32()
  const odds = local.i32()
  const sixes = local.i32()
  const since = (time: Value<"f64">) => wholeOf(f64.add(f64.sub(time, base), skew))
  return [
    set32(sender, -1),
    repeat(
      [
        set32(by4, i32.shl(i, 2)),
        set32(by8, i32.shl(i, 3)),
        when(i32.ne(i32.load(by4, At.COLUMN.exporter), sender), [
          set(sender, i32.load(by4, At.COLUMN.exporter)),
          set(skew, f64.load(i32.shl(sender, 3), At.SKEWS))
        ]),
        set(end, f64.load(by8, At.COLUMN.end)),
        set(start, f64.load(by8, At.COLUMN.start)),
        set(started, f64.ne(start, f64.const(0))),
        when(f64.eq(end, f64.const(0)), [set(end, f64.sub(arrival, skew)), set32(started, 0)]),
        set(ended, since(end)),
        set(began, select(started, since(start), ended)),
        // Unsigned: what lies before the window is far beyond it.
        set(easy, i32.and(i64.ltu(ended, span), i64.leu(began, ended))),
        i32.store(by4, i32.fromLow(ended), At.ENDED),
        i32.store(by4, i32.fromLow(began), At.BEGAN),
        i32.store(by4, i32.or(i32.or(tag, started), i32.sub(easy, 1)), At.MARK),
        i32.store(i32.shl(odds, 2), i, At.ODD),
        set(odds, i32.add(odds, i32.xor(easy, 1))),
        i32.store(i32.shl(sixes, 2), i, At.SIX),
        set(sixes, i32.add(sixes, i32.and(i32.shru(i32.load8(i, At.COLUMN.family), 1), 1))),
        set(i, i32.add(i, 1))
      ],
      i32.ltu(i, to)
    ),
    i32.store(0, sixes, At.SAID_SIXES),
    give(odds)
  ]
})

/** Rows from `i` on, `count` of them, into the piece. Four secret numbers make the hash. Returns how many are listed at MISSES. */
const keys = routine("keys", ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"], (parameters, local) => {
  const [i, count, mask, slots, ...secrets] = parameters
  const k = local.i32()
  const by2 = local.i32()
  const by4 = local.i32()
  const k4 = local.i32()
  const mark = local.i32()
  const family = local.i32()
  const source = local.i32()
  const destination = local.i32()
  const protocol = local.i32()
  const kind = local.i32()
  const sourcePort = local.i32()
  const destinationPort = local.i32()
  const sourceRank = local.i32()
  const destinationRank = local.i32()
  const folded = local.i32()
  const turned = local.i32()
  const swapped = local.i32()
  const portA = local.i32()
  const portB = local.i32()
  const ports = local.i32()
  const meta = local.i32()
  const a = local.i32()
  const b = local.i32()
  const mixed = local.i64()
  const slot = local.i32()
  const hit = local.i32()
  const misses = local.i32()
  const touched = local.i32()
  /** Rank, address and port in one number, to be compared at once. */
  const standing = (rank: Value<"i32">, address: Value<"i32">, port: Value<"i32">) =>
    i64.add(i64.shl(i64.fromUnsigned(rank), 49), i64.or(i64.shl(i64.fromSigned(address), 16), i64.fromUnsigned(port)))
  const both = (low: Value<"i32">, high: Value<"i32">) => i64.or(i64.fromUnsigned(low), i64.shl(i64.fromUnsigned(high), 32))
  const sameAs = (word: number) => i64.xor(i64.load(i32.shl(k, 4), At.KEY + word), i64.load(i32.add(slots, slot), word))
  return [
    repeat(
      [
        set32(by2, i32.shl(i, 1)),
        set32(by4, i32.shl(i, 2)),
        set32(k4, i32.shl(k, 2)),
        set(mark, i32.load(by4, At.MARK)),
        set(family, i32.load8(i, At.COLUMN.family)),
        when(i32.isZero(family), [
          when(i32.ne(mark, At.NOWHERE), [
            i32.store(by4, At.NOWHERE, At.MARK),
            set32(mark, At.NOWHERE),
            i32.store(0, i32.add(i32.load(0, At.SAID_NO_ADDRESS), 1), At.SAID_NO_ADDRESS)
          ])
        ]),
        set(source, i32.load(by4, At.COLUMN.source)),
        set(destination, i32.load(by4, At.COLUMN.destination)),
        set(protocol, i32.load8(i, At.COLUMN.protocol)),
        set(kind, i32.load8(protocol, At.CLASSES)),
        // All ones where the protocol has ports.
        set(swapped, i32.shr(i32.sub(0, kind), 31)),
        set(sourcePort, i32.and(i32.load16(by2, At.COLUMN.sourcePort), swapped)),
        set(destinationPort, i32.and(i32.load16(by2, At.COLUMN.destinationPort), swapped)),
        set(sourceRank, i32.load8(i32.or(i32.shl(kind, 16), sourcePort), At.RANKS)),
        set(destinationRank, i32.load8(i32.or(i32.shl(kind, 16), destinationPort), At.RANKS)),
        set(folded, i32.ne(sourceRank, destinationRank)),
        set(turned, i64.gt(standing(sourceRank, source, sourcePort), standing(destinationRank, destination, destinationPort))),
        // The ends change places by masks: a branch would be guessed wrong half the time.
        set(swapped, i32.and(i32.xor(source, destination), i32.sub(0, turned))),
        set(a, i32.xor(source, swapped)),
        set(b, i32.xor(destination, swapped)),
        set(swapped, i32.and(i32.xor(sourcePort, destinationPort), i32.sub(0, turned))),
        set(portA, i32.xor(sourcePort, swapped)),
        set(portB, i32.xor(destinationPort, swapped)),
        set(ports, i32.or(portB, i32.and(i32.shl(portA, 16), i32.sub(folded, 1)))),
        set(
          meta,
          i32.or(
            i32.or(i32.and(mark, 0xff << At.WINDOW_SHIFT), i32.shl(i32.load(by4, At.COLUMN.exporter), Slot.EXPORTER_SHIFT)),
            i32.or(i32.or(i32.shl(protocol, Slot.PROTOCOL_SHIFT), i32.and(family, Slot.FAMILY6_BIT)), folded)
          )
        ),
        ...hashInto(mixed, [a, b, ports, meta], secrets),
        i64.store(i32.shl(k, 4), both(a, b), At.KEY),
        i64.store(i32.shl(k, 4), both(ports, meta), At.KEY + 8),
        set(swapped, i32.fromLow(i64.shru(mixed, 32))),
        i32.store(k4, swapped, At.HASH),
        i32.store(k4, i32.or(portA, i32.or(i32.shl(turned, At.TURNED_SHIFT), i32.shl(i32.ne(kind, 0), At.PORTED_SHIFT))), At.AUX),
        set(i, i32.add(i, 1)),
        set(k, i32.add(k, 1))
      ],
      i32.ltu(k, count)
    ),
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
        set(slot, i32.shl(i32.and(i32.load(k4, At.SLOT), SLOT_MASK), Slot.SLOT_BYTES_SHIFT)),
        set(hit, i64.isZero(i64.or(sameAs(0), sameAs(8)))),
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

/** Misses from `m` to `misses` of the piece that starts at row `from`. Returns where it stopped because a window has no free slot. */
const resolve = routine("resolve", ["i32", "i32", "i32", "i32", "i32"], ([m, misses, from, mask, slots], local) => {
  const k = local.i32()
  const row4 = local.i32()
  const hash = local.i32()
  const position = local.i32()
  const entry = local.i32()
  const slot = local.i32()
  const window = local.i32()
  const low = local.i64()
  const high = local.i64()
  const searching = local.i32()
  const zero = local.v128()
  return [
    repeat(
      [
        set(k, i32.load(i32.shl(m, 2), At.MISSES)),
        set32(row4, i32.shl(i32.add(from, k), 2)),
        when(i32.ne(i32.load(row4, At.MARK), At.NOWHERE), [
          set(hash, i32.load(i32.shl(k, 2), At.HASH)),
          set(low, i64.load(i32.shl(k, 4), At.KEY)),
          set(high, i64.load(i32.shl(k, 4), At.KEY + 8)),
          set(position, i32.and(hash, mask)),
          set32(slot, 0),
          repeat(
            [
              set(entry, i32.load(i32.shl(position, 2), At.INDEX)),
              set(searching, i32.ne(entry, 0)),
              when(i32.isZero(i32.and(i32.xor(entry, hash), TAG_MASK)), [
                when(searching, [
                  set(slot, i32.shl(i32.and(entry, SLOT_MASK), Slot.SLOT_BYTES_SHIFT)),
                  when(
                    i64.isZero(
                      i64.or(i64.xor(low, i64.load(i32.add(slots, slot), 0)), i64.xor(high, i64.load(i32.add(slots, slot), 8)))
                    ),
                    [set32(searching, 0)],
                    [set32(slot, 0)]
                  )
                ])
              ]),
              when(searching, [set(position, i32.and(i32.add(position, 1), mask))])
            ],
            searching
          ),
          when(i32.isZero(slot), [
            set(window, i32.shl(i32.fromLow(i64.shru(high, 32 + At.WINDOW_SHIFT)), 3)),
            set(slot, i32.load(window, At.WINDOWS)),
            when(i32.eq(slot, i32.load(window, At.WINDOWS + 4)), [give(m)]),
            i32.store(window, i32.add(slot, 1), At.WINDOWS),
            i32.store(i32.shl(position, 2), i32.or(i32.and(hash, TAG_MASK), slot), At.INDEX),
            set32(slot, i32.shl(slot, Slot.SLOT_BYTES_SHIFT)),
            ...[0, 16, 32, 48, 64, 80, 96, 112].map((offset) => f64x2.store(i32.add(slots, slot), zero, offset)),
            i64.store(i32.add(slots, slot), low, 0),
            i64.store(i32.add(slots, slot), high, 8),
            i32.store(i32.add(slots, slot), i32.load(row4, At.BEGAN), Slot.FIRST * 4),
            i32.store(i32.add(slots, slot), i32.load(row4, At.ENDED), Slot.LAST * 4),
            i32.store(i32.add(slots, slot), 1, Slot.SAMPLING * 4),
            set32(position, i32.and(i32.load(i32.shl(k, 2), At.AUX), 0xffff)),
            i32.store(i32.add(slots, slot), i32.or(position, i32.shl(position, 16)), Slot.PORTS_SEEN * 4)
          ]),
          i32.store(i32.shl(k, 2), slot, At.SLOT)
        ]),
        set(m, i32.add(m, 1))
      ],
      i32.ltu(m, misses)
    ),
    give(m)
  ]
})

/** Slots `slot` to `to` into the index again, which was emptied. */
const reindex = routine("reindex", ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"], (parameters, local) => {
  const [slot, to, mask, slots, ...secrets] = parameters
  const at = local.i32()
  const mixed = local.i64()
  const hash = local.i32()
  const position = local.i32()
  return [
    repeat(
      [
        set32(at, i32.add(slots, i32.shl(slot, Slot.SLOT_BYTES_SHIFT))),
        ...hashInto(mixed, [i32.load(at, 0), i32.load(at, 4), i32.load(at, 8), i32.load(at, 12)], secrets),
        set(hash, i32.fromLow(i64.shru(mixed, 32))),
        set(position, i32.and(hash, mask)),
        when(i32.load(i32.shl(position, 2), At.INDEX), [
          repeat([set(position, i32.and(i32.add(position, 1), mask))], i32.load(i32.shl(position, 2), At.INDEX))
        ]),
        i32.store(i32.shl(position, 2), i32.or(i32.and(hash, TAG_MASK), slot), At.INDEX),
        set(slot, i32.add(slot, 1))
      ],
      i32.ltu(slot, to)
    ),
    give(slot)
  ]
})

export interface Kernel {
  readonly place: (from: number, to: number, base: number, span: bigint, arrival: number, tag: number) => number
  readonly keys: (from: number, count: number, mask: number, slots: number, ...secrets: Secrets) => number
  readonly resolve: (miss: number, misses: number, from: number, mask: number, slots: number) => number
  readonly reindex: (slot: number, to: number, mask: number, slots: number, ...secrets: Secrets) => number
  readonly add: (from: number, count: number, pressure: number, slots: number) => number
}
export type Secrets = [number, number, number, number]

/** Classes of all protocols' ports, for CLASSES. */
export const portClasses = Uint8Array.from({ length: 256 }, (_, protocol) => portClass(protocol))

let compiled: WebAssembly.Module | undefined

export const makeKernel = (memory: WebAssembly.Memory): Kernel => {
  compiled ??= new WebAssembly.Module(assemble([place, keys, resolve, reindex, add]))
  return new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as Kernel
}
