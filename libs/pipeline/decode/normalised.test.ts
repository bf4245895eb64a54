import { assert, describe, it } from "@effect/vitest"
import {
  bytes,
  dataSet,
  EXPORT_SECONDS,
  type Field,
  ipfix,
  netflow5,
  netflow9,
  seeded,
  template9,
  template10,
  UPTIME
} from "./encode.fixture.ts"
import { ethernet, flowSample, ipv4Packet, rawHeader, sflow, tcp, udp } from "./packet.fixture.ts"
import { makeBench, type Row } from "./rows.fixture.ts"

interface Conversation {
  readonly source: number
  readonly destination: number
  readonly sourcePort: number
  readonly destinationPort: number
  readonly protocol: number
  readonly tcpFlags: number
  readonly octets: number
  readonly input: number
  readonly output: number
  /** Milliseconds before export. */
  readonly ago: number
  readonly sampling: number
}

const conversation = (seed: number): Conversation => {
  const random = seeded(seed)
  const protocol = random.pick([6, 17, 1])
  return {
    source: random.u32(),
    destination: random.u32() | 1,
    sourcePort: protocol === 1 ? 0 : random.below(65536),
    destinationPort: protocol === 1 ? random.pick([0x0800, 0x0301]) : random.below(65536),
    protocol,
    tcpFlags: protocol === 6 ? random.below(256) : 0,
    octets: 64 + random.below(1400),
    input: random.below(65536),
    output: random.below(65536),
    ago: random.below(UPTIME),
    sampling: 1 + random.below(16383)
  }
}

const v5 = (c: Conversation) =>
  netflow5({ sampling: 0x4000 | c.sampling }, [
    {
      source: c.source,
      destination: c.destination,
      input: c.input,
      output: c.output,
      packets: 1,
      octets: c.octets,
      first: UPTIME - c.ago,
      last: UPTIME - c.ago,
      sourcePort: c.sourcePort,
      destinationPort: c.destinationPort,
      tcpFlags: c.tcpFlags,
      protocol: c.protocol
    }
  ])

const common: ReadonlyArray<Field> = [
  [0, 8, 4],
  [0, 12, 4],
  [0, 7, 2],
  [0, 11, 2],
  [0, 4, 1],
  [0, 6, 1],
  [0, 1, 8],
  [0, 2, 4],
  [0, 10, 4],
  [0, 14, 4],
  [0, 34, 4]
]
const commonOctets = (c: Conversation) =>
  bytes()
    .u32(c.source)
    .u32(c.destination)
    .u16(c.sourcePort)
    .u16(c.destinationPort)
    .u8(c.protocol)
    .u8(c.tcpFlags)
    .u64(c.octets)
    .u32(1)
    .u32(c.input)
    .u32(c.output)
    .u32(c.sampling)

const v9 = (c: Conversation) =>
  netflow9(
    {},
    template9(256, [...common, [0, 22, 4], [0, 21, 4]]),
    dataSet(
      256,
      commonOctets(c)
        .u32(UPTIME - c.ago)
        .u32(UPTIME - c.ago)
        .done()
    )
  )

const v10 = (c: Conversation) => {
  const at = EXPORT_SECONDS * 1000 - c.ago
  return ipfix({}, template10(256, [...common, [0, 152, 8], [0, 153, 8]]), dataSet(256, commonOctets(c).u64(at).u64(at).done()))
}

const sampled = (c: Conversation) => {
  const payload =
    c.protocol === 6
      ? tcp(c.sourcePort, c.destinationPort, c.tcpFlags)
      : c.protocol === 17
        ? udp(c.sourcePort, c.destinationPort)
        : bytes().u16(c.destinationPort).zeros(6).done()
  const packet = ethernet(0x0800, ipv4Packet(c.source, c.destination, { protocol: c.protocol, length: c.octets }, payload))
  return sflow({}, flowSample({ rate: c.sampling, input: c.input, output: c.output }, rawHeader(packet, c.octets + 18)))
}

const decodeOne = (datagram: Uint8Array): Row => {
  const bench = makeBench()
  assert.strictEqual(bench.feed(datagram).malformed, "")
  const rows = bench.take()
  assert.strictEqual(rows.length, 1)
  return rows[0]!
}

describe("one conversation in all four protocols", () => {
  it("makes four identical normalised records", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const c = conversation(seed)
      const five = decodeOne(v5(c))
      const at = EXPORT_SECONDS * 1000 - c.ago
      assert.deepStrictEqual([five.bytes, five.packets, five.sampling, five.start, five.end], [c.octets, 1, c.sampling, at, at])
      assert.deepStrictEqual(decodeOne(v9(c)), five, `seed ${seed}: v9`)
      assert.deepStrictEqual(decodeOne(v10(c)), five, `seed ${seed}: IPFIX`)
      // sFlow carries no time: the window takes the arrival for it.
      assert.deepStrictEqual(decodeOne(sampled(c)), { ...five, start: 0, end: 0 }, `seed ${seed}: sFlow`)
    }
  })
})
