/**
 * sFlow version 5 datagrams (sflow.org specification): flow samples with the first octets of the packet, and interface counters. The
 * packets are made here, header by header, the way they would stand on the wire.
 */
import { MAX_PAYLOAD } from "./ExportRecord.ts"
import { makeWriter, type Writer } from "./writer.ts"

/** One sampled packet. */
export interface SampledPacket {
  readonly source: Uint8Array
  readonly destination: Uint8Array
  readonly sourcePort: number
  readonly destinationPort: number
  /** 6 or 17; others are sent without a transport header. */
  readonly protocol: number
  readonly tcpFlags: number
  /** Octets from the IP header on. */
  readonly bytes: number
  readonly input: number
  readonly output: number
}

/** Totals of one interface since the switch started; out of the switch's sight where absent. */
export interface PortCounters {
  readonly ifIndex: number
  readonly speed: number
  readonly inOctets: number
  readonly inPackets: number
  readonly outOctets: number
  readonly outPackets: number
}

export interface SflowOptions {
  readonly bootMs: number
  /** The switch's own address, 4 octets: it names the exporter whatever address the datagram comes from. */
  readonly agent: Uint8Array
  readonly subAgent?: number
  readonly sampling: number
  /** 802.1Q tag on the sampled frames; 0: untagged. */
  readonly vlan?: number
}

export interface Sflow {
  readonly encode: (
    packets: ReadonlyArray<SampledPacket>,
    counters: ReadonlyArray<PortCounters>,
    nowMs: number
  ) => ReadonlyArray<Uint8Array>
}

const HEADER_OCTETS = 128
const FCS = 4
const FLOW_SAMPLE = 1
const COUNTERS_SAMPLE = 2
const RAW_HEADER = 1
const GENERIC_COUNTERS = 1
const ETHERNET = 1
const ETHERNET_CSMACD = 6
const UINT32 = 0x1_0000_0000

export const makeSflow = ({ bootMs, agent, subAgent = 0, sampling, vlan = 0 }: SflowOptions): Sflow => {
  let datagramSequence = 0
  // One sequence for each data source: flow samples by the input interface's source, counters by interface
  const sequences = new Map<string, number>()
  const nextOf = (source: string): number => {
    const next = (sequences.get(source) ?? 0) + 1
    sequences.set(source, next)
    return next % UINT32
  }
  return {
    encode: (packets, counters, nowMs) => {
      const datagrams: Array<Uint8Array> = []
      let out: Writer | undefined
      let samples = 0
      const finish = () => {
        if (out === undefined) return
        out.patch32(24, samples)
        datagrams.push(out.done())
        out = undefined
      }
      const sample = (bytes: Uint8Array) => {
        if (out !== undefined && out.length() + bytes.length > MAX_PAYLOAD) finish()
        if (out === undefined) {
          out = makeWriter()
          samples = 0
          out.u32(5)
          out.u32(1)
          out.bytes(agent)
          out.u32(subAgent)
          out.u32(++datagramSequence % UINT32)
          out.u32((nowMs - bootMs) % UINT32)
          out.u32(0)
        }
        out.bytes(bytes)
        samples++
      }
      for (const packet of packets) {
        const sequence = nextOf(`flow ${packet.input}`)
        sample(flowSample(packet, sequence, sampling, vlan))
      }
      for (const port of counters) sample(counterSample(port, nextOf(`counter ${port.ifIndex}`)))
      finish()
      return datagrams
    }
  }
}

const flowSample = (packet: SampledPacket, sequence: number, sampling: number, vlan: number): Uint8Array => {
  const frame = frameOf(packet, vlan)
  const out = makeWriter(256)
  out.u32(FLOW_SAMPLE)
  out.u32(0)
  out.u32(sequence)
  out.u32(packet.input)
  out.u32(sampling)
  // sample pool: packets that could have been taken so far
  out.u32((sequence * sampling) % UINT32)
  out.u32(0)
  out.u32(packet.input)
  out.u32(packet.output)
  out.u32(1)
  out.u32(RAW_HEADER)
  const record = out.length()
  out.u32(0)
  out.u32(ETHERNET)
  out.u32(packet.bytes + (vlan > 0 ? 18 : 14) + FCS)
  out.u32(FCS)
  out.u32(frame.length)
  out.bytes(frame)
  out.align()
  out.patch32(record, out.length() - record - 4)
  out.patch32(4, out.length() - 8)
  return out.done()
}

