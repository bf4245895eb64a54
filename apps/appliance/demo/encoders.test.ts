import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { ipv4Text, ipv6Text } from "#domain/Address.ts"
import { type Decoder, makeDecoder } from "#pipeline/decode/Decoder.ts"
import { FAMILY_IPV4, type FlowBatch, makeFlowBatch } from "#pipeline/decode/FlowBatch.ts"
import type { InterfaceCounters } from "#pipeline/decode/interface-counters.ts"
import { makeTemplateCache } from "#pipeline/decode/TemplateCache.ts"
import { type ExportRecord, MAX_PAYLOAD } from "./ExportRecord.ts"
import { makeIpfix } from "./encode-ipfix.ts"
import { makeNetflow5 } from "./encode-netflow5.ts"
import { makeNetflow9 } from "./encode-netflow9.ts"
import { makeSflow } from "./encode-sflow.ts"

const BOOT = Date.UTC(2026, 2, 3, 9, 0, 0)
const NOW = BOOT + 3_600_000

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const octet = between(0, 255)
const Flow = Schema.Struct({
  source: Schema.Tuple([octet, octet, octet, octet]),
  destination: Schema.Tuple([octet, octet, octet, octet]),
  six: Schema.Boolean,
  sourcePort: between(0, 65_535),
  destinationPort: between(0, 65_535),
  protocol: Schema.Literals([6, 17]),
  tcpFlags: octet,
  packets: between(1, 1_000_000),
  bytes: between(90, 1500),
  ago: between(0, 600_000),
  lasted: between(0, 60_000)
})
const Flows = Schema.Array(Flow).check(Schema.isMinLength(1), Schema.isMaxLength(120))

const toRecord = (flow: typeof Flow.Type, six: boolean): ExportRecord => {
  const address = (octets: ReadonlyArray<number>) =>
    Uint8Array.from(six ? [0xfd, 0x42, 0, 16, 0, 0x60, 0, 0, 0, 0, 0, 1, ...octets] : octets)
  const end = NOW - 2000 - flow.ago
  return {
    source: address(flow.source),
    destination: address(flow.destination),
    sourcePort: flow.sourcePort,
    destinationPort: flow.destinationPort,
    protocol: flow.protocol,
    tcpFlags: flow.protocol === 6 ? flow.tcpFlags : 0,
    packets: flow.packets,
    bytes: flow.bytes,
    reversePackets: 0,
    reverseBytes: 0,
    reverseFlags: 0,
    startMs: end - flow.lasted,
    endMs: end,
    input: 3,
    output: 4
  }
}

interface Seen {
  readonly outcome: {
    readonly complaints: number
    readonly sequence: number
    readonly sequenceStep: number
    readonly unknownSets: number
  }
  readonly rows: ReadonlyArray<Record<string, unknown>>
}

const rowsOf = (batch: FlowBatch): ReadonlyArray<Record<string, unknown>> =>
  Array.from({ length: batch.length }, (_, i) => {
    const four = batch.family[i] === FAMILY_IPV4
    return {
      source: four ? ipv4Text(batch.source[i]!) : ipv6Text(batch.ipv6, i * 32),
      destination: four ? ipv4Text(batch.destination[i]!) : ipv6Text(batch.ipv6, i * 32 + 16),
      sourcePort: batch.sourcePort[i],
      destinationPort: batch.destinationPort[i],
      protocol: batch.protocol[i],
      tcpFlags: batch.tcpFlags[i],
      packets: batch.packets[i],
      bytes: batch.bytes[i],
      start: batch.start[i],
      end: batch.end[i],
      input: batch.inputInterface[i],
      output: batch.outputInterface[i],
      reversePackets: batch.reversePackets[i],
      reverseBytes: batch.reverseBytes[i],
      sampling: batch.sampling[i]
    }
  })

const decoder = (onInterfaceCounters?: (counters: InterfaceCounters) => void): Decoder =>
  makeDecoder({
    templates: makeTemplateCache(),
    full: () => assert.fail("the batch overflowed"),
    ...(onInterfaceCounters === undefined ? {} : { onInterfaceCounters })
  })

