import { assert, describe, it } from "@effect/vitest"
import { bytes, ipv4, seeded } from "./encode.fixture.ts"
import { makeSharedBatch } from "./FlowBatch.ts"
import {
  counterSample,
  ethernet,
  expandedFlowSample,
  flowSample,
  ipv4Packet,
  ipv6Packet,
  type Packet,
  rawHeader,
  sampleRecord,
  sflow,
  tcp,
  udp
} from "./packet.fixture.ts"
import { makeReading } from "./Reading.ts"
import { makeBench, type Row, rowsOf } from "./rows.fixture.ts"
import { makePlainSamples } from "./sflow-plain.ts"
import { TUNNEL_PORTS } from "./tunnel.ts"

const six = (last: number) => bytes().u32(0x20010db8).zeros(11).u8(last).done()
const long = (transport: Uint8Array) => bytes().raw(transport).zeros(60).done()
const tcpEnd = long(tcp(40_000, 443, 0xff))
const four = (payload = tcpEnd, packet: Partial<Packet> = {}) =>
  ipv4Packet(ipv4("198.51.100.200"), ipv4("10.0.0.2"), { protocol: 6, length: 0x8765, ...packet }, payload)
const sixth = (payload = tcpEnd, next = 6) => ipv6Packet(six(0xfe), six(2), next, payload)
const frame4 = (...vlans: ReadonlyArray<number>) => ethernet(0x0800, four(), ...vlans)
const frame6 = (...vlans: ReadonlyArray<number>) => ethernet(0x86dd, sixth(), ...vlans)

const normal = { rate: 0xfedcba98, input: 3, output: 0x3ffffffe }
const large = { rate: 0xfedcba98, input: 0xfffffffe, output: 0x40000001 }
const inFrame = (frame: Uint8Array) => flowSample(normal, rawHeader(frame, 0x89abcdef))
const inExpanded = (frame: Uint8Array) => expandedFlowSample(large, rawHeader(frame, 0x89abcdef))
const udpTo = (port: number) => inFrame(ethernet(0x0800, four(long(udp(53, port)), { protocol: 17 })))

/** Where a flow sample has them; each is 12 further in an expanded one. */
const LENGTH = 4
const RECORDS = 36
const RECORD_LENGTH = 44
const CAPTURED = 60

const patched = (sample: Uint8Array, at: number, value: number): Uint8Array => {
  const copy = Uint8Array.from(sample)
  new DataView(copy.buffer).setUint32(at, value)
  return copy
}
const more = sampleRecord(1001, new Uint8Array(16))
const withMore = flowSample(normal, rawHeader(frame4(), 1500), more, more)
const [second, third] = [withMore.length - 48, withMore.length - 24]

const plain: ReadonlyArray<readonly [name: string, sample: Uint8Array]> = [
  ["TCP", inFrame(frame4())],
  ["TCP behind a tag", inFrame(frame4(5))],
  ["TCP over IPv6", inFrame(frame6())],
  ["TCP over IPv6 behind a tag", inFrame(frame6(5))],
  ["UDP", udpTo(53)],
  ["UDP from the port of a tunnel", inFrame(ethernet(0x0800, four(long(udp(4789, 53)), { protocol: 17 })))],
  ["TCP to the port of a tunnel", inFrame(ethernet(0x0800, four(long(tcp(5, 4789, 2)))))],
  ["UDP over IPv6", inFrame(ethernet(0x86dd, sixth(long(udp(53, 53)), 17)))],
  ["an expanded sample", inExpanded(frame4())],
  ["an expanded sample of IPv6", inExpanded(frame6(7))],
  ["a first fragment", inFrame(ethernet(0x0800, four(tcpEnd, { fragmentOffset: 0x2000 })))],
  ["an IPv4 packet without a length", inFrame(ethernet(0x0800, four(tcpEnd, { length: 0 })))],
  ["a jumbogram", inFrame(patched(frame6(), 18, 0x0000_0640))],
  ["as few octets of IPv4 as show the flags", inFrame(frame4(5).subarray(0, 52))],
  ["as few octets of IPv6 as show the flags", inFrame(frame6(5).subarray(0, 72))],
  ["other records behind the header", withMore],
  ["a second header behind the first", flowSample(normal, rawHeader(frame4(), 1500), rawHeader(frame6(), 1500))],
  ["octets that no record claims", patched(withMore, RECORDS, 2)]
]

