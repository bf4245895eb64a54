/** Flow records for tests of the stages behind the decoder, without a datagram. */
import { type FlowBatch, makeFlowBatch } from "#pipeline/decode/FlowBatch.ts"

export interface TestRecord {
  readonly exporter: number
  readonly family: 0 | 4 | 6
  /** IPv4 as an unsigned integer, or the last 16 bits of 2001:db8::/32. */
  readonly source: number
  readonly destination: number
  readonly sourcePort: number
  readonly destinationPort: number
  readonly protocol: number
  readonly flags: number
  readonly bytes: number
  readonly packets: number
  /** ms since 1970; 0 the record does not say. */
  readonly start: number
  readonly end: number
  readonly sampling: number
  /** IE 61: 0 where it came in (unless said otherwise), 1 where it went out. */
  readonly direction?: number
  /** ifIndex; 0 unless said otherwise. */
  readonly input?: number
  readonly output?: number
}

export const toBatch = (records: ReadonlyArray<TestRecord>): FlowBatch => {
  const batch = makeFlowBatch(Math.max(1, records.length))
  records.forEach((record, i) => {
    batch.exporter[i] = record.exporter
    batch.family[i] = record.family
    if (record.family === 6) {
      const write = (at: number, value: number) => {
        batch.ipv6.set([0x20, 0x01, 0x0d, 0xb8], at)
        batch.ipv6[at + 14] = value >> 8
        batch.ipv6[at + 15] = value
      }
      write(i * 32, record.source)
      write(i * 32 + 16, record.destination)
    } else {
      batch.source[i] = record.source
      batch.destination[i] = record.destination
    }
    batch.sourcePort[i] = record.sourcePort
    batch.destinationPort[i] = record.destinationPort
    batch.protocol[i] = record.protocol
    batch.tcpFlags[i] = record.protocol === 6 ? record.flags : 0
    batch.bytes[i] = record.bytes
    batch.packets[i] = record.packets
    batch.start[i] = record.start
    batch.end[i] = record.end
    batch.sampling[i] = record.sampling
    batch.direction[i] = record.direction ?? 0
    batch.inputInterface[i] = record.input ?? 0
    batch.outputInterface[i] = record.output ?? 0
  })
  batch.length = records.length
  return batch
}

/** Whole numbers below a bound, the same for the same seed (Mulberry's mixing). */
export const randomFrom = (seed: number): ((below: number) => number) => {
  let state = (seed ^ 0x5eed) >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
