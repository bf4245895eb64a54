/**
 * The commonest sFlow samples: one WebAssembly function (wasm.ts) reads them where they lie and writes their rows. What they say is what
 * sflow.ts reads of them one by one.
 *
 * Lengths are compared without sign and with what is left: the sum of an address and a forged one would begin again at 0.
 */
import { DIRECTION_UNKNOWN, FAMILY_IPV4, FAMILY_IPV6, type SharedMemory } from "./FlowBatch.ts"
import { HEADER_ETHERNET } from "./frame.ts"
import { NEXT, orderAt, orders } from "./generate.ts"
import { type Reading, roomOf } from "./Reading.ts"
import { EXPANDED_FLOW_SAMPLE, FLOW_SAMPLE, FORMAT_INTERFACE, INTERNAL_INTERFACE, RAW_HEADER } from "./sflow-formats.ts"
import { TUNNEL_PORTS } from "./tunnel.ts"
import { assemble, f64, give, i32, type Routine, repeat, routine, type Statement, select, set, type Value, when } from "./wasm.ts"
import { i8x16, v128 } from "./wasm-vectors.ts"

/** Octets of an expanded flow sample before its packet; 12 of those behind the datagram may be read with them. */
const BEFORE = 8 + 44 + 24
/** Octets of a packet that show TCP's flags behind a VLAN tag and IPv4 or IPv6. */
const LEAST_IPV4 = 18 + 20 + 14
const LEAST_IPV6 = 18 + 40 + 14

/** In the scratch memory, behind what generate.ts has there: how many samples were expanded, and the order of the octets of four words. */
const EXPANDED = NEXT + 4
const WORDS = orderAt(orders.length)
const wordOrder = Array.from({ length: 16 }, (_, i) => i ^ 3)

/** What a load makes of such octets: nothing that is only compared is turned. */
const octets = (...first: ReadonlyArray<number>): number => first.reduce((all, octet, i) => all | (octet << (8 * i)), 0)
const word = (value: number): number => octets(0, 0, 0, value)
/** IEEE 802.1Q. */
const VLAN = octets(0x81, 0x00)
/** From the number of a sample's records to the packet in the first of them. */
const PACKET = 28

type I32 = Value<"i32">
const anyOf = (conditions: ReadonlyArray<I32>): I32 => conditions.reduce((all, one) => i32.or(all, one))