/** What the collector's own decoders make of the datagrams. */
const read = (datagrams: ReadonlyArray<Uint8Array>, own = decoder()): ReadonlyArray<Seen> =>
  datagrams.map((datagram) => {
    const batch = makeFlowBatch()
    const { complaints, sequence, sequenceStep, unknownSets } = own.decode(datagram, datagram.length, 0, "127.0.1.1", NOW, batch)
    return { outcome: { complaints, sequence, sequenceStep, unknownSets }, rows: rowsOf(batch) }
  })

/** Every datagram is faultless, fits, and says where its sequence goes on. */
const faultless = (datagrams: ReadonlyArray<Uint8Array>, seen: ReadonlyArray<Seen>, limit = MAX_PAYLOAD) => {
  let next: number | undefined
  for (const [i, { outcome }] of seen.entries()) {
    assert.isAtMost(datagrams[i]!.length, limit)
    assert.strictEqual(outcome.complaints, 0)
    assert.strictEqual(outcome.unknownSets, 0)
    if (next !== undefined) assert.strictEqual(outcome.sequence, next)
    assert.isAtLeast(outcome.sequenceStep, 0)
    next = outcome.sequence + outcome.sequenceStep
  }
}

const expectedRow = (record: ExportRecord, sampling: number, more: Record<string, unknown> = {}) => ({
  source: record.source.length === 4 ? record.source.join(".") : ipv6Text(record.source),
  destination: record.destination.length === 4 ? record.destination.join(".") : ipv6Text(record.destination),
  sourcePort: record.sourcePort,
  destinationPort: record.destinationPort,
  protocol: record.protocol,
  tcpFlags: record.tcpFlags,
  packets: record.packets,
  bytes: record.bytes,
  start: record.startMs,
  end: record.endMs,
  input: record.input,
  output: record.output,
  reversePackets: record.reversePackets,
  reverseBytes: record.reverseBytes,
  sampling,
  ...more
})

/** IPv4 first: the encoders write one set a family. */
const byFamily = (records: ReadonlyArray<ExportRecord>) => [
  ...records.filter((record) => record.source.length === 4),
  ...records.filter((record) => record.source.length === 16)
]

