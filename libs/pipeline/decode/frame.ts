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
  protocol: number
  sourcePort: number
  /** For ICMP: type · 256 + code, as flow exporters write it. */
  destinationPort: number
  hasPorts: boolean
  icmp: boolean
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
  protocol: 0,
  sourcePort: 0,
  destinationPort: 0,
  hasPorts: false,
  icmp: false,
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
  frame.protocol = 0
  frame.sourcePort = 0
  frame.destinationPort = 0
  frame.hasPorts = false
  frame.icmp = false
  frame.tcpFlags = 0
  frame.tos = 0
  frame.macAt = -1
  frame.etherType = 0
  frame.vlans = 0
  frame.mpls = 0
  switch (headerProtocol) {
    case HEADER_ETHERNET:
      readEthernet(view, at, end, frame)
      return
    case HEADER_IPV4:
    case HEADER_IPV6:
      readIp(view, at, end, frame)
      return
    case HEADER_MPLS:
      readMpls(view, at, end, frame)
      return
    case HEADER_PPP: {
      if (end - at < 4) return
      // RFC 1662: address and control octets may be left out.
      if (view.getUint16(at) === 0xff03) at += 2
      readEtherType(view, at + 2, end, pppToEtherType(view.getUint16(at)), frame)
      return
    }
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
  if (version === 4) {
    const header = (view.getUint8(at) & 15) * 4
    if (header < 20) return
    frame.family = 4
    frame.addressAt = at + 12
    frame.tos = view.getUint8(at + 1)
    frame.ipLength = view.getUint16(at + 2)
    frame.protocol = view.getUint8(at + 9)
    // Only the first fragment has ports (RFC 791 §3.1).
    if ((view.getUint16(at + 6) & 0x1fff) === 0) readTransport(view, at + header, end, frame)
  } else if (version === 6 && end - at >= 40) {
    frame.family = 6
    frame.addressAt = at + 8
    frame.tos = (view.getUint16(at) >>> 4) & 0xff
    const payload = view.getUint16(at + 4)
    frame.ipLength = payload === 0 ? 0 : payload + 40
    readIpv6Chain(view, at + 40, end, view.getUint8(at + 6), frame)
  }
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
        readTransport(view, at, end, frame)
        return
    }
  }
}

const readTransport = (view: DataView, at: number, end: number, frame: Frame): void => {
  switch (frame.protocol) {
    case 6: // TCP
      if (end - at >= 14) frame.tcpFlags = view.getUint8(at + 13)
      readPorts(view, at, end, frame)
      return
    case 17: // UDP
    case 33: // DCCP
    case 132: // SCTP
    case 136: // UDP-Lite
      readPorts(view, at, end, frame)
      return
    case 1:
    case 58:
      if (end - at < 2) return
      frame.destinationPort = view.getUint16(at)
      frame.icmp = true
  }
}

const readPorts = (view: DataView, at: number, end: number, frame: Frame): void => {
  if (end - at < 4) return
  frame.sourcePort = view.getUint16(at)
  frame.destinationPort = view.getUint16(at + 2)
  frame.hasPorts = true
}
