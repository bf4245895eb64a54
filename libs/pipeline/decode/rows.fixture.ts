/** Reads a batch back as objects, for tests. */
import { ipv4Text, ipv6Text } from "./address-text.ts"
import type { DecodeOutcome } from "./DecodeOutcome.ts"
import { type Decoder, type DecoderOptions, makeDecoder } from "./Decoder.ts"
import { dataSet, type Field, ipfix, template10 } from "./encode.fixture.ts"
import { type FlowBatch, makeSharedBatch, RECEIVED_AT_ONCE, RECEIVED_STRIDE, receiveRoom } from "./FlowBatch.ts"
import { makeTemplateCache, type TemplateCache } from "./TemplateCache.ts"

export const rowOf = (batch: FlowBatch, row: number) => {
  const six = new DataView(batch.ipv6.buffer, batch.ipv6.byteOffset)
  const family = batch.family[row]!
  return {
    exporter: batch.exporter[row]!,
    family,
    source: family === 6 ? ipv6Text(six, row * 32) : ipv4Text(batch.source[row]!),
    destination: family === 6 ? ipv6Text(six, row * 32 + 16) : ipv4Text(batch.destination[row]!),
    sourcePort: batch.sourcePort[row]!,
    destinationPort: batch.destinationPort[row]!,
    protocol: batch.protocol[row]!,
    tcpFlags: batch.tcpFlags[row]!,
    bytes: batch.bytes[row]!,
    packets: batch.packets[row]!,
    reverseBytes: batch.reverseBytes[row]!,
    reversePackets: batch.reversePackets[row]!,
    start: batch.start[row]!,
    end: batch.end[row]!,
    inputInterface: batch.inputInterface[row]!,
    outputInterface: batch.outputInterface[row]!,
    sampling: batch.sampling[row]!,
    direction: batch.direction[row]!
  }
}
export type Row = ReturnType<typeof rowOf>

export const rowsOf = (batch: FlowBatch): Array<Row> => Array.from({ length: batch.length }, (_, row) => rowOf(batch, row))

export interface Bench {
  readonly decoder: Decoder
  readonly templates: TemplateCache
  readonly rows: Array<Row>
  /** A copy of the outcome; rows go to `rows`. */
  readonly feed: (datagram: Uint8Array, exporter?: string, atMs?: number) => DecodeOutcome
  readonly take: () => ReadonlyArray<Row>
}

export const makeBench = (options: Partial<DecoderOptions> & { readonly batchRows?: number } = {}): Bench => {
  const templates = options.templates ?? makeTemplateCache()
  const batch = makeSharedBatch(options.batchRows ?? 256, true)
  // Where a listener would receive it, if this decoder reads there: between octets of others.
  const room = "shared" in options ? undefined : receiveRoom(batch.shared)
  let fed = 0
  const receive = (datagram: Uint8Array): number => {
    if (room === undefined) return -1
    const place = fed++ % RECEIVED_AT_ONCE
    const at = place * RECEIVED_STRIDE
    room.fill(0xff, Math.max(0, at - 64), at + datagram.length + 64)
    room.set(datagram, at)
    return place
  }
  const rows: Array<Row> = []
  const drain = () => {
    rows.push(...rowsOf(batch))
    batch.length = 0
  }
  const decoder = makeDecoder({ shared: batch.shared, ...options, templates, full: drain })
  return {
    decoder,
    templates,
    rows,
    feed: (datagram, exporter = "192.0.2.1", atMs = 1_700_000_000_500) => {
      const outcome = { ...decoder.decode(datagram, datagram.length, 7, exporter, atMs, batch, receive(datagram)) }
      drain()
      return outcome
    },
    take: () => rows.splice(0)
  }
}

/** The row of an IPFIX record of those fields. */
export const decodeOne = (fields: ReadonlyArray<Field>, ...octets: ReadonlyArray<number>) => {
  const bench = makeBench()
  const outcome = bench.feed(ipfix({}, template10(256, fields), dataSet(256, octets)))
  return { row: bench.take()[0]!, outcome, bench }
}