/** A length that is not there, or that added to an address is again a small number. */
const forged = [0, 8, 0x0001_0000, 0x7fffffff, 0x80000000, 0xffff_0000, 0xffffff80, 0xfffffff0, 0xfffffff8, 0xffffffff]
const forgedAt = (name: string, sample: Uint8Array, at: number) =>
  forged.map((value) => [`${name} of 0x${value.toString(16)}`, patched(sample, at, value)] as const)

const special: typeof plain = [
  ["ICMP", inFrame(ethernet(0x0800, four(tcpEnd, { protocol: 1 })))],
  ["GRE", inFrame(ethernet(0x0800, four(tcpEnd, { protocol: 47 })))],
  ...TUNNEL_PORTS.map((port) => [`UDP to ${port}`, udpTo(port)] as const),
  ["a tunnel over IPv6", inFrame(ethernet(0x86dd, sixth(long(udp(53, 4789)), 17)))],
  ["IPv4 options", inFrame(ethernet(0x0800, four(tcpEnd, { options: 1 })))],
  ["a later fragment", inFrame(ethernet(0x0800, four(tcpEnd, { fragmentOffset: 0x2001 })))],
  ["an extension header of IPv6", inFrame(ethernet(0x86dd, sixth(bytes().u8(6).zeros(7).raw(tcpEnd).done(), 0)))],
  ["two tags", inFrame(frame4(5, 6))],
  ["no IP", inFrame(ethernet(0x0806, four()))],
  ["IPv6 that calls itself IPv4", inFrame(ethernet(0x0800, sixth()))],
  ["IPv4 that calls itself IPv6", inFrame(ethernet(0x86dd, four()))],
  ["too few octets of IPv4", inFrame(frame4(5).subarray(0, 51))],
  ["too few octets of IPv6", inFrame(frame6(5).subarray(0, 71))],
  ["IPv4 without Ethernet", flowSample(normal, rawHeader(four(), 1500, 11))],
  ["another record first", flowSample(normal, more, rawHeader(frame4(), 1500))],
  ["no record", flowSample(normal)],
  ["an inner port in", flowSample({ ...normal, input: 0x3fffffff }, rawHeader(frame4(), 1500))],
  ["an inner port out", flowSample({ ...normal, output: 0x3fffffff }, rawHeader(frame4(), 1500))],
  ["a reason for a discard", flowSample({ ...normal, output: 0x40000001 }, rawHeader(frame4(), 1500))],
  ["several interfaces", flowSample({ ...normal, input: 0x80000002 }, rawHeader(frame4(), 1500))],
  ["an expanded inner port", expandedFlowSample({ ...large, input: 0x3fffffff }, rawHeader(frame4(), 1500))],
  ["an expanded port that is none in", expandedFlowSample({ ...large, input: 0xffffffff }, rawHeader(frame4(), 1500))],
  ["an expanded port that is none out", expandedFlowSample({ ...large, output: 0xffffffff }, rawHeader(frame4(), 1500))],
  ["an expanded format in", expandedFlowSample({ ...large, inputFormat: 1 }, rawHeader(frame4(), 1500))],
  ["an expanded format out", expandedFlowSample({ ...large, outputFormat: 2 }, rawHeader(frame4(), 1500))],
  ["counters", counterSample(false, sampleRecord(1, new Uint8Array(160)))],
  ["a sample of a vendor's", patched(inFrame(frame4()), 0, 0x0100_0001)],
  ...forgedAt("a sample's length", inFrame(frame4()), LENGTH),
  ...forgedAt("an expanded sample's length", inExpanded(frame4()), LENGTH),
  ...forgedAt("a record's length", inFrame(frame4()), RECORD_LENGTH),
  ...forgedAt("an expanded sample's record's length", inExpanded(frame4()), RECORD_LENGTH + 12),
  ...forgedAt("captured octets", inFrame(frame4()), CAPTURED),
  ...forgedAt("a second record's length", withMore, second + 4).slice(2),
  ...forgedAt("a third record's length", withMore, third + 4).slice(2),
  ...forgedAt("a number of records", withMore, RECORDS).filter(([, sample]) => sample[RECORDS + 3] !== 1)
]

