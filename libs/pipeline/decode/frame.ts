/**
 * The first octets of a packet (sFlow raw header, IE 315/104/313) → where its outermost IP header's addresses are, and the ports.
 * Offsets, not values: the caller copies what it needs into columns. Never reads at or past `end`, never throws.
 */

/** sFlow `header_protocol` values that are read. */
export const HEADER_ETHERNET = 1
export const HEADER_PPP = 7
export const HEADER_IPV4 = 11
export const HEADER_IPV6 = 12
export const HEADER_MPLS = 13

/** Reused. Only small integers, so that writing it costs nothing. */
export interface Frame {
  /** 4, 6, or 0 when no IP header was found. */
  family: number
  /** Offset of the source address, the destination follows it. */
  addressAt: number
  /** Octets of the IP packet as its header says; 0 for a jumbogram. */
  ipLength: number
  /** Offset of what follows the IP headers; -1 where that is not the beginning of it (a later fragment) or was cut off. */
  payloadAt: number
  protocol: number
  sourcePort: number
  /** For ICMP: type · 256 + code, as flow exporters write it. */
  destinationPort: number
  tcpFlags: number
  tos: number
  /** Offset of the destination MAC, -1 none. */
  macAt: number
  etherType: number
  /** Number of VLAN tags and their ids, outermost first, at most 4 kept. */
  vlans: number
  readonly vlan: Uint16Array
  mpls: number
  readonly mplsLabels: Uint32Array
}

export const makeFrame = (): Frame => ({
  family: 0,
  addressAt: 0,
  ipLength: 0,
  payloadAt: -1,
  protocol: 0,
  sourcePort: 0,
  destinationPort: 0,
  tcpFlags: 0,
  tos: 0,
  macAt: -1,
  etherType: 0,
  vlans: 0,
  vlan: new Uint16Array(4),
  mpls: 0,
  mplsLabels: new Uint32Array(16)
})

export const readFrame = (view: DataView, at: number, end: number, headerProtocol: number, frame: Frame): void => {
  frame.family = 0
  frame.ipLength = 0
  frame.payloadAt = -1
  frame.protocol = 0
  frame.sourcePort = 0
  frame.destinationPort = 0
  frame.tcpFlags = 0
  frame.tos = 0
  frame.macAt = -1
  frame.etherType = 0
  frame.vlans = 0
  frame.mpls = 0
  if (headerProtocol === HEADER_ETHERNET) {
    // Most packets at once; the other ways lead to the same.
    if (end - at >= 34 && view.getUint16(at + 12) === 0x0800) {
      frame.macAt = at
      frame.etherType = 0x0800
      readIpv4(view, at + 14, end, frame)
    } else readEthernet(view, at, end, frame)
  } else if (headerProtocol === HEADER_IPV4 || headerProtocol === HEADER_IPV6) readIp(view, at, end, frame)
  else if (headerProtocol === HEADER_MPLS) readMpls(view, at, end, frame)
  else if (headerProtocol === HEADER_PPP && end - at >= 4) {
    // RFC 1662: address and control octets may be left out.
    if (view.getUint16(at) === 0xff03) at += 2
    readEtherType(view, at + 2, end, pppToEtherType(view.getUint16(at)), frame)
  }
}

const pppToEtherType = (protocol: number): number =>
  protocol === 0x0021 ? 0x0800 : protocol === 0x0057 ? 0x86dd : protocol === 0x0281 ? 0x8847 : 0

const readEthernet = (view: DataView, at: number, end: number, frame: Frame): void => {
  if (end - at < 14) return
  if (frame.macAt < 0) frame.macAt = at
  let type = view.getUint16(at + 12)
  at += 14
  while ((type === 0x8100 || type === 0x88a8 || type === 0x9100 || type === 0x9200) && end - at >= 4) {
    if (frame.vlans < 4) frame.vlan[frame.vlans] = view.getUint16(at) & 0x0fff
    frame.vlans++
    type = view.getUint16(at + 2)
    at += 4
  }
  // IEEE 802.3 length, then LLC/SNAP with an EtherType (RFC 1042).
  if (type <= 1500 && end - at >= 8 && view.getUint32(at) === 0xaaaa0300 && view.getUint16(at + 4) === 0) {
    type = view.getUint16(at + 6)
    at += 8
  }
  frame.etherType = type
  readEtherType(view, at, end, type, frame)
}

const readEtherType = (view: DataView, at: number, end: number, type: number, frame: Frame): void => {
  switch (type) {
    case 0x0800:
    case 0x86dd:
      readIp(view, at, end, frame)
      return
    case 0x8847:
    case 0x8848:
      readMpls(view, at, end, frame)
      return
    case 0x8864: // PPPoE session: 6 octets, then the PPP protocol (RFC 2516)
      if (end - at >= 8) readEtherType(view, at + 8, end, pppToEtherType(view.getUint16(at + 6)), frame)
  }
}

