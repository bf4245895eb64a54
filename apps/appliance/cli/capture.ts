/**
 * Reads what people captured: one UDP payload a file, pcap (either byte order, microseconds or nanoseconds) and pcapng of Ethernet, raw
 * IP, Linux cooked or loopback frames with IP fragments put together, or IPFIX messages one after another (RFC 5655).
 */
import { readFileSync } from "node:fs"
import { ipv4Text, ipv6Text } from "#pipeline/decode/address-text.ts"

export interface CapturedDatagram {
  readonly payload: Uint8Array
  /** Sender's address in text form; undefined where the file does not say. */
  readonly source: string | undefined
  readonly sourcePort: number
  readonly destinationPort: number
  /** Capture time in ms since 1970; 0 unknown. */
  readonly atMs: number
}

export const captureFormats = ["datagram", "pcap", "message-stream"] as const
export type CaptureFormat = (typeof captureFormats)[number]

/** What a file's first octets say it is; message streams cannot be told from one IPFIX datagram and are never guessed. */
export const formatOf = (bytes: Uint8Array): CaptureFormat => {
  if (bytes.length < 4) return "datagram"
  const magic = viewOf(bytes).getUint32(0)
  return pcapKinds.has(magic) || magic === PCAPNG_SECTION ? "pcap" : "datagram"
}

export const readCapture = (path: string, format?: CaptureFormat): ReadonlyArray<CapturedDatagram> => {
  const bytes = new Uint8Array(readFileSync(path))
  return splitCapture(bytes, format ?? formatOf(bytes))
}

export const splitCapture = (bytes: Uint8Array, format: CaptureFormat): ReadonlyArray<CapturedDatagram> => {
  switch (format) {
    case "datagram":
      return [bare(bytes)]
    case "message-stream":
      return splitMessages(bytes).map(bare)
    case "pcap":
      return splitPcap(bytes)
  }
}

const bare = (payload: Uint8Array): CapturedDatagram => ({
  payload,
  source: undefined,
  sourcePort: 0,
  destinationPort: 0,
  atMs: 0
})

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** By the length in each IPFIX header; what cannot be split off is one last datagram. */
const splitMessages = (bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
  const view = viewOf(bytes)
  const messages: Array<Uint8Array> = []
  let at = 0
  while (at < bytes.length) {
    const length = bytes.length - at >= 4 ? view.getUint16(at + 2) : 0
    const end = length >= 16 && view.getUint16(at) === 10 && at + length <= bytes.length ? at + length : bytes.length
    messages.push(bytes.subarray(at, end))
    at = end
  }
  return messages
}

/** Magic number → byte order and time unit. */
const pcapKinds = new Map<number, { readonly little: boolean; readonly perMs: number }>([
  [0xa1b2c3d4, { little: false, perMs: 1_000 }],
  [0xd4c3b2a1, { little: true, perMs: 1_000 }],
  [0xa1b23c4d, { little: false, perMs: 1_000_000 }],
  [0x4d3cb2a1, { little: true, perMs: 1_000_000 }]
])

const PCAPNG_SECTION = 0x0a0d0d0a

const splitPcap = (bytes: Uint8Array): ReadonlyArray<CapturedDatagram> => {
  const found: Array<CapturedDatagram> = []
  const fragments = makeFragments()
  const packet = (linkType: number, frame: Uint8Array, atMs: number) => {
    const datagram = udpOf(linkType, frame, atMs, fragments)
    if (datagram !== undefined) found.push(datagram)
  }
  const view = viewOf(bytes)
  if (bytes.length < 24) return found
  if (view.getUint32(0) === PCAPNG_SECTION) readPcapng(bytes, view, packet)
  else readPcap(bytes, view, packet)
  return found
}

type EachPacket = (linkType: number, frame: Uint8Array, atMs: number) => void

const readPcap = (bytes: Uint8Array, view: DataView, packet: EachPacket): void => {
  const kind = pcapKinds.get(view.getUint32(0))
  if (kind === undefined) return
  const { little, perMs } = kind
  // The upper bits of the link type word are FCS length and reserved.
  const linkType = view.getUint32(20, little) & 0xffff
  let at = 24
  while (bytes.length - at >= 16) {
    const captured = view.getUint32(at + 8, little)
    if (captured > bytes.length - at - 16) return
    const atMs = view.getUint32(at, little) * 1000 + view.getUint32(at + 4, little) / perMs
    packet(linkType, bytes.subarray(at + 16, at + 16 + captured), atMs)
    at += 16 + captured
  }
}

