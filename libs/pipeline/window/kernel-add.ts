/** The last loop of the kernel (kernel.ts): volumes, times and evidence of each row into its slot (slot.ts). */

import {
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
  when
} from "../decode/wasm.ts"
import * as At from "./layout.ts"
import * as Slot from "./slot.ts"
import { wholeOf } from "./whole-of.ts"

/** Both directions of a connection start within a round trip; 5 s is the longest that is believed. */
const SAME_CONNECTION_MS = 5000
const SYN = 0x02
const ACK = 0x10
const FIN_PSH = 0x09

/** Rows from `i` on, `count` of them, each record standing for `pressure`. Returns how many records had a slot. */
export const add = routine("add", ["i32", "i32", "f64", "i32"], ([i, count, pressure, slots], local) => {
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
  const mark = local.i32()
  /** 1: the record is counted with this row. */
  const whole = local.i32()
  const rate = local.i32()
  const scale = local.f64()
  const volumes = local.v128()
  const ended = local.i32()
  const began = local.i32()
  /** The start by the exporter's own clock: its halves come in different datagrams, between which the measure of its skew may change. */
  const own = local.i32()
  const was = local.i32()
  const port = local.i32()
  const changed = local.i32()
  const ahead = local.i32()
  const flags = local.i32()
  const added = local.i32()
  const egress = local.i32()
  const more = (address: Local<"i32">, offset: number): Statement =>
    i32.store(address, i32.add(i32.load(address, offset), 1), offset)
  const addVolumes = (address: Local<"i32">): ReadonlyArray<Statement> => [
    f64x2.store(address, f64x2.add(f64x2.load(address, Slot.BYTES * 8), f64x2.mul(volumes, f64x2.splat(scale))), Slot.BYTES * 8),
    when(f64.ne(scale, f64.const(1)), [
      f64x2.store(
        slot,
        f64x2.add(f64x2.load(slot, Slot.EXCESS_BYTES * 8), f64x2.mul(volumes, f64x2.splat(f64.sub(scale, f64.const(1))))),
        Slot.EXCESS_BYTES * 8
      )
    ])
  ]
  return [
    repeat(
      [
        set32(k4, i32.shl(k, 2)),
        set32(by4, i32.shl(i, 2)),
        set32(by8, i32.shl(i, 3)),
        set(slot, i32.load(k4, At.SLOT)),
        set(mark, i32.load(by4, At.MARK)),
        set(whole, i32.isZero(i32.and(mark, At.PART))),
        set(added, i32.add(added, i32.and(whole, i32.ne(slot, 0)))),
        set(slot, i32.add(slots, slot)),
        set(aux, i32.load(k4, At.AUX)),
        set(turn, i32.and(i32.shru(aux, At.TURNED_SHIFT), 1)),
        set(side, i32.add(slot, i32.shl(turn, 2))),
        set(sums, i32.add(slot, i32.shl(turn, 4))),
        set(rate, i32.load(by4, At.COLUMN.sampling)),
        when(i32.isZero(rate), [
          set(rate, i32.load(i32.shl(i32.load(by4, At.COLUMN.exporter), 2), At.RATES)),
          set(rate, i32.or(rate, i32.isZero(rate)))
        ]),
        set(scale, f64.mul(f64.fromUnsigned(rate), pressure)),
        set(volumes, f64x2.pair(by8, At.COLUMN.bytes, by8, At.COLUMN.packets)),
        ...addVolumes(sums),
        when(f64.ne(scale, f64.const(1)), [
          set(rate, i32.fromDouble(scale)),
          when(i32.gtu(rate, i32.load(slot, Slot.SAMPLING * 4)), [i32.store(slot, rate, Slot.SAMPLING * 4)])
        ]),
        i32.store(side, i32.add(i32.load(side, Slot.RECORDS * 4), whole), Slot.RECORDS * 4),
        set(ended, i32.load(by4, At.ENDED)),
        set(began, i32.load(by4, At.BEGAN)),
        set(was, i32.load(slot, Slot.LAST * 4)),
        i32.store(slot, select(i32.gt(ended, was), ended, was), Slot.LAST * 4),
        set(was, i32.load(slot, Slot.FIRST * 4)),
        i32.store(slot, select(i32.lt(began, was), began, was), Slot.FIRST * 4),
        set(flags, i32.load8(i, At.COLUMN.tcpFlags)),
        when(i32.and(whole, i32.shru(aux, At.PORTED_SHIFT)), [
          set(port, i32.and(aux, 0xffff)),
          set(was, i32.load(slot, Slot.PORTS_SEEN * 4)),
          set(changed, i32.ne(i32.shru(was, 16), port)),
          i32.store(slot, i32.add(i32.load(slot, Slot.A_PORTS * 4), changed), Slot.A_PORTS * 4),
          i32.store(slot, i32.or(i32.and(was, 0xffff), i32.shl(port, 16)), Slot.PORTS_SEEN * 4),
          set(was, i32.and(i32.load(slot, Slot.LAST_BEGAN * 4), i32.sub(changed, 1))),
          // Without its SYN, TCP was running before: an active timeout cut it, and which half starts first says nothing. With a SYN in both
          // halves, the earlier start is the opening SYN's.
          when(i32.and(mark, i32.or(i32.isZero(flags), i32.shru(flags, 1))), [
            set(own, i32.sub(began, i32.fromLow(wholeOf(f64.load(i32.shl(i32.load(by4, At.COLUMN.exporter), 3), At.SKEWS))))),
            set(ahead, i32.shr(i32.shl(i32.sub(i32.shr(was, 2), own), 2), 2)),
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
              [set(was, i32.or(i32.shl(own, 2), i32.add(turn, 1)))]
            )
          ]),
          i32.store(slot, was, Slot.LAST_BEGAN * 4)
        ]),
        i32.store(slot, i32.or(i32.load(slot, Slot.FLAGS * 4), i32.shl(flags, i32.shl(turn, 3))), Slot.FLAGS * 4),
        when(i32.and(whole, i32.eq(i32.and(flags, SYN | ACK), SYN)), [more(side, Slot.SYN * 4)]),
        // One packet: a client's flow of two packets or more has SYN and ACK as well.
        when(i32.and(whole, i32.eq(i32.and(flags, SYN | ACK | FIN_PSH), SYN | ACK)), [
          when(f64.eq(f64.load(by8, At.COLUMN.packets), f64.const(1)), [more(side, Slot.SYN_ACK * 4)])
        ]),
        when(
          i32.isZero(i64.isZero(i64.or(i64.load(by8, At.COLUMN.reverseBytes), i64.load(by8, At.COLUMN.reversePackets)))),
          // The reverse half of a biflow. Its source is the initiator (RFC 5103 §5).
          [
            set(volumes, f64x2.pair(by8, At.COLUMN.reverseBytes, by8, At.COLUMN.reversePackets)),
            set(sums, i32.add(slot, i32.shl(i32.xor(turn, 1), 4))),
            ...addVolumes(sums),
            when(i32.and(whole, i32.shru(aux, At.PORTED_SHIFT)), [more(side, Slot.BEGAN * 4)])
          ]
        ),
        i32.store(i32.shl(egress, 2), k, At.EGRESS_ROWS),
        set(egress, i32.add(egress, i32.eq(i32.load8(i, At.COLUMN.direction), 1))),
        set(i, i32.add(i, 1)),
        set(k, i32.add(k, 1))
      ],
      i32.ltu(k, count)
    ),
    i32.store(0, egress, At.SAID_EGRESS),
    give(added)
  ]
})
