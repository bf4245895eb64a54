/**
 * sFlow v5 (sflow.org/sflow_version_5.txt). One flow sample is one row: bytes = length of the sampled frame, packets = 1, sampling =
 * the sample's rate. Counter samples go to a callback, records nobody reads are skipped by their length.
 */
import { ipv4Text, ipv6Text } from "./address-text.ts"
import { VERSION_SFLOW5 } from "./DecodeOutcome.ts"
import { DIRECTION_UNKNOWN, FAMILY_IPV4, FAMILY_IPV6, FAMILY_NONE } from "./FlowBatch.ts"
import { type Frame, makeFrame, readFrame } from "./frame.ts"
import {
  INTERFACE_COUNTERS_LENGTH,
  type InterfaceCounters,
  makeInterfaceCounters,
  readInterfaceCounters
} from "./interface-counters.ts"
import { complain, type Reading, roomOf } from "./Reading.ts"
import type { RecordTrace } from "./record.ts"

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

/** Reused: the flow sample being read, for those who show it to people. Offsets are into the reading's bytes. */
export interface FlowSample {
  expanded: boolean
  sourceIdClass: number
  sourceIdIndex: number
  samplingRate: number
  samplePool: number
  drops: number
  inputFormat: number
  inputInterface: number
  outputFormat: number
  outputInterface: number
  /** Where its records begin, and where they end. */
  recordsAt: number
  end: number
  records: number
  /** Offset of the raw header record that made the row, -1 none. */
  rawAt: number
  readonly frame: Frame
}

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
  const counters = makeInterfaceCounters()
  const sample: FlowSample = {
    expanded: false,
    sourceIdClass: 0,
    sourceIdIndex: 0,
    samplingRate: 0,
    samplePool: 0,
    drops: 0,
    inputFormat: 0,
    inputInterface: 0,
    outputFormat: 0,
    outputInterface: 0,
    recordsAt: 0,
    end: 0,
    records: 0,
    rawAt: -1,
    frame: makeFrame()
  }

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
          flowSample(at, next)
          break
        case EXPANDED_FLOW_SAMPLE:
          expandedFlowSample(at, next)
          break
        case COUNTER_SAMPLE:
          outcome.counterSamples++
          if (onInterfaceCounters !== undefined) counterRecords(at + 8, next)
          break
        case EXPANDED_COUNTER_SAMPLE:
          outcome.expandedCounterSamples++
          if (onInterfaceCounters !== undefined) counterRecords(at + 12, next)
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

  const flowSample = (at: number, end: number): void => {
    if (end - at < 32) {
      complain(outcome, "sample-truncated")
      return
    }
    outcome.flowSamples++
    const source = view.getUint32(at + 4)
    const input = view.getUint32(at + 20)
    const output = view.getUint32(at + 24)
    sample.expanded = false
    sample.sourceIdClass = source >>> 24
    sample.sourceIdIndex = source & 0xffffff
    sample.samplingRate = view.getUint32(at + 8)
    sample.samplePool = view.getUint32(at + 12)
    sample.drops = view.getUint32(at + 16)
    sample.inputFormat = input >>> 30
    sample.inputInterface = input & 0x3fffffff
    sample.outputFormat = output >>> 30
    sample.outputInterface = output & 0x3fffffff
    sample.records = view.getUint32(at + 28)
    flowRecords(at + 32, end)
  }

  const expandedFlowSample = (at: number, end: number): void => {
    if (end - at < 44) {
      complain(outcome, "sample-truncated")
      return
    }
    outcome.expandedFlowSamples++
    sample.expanded = true
    sample.sourceIdClass = view.getUint32(at + 4)
    sample.sourceIdIndex = view.getUint32(at + 8)
    sample.samplingRate = view.getUint32(at + 12)
    sample.samplePool = view.getUint32(at + 16)
    sample.drops = view.getUint32(at + 20)
    sample.inputFormat = view.getUint32(at + 24)
    sample.inputInterface = view.getUint32(at + 28)
    sample.outputFormat = view.getUint32(at + 32)
    sample.outputInterface = view.getUint32(at + 36)
    sample.records = view.getUint32(at + 40)
    flowRecords(at + 44, end)
  }

  const flowRecords = (at: number, end: number): void => {
    const { batch } = reading
    roomOf(batch, reading.full)
    const row = batch.length
    sample.recordsAt = at
    sample.end = end
    sample.rawAt = -1
    startRow(row)
    let packets = 0
    for (let i = 0; i < sample.records; i++) {
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
        if (length >= 16 && sample.rawAt < 0) {
          rawHeader(row, at, at + length)
          packets = 1
        }
      } else if (tag <= SAMPLED_IPV6 && tag >= ETHERNET_FRAME && sample.rawAt < 0) {
        if (decoded(row, tag, at, length)) packets = 1
      }
      at += length
    }
    batch.packets[row] = packets
    batch.length = row + 1
    outcome.records++
    trace?.flowSample(sample, reading, row)
  }

  const startRow = (row: number): void => {
    const { batch } = reading
    batch.exporter[row] = reading.exporterIndex
    batch.family[row] = FAMILY_NONE
    batch.source[row] = 0
    batch.destination[row] = 0
    batch.sourcePort[row] = 0
    batch.destinationPort[row] = 0
    batch.protocol[row] = 0
    batch.tcpFlags[row] = 0
    batch.bytes[row] = 0
    batch.reverseBytes[row] = 0
    batch.reversePackets[row] = 0
    batch.start[row] = 0
    batch.end[row] = 0
    batch.inputInterface[row] = ifIndexOf(sample.inputFormat, sample.inputInterface)
    batch.outputInterface[row] = ifIndexOf(sample.outputFormat, sample.outputInterface)
    batch.sampling[row] = sample.samplingRate
    batch.direction[row] = DIRECTION_UNKNOWN
  }

  /** header_protocol, frame_length, stripped, header<>: the first octets of the packet. */
  const rawHeader = (row: number, at: number, end: number): void => {
    const { batch } = reading
    sample.rawAt = at
    batch.bytes[row] = view.getUint32(at + 4)
    const captured = view.getUint32(at + 12)
    if (captured > end - at - 16) complain(outcome, "frame-truncated")
    const headerEnd = captured < end - at - 16 ? at + 16 + captured : end
    const frame = sample.frame
    readFrame(view, at + 16, headerEnd, view.getUint32(at), frame)
    if (frame.family === FAMILY_IPV4) {
      batch.family[row] = FAMILY_IPV4
      batch.source[row] = view.getUint32(frame.addressAt)
      batch.destination[row] = view.getUint32(frame.addressAt + 4)
    } else if (frame.family === FAMILY_IPV6) {
      batch.family[row] = FAMILY_IPV6
      copy32(frame.addressAt, row)
    } else {
      return
    }
    batch.protocol[row] = frame.protocol
    batch.sourcePort[row] = frame.sourcePort
    batch.destinationPort[row] = frame.destinationPort
    batch.tcpFlags[row] = frame.tcpFlags
  }

  const copy32 = (at: number, row: number): void => {
    const { ipv6 } = reading
    for (let i = 0; i < 32; i += 4) ipv6.setUint32(row * 32 + i, view.getUint32(at + i))
  }

  /** Agents that dissect the packet themselves: Ethernet (2), IPv4 (3) and IPv6 (4) records. */
  const decoded = (row: number, tag: number, at: number, length: number): boolean => {
    const { batch } = reading
    if (tag === ETHERNET_FRAME) {
      if (length < 4) return false
      if (batch.family[row] === FAMILY_NONE) batch.bytes[row] = view.getUint32(at)
      return true
    }
    const six = tag === SAMPLED_IPV6
    if (length < (six ? 56 : 32)) return false
    batch.bytes[row] = view.getUint32(at)
    batch.protocol[row] = view.getUint32(at + 4)
    if (six) {
      batch.family[row] = FAMILY_IPV6
      copy32(at + 8, row)
      at += 40
    } else {
      batch.family[row] = FAMILY_IPV4
      batch.source[row] = view.getUint32(at + 8)
      batch.destination[row] = view.getUint32(at + 12)
      at += 16
    }
    batch.sourcePort[row] = view.getUint32(at)
    batch.destinationPort[row] = view.getUint32(at + 4)
    batch.tcpFlags[row] = view.getUint32(at + 8)
    return true
  }

  const counterRecords = (at: number, end: number): void => {
    if (end - at < 4) {
      complain(outcome, "sample-truncated")
      return
    }
    const records = view.getUint32(at)
    at += 4
    for (let i = 0; i < records; i++) {
      if (end - at < 8) {
        complain(outcome, "sample-truncated")
        return
      }
      const tag = view.getUint32(at)
      const length = view.getUint32(at + 4)
      at += 8
      if (length > end - at) {
        complain(outcome, "sample-truncated")
        return
      }
      if (tag === 1 && length >= INTERFACE_COUNTERS_LENGTH) {
        counters.exporterIndex = reading.exporterIndex
        counters.exporterAddress = reading.exporterAddress
        counters.agent = outcome.agent
        counters.subAgent = outcome.observationDomain
        counters.arrivalMs = reading.arrivalMs
        readInterfaceCounters(view, at, counters)
        onInterfaceCounters?.(counters)
      }
      at += length
    }
  }

  return { read }
}