const readPcapng = (bytes: Uint8Array, view: DataView, packet: EachPacket): void => {
  let little = true
  let interfaces: Array<{ readonly linkType: number; readonly unitsPerMs: number }> = []
  let at = 0
  while (bytes.length - at >= 12) {
    const isSection = view.getUint32(at) === PCAPNG_SECTION
    if (isSection) {
      little = view.getUint32(at + 8) === 0x4d3c2b1a
      interfaces = []
    }
    const type = view.getUint32(at, little)
    const length = view.getUint32(at + 4, little)
    if (length < 12 || length % 4 !== 0 || length > bytes.length - at) return
    const end = at + length - 4
    if (type === 1 && end - at >= 16) {
      interfaces.push({ linkType: view.getUint16(at + 8, little), unitsPerMs: resolutionOf(view, at + 16, end, little) })
    } else if (type === 6 && end - at >= 28) {
      const source = interfaces[view.getUint32(at + 8, little)]
      const captured = view.getUint32(at + 20, little)
      if (source !== undefined && captured <= end - at - 28) {
        const ticks = view.getUint32(at + 12, little) * 4294967296 + view.getUint32(at + 16, little)
        packet(source.linkType, bytes.subarray(at + 28, at + 28 + captured), ticks / source.unitsPerMs)
      }
    } else if (type === 3 && end - at >= 12 && interfaces[0] !== undefined) {
      const captured = Math.min(view.getUint32(at + 8, little), end - at - 12)
      packet(interfaces[0].linkType, bytes.subarray(at + 12, at + 12 + captured), 0)
    }
    at += length
  }
}

/** Option 9 of an interface description: a power of ten, or of two with the upper bit set; microseconds when absent. */
const resolutionOf = (view: DataView, at: number, end: number, little: boolean): number => {
  while (end - at >= 4) {
    const code = view.getUint16(at, little)
    const length = view.getUint16(at + 2, little)
    if (code === 0 || length > end - at - 4) break
    if (code === 9 && length >= 1) {
      const value = view.getUint8(at + 4)
      return ((value & 0x80) === 0 ? 10 ** value : 2 ** (value & 0x7f)) / 1000
    }
    at += 4 + ((length + 3) & ~3)
  }
  return 1000
}

interface Fragments {
  /** The whole IP payload once all of it is there. */
  readonly add: (key: string, offset: number, more: boolean, part: Uint8Array) => Uint8Array | undefined
}

/** Packets half put together that are kept; a capture with more lost fragments than this loses the oldest. */
const MAX_PARTIAL = 1024
/** Fragments of one packet: 65,535 octets in parts of 8. */
const MAX_PARTS = 8192

const makeFragments = (): Fragments => {
  const partial = new Map<string, { end: number; octets: number; parts: Array<{ offset: number; part: Uint8Array }> }>()
  return {
    add: (key, offset, more, part) => {
      const entry = partial.get(key) ?? { end: -1, octets: 0, parts: [] }
      entry.parts.push({ offset, part })
      entry.octets += part.length
      if (!more) entry.end = offset + part.length
      partial.set(key, entry)
      if (partial.size > MAX_PARTIAL) partial.delete(partial.keys().next().value!)
      if (entry.parts.length > MAX_PARTS) partial.delete(key)
      if (entry.end < 0 || entry.end > 65535 || entry.octets < entry.end) return undefined
      let reached = 0
      for (const { offset: from, part: octets } of [...entry.parts].sort((a, b) => a.offset - b.offset)) {
        if (from > reached) return undefined
        reached = Math.max(reached, from + octets.length)
      }
      if (reached < entry.end) return undefined
      const whole = new Uint8Array(entry.end)
      for (const { offset: from, part: octets } of entry.parts) {
        // a part may lie behind the end that another one claims
        if (from < entry.end) whole.set(octets.subarray(0, entry.end - from), from)
      }
      partial.delete(key)
      return whole
    }
  }
}

