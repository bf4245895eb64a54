import { assert, describe, it } from "@effect/vitest"
import { bytes, ipv4, seeded } from "./encode.fixture.ts"
import { DIRECTION_UNKNOWN } from "./FlowBatch.ts"
import { makeFrame, readFrame } from "./frame.ts"
import type { InterfaceCounters } from "./interface-counters.ts"
import {
  counterSample,
  ethernet,
  expandedFlowSample,
  flowSample,
  ipv4Packet,
  ipv6Packet,
  rawHeader,
  sampleRecord,
  sflow,
  tcp,
  udp
} from "./packet.fixture.ts"
import { makeBench } from "./rows.fixture.ts"

const packet = ipv4Packet(ipv4("10.0.0.1"), ipv4("10.0.0.2"), { protocol: 6, length: 1500 }, tcp(40000, 443, 2))
const sample = { rate: 1000, input: 3, output: 7 }

const counters = bytes()
  .u32(12)
  .u32(6)
  .u64(10_000_000_000)
  .u32(1)
  .u32(3)
  .u64(2n ** 40n)
for (let i = 1; i <= 6; i++) counters.u32(i)
counters.u64(2n ** 41n)
for (let i = 7; i <= 11; i++) counters.u32(i)
const generic = counters.u32(2).done()