/** The first octets of the frame: Ethernet, a tag, IP, TCP or UDP, and zeros where a payload would be. */
const frameOf = (packet: SampledPacket, vlan: number): Uint8Array => {
  const six = packet.source.length === 16
  const out = makeWriter(HEADER_OCTETS)
  out.bytes(macOf(packet.destination))
  out.bytes(macOf(packet.source))
  if (vlan > 0) {
    out.u16(0x8100)
    out.u16(vlan)
  }
  out.u16(six ? 0x86dd : 0x0800)
  if (six) {
    out.u32(0x6000_0000)
    out.u16(packet.bytes - 40)
    out.u8(packet.protocol)
    out.u8(64)
  } else {
    const from = out.length()
    out.u16(0x4500)
    out.u16(packet.bytes)
    out.u16(packet.sourcePort ^ packet.destinationPort)
    out.u16(0x4000)
    out.u8(64)
    out.u8(packet.protocol)
    out.u16(0)
    out.patch16(from + 10, headerSum(packet, (packet.sourcePort ^ packet.destinationPort) & 0xffff))
  }
  out.bytes(packet.source)
  out.bytes(packet.destination)
  if (packet.protocol === 6) {
    out.u16(packet.sourcePort)
    out.u16(packet.destinationPort)
    out.u32((packet.sourcePort * 2_654_435_761) % UINT32)
    out.u32((packet.destinationPort * 2_246_822_519) % UINT32)
    out.u8(0x50)
    out.u8(packet.tcpFlags)
    out.u16(64_240)
    out.u32(0)
  } else if (packet.protocol === 17) {
    out.u16(packet.sourcePort)
    out.u16(packet.destinationPort)
    out.u16(packet.bytes - (six ? 40 : 20))
    out.u16(0)
  }
  const whole = packet.bytes + (vlan > 0 ? 18 : 14)
  const missing = Math.min(HEADER_OCTETS, whole) - out.length()
  if (missing > 0) out.zeros(missing)
  return out.done().subarray(0, HEADER_OCTETS)
}

/** Checksum of the IPv4 header above (RFC 791). */
const headerSum = (packet: SampledPacket, identification: number): number => {
  const word = (bytes: Uint8Array, at: number) => (bytes[at]! << 8) | bytes[at + 1]!
  let sum = 0x4500 + (packet.bytes & 0xffff) + identification + 0x4000 + ((64 << 8) | packet.protocol)
  for (const bytes of [packet.source, packet.destination]) sum += word(bytes, 0) + word(bytes, 2)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

/** A locally administered MAC made of the address's last octets. */
const macOf = (address: Uint8Array): Uint8Array => Uint8Array.from([2, 0, ...address.subarray(address.length - 4)])

const counterSample = (port: PortCounters, sequence: number): Uint8Array => {
  const out = makeWriter(128)
  out.u32(COUNTERS_SAMPLE)
  out.u32(0)
  out.u32(sequence)
  out.u32(port.ifIndex)
  out.u32(1)
  out.u32(GENERIC_COUNTERS)
  out.u32(88)
  out.u32(port.ifIndex)
  out.u32(ETHERNET_CSMACD)
  out.u64(port.speed)
  out.u32(1)
  out.u32(3)
  out.u64(port.inOctets)
  out.u32(port.inPackets % UINT32)
  out.zeros(20)
  out.u64(port.outOctets)
  out.u32(port.outPackets % UINT32)
  out.zeros(16)
  out.u32(0)
  out.patch32(4, out.length() - 8)
  return out.done()
}
