/**
 * From the outermost IP header of a packet to the innermost one that its first octets still show: IP in IP (RFC 2003, RFC 4213), GRE
 * (RFC 2784, RFC 2890), MPLS in IP (RFC 4023), VXLAN (RFC 7348) and its GPE, Geneve (RFC 8926), GTP-U (3GPP TS 29.281).
 *
 * The inner packet is the conversation, with its own length: it is what the two ends would tell of themselves, and what an exporter inside
 * the overlay counts. Octets of the outer packet are not counted beside it. Where the inner addresses were cut off, where the payload is
 * encrypted (ESP) or is a mirrored copy of traffic that travels elsewhere (ERSPAN), the outer packet is the conversation.
 */
import { type Frame, HEADER_ETHERNET, HEADER_IPV4, HEADER_IPV6, HEADER_MPLS, makeFrame, readFrame } from "./frame.ts"

/** Tunnels in tunnels; deeper ones are forged. */
const MOST_NESTED = 4

const VXLAN = 4789
const VXLAN_GPE = 4790
/** Linux before the port was registered; overlays of container platforms still use it. */
const VXLAN_LINUX = 8472
const GENEVE = 6081
const GTP_U = 2152

const ETHERNET_OVER_GRE = 0x6558

/** UDP destination ports behind which a tunnel may begin. */
export const TUNNEL_PORTS = [VXLAN, GTP_U, GENEVE, VXLAN_LINUX, VXLAN_GPE]

/** Whether a packet with this protocol and destination port can hold another one. */
export const mayTunnel = (protocol: number, destinationPort: number): boolean =>
  protocol === 17
    ? TUNNEL_PORTS.includes(destinationPort)
    : protocol === 47 || protocol === 4 || protocol === 41 || protocol === 137

/** What `inside` found: where the inner packet begins and how to read it (a `header_protocol`); 0 nothing. */
let innerAt = 0
let innerKind = 0

const found = (at: number, end: number, kind: number): boolean => {
  innerAt = at
  innerKind = kind
  return kind !== 0 && at < end
}

const kindOfEtherType = (type: number): number =>
  type === 0x0800
    ? HEADER_IPV4
    : type === 0x86dd
      ? HEADER_IPV6
      : type === ETHERNET_OVER_GRE
        ? HEADER_ETHERNET
        : type === 0x8847
          ? HEADER_MPLS
          : 0

const insideGre = (view: DataView, at: number, end: number): boolean => {
  if (end - at < 4) return false
  const flags = view.getUint16(at)
  // Version 1 is PPTP; routing (RFC 1701) is not used any more.
  if ((flags & 0x4007) !== 0) return false
  const header = 4 + ((flags & 0x8000) !== 0 ? 4 : 0) + ((flags & 0x2000) !== 0 ? 4 : 0) + ((flags & 0x1000) !== 0 ? 4 : 0)
  return found(at + header, end, kindOfEtherType(view.getUint16(at + 2)))
}

/** `at`: behind the UDP header. */
const insideVxlan = (view: DataView, at: number, end: number, port: number): boolean => {
  if (end - at < 8 || (view.getUint8(at) & 0x08) === 0) return false
  // RFC 7348 §5: the network identifier is valid. In GPE the P bit says that the next protocol is there.
  const next = port === VXLAN_GPE && (view.getUint8(at) & 0x04) !== 0 ? view.getUint8(at + 3) : 3
  return found(at + 8, end, next === 3 ? HEADER_ETHERNET : next === 1 ? HEADER_IPV4 : next === 2 ? HEADER_IPV6 : 0)
}

const insideGeneve = (view: DataView, at: number, end: number): boolean => {
  if (end - at < 8 || view.getUint8(at) >>> 6 !== 0) return false
  return found(at + 8 + (view.getUint8(at) & 0x3f) * 4, end, kindOfEtherType(view.getUint16(at + 2)))
}

const insideGtp = (view: DataView, at: number, end: number): boolean => {
  if (end - at < 8) return false
  const flags = view.getUint8(at)
  // Version 1, GTP not GTP', a user packet.
  if (flags >>> 4 !== 3 || view.getUint8(at + 1) !== 255) return false
  let payload = at + 8
  if ((flags & 7) !== 0) {
    payload += 4
    if (payload > end) return false
    let next = (flags & 4) !== 0 ? view.getUint8(payload - 1) : 0
    while (next !== 0) {
      // Each extension says its length in units of 4 octets and ends with the type of the next.
      const length = payload < end ? view.getUint8(payload) * 4 : 0
      if (length === 0 || end - payload < length) return false
      payload += length
      next = view.getUint8(payload - 1)
    }
  }
  if (payload >= end) return false
  return found(payload, end, view.getUint8(payload) >>> 4 === 6 ? HEADER_IPV6 : HEADER_IPV4)
}

const inside = (view: DataView, frame: Frame, end: number): boolean => {
  const at = frame.payloadAt
  if (at < 0) return false
  switch (frame.protocol) {
    case 4:
      return found(at, end, HEADER_IPV4)
    case 41:
      return found(at, end, HEADER_IPV6)
    case 137:
      return found(at, end, HEADER_MPLS)
    case 47:
      return insideGre(view, at, end)
    case 17:
      switch (frame.destinationPort) {
        case VXLAN:
        case VXLAN_LINUX:
        case VXLAN_GPE:
          return insideVxlan(view, at + 8, end, frame.destinationPort)
        case GENEVE:
          return insideGeneve(view, at + 8, end)
        case GTP_U:
          return insideGtp(view, at + 8, end)
      }
  }
  return false
}

const inner = makeFrame()

/**
 * Replaces what `frame` says of its IP packet by what the innermost one says; what it says of the link layer stays. Returns how many
 * tunnels it went through.
 */
export const enterTunnels = (view: DataView, end: number, frame: Frame): number => {
  let entered = 0
  while (entered < MOST_NESTED && mayTunnel(frame.protocol, frame.destinationPort) && inside(view, frame, end)) {
    readFrame(view, innerAt, end, innerKind, inner)
    if (inner.family === 0) break
    frame.family = inner.family
    frame.addressAt = inner.addressAt
    frame.ipLength = inner.ipLength
    frame.protocol = inner.protocol
    frame.sourcePort = inner.sourcePort
    frame.destinationPort = inner.destinationPort
    frame.tcpFlags = inner.tcpFlags
    frame.tos = inner.tos
    frame.payloadAt = inner.payloadAt
    entered++
  }
  return entered
}
