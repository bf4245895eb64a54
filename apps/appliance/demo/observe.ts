/** What a flow cache or a packet sampler makes of a conversation that passes by. */
import { ipv4Value, ipv6Bytes } from "#domain/Address.ts"
import type { ExportRecord } from "./ExportRecord.ts"
import type { SampledPacket } from "./encode-sflow.ts"
import { ACK, type Conversation, FIN, type Half, PSH, SYN } from "./flows.ts"
import type { Seeded } from "./random.ts"
import { TCP } from "./world.ts"

const cache = new Map<string, Uint8Array>()
/** 4 or 16 octets of an address of the demo. */
export const octetsOf = (address: string): Uint8Array => {
  const known = cache.get(address)
  if (known !== undefined) return known
  const value = ipv4Value(address)
  const octets =
    value === undefined
      ? ipv6Bytes(address)!
      : Uint8Array.from([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255])
  // The scanner makes addresses up; they are not worth remembering for ever
  if (cache.size < 4096) cache.set(address, octets)
  return octets
}

export interface Interfaces {
  /** ifIndex of the client's and of the server's side. */
  readonly client: number
  readonly server: number
}

interface Side {
  readonly half: Half
  readonly forward: boolean
  readonly startMs: number
}

const sidesOf = (seen: Conversation): ReadonlyArray<Side> => {
  const sides: Array<Side> = [{ half: seen.toServer, forward: true, startMs: seen.start }]
  if (seen.toClient.packets > 0) sides.push({ half: seen.toClient, forward: false, startMs: seen.answer })
  return sides
}

const recordOf = (seen: Conversation, side: Side, at: Interfaces): ExportRecord => {
  const { half, forward } = side
  return {
    source: octetsOf(forward ? seen.client.address : seen.server.address),
    destination: octetsOf(forward ? seen.server.address : seen.client.address),
    sourcePort: forward ? seen.clientPort : seen.serverPort,
    destinationPort: forward ? seen.serverPort : seen.clientPort,
    protocol: seen.protocol,
    tcpFlags: half.flags,
    packets: half.packets,
    bytes: half.bytes,
    reversePackets: 0,
    reverseBytes: 0,
    reverseFlags: 0,
    startMs: side.startMs,
    endMs: seen.end,
    input: forward ? at.client : at.server,
    output: forward ? at.server : at.client
  }
}

/** One record a direction: NetFlow. */
export const oneWayRecords = (seen: Conversation, at: Interfaces): ReadonlyArray<ExportRecord> =>
  sidesOf(seen).map((side) => recordOf(seen, side, at))

/** One record for both, seen from the end that opened: a firewall with biflows. */
export const biflowRecord = (seen: Conversation, at: Interfaces): ExportRecord => ({
  ...recordOf(seen, { half: seen.toServer, forward: true, startMs: seen.start }, at),
  reversePackets: seen.toClient.packets,
  reverseBytes: seen.toClient.bytes,
  reverseFlags: seen.toClient.flags
})

/** Indices of the packets that a random sampler of one in `rate` takes from `count`. */
export const taken = (count: number, rate: number, random: Seeded): ReadonlyArray<number> => {
  const indices: Array<number> = []
  const miss = Math.log(1 - 1 / rate)
  // The gaps between hits are geometric: no need to throw the dice for every packet
  for (let at = -1; ; ) {
    at += 1 + Math.floor(Math.log(1 - random.next()) / miss)
    if (at >= count) return indices
    indices.push(at)
  }
}

/** Records of a router that looks at one packet of `rate`: it counts, flags and times only what it took. */
export const sampledRecords = (seen: Conversation, at: Interfaces, rate: number, random: Seeded): ReadonlyArray<ExportRecord> =>
  sidesOf(seen).flatMap((side) => {
    const indices = taken(side.half.packets, rate, random)
    if (indices.length === 0) return []
    const when = (index: number) => Math.round(side.startMs + ((seen.end - side.startMs) * index) / side.half.packets)
    const packets = indices.map((index) => packetOf(seen, side, index))
    const whole = recordOf(seen, side, at)
    return [
      {
        ...whole,
        packets: packets.length,
        bytes: packets.reduce((sum, packet) => sum + packet.bytes, 0),
        tcpFlags: packets.reduce((flags, packet) => flags | packet.flags, 0),
        startMs: when(indices[0]!),
        endMs: when(indices.at(-1)!)
      }
    ]
  })

/** Packets of a switch that samples one of `rate`. */
export const sampledPackets = (seen: Conversation, at: Interfaces, rate: number, random: Seeded): ReadonlyArray<SampledPacket> =>
  sidesOf(seen).flatMap((side) =>
    taken(side.half.packets, rate, random).map((index) => {
      const { source, destination, sourcePort, destinationPort, protocol, input, output } = recordOf(seen, side, at)
      const { bytes, flags } = packetOf(seen, side, index)
      return { source, destination, sourcePort, destinationPort, protocol, tcpFlags: flags, bytes, input, output }
    })
  )

/** The n-th packet of one direction: handshake first, then what carries payload, then bare acknowledgements, the FIN last. */
const packetOf = (
  seen: Conversation,
  { half, forward }: Side,
  index: number
): { readonly bytes: number; readonly flags: number } => {
  if (seen.protocol !== TCP) return { bytes: Math.round(half.bytes / half.packets), flags: 0 }
  const header = seen.client.address.includes(":") ? 72 : 52
  if (half.packets === 1) return { bytes: half.bytes, flags: half.flags }
  if (index === 0 && (half.flags & SYN) !== 0) return { bytes: header + 8, flags: forward ? SYN : SYN | ACK }
  if (index === half.packets - 1 && (half.flags & FIN) !== 0) return { bytes: header, flags: FIN | ACK }
  const payload = half.bytes - half.packets * header
  const carriers = Math.max(1, Math.ceil(payload / (1500 - header)))
  return index <= carriers ? { bytes: header + Math.round(payload / carriers), flags: ACK | PSH } : { bytes: header, flags: ACK }
}
