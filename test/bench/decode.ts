/**
 * How fast datagrams become rows, and nothing else: no socket, no window. Layouts are those of common exporters: the 19-field record of
 * IOS for v9, 14 fields for IPFIX, 24 records a datagram; 30 records of v5; seven sFlow samples with 128 octets of header. The pool is
 * larger than the second-level cache, as datagrams from a socket are not in the first one either.
 */
import { makeDecoder } from "#pipeline/decode/Decoder.ts"
import {
  bytes,
  dataSet,
  type Field,
  ipfix,
  netflow5,
  netflow9,
  type Random,
  seeded,
  template9,
  template10,
  UPTIME
} from "#pipeline/decode/encode.fixture.ts"
import { makeSharedBatch } from "#pipeline/decode/FlowBatch.ts"
import { ethernet, flowSample, ipv4Packet, rawHeader, sflow, tcp } from "#pipeline/decode/packet.fixture.ts"
import { makeTemplateCache } from "#pipeline/decode/TemplateCache.ts"

export interface DecodeBenchmark {
  /** Stable, so that runs can be compared: `decode.netflow9`. */
  readonly name: string
  readonly unit: "records/s"
  /** Runs for about `seconds` and returns the best of the rounds: noise only ever slows down. */
  readonly run: (seconds?: number) => number
}

const POOL = 2048
const RECORDS = 24

const fields9: ReadonlyArray<Field> = [
  [0, 8, 4],
  [0, 12, 4],
  [0, 15, 4],
  [0, 10, 4],
  [0, 14, 4],
  [0, 1, 8],
  [0, 2, 4],
  [0, 22, 4],
  [0, 21, 4],
  [0, 7, 2],
  [0, 11, 2],
  [0, 6, 1],
  [0, 4, 1],
  [0, 5, 1],
  [0, 9, 1],
  [0, 13, 1],
  [0, 16, 4],
  [0, 17, 4],
  [0, 61, 1]
]
const record9 = (random: Random): Uint8Array =>
  bytes()
    .u32(0x0a010000 + random.below(5000))
    .u32(0xac100000 + random.below(400))
    .u32(0x0a000001)
    .u32(random.below(32))
    .u32(random.below(32))
    .u64(64 + random.below(90_000))
    .u32(1 + random.below(60))
    .u32(UPTIME - 1000 - random.below(30_000))
    .u32(UPTIME - 1000)
    .u16(32_768 + random.below(28_000))
    .u16(random.pick([443, 80, 53, 5432, 22]))
    .u8(0x1b)
    .u8(6)
    .u8(0)
    .u8(24)
    .u8(24)
    .u32(65001)
    .u32(65001)
    .u8(0)
    .done()

const fields10: ReadonlyArray<Field> = [
  [0, 8, 4],
  [0, 12, 4],
  [0, 10, 4],
  [0, 14, 4],
  [0, 1, 8],
  [0, 2, 8],
  [0, 152, 8],
  [0, 153, 8],
  [0, 7, 2],
  [0, 11, 2],
  [0, 6, 1],
  [0, 4, 1],
  [0, 5, 1],
  [0, 61, 1]
]
const record10 = (random: Random): Uint8Array =>
  bytes()
    .u32(0x0a010000 + random.below(5000))
    .u32(0xac100000 + random.below(400))
    .u32(random.below(32))
    .u32(random.below(32))
    .u64(64 + random.below(90_000))
    .u64(1 + random.below(60))
    .u64(1_700_000_000_000 - random.below(30_000))
    .u64(1_700_000_000_000)
    .u16(32_768 + random.below(28_000))
    .u16(random.pick([443, 80, 53, 5432, 22]))
    .u8(0x1b)
    .u8(6)
    .u8(0)
    .u8(0)
    .done()

const variable10: ReadonlyArray<Field> = [...fields10, [0, 371, 65535], [6871, 33, 2]]

const times = <A>(count: number, make: () => A): ReadonlyArray<A> => Array.from({ length: count }, make)

const record5 = (random: Random) => ({
  source: 0x0a010000 + random.below(5000),
  destination: 0xac100000 + random.below(400),
  input: random.below(32),
  output: random.below(32),
  packets: 1 + random.below(60),
  octets: 64 + random.below(90_000),
  first: UPTIME - 1000 - random.below(30_000),
  last: UPTIME - 1000,
  sourcePort: 32_768 + random.below(28_000),
  destinationPort: random.pick([443, 80, 53]),
  tcpFlags: 0x1b,
  protocol: 6
})

const sample = (random: Random): Uint8Array => {
  const packet = ipv4Packet(
    0x0a010000 + random.below(5000),
    0xac100000 + random.below(400),
    { protocol: random.pick([6, 6, 6, 17]), length: 1482 },
    bytes()
      .raw(tcp(32_768 + random.below(28_000), 443, 0x10))
      .zeros(74)
      .done()
  )
  return flowSample({ rate: 1000, input: random.below(32), output: random.below(32) }, rawHeader(ethernet(0x0800, packet), 1500))
}

/** The first datagram carries the templates. */
const pools: ReadonlyArray<readonly [name: string, pool: (random: Random) => ReadonlyArray<Uint8Array>]> = [
  [
    "decode.netflow5",
    (random) =>
      times(POOL, () =>
        netflow5(
          {},
          times(30, () => record5(random))
        )
      )
  ],
  [
    "decode.netflow9",
    (random) => [
      netflow9({}, template9(256, fields9)),
      ...times(POOL, () => netflow9({}, dataSet(256, ...times(RECORDS, () => record9(random)))))
    ]
  ],
  [
    "decode.ipfix",
    (random) => [
      ipfix({}, template10(256, fields10)),
      ...times(POOL, () => ipfix({}, dataSet(256, ...times(RECORDS, () => record10(random)))))
    ]
  ],
  [
    "decode.ipfix-variable-length",
    (random) => [
      ipfix({}, template10(256, variable10)),
      ...times(POOL, () =>
        ipfix(
          {},
          dataSet(
            256,
            ...times(18, () => {
              const name = random.octets(random.below(16))
              return bytes().raw(record10(random)).u8(name.length).raw(name).u16(443).done()
            })
          )
        )
      )
    ]
  ],
  ["decode.sflow5", (random) => times(POOL, () => sflow({}, ...times(7, () => sample(random))))]
]

const measure = (pool: ReadonlyArray<Uint8Array>, seconds: number): number => {
  const batch = makeSharedBatch()
  const decoder = makeDecoder({
    templates: makeTemplateCache(),
    shared: batch.shared,
    full: (rows) => {
      rows.length = 0
    }
  })
  const until = performance.now() + seconds * 1000
  let best = 0
  while (performance.now() < until) {
    const began = performance.now()
    let records = 0
    for (let round = 0; round < 4; round++) {
      for (const datagram of pool)
        records += decoder.decode(datagram, datagram.length, 0, "192.0.2.1", 1_700_000_000_000, batch).records
    }
    best = Math.max(best, (records * 1000) / (performance.now() - began))
  }
  return Math.round(best)
}

export const decodeBenchmarks = (): ReadonlyArray<DecodeBenchmark> =>
  pools.map(([name, pool]) => ({ name, unit: "records/s", run: (seconds = 2) => measure(pool(seeded(1)), seconds) }))

if (import.meta.main) {
  for (const { name, run, unit } of decodeBenchmarks()) console.log(JSON.stringify({ name, value: run(), unit }))
}
