/**
 * sFlow v5 (sflow.org/sflow_version_5.txt). One flow sample is one row: the innermost IP packet that its header shows (tunnel.ts), bytes =
 * that packet's length, packets = 1, sampling = the sample's rate. Counter samples go to a callback, records nobody reads are skipped by their length.
 */
import { ipv4Text, ipv6Text } from "./address-text.ts"
import { VERSION_SFLOW5 } from "./DecodeOutcome.ts"
import { DIRECTION_UNKNOWN, FAMILY_IPV4, FAMILY_IPV6 } from "./FlowBatch.ts"
import { type Frame, makeFrame, readFrame } from "./frame.ts"
import { type InterfaceCounters, makeCounterReader } from "./interface-counters.ts"
import { complain, type Reading, roomOf } from "./Reading.ts"
import type { RecordTrace } from "./record.ts"
import {
  COUNTER_SAMPLE,
  DISCARD_SAMPLE,
  ETHERNET_FRAME,
  EXPANDED_COUNTER_SAMPLE,
  EXPANDED_FLOW_SAMPLE,
  FLOW_SAMPLE,
  FORMAT_INTERFACE,
  INTERNAL_INTERFACE,
  RAW_HEADER,
  SAMPLED_IPV6
} from "./sflow-formats.ts"
import { makePlainSamples, type PlainSamples } from "./sflow-plain.ts"
import { enterTunnels, mayTunnel } from "./tunnel.ts"

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

const ifIndexOf = (format: number, value: number): number =>
  format === FORMAT_INTERFACE && value !== INTERNAL_INTERFACE && value !== 0xffffffff ? value : 0

export const makeSflowReader = (options: SflowReaderOptions): SflowReader => {
  const { onInterfaceCounters, reading, trace } = options
  const { outcome, view } = reading
  const agents = new Map<number, string>()
  const readCounters = onInterfaceCounters === undefined ? undefined : makeCounterReader(reading, onInterfaceCounters)
  let samplesOfMemory: PlainSamples | undefined
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

  /** Undefined where samples are to be shown one by one, or rows do not go to the memory that the datagram is in. */
  const plainSamples = (): PlainSamples | undefined => {
    const { batch, shared } = reading
    if (trace !== undefined || shared === undefined || batch.shared !== shared) return undefined
    return (samplesOfMemory ??= makePlainSamples(reading, shared))
  }

  const read = (): void => {
    outcome.version = VERSION_SFLOW5
    reading.exportMs = 0
    const { end, start } = reading
    if (end - start < 28) {
      complain(outcome, "short-header")
      return
    }
    const kind = view.getUint32(start + 4)
    let at: number
    if (kind === 1) {
      outcome.agent = agent4(view.getUint32(start + 8))
      at = start + 12
    } else if (kind === 2) {
      if (end - start < 40) {
        complain(outcome, "short-header")
        return
      }
      outcome.agent = ipv6Text(view, start + 8)
      at = start + 24
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
    const plain = plainSamples()
    for (let i = 0; i < samples; i++) {
      if (plain !== undefined) {
        i += plain.read(at, end, samples - i)
        if (i === samples) return
        at = plain.end
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

  /** One sample is one row. */
  const flowSample = (start: number, end: number, expanded: boolean): void => {
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
    roomOf(reading.batch, reading.full)
    const { batch } = reading
    const row = batch.length++
    const isIpv4 = family === FAMILY_IPV4
    batch.exporter[row] = reading.exporterIndex
    batch.family[row] = family
    batch.source[row] = isIpv4 ? view.getUint32(addressAt) : 0
    batch.destination[row] = isIpv4 ? view.getUint32(addressAt + 4) : 0
    if (family === FAMILY_IPV6) for (let i = 0; i < 32; i += 4) reading.ipv6.setUint32(row * 32 + i, view.getUint32(addressAt + i))
    batch.sourcePort[row] = sourcePort
    batch.destinationPort[row] = destinationPort
    batch.protocol[row] = protocol
    batch.tcpFlags[row] = tcpFlags
    batch.bytes[row] = bytes
    batch.packets[row] = packets
    batch.reverseBytes[row] = 0
    batch.reversePackets[row] = 0
    batch.start[row] = 0
    batch.end[row] = 0
    batch.inputInterface[row] = input
    batch.outputInterface[row] = output
    batch.sampling[row] = rate
    batch.direction[row] = DIRECTION_UNKNOWN
    outcome.records++
    trace?.flowSample(reading, start, end, expanded, row)
  }

  /** header_protocol, frame_length, stripped, header<>: the first octets of the packet. */
  const readRawHeader = (at: number, end: number): void => {
    const captured = view.getUint32(at + 12)
    if (captured > end - at - 16) complain(outcome, "frame-truncated")
    const last = Math.min(end, at + 16 + captured)
    readFrame(view, at + 16, last, view.getUint32(at), frame)
    if (mayTunnel(frame.protocol, frame.destinationPort) && enterTunnels(view, last, frame) > 0) outcome.tunnelled++
  }

  return { read }
}