/** `plain(at, end, row, most, exporter)`: returns how many rows it made, and leaves where it stopped at NEXT, expanded ones at EXPANDED. */
const plainRoutine = ({ columns, datagram, scratch }: SharedMemory): Routine =>
  routine("plain", ["i32", "i32", "i32", "i32", "i32"], ([p, end, row, most, exporter], local) => {
    const first = local.i32()
    const last = local.i32()
    const expanded = local.i32()
    const order = local.v128()
    const stop = [
      i32.store(0, i32.sub(p, datagram), scratch + NEXT),
      i32.store(0, expanded, scratch + EXPANDED),
      give(i32.sub(row, first))
    ]
    const stopIf = (...conditions: ReadonlyArray<I32>): Statement => when(anyOf(conditions), stop)
    const words = (at: I32, offset: number) => i8x16.pick(v128.load(at, offset), order)
    const uint = (at: I32, offset: number) => i8x16.word(words(at, offset))
    const isNot = (value: number, at: I32, offset: number) => i32.ne(i32.load(at, offset), word(value))

    const tag = local.i32()
    const rate = local.i32()
    const input = local.i32()
    const output = local.i32()
    // At the number of records, behind which both kinds of sample are alike.
    const body = local.i32()
    const head = (rateAt: number, inputAt: number, outputAt: number, bodyAt: number, ...wrong: ReadonlyArray<I32>) => [
      set(rate, uint(p, rateAt)),
      set(input, uint(p, inputAt)),
      set(output, uint(p, outputAt)),
      set(body, i32.add(p, bodyAt)),
      stopIf(...wrong)
    ]
    const isNoIndex = [isNot(FORMAT_INTERFACE, p, 32), isNot(FORMAT_INTERFACE, p, 40), i32.eq(input, -1), i32.eq(output, -1)]
    const heads = [
      set(tag, i32.load(p)),
      when(
        i32.eq(tag, word(FLOW_SAMPLE)),
        head(16, 28, 32, 36, i32.and(i32.or(input, output), 0xc0000000)),
        head(20, 36, 44, 48, isNot(EXPANDED_FLOW_SAMPLE, p, 0), ...isNoIndex)
      )
    ]

    // Octets from the packet to the end of the sample, to that of its record, and those that are the packet's.
    const left = local.i32()
    const held = local.i32()
    const captured = local.i32()
    const records = local.i32()
    const at = local.i32()
    const rest = local.i32()
    const size = local.i32()
    const lengths = [
      set(left, i32.sub(uint(p, 4), i32.sub(i32.add(body, PACKET - 8), p))),
      set(held, i32.sub(uint(body, 8), 16)),
      set(captured, uint(body, 24)),
      stopIf(
        i32.eq(input, INTERNAL_INTERFACE),
        i32.eq(output, INTERNAL_INTERFACE),
        isNot(RAW_HEADER, body, 4),
        isNot(HEADER_ETHERNET, body, 12),
        i32.gtu(left, i32.sub(end, i32.add(body, PACKET))),
        i32.gtu(held, left),
        i32.gtu(captured, held),
        i32.ltu(captured, LEAST_IPV4)
      ),
      // Other records lie in the sample, and none of them is longer than there is room.
      when(isNot(1, body, 0), [
        set(records, i32.sub(uint(body, 0), 1)),
        set(at, i32.add(i32.add(body, PACKET), held)),
        set(rest, i32.sub(left, held)),
        repeat(
          [
            stopIf(i32.ltu(rest, 8)),
            set(rest, i32.sub(rest, 8)),
            set(size, uint(at, 4)),
            stopIf(i32.gtu(size, rest)),
            set(rest, i32.sub(rest, size)),
            set(at, i32.add(at, i32.add(size, 8))),
            set(records, i32.sub(records, 1))
          ],
          records
        )
      ])
    ]

    // At the EtherType; IP is 2 octets further.
    const type = local.i32()
    const protocol = local.i32()
    const length = local.i32()
    const transport = local.i32()
    const addresses = local.v128()
    const by4 = local.i32()
    const by32 = local.i32()
    const starts = (mask: number, ...first: ReadonlyArray<number>) =>
      i32.eq(i32.and(i32.load(type), octets(255, 255, mask)), octets(...first))
    const packet = [
      set(type, i32.add(body, PACKET + 12)),
      set(type, i32.add(type, i32.shl(i32.eq(i32.load16(type), VLAN), 2))),
      when(
        starts(0xff, 0x08, 0x00, 0x45),
        [
          set(addresses, words(type, 6)),
          stopIf(i32.and(i8x16.word(addresses), 0x1fff)),
          set(protocol, i32.load8(type, 11)),
          set(length, i32.shru(uint(type, 4), 16)),
          set(transport, i32.add(type, 22)),
          i32.store8(row, FAMILY_IPV4, columns.family),
          i32.store(by4, i8x16.word(addresses, 2), columns.source),
          i32.store(by4, i8x16.word(addresses, 3), columns.destination)
        ],
        [
          stopIf(i32.isZero(starts(0xf0, 0x86, 0xdd, 0x60)), i32.ltu(captured, LEAST_IPV6)),
          set(protocol, i32.load8(type, 8)),
          set(length, i32.shru(uint(type, 6), 16)),
          set(length, select(length, i32.add(length, 40), length)),
          set(transport, i32.add(type, 42)),
          i32.store8(row, FAMILY_IPV6, columns.family),
          i32.store(by4, 0, columns.source),
          i32.store(by4, 0, columns.destination),
          set(by32, i32.shl(row, 5)),
          v128.store(by32, v128.load(type, 10), columns.ipv6),
          v128.store(by32, v128.load(type, 26), columns.ipv6 + 16)
        ]
      )
    ]

    const ports = local.i32()
    const port = local.i32()
    const isTcp = local.i32()
    const by2 = local.i32()
    const by8 = local.i32()
    const mayTunnel = anyOf(TUNNEL_PORTS.map((one) => i32.eq(port, one)))
    const flow = [
      set(ports, uint(transport, 0)),
      set(port, i32.and(ports, 0xffff)),
      set(isTcp, i32.eq(protocol, 6)),
      stopIf(i32.isZero(i32.or(isTcp, i32.gtu(i32.eq(protocol, 17), mayTunnel)))),
      set(by2, i32.shl(row, 1)),
      set(by8, i32.shl(row, 3)),
      i32.store(by4, exporter, columns.exporter),
      i32.store16(by2, i32.shru(ports, 16), columns.sourcePort),
      i32.store16(by2, port, columns.destinationPort),
      i32.store8(row, protocol, columns.protocol),
      i32.store8(row, i32.and(i32.load8(transport, 13), i32.sub(0, isTcp)), columns.tcpFlags),
      // The length of the frame where IP says none: offloading, jumbograms (RFC 2675).
      f64.store(by8, f64.fromUnsigned(select(length, length, uint(body, 16))), columns.bytes),
      f64.store(by8, f64.const(1), columns.packets),
      ...(["reverseBytes", "reversePackets", "start", "end"] as const).map((name) => f64.store(by8, f64.const(0), columns[name])),
      i32.store(by4, input, columns.inputInterface),
      i32.store(by4, output, columns.outputInterface),
      i32.store(by4, rate, columns.sampling),
      i32.store8(row, DIRECTION_UNKNOWN, columns.direction)
    ]

    return [
      set(order, v128.load(0, scratch + WORDS)),
      set(first, row),
      set(last, i32.add(row, most)),
      set(p, i32.add(p, datagram)),
      set(end, i32.add(end, datagram)),
      repeat(
        [
          stopIf(i32.lt(i32.sub(end, p), BEFORE)),
          set(by4, i32.shl(row, 2)),
          ...heads,
          ...lengths,
          ...packet,
          ...flow,
          set(expanded, i32.add(expanded, i32.eq(tag, word(EXPANDED_FLOW_SAMPLE)))),
          set(p, i32.add(i32.add(body, PACKET), left)),
          set(row, i32.add(row, 1))
        ],
        i32.ltu(row, last)
      ),
      ...stop
    ]
  })