/** Link types (tcpdump.org/linktypes): where the network header begins and which protocol it is; 0 when it must be asked itself. */
const linkHeader = (linkType: number, view: DataView): { readonly at: number; readonly etherType: number } | undefined => {
  const length = view.byteLength
  switch (linkType) {
    case 1: {
      let at = 12
      while (length - at >= 4) {
        const type = view.getUint16(at)
        if (type !== 0x8100 && type !== 0x88a8 && type !== 0x9100) return { at: at + 2, etherType: type }
        at += 4
      }
      return undefined
    }
    case 12: // raw IP as some BSDs number it
    case 14:
    case 101:
    case 228:
    case 229:
      return { at: 0, etherType: 0 }
    case 0: // BSD loopback, in host byte order
    case 108:
      return length > 4 ? { at: 4, etherType: 0 } : undefined
    case 113:
      return length > 16 ? { at: 16, etherType: view.getUint16(14) } : undefined
    case 276:
      return length > 20 ? { at: 20, etherType: view.getUint16(0) } : undefined
  }
}

const udpOf = (linkType: number, frame: Uint8Array, atMs: number, fragments: Fragments): CapturedDatagram | undefined => {
  const view = viewOf(frame)
  const header = linkHeader(linkType, view)
  if (header === undefined || header.at >= frame.length) return undefined
  const nibble = view.getUint8(header.at) >>> 4
  if (header.etherType !== 0 && header.etherType !== 0x0800 && header.etherType !== 0x86dd) return undefined
  const packet =
    nibble === 4 ? readIpv4(frame, header.at, fragments) : nibble === 6 ? readIpv6(frame, header.at, fragments) : undefined
  if (packet === undefined || packet.payload.length < 8) return undefined
  const udp = viewOf(packet.payload)
  const claimed = udp.getUint16(4)
  const end = claimed >= 8 && claimed <= packet.payload.length ? claimed : packet.payload.length
  return {
    payload: packet.payload.subarray(8, end),
    source: packet.source,
    sourcePort: udp.getUint16(0),
    destinationPort: udp.getUint16(2),
    atMs
  }
}

interface IpPayload {
  readonly source: string
  readonly payload: Uint8Array
}

const UDP = 17

const readIpv4 = (frame: Uint8Array, at: number, fragments: Fragments): IpPayload | undefined => {
  if (frame.length - at < 20) return undefined
  const view = viewOf(frame)
  const header = (view.getUint8(at) & 15) * 4
  const total = view.getUint16(at + 2)
  // 0 is what a sending host with segmentation offload shows to a capture on itself.
  const end = total === 0 ? frame.length : Math.min(at + total, frame.length)
  if (header < 20 || at + header > end || view.getUint8(at + 9) !== UDP) return undefined
  const source = ipv4Text(view.getUint32(at + 12))
  const flags = view.getUint16(at + 6)
  const part = frame.subarray(at + header, end)
  const offset = (flags & 0x1fff) * 8
  const more = (flags & 0x2000) !== 0
  if (offset === 0 && !more) return { source, payload: part }
  const key = `${source}>${ipv4Text(view.getUint32(at + 16))}#${view.getUint16(at + 4)}`
  const payload = fragments.add(key, offset, more, part)
  return payload === undefined ? undefined : { source, payload }
}

const readIpv6 = (frame: Uint8Array, at: number, fragments: Fragments): IpPayload | undefined => {
  if (frame.length - at < 40) return undefined
  const view = viewOf(frame)
  const source = ipv6Text(view, at + 8)
  const end = Math.min(at + 40 + view.getUint16(at + 4), frame.length)
  let next = view.getUint8(at + 6)
  let position = at + 40
  while (next !== UDP) {
    if (end - position < 8) return undefined
    if (next === 44) {
      const word = view.getUint16(position + 2)
      const key = `${source}>${ipv6Text(view, at + 24)}#${view.getUint32(position + 4)}`
      if (view.getUint8(position) !== UDP) return undefined
      const part = frame.subarray(position + 8, end)
      if (word >>> 3 === 0 && (word & 1) === 0) return { source, payload: part }
      const payload = fragments.add(key, word & 0xfff8, (word & 1) !== 0, part)
      return payload === undefined ? undefined : { source, payload }
    }
    if (next !== 0 && next !== 43 && next !== 60) return undefined
    next = view.getUint8(position)
    position += (view.getUint8(position + 1) + 1) * 8
  }
  return { source, payload: frame.subarray(position, Math.max(position, end)) }
}
