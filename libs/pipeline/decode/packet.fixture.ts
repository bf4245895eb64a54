/** Encoders of packets and of sFlow, for tests and measurements only. */
import { bytes, ipv4, UPTIME } from "./encode.fixture.ts"

export interface HeaderSflow {
  readonly agent?: number
  readonly subAgent?: number
  readonly sequence?: number
  readonly uptime?: number
  /** Samples promised; default as many as there are. */
  readonly count?: number
}

export const sflow = (header: HeaderSflow, ...samples: ReadonlyArray<Uint8Array>): Uint8Array =>
  samples
    .reduce(
      (all, one) => all.raw(one),
      bytes()
        .u32(5)
        .u32(1)
        .u32(header.agent ?? ipv4("192.0.2.9"))
        .u32(header.subAgent ?? 0)
        .u32(header.sequence ?? 0)
        .u32(header.uptime ?? UPTIME)
        .u32(header.count ?? samples.length)
    )
    .done()

const tagged = (tag: number, body: Uint8Array): Uint8Array => bytes().u32(tag).u32(body.length).raw(body).done()

export interface Sample {
  readonly rate: number
  readonly input: number
  readonly output: number
  readonly sourceId?: number
}

export const flowSample = (sample: Sample, ...records: ReadonlyArray<Uint8Array>): Uint8Array =>
  tagged(
    1,
    records
      .reduce(
        (all, one) => all.raw(one),
        bytes()
          .u32(1)
          .u32(sample.sourceId ?? sample.input)
          .u32(sample.rate)
          .u32(1000)
          .u32(0)
          .u32(sample.input)
          .u32(sample.output)
          .u32(records.length)
      )
      .done()
  )

export interface ExpandedSample extends Sample {
  readonly inputFormat?: number
  readonly outputFormat?: number
}

export const expandedFlowSample = (sample: ExpandedSample, ...records: ReadonlyArray<Uint8Array>): Uint8Array =>
  tagged(
    3,
    records
      .reduce(
        (all, one) => all.raw(one),
        bytes()
          .u32(1)
          .u32(0)
          .u32(sample.sourceId ?? sample.input)
          .u32(sample.rate)
          .u32(1000)
          .u32(0)
          .u32(sample.inputFormat ?? 0)
          .u32(sample.input)
          .u32(sample.outputFormat ?? 0)
          .u32(sample.output)
          .u32(records.length)
      )
      .done()
  )

/** Counter sample; `expanded` as format 4. */
export const counterSample = (expanded: boolean, ...records: ReadonlyArray<Uint8Array>): Uint8Array => {
  const head = expanded ? bytes().u32(1).u32(0).u32(1) : bytes().u32(1).u32(1)
  return tagged(expanded ? 4 : 2, records.reduce((all, one) => all.raw(one), head.u32(records.length)).done())
}

/** A record of a sample: enterprise 0, format `format`. */
export const sampleRecord = (format: number, body: Uint8Array): Uint8Array => tagged(format, body)

/** header_protocol 1 is Ethernet, 11 IPv4, 12 IPv6, 13 MPLS. */
export const rawHeader = (header: Uint8Array, frameLength: number, headerProtocol = 1): Uint8Array =>
  tagged(
    1,
    bytes()
      .u32(headerProtocol)
      .u32(frameLength)
      .u32(4)
      .u32(header.length)
      .raw(header)
      .zeros((4 - (header.length % 4)) % 4)
      .done()
  )

export const ethernet = (etherType: number, payload: Uint8Array, ...vlans: ReadonlyArray<number>): Uint8Array =>
  vlans
    .reduce((all, vlan) => all.u16(0x8100).u16(vlan), bytes().raw([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]))
    .u16(etherType)
    .raw(payload)
    .done()

export interface Packet {
  readonly protocol: number
  readonly length?: number
  /** In units of 8 octets. */
  readonly fragmentOffset?: number
  /** 32-bit words of options. */
  readonly options?: number
}

export const ipv4Packet = (source: number, destination: number, packet: Packet, payload: Uint8Array): Uint8Array =>
  bytes()
    .u8(0x45 + (packet.options ?? 0))
    .u8(0)
    .u16(packet.length ?? 20 + (packet.options ?? 0) * 4 + payload.length)
    .u16(1)
    .u16(packet.fragmentOffset ?? 0)
    .u8(64)
    .u8(packet.protocol)
    .u16(0)
    .u32(source)
    .u32(destination)
    .zeros((packet.options ?? 0) * 4)
    .raw(payload)
    .done()

/** `next` is the first next-header value; extension headers are part of the payload. */
export const ipv6Packet = (source: Uint8Array, destination: Uint8Array, next: number, payload: Uint8Array): Uint8Array =>
  bytes().u32(0x60000000).u16(payload.length).u8(next).u8(64).raw(source).raw(destination).raw(payload).done()

export const tcp = (sourcePort: number, destinationPort: number, flags: number): Uint8Array =>
  bytes().u16(sourcePort).u16(destinationPort).u32(1).u32(2).u8(0x50).u8(flags).u16(8192).u32(0).done()

export const udp = (sourcePort: number, destinationPort: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array =>
  bytes()
    .u16(sourcePort)
    .u16(destinationPort)
    .u16(8 + payload.length)
    .u16(0)
    .raw(payload)
    .done()
