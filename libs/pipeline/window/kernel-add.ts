/** The last loop of the kernel (kernel.ts): volumes, times and evidence of each row into its slot (slot.ts). */

import { f64, give, i32, i64, type Local, repeat, routine, type Statement, set, set32, when } from "../decode/wasm.ts"
import { f64x2, i32x4, v128 } from "../decode/wasm-vectors.ts"
import * as At from "./layout.ts"
import * as Slot from "./slot.ts"

/** Both directions of a connection start within a round trip; 5 s is the longest that is believed. */
const SAME_CONNECTION_MS = 5000
const SYN = 0x02
const ACK = 0x10
const FIN_PSH = 0x09

/**
 * What the flags of a record say, in bits: TELLS_START, that its start is a connection's start; TELLS_SYN, that it is the client's; TELLS_REPLY,
 * that it is the server's if it is of one packet, as a client's flow of two or more has SYN and ACK as well.
 */
const TELLS_START = 1
const TELLS_SYN = 2
const TELLS_REPLY = 4
/**
 * For TELLS. Without its SYN, TCP was running before: an active timeout cut it, and which half starts first says nothing. With a SYN in both
 * halves, the earlier start is the opening SYN's.
 */
export const flagsTell = Uint8Array.from(
  { length: 256 },
  (_, flags) =>
    (flags === 0 || (flags & SYN) !== 0 ? TELLS_START : 0) |
    ((flags & (SYN | ACK)) === SYN ? TELLS_SYN : 0) |
    ((flags & (SYN | ACK | FIN_PSH)) === (SYN | ACK) ? TELLS_REPLY : 0)
)

/** A record more a→b; b→a. The other words of the slot's first line stay. For COUNTS. */
export const countsOf = Int32Array.of(1, 0, 0, 0, 0, 1, 0, 0)

/**
 * Rows from `i` on, `count` of them, each record standing for `pressure`, into the slots at `slots`. `whole`: 1 when the records are counted with
 * these rows, 0 when they are parts of records that are counted elsewhere.
 */
