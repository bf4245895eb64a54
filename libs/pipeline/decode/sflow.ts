/**
 * sFlow v5 (sflow.org/sflow_version_5.txt). One flow sample is one row: the innermost IP packet that its header shows (tunnel.ts), bytes =
 * that packet's length, packets = 1, sampling = the sample's rate. Counter samples go to a callback, records nobody reads are skipped by their length.
 */
import { ipv4Text, ipv6Text } from "./address-text.ts"
import { VERSION_SFLOW5 } from "./DecodeOutcome.ts"
import { DIRECTION_UNKNOWN, FAMILY_IPV4, FAMILY_IPV6 } from "./FlowBatch.ts"
import { type Frame, HEADER_ETHERNET, makeFrame, readFrame } from "./frame.ts"
import { type InterfaceCounters, makeCounterReader } from "./interface-counters.ts"
import { complain, type Reading, roomOf } from "./Reading.ts"
import type { RecordTrace } from "./record.ts"
import { enterTunnels, isTunnelPort, mayTunnel } from "./tunnel.ts"

/** Samples by enterprise 0 format. */
export const FLOW_SAMPLE = 1
export const COUNTER_SAMPLE = 2
export const EXPANDED_FLOW_SAMPLE = 3
export const EXPANDED_COUNTER_SAMPLE = 4
export const DISCARD_SAMPLE = 5

/** Flow records by enterprise 0 format. */
export const RAW_HEADER = 1
export const ETHERNET_FRAME = 2
export const SAMPLED_IPV4 = 3
export const SAMPLED_IPV6 = 4

/** Interface formats: the value is an ifIndex; a reason for a discard; a number of interfaces. */
export const FORMAT_INTERFACE = 0
/** "No interface": the packet came from, or went to, the device itself. */
export const INTERNAL_INTERFACE = 0x3fffffff

export interface SflowReader {
  readonly read: () => void
}

export interface SflowReaderOptions {
  readonly reading: Reading
  readonly onInterfaceCounters: ((counters: InterfaceCounters) => void) | undefined
  readonly trace: RecordTrace | undefined
}

/** Agents whose text form is kept; each is one string of at most 15 characters. */
const MAX_AGENTS = 8192

/** Samples gathered before their rows are written; a datagram of 1,400 octets holds seven. */
const MAX_PENDING = 64
const FACTS = 12

/** Octets of the shortest expanded flow sample with a header in it of which all that is plain can be read; captures are rarely shorter. */
const FIXED = 8 + 44 + 24 + 78

/** IEEE 802.1Q. */
const VLAN = 0x8100

const ifIndexOf = (format: number, value: number): number =>
  format === FORMAT_INTERFACE && value !== INTERNAL_INTERFACE && value !== 0xffffffff ? value : 0