export interface PlainSamples {
  /**
   * The commonest samples, as many as follow each other and as there is room for: TCP or UDP, no tunnel, first fragments of IPv4 without
   * options or of IPv6 without extensions, in Ethernet frames, tagged or not, whose raw header comes first in the sample. Returns how many
   * rows it made; `end` is behind them.
   */
  readonly read: (start: number, end: number, most: number) => number
  end: number
}

export const makePlainSamples = (reading: Reading, shared: SharedMemory): PlainSamples => {
  const { outcome } = reading
  const { memory, scratch } = shared
  new Uint8Array(memory.buffer, scratch + WORDS, 16).set(wordOrder)
  const said = new Int32Array(memory.buffer, scratch + NEXT, 2)
  const code = new WebAssembly.Module(assemble([plainRoutine(shared)]))
  const plain = new WebAssembly.Instance(code, { env: { memory } }).exports["plain"] as unknown as (
    at: number,
    end: number,
    row: number,
    most: number,
    exporter: number
  ) => number

  const samples: PlainSamples = {
    read: (start, end, most) => {
      const { batch, exporterIndex } = reading
      const room = roomOf(batch, reading.full)
      const rows = plain(start, end, batch.length, Math.min(most, room), exporterIndex)
      const expanded = said[1]!
      batch.length += rows
      outcome.records += rows
      outcome.flowSamples += rows - expanded
      outcome.expandedFlowSamples += expanded
      samples.end = said[0]!
      return rows
    },
    end: 0
  }
  return samples
}
