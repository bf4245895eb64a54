/**
 * First bytes → what the datagram is. Any protocol may come to any port: exporters are configured by people. Only the header is looked
 * at; what it promises is the decoder's to check.
 */
import type { ExporterProtocol } from "#domain/Exporter.ts"
import { ipv4Text, ipv6Text } from "../decode/address-text.ts"

export interface Heading {
  /** Undefined: none of ours. */
  protocol: ExporterProtocol | undefined
  /** Export time by the exporter's clock, ms since 1970; 0 when the header has none (sFlow). */
  exportMs: number
  /** Observation domain or source id, in v5 engine type and number; 0 for sFlow. */
  domain: number
  /** sFlow: the agent's address, which names the switch whoever relays its datagrams; "" when it has none. */
  agent: string
}

const unknown = (heading: Heading): Heading => {
  heading.protocol = undefined
  heading.exportMs = 0
  heading.domain = 0
  heading.agent = ""
  return heading
}

const u32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0

/** Agents' address texts by their integer, so that one is written once. Bounded: invented agents only cost writing again. */
const agents = new Map<number, string>()
const MAX_AGENTS = 4096

const agentText = (bytes: Uint8Array, length: number): string => {
  const type = u32(bytes, 4)
  if (type === 1) {
    const value = u32(bytes, 8)
    if (value === 0) return ""
    const cached = agents.get(value)
    if (cached !== undefined) return cached
    const text = ipv4Text(value)
    if (agents.size < MAX_AGENTS) agents.set(value, text)
    return text
  }
  if (type === 2 && length >= 24) {
    const text = ipv6Text(new DataView(bytes.buffer, bytes.byteOffset, length), 8)
    return text === "::" ? "" : text
  }
  return ""
}

/** Reads the heading of `length` bytes of `datagram` into `into`, and returns it. */
export const readHeading = (datagram: Uint8Array, length: number, into: Heading): Heading => {
  if (length < 8) return unknown(into)
  const version = (datagram[0]! << 8) | datagram[1]!
  into.agent = ""
  switch (version) {
    case 5:
      into.protocol = "netflow5"
      into.domain = length >= 22 ? (datagram[20]! << 8) | datagram[21]! : 0
      into.exportMs = length >= 12 ? u32(datagram, 8) * 1000 : 0
      return into
    case 9:
      into.protocol = "netflow9"
      into.domain = length >= 20 ? u32(datagram, 16) : 0
      into.exportMs = length >= 12 ? u32(datagram, 8) * 1000 : 0
      return into
    case 10:
      into.protocol = "ipfix"
      into.domain = length >= 16 ? u32(datagram, 12) : 0
      into.exportMs = u32(datagram, 4) * 1000
      return into
    case 0:
      // sFlow's version is a 32-bit word
      if (u32(datagram, 0) !== 5) return unknown(into)
      into.protocol = "sflow5"
      into.domain = 0
      into.exportMs = 0
      into.agent = length >= 12 ? agentText(datagram, length) : ""
      return into
    default:
      return unknown(into)
  }
}