describe("plain samples of sFlow", () => {
  const batch = makeSharedBatch(8)
  const reading = makeReading(batch, (full) => {
    full.length = 0
  })
  reading.exporterIndex = 7
  const samples = makePlainSamples(reading, batch.shared!)
  const takenOf = (datagram: Uint8Array, most: number, length = datagram.length): number => {
    for (const column of Object.values(batch)) if (ArrayBuffer.isView(column)) (column as Uint8Array).fill(99)
    batch.length = 0
    reading.bytes.fill(0xff).set(datagram)
    return samples.read(28, length, most)
  }
  /** One that takes plain samples together, and two that read one by one. */
  const bench = makeBench({ batchRows: 10 })
  const others = [
    makeBench({ batchRows: 10, shared: undefined }),
    makeBench({ batchRows: 10, trace: { templateRecord: () => {}, flowSample: () => {} } })
  ]
  const compare = (datagram: Uint8Array, label: string): ReadonlyArray<Row> => {
    const outcome = bench.feed(datagram)
    const rows = bench.take()
    for (const other of others) {
      assert.deepStrictEqual(outcome, other.feed(datagram), `outcome of ${label}`)
      assert.deepStrictEqual(rows, other.take(), `rows of ${label}`)
    }
    return rows
  }

  for (const [list, count] of [
    [plain, 2],
    [special, 0]
  ] as const) {
    it(`${count === 0 ? "are not" : "are"} ${list.length} kinds, read as the general way does`, () => {
      for (const [name, sample] of list) {
        const datagram = sflow({}, sample, plain[0]![1])
        assert.strictEqual(takenOf(datagram, 2), count, name)
        assert.strictEqual(samples.end, count === 0 ? 28 : datagram.length, name)
        assert.deepStrictEqual(rowsOf(batch), compare(datagram, name).slice(0, count), name)
        if (batch.family[0] === 6) assert.deepStrictEqual([batch.source[0], batch.destination[0]], [0, 0], name)
      }
    })
  }

  it("end with the datagram, the room, or what was promised", () => {
    const one = plain[0]![1]
    const many = sflow({}, ...new Array<Uint8Array>(20).fill(one))
    assert.strictEqual(takenOf(many, 3), 3)
    assert.strictEqual(samples.end, 28 + 3 * one.length)
    assert.strictEqual(takenOf(many, 0xffffffff), 8)
    assert.strictEqual(batch.length, 8)
    const rows = rowsOf(batch)
    batch.source.fill(0)
    assert.strictEqual(samples.read(28, many.length, 20), 8)
    assert.deepStrictEqual(rowsOf(batch), rows)
  })

  it("are not completed by what a longer datagram left behind", () => {
    for (const one of [inFrame(frame4()), inExpanded(frame4(5)), inExpanded(frame6())]) {
      const two = sflow({}, one, one)
      for (let octets = 28; octets < two.length; octets++) {
        assert.strictEqual(takenOf(two, 2, octets), octets < 28 + one.length ? 0 : 1, `${octets} octets`)
        compare(two.subarray(0, octets), `${octets} octets`)
      }
    }
  })

  it("are read as the others are, whatever the octets", () => {
    const random = seeded(11)
    let rows = 0
    for (let i = 0; i < 5000; i++) {
      const chosen = Array.from({ length: random.below(24) }, () => random.pick(random.below(4) === 0 ? special : plain)[1])
      const octets = sflow({}, ...chosen)
      for (let flips = random.below(4); flips > 0; flips--)
        octets[random.below(octets.length)] = random.pick([0, 1, 4, 127, 255, random.below(256)])
      const length = random.below(3) === 0 ? random.below(octets.length) : octets.length
      rows += compare(octets.subarray(0, length), `datagram ${i}`).length
    }
    assert.isAbove(rows, 10_000)
  })
})