export const makeSflowReader = (options: SflowReaderOptions): SflowReader => {
  const { onInterfaceCounters, reading, trace } = options
  const { outcome, view } = reading
  const agents = new Map<number, string>()
  const readCounters = onInterfaceCounters === undefined ? undefined : makeCounterReader(reading, onInterfaceCounters)
  const facts = new Uint32Array(MAX_PENDING * FACTS)
  let pending = 0
  let room = 0
  let plainEnd = 0
  const frame: Frame = makeFrame()

  const agent4 = (value: number): string => {
    let text = agents.get(value)
    if (text === undefined) {
      text = ipv4Text(value)
      if (agents.size >= MAX_AGENTS) agents.clear()
      agents.set(value, text)
    }
    return text
  }

  const read = (): void => {
    pending = 0
    room = 0
    readDatagram()
    if (pending > 0) flush()
  }

  const readDatagram = (): void => {
    outcome.version = VERSION_SFLOW5
    reading.exportMs = 0
    const end = reading.length
    if (end < 28) {
      complain(outcome, "short-header")
      return
    }
    const kind = view.getUint32(4)
    let at: number
    if (kind === 1) {
      outcome.agent = agent4(view.getUint32(8))
      at = 12
    } else if (kind === 2) {
      if (end < 40) {
        complain(outcome, "short-header")
        return
      }
      outcome.agent = ipv6Text(view, 8)
      at = 24
    } else {
      complain(outcome, "address-type")
      return
    }
    outcome.observationDomain = view.getUint32(at)
    outcome.sequence = view.getUint32(at + 4)
    outcome.sequenceStep = 1
    outcome.uptimeMs = view.getUint32(at + 8)
    const samples = view.getUint32(at + 12)
    at += 16
    for (let i = 0; i < samples; i++) {
      if (trace === undefined) {
        const plain = plainSamples(at, end, samples - i)
        i += plain
        if (i === samples) return
        at = plainEnd
      }
      if (end - at < 8) {
        complain(outcome, "sample-truncated")
        return
      }
      const tag = view.getUint32(at)
      const length = view.getUint32(at + 4)
      at += 8
      if (length > end - at) {
        complain(outcome, "sample-length")
        return
      }
      const next = at + length
      switch (tag) {
        case FLOW_SAMPLE:
          if (next - at < 32) complain(outcome, "sample-truncated")
          else {
            outcome.flowSamples++
            flowSample(at, next, false)
          }
          break
        case EXPANDED_FLOW_SAMPLE:
          if (next - at < 44) complain(outcome, "sample-truncated")
          else {
            outcome.expandedFlowSamples++
            flowSample(at, next, true)
          }
          break
        case COUNTER_SAMPLE:
          outcome.counterSamples++
          readCounters?.(at + 8, next)
          break
        case EXPANDED_COUNTER_SAMPLE:
          outcome.expandedCounterSamples++
          readCounters?.(at + 12, next)
          break
        case DISCARD_SAMPLE:
          // A packet the device dropped did not travel: counted, but no traffic.
          outcome.discardSamples++
          break
        default:
          outcome.otherSamples++
      }
      at = next
    }
  }

  /**
   * The commonest samples, as many as follow each other: TCP or UDP, no tunnel, first fragments of IPv4 without options or of IPv6 without
   * extensions, in Ethernet frames, tagged or not, whose raw header comes first in the sample. Returns how many; `plainEnd` is behind them.
   */
  const plainSamples = (start: number, end: number, most: number): number => {
    if (pending === room) makeRoom()
    // All that is read at fixed places lies in the first 132 octets of a sample's 8 of heading and what follows; one look is enough.
    const until = Math.min(most, room - pending)
    const firstRow = reading.batch.length + pending
    let fact = pending * FACTS
    let at = start
    let taken = 0
    let expandedOnes = 0
    for (; taken < until; taken++) {
      if (end - at < FIXED) break
      const tag = view.getInt32(at)
      const next = at + 8 + view.getInt32(at + 4)
      let body = at + 8
      let input: number
      let output: number
      if (tag === FLOW_SAMPLE) {
        input = view.getInt32(body + 20)
        output = view.getInt32(body + 24)
        // Formats 0: indices; the index of an inner port is nobody's.
        if (((input | output) & 0xc0000000) !== 0) break
        body += 28
      } else if (tag === EXPANDED_FLOW_SAMPLE) {
        if ((view.getInt32(body + 24) | view.getInt32(body + 32)) !== FORMAT_INTERFACE) break
        input = view.getInt32(body + 28)
        output = view.getInt32(body + 36)
        if (input === -1 || output === -1) break
        body += 40
      } else break
      if (input === INTERNAL_INTERFACE || output === INTERNAL_INTERFACE) break
      const more = view.getInt32(body)
      const header = body + 28
      const captured = view.getInt32(body + 24)
      const after = body + 12 + view.getInt32(body + 8)
      if (
        view.getInt32(body + 4) !== RAW_HEADER ||
        view.getInt32(body + 12) !== HEADER_ETHERNET ||
        captured < 58 ||
        next < at ||
        next > end ||
        after > next ||
        after < header + captured ||
        !endsWell(after, next, more - 1)
      )
        break
      const ip = view.getUint16(header + 12) === VLAN ? header + 18 : header + 14
      const first = view.getInt32(ip - 2) >>> 8
      let protocol: number
      let transport: number
      let length: number
      if (first === 0x080045) {
        const words = view.getInt32(ip + 4)
        if ((words & 0x1fff) !== 0) break
        protocol = view.getUint8(ip + 9)
        transport = ip + 20
        length = view.getUint16(ip + 2)
        facts[fact] = FAMILY_IPV4
        facts[fact + 1] = view.getInt32(ip + 12)
        facts[fact + 2] = view.getInt32(ip + 16)
      } else if (first >>> 4 === 0x086dd6 && captured >= 78) {
        protocol = view.getUint8(ip + 6)
        transport = ip + 40
        length = view.getUint16(ip + 4)
        if (length !== 0) length += 40
        facts[fact] = FAMILY_IPV6
        facts[fact + 1] = 0
        facts[fact + 2] = 0
      } else break
      const ports = view.getInt32(transport)
      if (protocol === 6) facts[fact + 6] = view.getUint8(transport + 13)
      else if (protocol === 17 && !isTunnelPort(ports & 0xffff)) facts[fact + 6] = 0
      else break
      if (transport === ip + 40) copyAddresses(ip + 8, firstRow + taken)
      facts[fact + 3] = ports >>> 16
      facts[fact + 4] = ports & 0xffff
      facts[fact + 5] = protocol
      facts[fact + 7] = length !== 0 ? length : view.getInt32(body + 16)
      facts[fact + 8] = 1
      facts[fact + 9] = input
      facts[fact + 10] = output
      facts[fact + 11] = view.getInt32(body - (tag === FLOW_SAMPLE ? 20 : 28))
      fact += FACTS
      expandedOnes += tag >> 1
      at = next
    }
    pending += taken
    outcome.expandedFlowSamples += expandedOnes
    outcome.flowSamples += taken - expandedOnes
    plainEnd = at
    return taken
  }

  /** Whether so many records lie between `at` and `end`, none of them longer than there is room. */
  const endsWell = (at: number, end: number, records: number): boolean => {
    for (let i = 0; i < records; i++) {
      if (end - at < 8) return false
      const length = view.getInt32(at + 4)
      if (length < 0 || length > end - at - 8) return false
      at += 8 + length
    }
    return records >= 0
  }

  const makeRoom = (): void => {
    if (pending > 0) flush()
    room = Math.min(MAX_PENDING, roomOf(reading.batch, reading.full))
  }

  /** One sample is one row. What it says goes to `facts` first, because writing twenty columns of one row at a time costs twice as much. */
  const flowSample = (start: number, end: number, expanded: boolean): void => {
    if (pending === room) makeRoom()
    let input: number
    let output: number
    let rate: number
    let at: number
    if (expanded) {
      rate = view.getUint32(start + 12)
      input = ifIndexOf(view.getUint32(start + 24), view.getUint32(start + 28))
      output = ifIndexOf(view.getUint32(start + 32), view.getUint32(start + 36))
      at = start + 44
    } else {
      rate = view.getUint32(start + 8)
      input = view.getUint32(start + 20)
      output = view.getUint32(start + 24)
      input = ifIndexOf(input >>> 30, input & 0x3fffffff)
      output = ifIndexOf(output >>> 30, output & 0x3fffffff)
      at = start + 32
    }
    const records = view.getUint32(at - 4)
    let bytes = 0
    let packets = 0
    let family = 0
    let addressAt = 0
    let protocol = 0
    let sourcePort = 0
    let destinationPort = 0
    let tcpFlags = 0
    let isRaw = false
    for (let i = 0; i < records; i++) {
      if (end - at < 8) {
        complain(outcome, "sample-truncated")
        break
      }
      const tag = view.getUint32(at)
      const length = view.getUint32(at + 4)
      at += 8
      if (length > end - at) {
        complain(outcome, "sample-truncated")
        break
      }
      if (tag === RAW_HEADER) {
        if (length >= 16 && !isRaw) {
          isRaw = true
          packets = 1
          // Octets of the IP packet, as NetFlow and IPFIX count them; those of the frame where there is no IP, or its length is 0 (offloading).
          bytes = view.getUint32(at + 4)
          readRawHeader(at, at + length)
          family = frame.family
          addressAt = frame.addressAt
          bytes = frame.ipLength || bytes
          protocol = frame.protocol
          sourcePort = frame.sourcePort
          destinationPort = frame.destinationPort
          tcpFlags = frame.tcpFlags
        }
      } else if (tag <= SAMPLED_IPV6 && tag >= ETHERNET_FRAME && !isRaw) {
        // Agents that dissect the packet themselves.
        if (tag === ETHERNET_FRAME) {
          if (length >= 4) {
            packets = 1
            if (family === 0) bytes = view.getUint32(at)
          }
        } else if (length >= (tag === SAMPLED_IPV6 ? 56 : 32)) {
          const ports = at + (tag === SAMPLED_IPV6 ? 40 : 16)
          packets = 1
          bytes = view.getUint32(at)
          protocol = view.getUint32(at + 4) & 255
          family = tag === SAMPLED_IPV6 ? FAMILY_IPV6 : FAMILY_IPV4
          addressAt = at + 8
          sourcePort = view.getUint32(ports) & 65535
          destinationPort = view.getUint32(ports + 4) & 65535
          tcpFlags = view.getUint32(ports + 8) & 255
        }
      }
      at += length
    }
    const isIpv4 = family === FAMILY_IPV4
    const fact = pending * FACTS
    facts[fact] = family
    facts[fact + 1] = isIpv4 ? view.getUint32(addressAt) : 0
    facts[fact + 2] = isIpv4 ? view.getUint32(addressAt + 4) : 0
    facts[fact + 3] = sourcePort
    facts[fact + 4] = destinationPort
    facts[fact + 5] = protocol
    facts[fact + 6] = tcpFlags
    facts[fact + 7] = bytes
    facts[fact + 8] = packets
    facts[fact + 9] = input
    facts[fact + 10] = output
    facts[fact + 11] = rate
    if (family === FAMILY_IPV6) copyAddresses(addressAt, reading.batch.length + pending)
    pending++
    if (trace !== undefined) {
      flush()
      trace.flowSample(reading, start, end, expanded, reading.batch.length - 1)
    }
  }

  /** Writes the rows gathered. */
  const flush = (): void => {
    const { batch, exporterIndex } = reading
    const { bytes, destination, destinationPort, direction, end, exporter, family, inputInterface } = batch
    const { outputInterface, packets, protocol, reverseBytes, reversePackets, sampling, source, sourcePort, start, tcpFlags } =
      batch
    let row = batch.length
    const last = pending * FACTS
    for (let fact = 0; fact < last; fact += FACTS, row++) {
      exporter[row] = exporterIndex
      family[row] = facts[fact]!
      source[row] = facts[fact + 1]!
      destination[row] = facts[fact + 2]!
      sourcePort[row] = facts[fact + 3]!
      destinationPort[row] = facts[fact + 4]!
      protocol[row] = facts[fact + 5]!
      tcpFlags[row] = facts[fact + 6]!
      bytes[row] = facts[fact + 7]!
      packets[row] = facts[fact + 8]!
      reverseBytes[row] = 0
      reversePackets[row] = 0
      start[row] = 0
      end[row] = 0
      inputInterface[row] = facts[fact + 9]!
      outputInterface[row] = facts[fact + 10]!
      sampling[row] = facts[fact + 11]!
      direction[row] = DIRECTION_UNKNOWN
    }
    batch.length = row
    outcome.records += pending
    pending = 0
    room = 0
  }

  /** header_protocol, frame_length, stripped, header<>: the first octets of the packet. */
  const readRawHeader = (at: number, end: number): void => {
    const captured = view.getUint32(at + 12)
    if (captured > end - at - 16) complain(outcome, "frame-truncated")
    const last = Math.min(end, at + 16 + captured)
    readFrame(view, at + 16, last, view.getUint32(at), frame)
    if (mayTunnel(frame.protocol, frame.destinationPort) && enterTunnels(view, last, frame) > 0) outcome.tunnelled++
  }

  const copyAddresses = (at: number, row: number): void => {
    const { ipv6 } = reading
    for (let i = 0; i < 32; i += 4) ipv6.setUint32(row * 32 + i, view.getUint32(at + i))
  }

  return { read }
}
