import { assert, describe, it } from "@effect/vitest"
import { malformedReasons } from "./DecodeOutcome.ts"
import { makeDecoder } from "./Decoder.ts"
import {
  dataSet,
  ipfix,
  netflow5,
  netflow9,
  optionsTemplate9,
  optionsTemplate10,
  type Random,
  seeded,
  template9,
  template10,
  withdrawal10
} from "./encode.fixture.ts"
import { makeFlowBatch } from "./FlowBatch.ts"
import {
  counterSample,
  ethernet,
  expandedFlowSample,
  flowSample,
  ipv4Packet,
  rawHeader,
  sampleRecord,
  sflow,
  tcp,
  udp
} from "./packet.fixture.ts"
import { describeTemplateRecord, type RecordTrace } from "./record.ts"
import { describeFlowSample } from "./sflow-record.ts"
import { makeTemplateCache } from "./TemplateCache.ts"

const seconds = Number(process.env["FLOWLENS_FUZZ_SECONDS"] ?? 3)

const header = ethernet(0x0800, ipv4Packet(1, 2, { protocol: 6 }, tcp(1, 2, 3)), 7)

const inTunnels = ethernet(
  0x0800,
  ipv4Packet(3, 4, { protocol: 17 }, Uint8Array.of(...udp(9, 4789), 8, 0, 0, 0, 0, 0, 1, 0, ...header)),
  9
)
const inGre = ethernet(0x0800, ipv4Packet(3, 4, { protocol: 47 }, Uint8Array.of(0x20, 0, 0x65, 0x58, 0, 0, 0, 1, ...header)))

/** Valid datagrams of every kind; what is made of them is what exporters under attack, or broken ones, would send. */
const seeds: ReadonlyArray<Uint8Array> = [
  netflow5({}, [
    {
      source: 1,
      destination: 2,
      input: 1,
      output: 2,
      packets: 1,
      octets: 2,
      first: 1,
      last: 2,
      sourcePort: 1,
      destinationPort: 2,
      tcpFlags: 2,
      protocol: 6
    }
  ]),
  netflow9(
    {},
    template9(256, [
      [0, 8, 4],
      [0, 12, 4],
      [0, 1, 4],
      [0, 22, 4]
    ]),
    optionsTemplate9(257, [[0, 1, 4]], [[0, 34, 4]]),
    dataSet(256, new Uint8Array(160).fill(7)),
    dataSet(257, [0, 0, 0, 1, 0, 0, 0, 9])
  ),
  ipfix(
    {},
    template10(256, [
      [0, 8, 4],
      [9, 12, 65535],
      [0, 315, 65535],
      [0, 152, 8]
    ]),
    optionsTemplate10(258, [[0, 149, 4]], [[0, 160, 8]]),
    withdrawal10(259),
    dataSet(256, new Uint8Array(100).fill(5)),
    dataSet(258, new Uint8Array(12).fill(1)),
    dataSet(300, new Uint8Array(40))
  ),
  ipfix(
    {},
    template10(256, [
      [0, 8, 4],
      [0, 85, 8],
      [0, 233, 1],
      [0, 10, 2]
    ]),
    optionsTemplate10(
      257,
      [[0, 10, 2]],
      [
        [0, 302, 1],
        [0, 305, 2],
        [0, 306, 2]
      ]
    ),
    dataSet(257, new Uint8Array(14).fill(2)),
    dataSet(256, new Uint8Array(150).fill(3))
  ),
  sflow(
    {},
    flowSample({ rate: 10, input: 1, output: 2 }, rawHeader(inTunnels, 90)),
    flowSample({ rate: 10, input: 1, output: 2 }, rawHeader(inGre, 90))
  ),
  sflow(
    {},
    flowSample({ rate: 10, input: 1, output: 2 }, rawHeader(header, 90), sampleRecord(1001, new Uint8Array(16))),
    expandedFlowSample(
      { rate: 10, input: 1, output: 2 },
      sampleRecord(1003, new Uint8Array(60)),
      sampleRecord(4, new Uint8Array(56))
    ),
    counterSample(false, sampleRecord(1, new Uint8Array(88)))
  )
]

