/**
 * The fold of a batch, in WebAssembly (wasm.ts) because checked array accesses and branches cost three quarters of it in JavaScript
 * (docs/decisions/007). A piece of at most 256 rows passes four loops, so short that the cache misses of many rows are under way at once,
 * and almost without branches, which a processor would guess wrong:
 *
 * - `place` (kernel-place.ts): is the row wholly in the current window? What is not, JavaScript places (place-rows.ts).
 * - `keys` (kernel-keys.ts): rows → keys and hashes by the folding rule (fold.ts), then the slot that the index has for them, if it is theirs.
 * - `resolve`: rows whose slot was not found so: the next slots of the index, or a fresh one.
 * - `add` (kernel-add.ts): volumes, times and evidence into the slots. Rows that belong nowhere go to slot 0, which is nobody's.
 */
import { type PortRanks, portClass } from "#domain/PortRank.ts"
import { assemble, give, i32, i64, repeat, routine, set, set32, when } from "../decode/wasm.ts"
import { v128 } from "../decode/wasm-vectors.ts"
import { add, countsOf, flagsTell } from "./kernel-add.ts"
import { hashInto, keys } from "./kernel-keys.ts"
import { place } from "./kernel-place.ts"
import * as At from "./layout.ts"
import * as Slot from "./slot.ts"

const TAG_MASK = ~At.SLOT_MASK

/** Misses from `m` to `misses` of the piece that starts at row `from`. Returns where it stopped because a window has no free slot. */
const resolve = routine("resolve", ["i32", "i32", "i32", "i32", "i32"], ([m, misses, from, mask, slots], local) => {
  const k = local.i32()
  const row4 = local.i32()
  const marked = local.i32()
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
        set(marked, i32.load(row4, At.MARK)),
        i32.store(0, i32.add(i32.load(0, At.SAID_NOWHERE), i32.eq(marked, At.NOWHERE)), At.SAID_NOWHERE),
        when(i32.ne(marked, At.NOWHERE), [
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
                  set(slot, i32.shl(i32.and(entry, At.SLOT_MASK), Slot.SLOT_BYTES_SHIFT)),
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
            ...[0, 16, 32, 48, 64, 80, 96, 112].map((offset) => v128.store(i32.add(slots, slot), zero, offset)),
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
  const wide = local.i64()
  const hash = local.i32()
  const position = local.i32()
  return [
    repeat(
      [
        set32(at, i32.add(slots, i32.shl(slot, Slot.SLOT_BYTES_SHIFT))),
        ...hashInto(hash, [i32.load(at, 0), i32.load(at, 4), i32.load(at, 8), i32.load(at, 12)], secrets, wide),
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
  readonly place: (to: number, base: number, span: number, arrival: number, tag: number) => number
  readonly keys: (from: number, count: number, mask: number, slots: number, ...secrets: Secrets) => number
  readonly resolve: (miss: number, misses: number, from: number, mask: number, slots: number) => number
  readonly reindex: (slot: number, to: number, mask: number, slots: number, ...secrets: Secrets) => number
  readonly add: (from: number, count: number, pressure: number, slots: number, whole: number) => number
}
export type Secrets = [number, number, number, number]

const mix = (seed: number, n: number): number => {
  let x = Math.imul(seed + Math.imul(n, 0x9e3779b9), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d)
  return x ^ (x >>> 13)
}
export const secretsOf = (seed: number): Secrets => [mix(seed, 1), mix(seed, 2), mix(seed, 3), mix(seed, 4)]

let compiled: WebAssembly.Module | undefined

/** The functions over that memory, and the tables in it that they look things up in. */
export const makeKernel = (memory: WebAssembly.Memory, ranks: PortRanks): Kernel => {
  compiled ??= new WebAssembly.Module(assemble([place, keys, resolve, reindex, add]))
  const classes = Uint8Array.from({ length: 256 }, (_, protocol) => portClass(protocol))
  new Uint8Array(memory.buffer, At.CLASSES, classes.length).set(classes)
  new Uint8Array(memory.buffer, At.TELLS, flagsTell.length).set(flagsTell)
  new Int32Array(memory.buffer, At.COUNTS, countsOf.length).set(countsOf)
  new Uint8Array(memory.buffer, At.RANKS, ranks.length).set(ranks)
  return new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as Kernel
}
