/**
 * The conversations that aggregation is measured with, as datagrams of each format: 50,000 of them whose popularity follows Zipf's law, both
 * directions, a client port a connection. First each conversation once, then `datagrams` more.
 */
import { bytes, dataSet, type Field, ipfix, netflow5, template10, UPTIME } from "#pipeline/decode/encode.fixture.ts"
import { ethernet, flowSample, ipv4Packet, rawHeader, sflow, tcp } from "#pipeline/decode/packet.fixture.ts"
import { randomFrom } from "../rig/flow-records.ts"
import { aDatagram, aTemplate, type TestFlow } from "../rig/netflow9-datagrams.ts"

const CONVERSATIONS = 50_000
export const now = 1_700_000_100_000
const DATAGRAMS = 8192

type Random = (below: number) => number

/** Draws numbers below `count`, the k-th 1/k as often as the first. */
const zipf = (count: number, random: Random) => {
  const until = new Float64Array(count)
  let all = 0
  for (let k = 0; k < count; k++) until[k] = all += 1 / (k + 1)
  return () => {
    const at = (random(0x4000_0000) / 0x4000_0000) * all
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (until[middle]! < at) low = middle + 1
      else high = middle
    }
    return low
  }
}

const ports = [443, 80, 5432, 3306, 9999, 53]

/** A record of conversation `n`, of a client of its own when there are more than there are clients and servers. */
const flowOf = (n: number, random: Random): TestFlow => {
  const client = 0x0a000000 + ((n * 7919) % 65_536) + (Math.floor(n / CONVERSATIONS) << 16)
  const server = 0x0a400000 + (n % 2000)
  const clientPort = 32_768 + random(28_000)
  const serverPort = ports[n % ports.length]!
  const there = random(2) === 0
  return {
    source: there ? client : server,
    destination: there ? server : client,
    sourcePort: there ? clientPort : serverPort,
    destinationPort: there ? serverPort : clientPort,
    protocol: 6,
    flags: 0x1b,
    bytes: 64 + random(90_000),
    packets: 1 + random(60),
    startedAgo: 1000 + random(20_000),
    endedAgo: 10 + random(900)
  }
}

const spread = (
  records: number,
  datagrams: number,
  encode: (flows: ReadonlyArray<TestFlow>, sequence: number) => Uint8Array
): Array<Uint8Array> => {
  const random = randomFrom(1)
  const draw = zipf(CONVERSATIONS, random)
  const all: Array<Uint8Array> = []
  for (let n = 0; n < CONVERSATIONS; n += records) {
    all.push(
      encode(
        Array.from({ length: records }, (_, i) => flowOf((n + i) % CONVERSATIONS, random)),
        all.length + 1
      )
    )
  }
  for (let i = 0; i < datagrams; i++) {
    all.push(
      encode(
        Array.from({ length: records }, () => flowOf(draw(), random)),
        all.length + 1
      )
    )
  }
  return all
}

/** Records of 42 octets, 24 a datagram; the first datagram is the template. */
export const netflow9Datagrams = (datagrams = DATAGRAMS): ReadonlyArray<Uint8Array> => [
  aTemplate(now, 0),
  ...spread(24, datagrams, (flows, sequence) => aDatagram(now, sequence, flows))
]

/** So many conversations, one record each, as NetFlow v9. */
export const eachOnce = (conversations: number): ReadonlyArray<Uint8Array> => {
  const random = randomFrom(1)
  const all = [aTemplate(now, 0)]
  for (let n = 0; n < conversations; n += 24) {
    const flows = Array.from({ length: Math.min(24, conversations - n) }, (_, i) => flowOf(n + i, random))
    all.push(aDatagram(now, all.length, flows))
  }
  return all
}

/** 14 fields, absolute times in milliseconds, 24 a datagram. */
const fields: ReadonlyArray<Field> = [8, 12, 10, 14, 1, 2, 152, 153, 7, 11, 6, 4, 5, 61].map((element, i) => [
  0,
  element,
  [4, 4, 4, 4, 8, 8, 8, 8, 2, 2, 1, 1, 1, 1][i]!
])
const ipfixRecord = (flow: TestFlow): Uint8Array =>
  bytes()
    .u32(flow.source)
    .u32(flow.destination)
    .u32(1)
    .u32(2)
    .u64(flow.bytes)
    .u64(flow.packets)
    .u64(now - flow.startedAgo)
    .u64(now - flow.endedAgo)
    .u16(flow.sourcePort)
    .u16(flow.destinationPort)
    .u8(flow.flags)
    .u8(flow.protocol)
    .u8(0)
    .u8(0)
    .done()
const seconds = now / 1000

export const ipfixDatagrams = (): ReadonlyArray<Uint8Array> => [
  ipfix({ seconds }, template10(256, fields)),
  ...spread(24, DATAGRAMS, (flows) => ipfix({ seconds }, dataSet(256, ...flows.map(ipfixRecord))))
]

/** 30 records a datagram. */
export const netflow5Datagrams = (): ReadonlyArray<Uint8Array> =>
  spread(30, DATAGRAMS, (flows) =>
    netflow5(
      { seconds },
      flows.map((flow) => ({
        ...flow,
        tcpFlags: flow.flags,
        octets: flow.bytes,
        input: 1,
        output: 2,
        first: UPTIME - flow.startedAgo,
        last: UPTIME - flow.endedAgo
      }))
    )
  )

/** One packet of 1,500 octets in 1,000, its first 128 octets, seven a datagram. */
export const sflowDatagrams = (): ReadonlyArray<Uint8Array> =>
  spread(7, 2 * DATAGRAMS, (flows) =>
    sflow(
      {},
      ...flows.map((flow) =>
        flowSample(
          { rate: 1000, input: 1, output: 2 },
          rawHeader(
            ethernet(
              0x0800,
              ipv4Packet(
                flow.source,
                flow.destination,
                { protocol: 6, length: 1482 },
                bytes()
                  .raw(tcp(flow.sourcePort, flow.destinationPort, 0x10))
                  .zeros(74)
                  .done()
              )
            ),
            1500
          )
        )
      )
    )
  )
