/** What is read from files: captures and message streams (`flowlens decode`, `flowlens replay`), captures we write, slices of the spool. */
import { crc32 } from "node:zlib"
import { Result } from "effect"
import { makeDecoder } from "#pipeline/decode/Decoder.ts"
import { type Random, seeded } from "#pipeline/decode/encode.fixture.ts"
import { makeFlowBatch } from "#pipeline/decode/FlowBatch.ts"
import { ethernet, ipv4Packet, ipv6Packet, udp } from "#pipeline/decode/packet.fixture.ts"
import { makeTemplateCache } from "#pipeline/decode/TemplateCache.ts"
import { pcapHeading, pcapRecord } from "#pipeline/ingest/pcap.ts"
import { decodeSlice, encodeSlice, PREFIX, readHeading, readHeadingOnly } from "#pipeline/window/slice-file.ts"
import { formatOf, splitCapture } from "../../apps/appliance/cli/capture.ts"
import { randomFrom } from "../rig/flow-records.ts"
import { randomSlice } from "../rig/random-slice.ts"
import { generate } from "./generate.ts"
import { mutate } from "./mutate.ts"
import { assertThat, makePool, type Subject } from "./Subject.ts"

const MOST = 1 << 18
const protocols = ["netflow5", "netflow9", "ipfix", "sflow5"] as const
const some = (n: number): number => (n === 0 ? 0 : 1 + Math.floor(Math.log2(n)))

const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

const decoding = () => {
  const batch = makeFlowBatch(64)
  let records = 0
  const full = (rows: { length: number }) => {
    records += rows.length
    rows.length = 0
  }
  const decoder = makeDecoder({ templates: makeTemplateCache({ capacity: 200 }), full, maxHeldSets: 0 })
  return (payload: Uint8Array, source: string): number => {
    records = 0
    const { complaints } = decoder.decode(payload, payload.length, 0, source, 0, batch)
    full(batch)
    return records * 100 + complaints
  }
}

/** Packets of a capture, whole or in fragments, some of which never come. */
const packets = (random: Random, link: number): ReadonlyArray<Uint8Array> => {
  const whole = udp(2000, 2055, generate(random, random.pick(protocols)))
  const wrap = (packet: Uint8Array): Uint8Array =>
    link === 1
      ? ethernet(packet[0]! >>> 4 === 6 ? 0x86dd : 0x0800, packet)
      : link === 101
        ? packet
        : joined([new Uint8Array(link === 113 ? 16 : link === 276 ? 20 : 4), packet])
  if (random.below(3) > 0) {
    return [
      wrap(
        random.below(3) === 0
          ? ipv6Packet(random.octets(16), random.octets(16), 17, whole)
          : ipv4Packet(random.below(5), 2, { protocol: 17 }, whole)
      )
    ]
  }
  const size = 8 * (1 + random.below(40))
  const found: Array<Uint8Array> = []
  for (let at = 0; at < whole.length && found.length < 100; at += size) {
    if (random.below(30) === 0) continue
    const more = at + size < whole.length ? 0x2000 : 0
    found.push(wrap(ipv4Packet(7, 2, { protocol: 17, fragmentOffset: more | (at / 8) }, whole.subarray(at, at + size))))
  }
  return random.below(2) === 0 ? found : found.reverse()
}