const readMpls = (view: DataView, at: number, end: number, frame: Frame): void => {
  while (end - at >= 4) {
    const entry = view.getUint32(at)
    at += 4
    if (frame.mpls < 16) frame.mplsLabels[frame.mpls] = entry >>> 12
    frame.mpls++
    if ((entry & 0x100) !== 0) {
      if (at < end) {
        const nibble = view.getUint8(at) >>> 4
        if (nibble === 4 || nibble === 6) readIp(view, at, end, frame)
        else if (nibble === 0 && end - at > 4) readPseudowire(view, at, end, frame)
      }
      return
    }
  }
}

/** RFC 4448: a control word starting with 0000, then an Ethernet frame. Labels grow with every nesting, which bounds it. */
const readPseudowire = (view: DataView, at: number, end: number, frame: Frame): void => {
  if (end - at >= 18 && frame.mpls <= 16) readEthernet(view, at + 4, end, frame)
}

const readIp = (view: DataView, at: number, end: number, frame: Frame): void => {
  if (end - at < 20) return
  const version = view.getUint8(at) >>> 4
  if (version === 4) readIpv4(view, at, end, frame)
  else if (version === 6 && end - at >= 40) readIpv6(view, at, end, frame)
}

/** At least 20 octets are there. */
const readIpv4 = (view: DataView, at: number, end: number, frame: Frame): void => {
  const first = view.getUint8(at)
  const header = (first & 15) * 4
  if (first >>> 4 !== 4 || header < 20) return
  const protocol = view.getUint8(at + 9)
  frame.family = 4
  frame.addressAt = at + 12
  frame.tos = view.getUint8(at + 1)
  frame.ipLength = view.getUint16(at + 2)
  frame.protocol = protocol
  // Only the first fragment has ports (RFC 791 §3.1).
  if ((view.getUint16(at + 6) & 0x1fff) === 0) readTransport(view, at + header, end, protocol, frame)
}

const readIpv6 = (view: DataView, at: number, end: number, frame: Frame): void => {
  frame.family = 6
  frame.addressAt = at + 8
  frame.tos = (view.getUint16(at) >>> 4) & 0xff
  const payload = view.getUint16(at + 4)
  // 0 in a jumbogram (RFC 2675).
  frame.ipLength = payload === 0 ? 0 : payload + 40
  readIpv6Chain(view, at + 40, end, view.getUint8(at + 6), frame)
}

/** Extension headers (RFC 8200 §4.1); each advances by at least 8 octets, so the loop ends with the bytes. */
const readIpv6Chain = (view: DataView, at: number, end: number, next: number, frame: Frame): void => {
  while (true) {
    frame.protocol = next
    switch (next) {
      case 0: // hop-by-hop
      case 43: // routing
      case 60: // destination options
      case 135: // mobility
      case 139: // HIP
      case 140: // Shim6
        if (end - at < 8) return
        next = view.getUint8(at)
        at += (view.getUint8(at + 1) + 1) * 8
        break
      case 51: // authentication, in units of 4 octets (RFC 4302 §2.2)
        if (end - at < 8) return
        next = view.getUint8(at)
        at += (view.getUint8(at + 1) + 2) * 4
        break
      case 44:
        if (end - at < 8) return
        next = view.getUint8(at)
        if (view.getUint16(at + 2) >>> 3 !== 0) {
          frame.protocol = next
          return
        }
        at += 8
        break
      default:
        readTransport(view, at, end, next, frame)
        return
    }
  }
}

/** Protocols that begin with two ports: TCP, UDP, DCCP, SCTP, UDP-Lite. */
const hasPorts = new Uint8Array(256)
for (const protocol of [6, 17, 33, 132, 136]) hasPorts[protocol] = 1

const readTransport = (view: DataView, at: number, end: number, protocol: number, frame: Frame): void => {
  frame.payloadAt = at < end ? at : -1
  if (end - at < 4) {
    if (end - at >= 2 && (protocol === 1 || protocol === 58)) frame.destinationPort = view.getUint16(at)
  } else if (hasPorts[protocol] === 1) {
    frame.sourcePort = view.getUint16(at)
    frame.destinationPort = view.getUint16(at + 2)
    if (protocol === 6 && end - at >= 14) frame.tcpFlags = view.getUint8(at + 13)
  } else if (protocol === 1 || protocol === 58) frame.destinationPort = view.getUint16(at)
}