export const add = routine("add", ["i32", "i32", "f64", "i32", "i32"], ([i, count, pressure, slots, whole], local) => {
  const k = local.i32()
  const k4 = local.i32()
  const by4 = local.i32()
  const by8 = local.i32()
  const slot = local.i32()
  const aux = local.i32()
  const turn = local.i32()
  /** The slot, moved by a word if the record goes from `b` to `a`. */
  const side = local.i32()
  /** The slot, moved likewise to the volumes of its direction. */
  const sums = local.i32()
  const rate = local.i32()
  /** 1: records stand for more than themselves, whatever their exporter says. */
  const pressed = local.i32()
  const scaled = local.i32()
  const scale = local.f64()
  const volumes = local.v128()
  const back = local.v128()
  const least = local.v128()
  const most = local.v128()
  const counted = local.v128()
  const began = local.i32()
  const was = local.i32()
  const port = local.i32()
  const changed = local.i32()
  const ahead = local.i32()
  const flags = local.i32()
  const tells = local.i32()
  /** What of `tells` is looked at with these rows. */
  const told = local.i32()
  const more = (address: Local<"i32">, offset: number): Statement =>
    i32.store(address, i32.add(i32.load(address, offset), 1), offset)
  const addTo = (address: Local<"i32">, what: Local<"v128">, offset: number): Statement =>
    v128.store(address, f64x2.add(v128.load(address, offset), what), offset)
  /** Counts above what was exported, apart: what is not sampled need not touch that line. */
  const scaleUp = (what: Local<"v128">): ReadonlyArray<Statement> => [
    set(back, f64x2.mul(what, f64x2.splat(f64.sub(scale, f64.const(1))))),
    addTo(slot, back, Slot.EXCESS_BYTES * 8),
    set(what, f64x2.mul(what, f64x2.splat(scale)))
  ]
  return [
    set(pressed, f64.ne(pressure, f64.const(1))),
    set32(told, i32.mul(whole, TELLS_SYN | TELLS_REPLY)),
    set(least, i32x4.splat(0x7fff_ffff)),
    set(most, i32x4.splat(-0x8000_0000)),
    repeat(
      [
        set32(k4, i32.shl(k, 2)),
        set32(by4, i32.shl(i, 2)),
        set32(by8, i32.shl(i, 3)),
        set(slot, i32.add(slots, i32.load(k4, At.SLOT))),
        set(aux, i32.load(k4, At.AUX)),
        set(turn, i32.and(i32.shru(aux, At.TURNED_SHIFT), 1)),
        set(side, i32.add(slot, i32.shl(turn, 2))),
        set(sums, i32.add(slot, i32.shl(turn, 4))),
        set(rate, i32.load(by4, At.COLUMN.sampling)),
        when(i32.isZero(rate), [set(rate, i32.load(i32.shl(i32.load(by4, At.COLUMN.exporter), 2), At.RATES))]),
        set(scaled, i32.or(i32.gtu(rate, 1), pressed)),
        set(volumes, f64x2.pair(by8, At.COLUMN.bytes, by8, At.COLUMN.packets)),
        when(scaled, [
          set(scale, f64.mul(f64.fromUnsigned(i32.or(rate, i32.isZero(rate))), pressure)),
          ...scaleUp(volumes),
          set(rate, i32.fromDouble(scale)),
          when(i32.gtu(rate, i32.load(slot, Slot.SAMPLING * 4)), [i32.store(slot, rate, Slot.SAMPLING * 4)])
        ]),
        addTo(sums, volumes, Slot.BYTES * 8),
        // Records of both directions, first and last, which lie side by side.
        set(counted, v128.load(slot, Slot.RECORDS * 4)),
        when(whole, [set(counted, i32x4.add(counted, v128.load(i32.shl(turn, 4), At.COUNTS)))]),
        set(counted, i32x4.least(counted, i32x4.with(least, by4, At.BEGAN, Slot.FIRST - Slot.RECORDS))),
        set(counted, i32x4.most(counted, i32x4.with(most, by4, At.ENDED, Slot.LAST - Slot.RECORDS))),
        v128.store(slot, counted, Slot.RECORDS * 4),
        set(flags, i32.load8(i, At.COLUMN.tcpFlags)),
        set(tells, i32.load8(flags, At.TELLS)),
        when(i32.and(whole, i32.shru(aux, At.PORTED_SHIFT)), [
          set(port, i32.and(aux, 0xffff)),
          set(changed, i32.ne(i32.load16(slot, Slot.PORTS_SEEN * 4 + 2), port)),
          i32.store(slot, i32.add(i32.load(slot, Slot.A_PORTS * 4), changed), Slot.A_PORTS * 4),
          i32.store16(slot, port, Slot.PORTS_SEEN * 4 + 2),
          set(was, i32.and(i32.load(slot, Slot.LAST_BEGAN * 4), i32.sub(changed, 1))),
          when(i32.and(i32.and(i32.load(by4, At.MARK), At.STARTED), tells), [
            set(began, i32.load(by4, At.OWN)),
            set(ahead, i32.shr(i32.shl(i32.sub(i32.shr(was, 2), began), 2), 2)),
            when(
              i32.and(
                i32.eq(i32.and(was, 3), i32.sub(2, turn)),
                i32.ltu(i32.add(ahead, SAME_CONNECTION_MS - 1), 2 * SAME_CONNECTION_MS - 1)
              ),
              [
                // The other direction of the same connection came before this one: whose start is earlier began.
                when(ahead, [
                  set(side, i32.add(slot, i32.shl(i32.xor(turn, i32.lt(ahead, 0)), 2))),
                  when(flags, [more(side, Slot.SYN * 4)], [more(side, Slot.BEGAN * 4)]),
                  set(side, i32.add(slot, i32.shl(turn, 2)))
                ]),
                set32(was, 0)
              ],
              [set(was, i32.or(i32.shl(began, 2), i32.add(turn, 1)))]
            )
          ]),
          i32.store(slot, was, Slot.LAST_BEGAN * 4)
        ]),
        // Its octet of the flags.
        set32(port, i32.add(slot, turn)),
        i32.store8(port, i32.or(i32.load8(port, Slot.FLAGS * 4), flags), Slot.FLAGS * 4),
        when(i32.and(tells, told), [
          when(
            i32.and(tells, TELLS_SYN),
            [more(side, Slot.SYN * 4)],
            [when(f64.eq(f64.load(by8, At.COLUMN.packets), f64.const(1)), [more(side, Slot.SYN_ACK * 4)])]
          )
        ]),
        when(
          i32.isZero(i64.isZero(i64.or(i64.load(by8, At.COLUMN.reverseBytes), i64.load(by8, At.COLUMN.reversePackets)))),
          // The reverse half of a biflow. Its source is the initiator (RFC 5103 §5).
          [
            set(volumes, f64x2.pair(by8, At.COLUMN.reverseBytes, by8, At.COLUMN.reversePackets)),
            when(scaled, scaleUp(volumes)),
            set(sums, i32.add(slot, i32.shl(i32.xor(turn, 1), 4))),
            addTo(sums, volumes, Slot.BYTES * 8),
            when(i32.and(whole, i32.shru(aux, At.PORTED_SHIFT)), [more(side, Slot.BEGAN * 4)])
          ]
        ),
        set(i, i32.add(i, 1)),
        set(k, i32.add(k, 1))
      ],
      i32.ltu(k, count)
    ),
    give(count)
  ]
})