const pcapFile = (random: Random): Uint8Array => {
  const little = random.below(2) === 0
  const link = random.pick([1, 1, 1, 101, 113, 276, 0, 12, 147])
  const word = (value: number) =>
    little
      ? [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24]
      : [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
  const file: Array<Uint8Array> = [
    Uint8Array.from([
      ...word(random.pick([0xa1b2c3d4, 0xa1b23c4d])),
      ...word(0x00040002),
      ...word(0),
      ...word(0),
      ...word(65535),
      ...word(link)
    ])
  ]
  for (let i = random.below(6); i >= 0; i--) {
    for (const frame of packets(random, link))
      file.push(Uint8Array.from([...word(1_700_000_000), ...word(7), ...word(frame.length), ...word(frame.length)]), frame)
  }
  return joined(file)
}

const pcapngFile = (random: Random): Uint8Array => {
  const little = random.below(2) === 0
  const word = (value: number) =>
    little
      ? [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24]
      : [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
  const half = (value: number) => (little ? [value & 255, value >>> 8] : [value >>> 8, value & 255])
  const block = (type: number, body: ReadonlyArray<number>) => {
    const padded = [...body, ...new Array<number>((4 - (body.length % 4)) % 4).fill(0)]
    return Uint8Array.from([...word(type), ...word(padded.length + 12), ...padded, ...word(padded.length + 12)])
  }
  const file = [block(0x0a0d0d0a, [...word(0x1a2b3c4d), ...half(1), ...half(0), ...word(0xffffffff), ...word(0xffffffff)])]
  file.push(
    block(1, [
      ...half(1),
      ...half(0),
      ...word(65535),
      ...half(9),
      ...half(1),
      random.pick([6, 9, 0x80 | 20, 0xff]),
      0,
      0,
      0,
      ...half(0),
      ...half(0)
    ])
  )
  for (let i = random.below(5); i >= 0; i--) {
    for (const frame of packets(random, 1)) {
      if (random.below(5) === 0) file.push(block(3, [...word(frame.length), ...frame]))
      else
        file.push(
          block(6, [...word(random.below(2)), ...word(0), ...word(1000), ...word(frame.length), ...word(frame.length), ...frame])
        )
    }
  }
  return joined(file)
}

const fresh = (random: Random, stream: boolean): Uint8Array =>
  stream
    ? joined(Array.from({ length: 1 + random.below(6) }, () => generate(random, "ipfix")))
    : random.below(2) === 0
      ? pcapFile(random)
      : pcapngFile(random)

/** A datagram that we write into a capture is the datagram that is read from it. */
const comesBack = (input: Uint8Array): void => {
  const payload = input.subarray(0, 65_000)
  const six = (input[0] ?? 0) % 2 === 1
  const from = six ? "2001:db8::7" : "192.0.2.7"
  const said = {
    at: 1_700_000_000_000_123,
    from,
    fromPort: input.length & 0xffff,
    to: six ? "::" : "0.0.0.0",
    toPort: 2055,
    payload
  }
  const [read, ...more] = splitCapture(joined([pcapHeading(), pcapRecord(said)]), "pcap")
  assertThat(
    "what was written is not what is read",
    more.length === 0 && read?.source === from && read.sourcePort === said.fromPort && Buffer.compare(read.payload, payload) === 0,
    JSON.stringify(read),
    said.fromPort
  )
}

export const makeCaptureSubject = (stream: boolean): Subject => {
  const start = seeded(78)
  const pool = makePool(Array.from({ length: 80 }, () => fresh(start, stream)))
  const decode = decoding()
  let turn = 0
  const take = (input: Uint8Array): string => {
    const found = splitCapture(input, stream ? "message-stream" : formatOf(input))
    const octets = found.reduce((sum, { payload }) => sum + payload.length, 0)
    // a fragment may be in a packet once only, but a segment that overlaps another is read with both
    assertThat("more octets than the file has", octets <= input.length + (stream ? 0 : 65_535), octets, input.length)
    let behaviour = 0
    for (const { atMs, payload, source = "192.0.2.1", sourcePort, destinationPort } of found) {
      assertThat("a time or a port that is none", Number.isFinite(atMs) && sourcePort <= 65_535 && destinationPort <= 65_535, atMs)
      behaviour = behaviour * 3 + decode(payload, source)
    }
    if (!stream && turn++ % 8 === 0) comesBack(input)
    if (stream) assertThat("octets of a stream are lost", octets === input.length, octets, input.length)
    return `${some(found.length)} ${some(octets)} ${some(behaviour)}`
  }
  return {
    next: (random) => (random.below(5) === 0 ? fresh(random, stream) : mutate(random, random.pick(pool.all), pool.all, MOST)),
    take,
    keep: pool.keep,
    check: () => undefined,
    pool: () => pool.all.length
  }
}

/** As a disk that lies would have it, with check sums that are right: what is behind them is tried too. */
const summedUp = (file: Uint8Array): Uint8Array => {
  if (file.length < PREFIX) return file
  const view = new DataView(file.buffer, file.byteOffset)
  const head = view.getUint32(12, true)
  if (PREFIX + head > file.length) return file
  view.setUint32(16, crc32(file.subarray(PREFIX, PREFIX + head)), true)
  view.setUint32(20, crc32(file.subarray(PREFIX + head)), true)
  view.setFloat64(24, file.length - PREFIX - head, true)
  return file
}

/** Figures of the heading are text: another number in the place of one. */
const otherNumber = (random: Random, file: Uint8Array): Uint8Array => {
  const head = new DataView(file.buffer, file.byteOffset).getUint32(12, true)
  if (PREFIX + head > file.length) return file
  const text = new TextDecoder("latin1").decode(file.subarray(PREFIX, PREFIX + head)).trimEnd()
  const figures = [...text.matchAll(/\d+|"[a-z0-9A-Z.-]*"|true|false/g)]
  if (figures.length === 0) return file
  const figure = random.pick(figures)
  const instead = random.pick([
    "0",
    "1",
    "7",
    "536870912",
    "4294967295",
    "4294967296",
    "9007199254740991",
    "1e300",
    "-1",
    "null",
    '"u8"',
    '"f64"',
    '"__proto__"',
    "{}",
    "[]"
  ])
  const changed = `${text.slice(0, figure.index)}${instead}${text.slice(figure.index + figure[0].length)}`
  const padded = changed.padEnd((changed.length + 7) & ~7)
  const all = joined([
    file.subarray(0, PREFIX),
    Uint8Array.from(padded, (letter) => letter.charCodeAt(0)),
    file.subarray(PREFIX + head)
  ])
  new DataView(all.buffer).setUint32(12, padded.length, true)
  return all
}

export const makeSliceSubject = (): Subject => {
  const start = seeded(79)
  const file = (random: Random) => joined(encodeSlice(randomSlice(randomFrom(random.u32())), 1_700_000_000_000, crc32).parts)
  const pool = makePool(Array.from({ length: 60 }, () => file(start)))
  return {
    next: (random) => {
      const base = random.below(5) === 0 ? file(random) : random.pick(pool.all)
      if (random.below(3) === 0 && base.length > PREFIX) return summedUp(otherNumber(random, base))
      const changed = mutate(random, base, pool.all, MOST)
      return random.below(2) === 0 ? changed : summedUp(changed)
    },
    take: (input) => {
      // columns are views: the file stands at the start of a buffer of its own
      const own = input.slice()
      const heading = readHeading(own.subarray(0, 65_600), own.length, crc32)
      readHeadingOnly(own.subarray(0, 65_600), crc32)
      const read = decodeSlice(own, crc32)
      if (Result.isFailure(read)) return `${read.failure} ${Result.isSuccess(heading)}`
      const slice = read.success
      for (const column of Object.values(slice.columns))
        assertThat("a column is not as long as the slice", column.length === slice.rows, column.length, slice.rows)
      for (const column of Object.values(slice.egress ?? {}))
        assertThat("a column of the way out has another length", column.length === slice.egress!.row.length)
      assertThat("the heading is refused and the file is not", Result.isSuccess(heading))
      return `read ${some(slice.rows)} ${slice.egress === undefined} ${slice.exporters.length}`
    },
    keep: pool.keep,
    check: () => undefined,
    pool: () => pool.all.length
  }
}