describe("sFlow v5", () => {
  it("makes one row of a flow sample", () => {
    const bench = makeBench()
    const outcome = bench.feed(
      sflow({ subAgent: 4, sequence: 99 }, flowSample(sample, rawHeader(ethernet(0x0800, packet), 1518)), flowSample(sample))
    )
    assert.strictEqual(outcome.version, 105)
    assert.strictEqual(outcome.agent, "192.0.2.9")
    assert.strictEqual(outcome.observationDomain, 4)
    assert.strictEqual(outcome.sequence, 99)
    assert.strictEqual(outcome.sequenceStep, 1)
    assert.strictEqual(outcome.exportMs, 0)
    assert.strictEqual(outcome.flowSamples, 2)
    assert.strictEqual(outcome.records, 2)
    const [row, empty] = bench.take()
    assert.deepStrictEqual(row, {
      exporter: 7,
      family: 4,
      source: "10.0.0.1",
      destination: "10.0.0.2",
      sourcePort: 40000,
      destinationPort: 443,
      protocol: 6,
      tcpFlags: 2,
      bytes: 1500,
      packets: 1,
      reverseBytes: 0,
      reversePackets: 0,
      start: 0,
      end: 0,
      inputInterface: 3,
      outputInterface: 7,
      sampling: 1000,
      direction: DIRECTION_UNKNOWN
    })
    assert.deepStrictEqual([empty?.family, empty?.packets, empty?.bytes], [0, 0, 0])
  })

  it("reads expanded samples, and interfaces that are none as unknown", () => {
    const bench = makeBench()
    const header = rawHeader(ethernet(0x0800, packet), 1518)
    bench.feed(
      sflow(
        {},
        expandedFlowSample({ rate: 16, input: 2_000_000_000, output: 4 }, header),
        expandedFlowSample({ rate: 16, input: 0x3fffffff, output: 2, outputFormat: 2 }, header),
        flowSample({ rate: 16, input: 0x3fffffff, output: 0x80000005 }, header),
        flowSample({ rate: 16, input: 0, output: 0x40000101 }, header)
      )
    )
    assert.deepStrictEqual(
      bench.take().map((row) => [row.inputInterface, row.outputInterface]),
      [
        [2_000_000_000, 4],
        [0, 0],
        [0, 0],
        [0, 0]
      ]
    )
  })

  it("reads the IPv6, IPv4 and Ethernet records of agents that send no header", () => {
    const bench = makeBench()
    const four = bytes().u32(1400).u32(17).u32(ipv4("10.0.0.1")).u32(ipv4("10.0.0.2")).u32(5000).u32(53).u32(0).u32(0).done()
    const address = (last: number) => bytes().u32(0x20010db8).zeros(11).u8(last).done()
    const six = bytes().u32(1300).u32(6).raw(address(1)).raw(address(2)).u32(5001).u32(443).u32(0x12).u32(0).done()
    const link = bytes().u32(64).raw([1, 2, 3, 4, 5, 6, 0, 0]).raw([6, 5, 4, 3, 2, 1, 0, 0]).u32(0x0806).done()
    bench.feed(
      sflow(
        {},
        flowSample(sample, sampleRecord(3, four)),
        flowSample(sample, sampleRecord(4, six)),
        flowSample(sample, sampleRecord(2, link))
      )
    )
    assert.deepStrictEqual(
      bench.take().map((row) => [row.family, row.destination, row.destinationPort, row.protocol, row.bytes, row.packets]),
      [
        [4, "10.0.0.2", 53, 17, 1400, 1],
        [6, "2001:db8::2", 443, 6, 1300, 1],
        [0, "0.0.0.0", 0, 0, 64, 1]
      ]
    )
  })

  it("prefers the raw header wherever it stands among the records", () => {
    const four = bytes().u32(1400).u32(17).u32(1).u32(2).u32(5000).u32(53).u32(0).u32(0).done()
    const header = rawHeader(ethernet(0x0800, packet), 1518)
    const bench = makeBench()
    bench.feed(sflow({}, flowSample(sample, sampleRecord(3, four), header), flowSample(sample, header, sampleRecord(3, four))))
    assert.deepStrictEqual(
      bench.take().map((row) => [row.source, row.bytes]),
      [
        ["10.0.0.1", 1500],
        ["10.0.0.1", 1500]
      ]
    )
  })

  it("gives interface counters to whoever asks, from both kinds of counter sample", () => {
    const seen: Array<InterfaceCounters> = []
    const bench = makeBench({ onInterfaceCounters: (one) => seen.push({ ...one }) })
    const outcome = bench.feed(
      sflow(
        { subAgent: 2 },
        counterSample(false, sampleRecord(2, new Uint8Array(52)), sampleRecord(1, generic)),
        counterSample(true, sampleRecord(1, generic))
      )
    )
    assert.deepStrictEqual([outcome.counterSamples, outcome.expandedCounterSamples, outcome.records], [1, 1, 0])
    assert.strictEqual(seen.length, 2)
    assert.deepStrictEqual(seen[1], {
      exporterIndex: 7,
      exporterAddress: "192.0.2.1",
      agent: "192.0.2.9",
      subAgent: 2,
      arrivalMs: 1_700_000_000_500,
      ifIndex: 12,
      ifType: 6,
      ifSpeed: 10_000_000_000,
      ifDirection: 1,
      ifStatus: 3,
      inOctets: 2 ** 40,
      inUnicast: 1,
      inMulticast: 2,
      inBroadcast: 3,
      inDiscards: 4,
      inErrors: 5,
      inUnknownProtocols: 6,
      outOctets: 2 ** 41,
      outUnicast: 7,
      outMulticast: 8,
      outBroadcast: 9,
      outDiscards: 10,
      outErrors: 11,
      promiscuous: 2
    })
  })

  it("marks counters the agent does not keep", () => {
    const seen: Array<InterfaceCounters> = []
    const bench = makeBench({ onInterfaceCounters: (one) => seen.push({ ...one }) })
    bench.feed(sflow({}, counterSample(false, sampleRecord(1, new Uint8Array(88).fill(255)))))
    assert.deepStrictEqual([seen[0]?.inOctets, seen[0]?.outErrors], [-1, -1])
  })

  it("skips what it does not know by its length", () => {
    const bench = makeBench()
    const strange = bytes()
      .u32((4413 << 12) | 9)
      .u32(8)
      .zeros(8)
      .done()
    const discard = bytes().u32(5).u32(36).zeros(36).done()
    const outcome = bench.feed(
      sflow(
        {},
        strange,
        discard,
        flowSample(sample, sampleRecord(1036, new Uint8Array(12)), rawHeader(ethernet(0x0800, packet), 1518))
      )
    )
    assert.deepStrictEqual([outcome.otherSamples, outcome.discardSamples, outcome.flowSamples, outcome.malformed], [1, 1, 1, ""])
    assert.strictEqual(bench.take()[0]?.source, "10.0.0.1")
  })

  it("reads an IPv6 agent", () => {
    const bench = makeBench()
    const datagram = bytes().u32(5).u32(2).u32(0x20010db8).zeros(11).u8(5).u32(6).u32(1).u32(0).u32(0).done()
    const outcome = bench.feed(datagram)
    assert.deepStrictEqual([outcome.agent, outcome.observationDomain, outcome.malformed], ["2001:db8::5", 6, ""])
  })

  const header = rawHeader(ethernet(0x0800, packet), 1518)
  const sampled = flowSample(sample, header)
  for (const [name, datagram, reason, rows] of [
    ["a datagram that ends in its header", sflow({}).subarray(0, 27), "short-header", 0],
    ["an agent address of an unknown kind", bytes().u32(5).u32(3).zeros(24).done(), "address-type", 0],
    ["more samples promised than sent", sflow({ count: 3 }, sampled), "sample-truncated", 1],
    ["a sample longer than the datagram", sflow({}, sampled, sampled.subarray(0, 60)), "sample-length", 1],
    ["a sample too short for its fields", sflow({}, bytes().u32(1).u32(8).zeros(8).done()), "sample-truncated", 0],
    ["a record longer than its sample", sflow({}, flowSample(sample, header.subarray(0, 50))), "sample-truncated", 1]
  ] as const) {
    it(`counts ${name}`, () => {
      const bench = makeBench()
      assert.strictEqual(bench.feed(datagram).malformed, reason)
      assert.strictEqual(bench.take().length, rows)
    })
  }

  it("reads the commonest packets as it reads the others", () => {
    const random = seeded(3)
    const frame = makeFrame()
    const bench = makeBench()
    let plain = 0
    for (let i = 0; i < 2000; i++) {
      const inner = ipv4Packet(
        random.u32(),
        random.u32(),
        {
          protocol: random.pick([6, 17, 6, 17, 1, 47]),
          fragmentOffset: random.pick([0, 0, 0, 0x2000, 0x4000, 100]),
          options: random.pick([0, 0, 0, 1])
        },
        random.octets(60)
      )
      const octets = ethernet(0x0800, inner, ...random.pick([[], [5], [5, 6]])).subarray(0, random.pick([128, 64, 60, 54, 40]))
      readFrame(new DataView(Uint8Array.from(octets).buffer), 0, octets.length, 1, frame)
      const outcome = bench.feed(sflow({}, flowSample(sample, rawHeader(octets, 1500))))
      assert.strictEqual(outcome.malformed, "")
      const [row] = bench.take()
      assert.deepStrictEqual(
        [row?.family, row?.protocol, row?.sourcePort, row?.destinationPort, row?.tcpFlags],
        [frame.family, frame.protocol, frame.sourcePort, frame.destinationPort, frame.tcpFlags],
        `packet ${i}`
      )
      if (frame.sourcePort !== 0 && octets.length > 58) plain++
    }
    assert.isAbove(plain, 300)
  })

  it("keeps the order of samples, in batches smaller than a datagram", () => {
    const bench = makeBench({ batchRows: 10 })
    const many = Array.from({ length: 200 }, (_, i) => {
      const one = ipv4Packet(i, 1, { protocol: 17 }, udp(i, 53))
      return i % 3 === 0
        ? flowSample(
            sample,
            rawHeader(ethernet(0x86dd, ipv6Packet(new Uint8Array(16).fill(i), new Uint8Array(16), 17, udp(i, 53))), 90)
          )
        : flowSample(sample, rawHeader(ethernet(0x0800, one), 64))
    })
    assert.strictEqual(bench.feed(sflow({}, ...many)).records, 200)
    const rows = bench.take()
    assert.deepStrictEqual(
      rows.map((row) => row.sourcePort),
      many.map((_, i) => i)
    )
    for (let i = 3; i < 200; i += 3) {
      const group = i
        .toString(16)
        .padStart(2, "0")
        .repeat(2)
        .replace(/^0+(?=.)/, "")
      assert.strictEqual(rows[i]?.source, new Array<string>(8).fill(group).join(":"))
    }
  })
})
