/**
 * Captured datagrams as a pcap file (draft-ietf-opsawg-pcap): microseconds, Ethernet. A socket hands over payloads only, so the frames
 * around them are made again: addresses and ports are those of the datagram, checksums are right, everything else is a plain value.
 */
import { parseIp } from "./ip-octets.ts"

export interface PcapDatagram {
  /** µs since 1970. */
  readonly at: number
  readonly from: string
  readonly fromPort: number
  /** Unspecified (`0.0.0.0`, `::`) where the socket listens on every address. */
  readonly to: string
  readonly toPort: number
  readonly payload: Uint8Array
}

const ETHERNET = 14
const UDP = 8
const LINKTYPE_ETHERNET = 1
const SNAPLEN = 262_144
/** Locally administered, one for whoever sends and one for us. */
const MACS = Uint8Array.of(2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2)

export const pcapHeading = (): Uint8Array => {
  const bytes = new Uint8Array(24)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 0xa1b2c3d4, true)
  view.setUint16(4, 2, true)
  view.setUint16(6, 4, true)
  view.setUint32(16, SNAPLEN, true)
  view.setUint32(20, LINKTYPE_ETHERNET, true)
  return bytes
}

/** Ones' complement sum of 16-bit words (RFC 1071), not yet folded. */
const sumOf = (bytes: Uint8Array, from: number, to: number): number => {
  let sum = 0
  for (let i = from; i + 1 < to; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!
  if ((to - from) % 2 === 1) sum += bytes[to - 1]! << 8
  return sum
}

const checksumOf = (sum: number): number => {
  let folded = sum
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000)
  return ~folded & 0xffff
}

/** One record: its heading and the frame. Both addresses are of one family; an unspecified one follows the other. */
export const pcapRecord = ({ at, from, fromPort, payload, to, toPort }: PcapDatagram): Uint8Array => {
  const source = parseIp(from) ?? new Uint8Array(4)
  const asked = parseIp(to)
  const destination = asked?.length === source.length ? asked : new Uint8Array(source.length)
  const six = source.length === 16
  const ip = six ? 40 : 20
  const udpLength = UDP + payload.length
  const frame = ETHERNET + ip + udpLength
  const bytes = new Uint8Array(16 + frame)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, Math.floor(at / 1e6), true)
  view.setUint32(4, at % 1e6, true)
  view.setUint32(8, frame, true)
  view.setUint32(12, frame, true)
  bytes.set(MACS, 16)
  view.setUint16(16 + 12, six ? 0x86dd : 0x0800)
  const l3 = 16 + ETHERNET
  const l4 = l3 + ip
  if (six) {
    view.setUint32(l3, 0x60000000)
    view.setUint16(l3 + 4, udpLength)
    bytes[l3 + 6] = 17
    bytes[l3 + 7] = 64
  } else {
    bytes[l3] = 0x45
    view.setUint16(l3 + 2, ip + udpLength)
    view.setUint16(l3 + 6, 0x4000)
    bytes[l3 + 8] = 64
    bytes[l3 + 9] = 17
  }
  const addresses = l4 - 2 * source.length
  bytes.set(source, addresses)
  bytes.set(destination, addresses + source.length)
  if (!six) view.setUint16(l3 + 10, checksumOf(sumOf(bytes, l3, l4)))
  view.setUint16(l4, fromPort)
  view.setUint16(l4 + 2, toPort)
  view.setUint16(l4 + 4, udpLength)
  bytes.set(payload, l4 + UDP)
  // the pseudo header (RFC 768, RFC 8200 §8.1) has the addresses, which stand just before; a sum of 0 is sent as all ones
  const sum = checksumOf(sumOf(bytes, addresses, bytes.length) + 17 + udpLength)
  view.setUint16(l4 + 6, sum === 0 ? 0xffff : sum)
  return bytes
}