describe("the demo's encoders, read by the collector's decoders", () => {
  it.prop("NetFlow v5 says every IPv4 record, thirty a datagram", { flows: Flows }, ({ flows }) => {
    const records = flows.map((flow) => toRecord(flow, false))
    const datagrams = makeNetflow5({ bootMs: BOOT }).encode(records, NOW)
    assert.strictEqual(datagrams.length, Math.ceil(records.length / 30))
    const seen = read(datagrams)
    faultless(datagrams, seen, 24 + 30 * 48)
    assert.deepStrictEqual(
      seen.flatMap(({ rows }) => rows).map((row) => ({ ...row, sampling: 0 })),
      records.map((record) => expectedRow(record, 0))
    )
  })

  it.prop(
    "NetFlow v9 says every record of both families, and the sampler's rate from the first one on",
    { flows: Flows },
    ({ flows }) => {
      const records = flows.map((flow) => toRecord(flow, flow.six))
      const datagrams = makeNetflow9({ bootMs: BOOT, sourceId: 9, sampling: 100 }).encode(records, NOW)
      const seen = read(datagrams)
      faultless(datagrams, seen)
      assert.deepStrictEqual(
        seen.flatMap(({ rows }) => rows),
        byFamily(records).map((record) => expectedRow(record, 100))
      )
    }
  )

  it.prop("IPFIX says both directions of every record", { flows: Flows }, ({ flows }) => {
    const records = flows.map((flow) => ({
      ...toRecord(flow, flow.six),
      reversePackets: flow.packets + 1,
      reverseBytes: flow.bytes * 3,
      reverseFlags: 27
    }))
    const datagrams = makeIpfix({ domain: 4 }).encode(records, NOW)
    const seen = read(datagrams)
    faultless(datagrams, seen)
    assert.deepStrictEqual(
      seen.flatMap(({ rows }) => rows).map((row) => ({ ...row, sampling: 0 })),
      byFamily(records).map((record) => expectedRow(record, 0))
    )
  })

  it.prop("sFlow says every sampled packet: its frame, its rate and its interfaces", { flows: Flows }, ({ flows }) => {
    const records = flows.map((flow) => toRecord(flow, flow.six))
    for (const vlan of [0, 60]) {
      const datagrams = makeSflow({ bootMs: BOOT, agent: Uint8Array.from([127, 0, 1, 7]), sampling: 50, vlan }).encode(
        records,
        [],
        NOW
      )
      const seen = read(datagrams)
      faultless(datagrams, seen)
      assert.deepStrictEqual(
        seen.flatMap(({ rows }) => rows).map((row) => ({ ...row, start: 0, end: 0 })),
        records.map((record) => expectedRow(record, 50, { packets: 1, bytes: record.bytes, start: 0, end: 0 }))
      )
    }
  })

  it.prop("the same conversation is the same record in NetFlow v5, v9 and IPFIX", { flow: Flow }, ({ flow }) => {
    const record = toRecord(flow, false)
    const [five, nine, ten] = [makeNetflow5({ bootMs: BOOT }), makeNetflow9({ bootMs: BOOT }), makeIpfix({})].map(
      (encoder) => read(encoder.encode([record], NOW)).flatMap(({ rows }) => rows)[0]
    )
    const same = (row: Record<string, unknown> | undefined) => ({ ...row, sampling: 0 })
    assert.deepStrictEqual(same(five), same(nine))
    assert.deepStrictEqual(same(nine), same(ten))
  })

  it("sFlow counts interfaces", () => {
    const seen: Array<InterfaceCounters> = []
    const own = decoder((counters) => seen.push({ ...counters }))
    const sflow = makeSflow({ bootMs: BOOT, agent: Uint8Array.from([127, 0, 1, 7]), sampling: 50 })
    const port = { ifIndex: 7, speed: 10_000_000_000, inOctets: 6e12, inPackets: 12, outOctets: 5, outPackets: 4 }
    const datagrams = sflow.encode([], [port], NOW)
    faultless(datagrams, read(datagrams, own))
    assert.strictEqual(seen.length, 1)
    const { agent, ifIndex, ifSpeed, inOctets, inUnicast, outOctets, outUnicast, ifStatus } = seen[0]!
    assert.deepStrictEqual(
      { agent, ifIndex, ifSpeed, inOctets, inUnicast, outOctets, outUnicast, ifStatus },
      {
        agent: "127.0.1.7",
        ifIndex: 7,
        ifSpeed: 10_000_000_000,
        inOctets: 6e12,
        inUnicast: 12,
        outOctets: 5,
        outUnicast: 4,
        ifStatus: 3
      }
    )
  })

  it("templates come first, and again when they are due, not with every datagram", () => {
    for (const encoder of [makeNetflow9({ bootMs: BOOT, templateEveryMs: 1000 }), makeIpfix({ templateEveryMs: 1000 })]) {
      assert.deepStrictEqual(
        [0, 500, 1000, 1500, 2000].map((later) => encoder.encode([], NOW + later).length),
        [1, 0, 1, 0, 1]
      )
    }
  })

  it("a sampled IPFIX exporter announces its rate in options data", () => {
    const datagrams = makeIpfix({ sampling: 100 }).encode([toRecord({ ...blank, six: false }, false)], NOW)
    assert.strictEqual(read(datagrams)[0]!.rows[0]!["sampling"], 100)
  })
})

const blank: typeof Flow.Type = {
  source: [10, 0, 0, 1],
  destination: [10, 0, 0, 2],
  six: false,
  sourcePort: 40_000,
  destinationPort: 443,
  protocol: 6,
  tcpFlags: 27,
  packets: 3,
  bytes: 300,
  ago: 0,
  lasted: 5
}