/** Numbers that have broken parsers: zero, one off, all ones, sign bits. */
const nasty = [0, 1, 2, 3, 4, 255, 256, 0x7f, 0x80, 0xff] as const

const mutate = (random: Random): Uint8Array => {
  if (random.below(20) === 0) return random.octets(random.below(1500))
  let octets = Uint8Array.from(random.pick(seeds))
  for (let i = random.below(6); i >= 0; i--) {
    const at = random.below(octets.length)
    switch (random.below(6)) {
      case 0:
        octets = octets.subarray(0, at)
        break
      case 1:
        octets[at] = random.pick(nasty)
        break
      case 2:
        octets[at] = random.u32() & 255
        break
      case 3:
        if (at + 1 < octets.length) octets.set([random.pick(nasty), random.pick(nasty)], at)
        break
      case 4: {
        const other = random.pick(seeds)
        octets.set(other.subarray(0, Math.min(other.length, octets.length - at)), at)
        break
      }
      default: {
        const grown = new Uint8Array(octets.length + 40)
        grown.set(octets.subarray(0, at))
        grown.set(octets.subarray(Math.max(0, at - 40)), at)
        octets = grown.subarray(0, Math.min(grown.length, 65535))
      }
    }
    if (octets.length === 0) return octets
  }
  return octets
}

describe("the decoders under broken datagrams", () => {
  it(`never throw, never loop and stay within their bounds (${seconds} s)`, { timeout: (seconds + 30) * 1000 }, () => {
    const templates = makeTemplateCache({ capacity: 200 })
    const batch = makeFlowBatch(64)
    let full = 0
    const drain = () => {
      full++
      batch.length = 0
    }
    const limits = { maxHeldBytes: 100_000, maxHeldBytesPerExporter: 20_000, maxHeldSets: 500 }
    let shown = 0
    const trace: RecordTrace = {
      templateRecord: (template, reading, positions, row) => {
        shown += JSON.stringify(describeTemplateRecord(template, reading, positions, row)).length
      },
      flowSample: (reading, start, end, expanded, row) => {
        shown += JSON.stringify(describeFlowSample(reading, start, end, expanded, row)).length
      }
    }
    const decoder = makeDecoder({ templates, full: drain, onInterfaceCounters: () => {}, ...limits })
    const talkative = makeDecoder({ templates: makeTemplateCache({ capacity: 50 }), full: drain, trace, ...limits })
    const until = performance.now() + seconds * 1000
    let rounds = 0
    let complaints = 0
    let slowest = 0
    for (let seed = 1; performance.now() < until; seed++) {
      const random = seeded(seed)
      for (let i = 0; i < 50; i++) {
        const datagram = mutate(random)
        const exporter = `192.0.2.${random.below(20)}`
        const began = performance.now()
        const outcome = (i % 10 === 0 ? talkative : decoder).decode(datagram, datagram.length, 0, exporter, seed, batch)
        slowest = Math.max(slowest, performance.now() - began)
        rounds++
        if (outcome.malformed !== "") {
          complaints++
          assert.include(malformedReasons, outcome.malformed)
        }
        assert.isAtMost(batch.length, 64)
        assert.isAtMost(outcome.records, datagram.length)
      }
      assert.isAtMost(templates.size, 200)
      assert.isAtMost(decoder.held.bytes, limits.maxHeldBytes)
      assert.isAtMost(decoder.held.sets, limits.maxHeldSets)
      assert.isAtMost(decoder.unknownElements().length, 4097)
    }
    assert.isAbove(rounds, 1000)
    assert.isAbove(complaints, rounds / 10)
    assert.isAbove(full, 0)
    assert.isAbove(shown, 0)
    // A datagram has at most 65,535 octets; anything near a second is a loop, not work.
    assert.isBelow(slowest, 1000)
  })
})
