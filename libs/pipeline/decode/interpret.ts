/**
 * Runs a plan over the records of one data set: any plan, one record after the other. The reference `generate.ts` is tested against,
 * and the way of templates that are new, rare or out of the ordinary.
 */
import { DIRECTION_UNKNOWN, FAMILY_IPV4, FAMILY_IPV6, FAMILY_NONE } from "./FlowBatch.ts"
import { type Frame, HEADER_ETHERNET, HEADER_IPV4, makeFrame, readFrame } from "./frame.ts"
import {
  type Plan,
  RATE_INTERVAL,
  RATE_INTERVAL_SPACE,
  RATE_PROBABILITY,
  RATE_SIZE_POPULATION,
  SECTION_ETHERNET,
  SECTION_NONE,
  TIME_DELTA_MICROSECONDS,
  TIME_MILLISECONDS,
  TIME_NTP,
  TIME_SECONDS,
  TIME_UPTIME,
  type TimeSource,
  VARIABLE_LENGTH
} from "./plan.ts"
import { type Reading, readUint } from "./Reading.ts"
import { rateOfSampler, wholeRate } from "./sampling.ts"
import { enterTunnels } from "./tunnel.ts"

/** Seconds from 1900 (NTP) to 1970. */
const NTP_EPOCH = 2208988800
const TWO_32 = 4294967296

/** Positions and lengths of the fields of the record being read; a template of 64 KiB has at most 16,383 fields. */
export interface Positions {
  readonly at: Int32Array
  readonly length: Int32Array
}
export const makePositions = (): Positions => ({ at: new Int32Array(16384), length: new Int32Array(16384) })

/** Finds the fields of the record at `at`. Returns where the next record starts, or -1 when this one runs past `end`. */
export const locate = (plan: Plan, view: DataView, at: number, end: number, positions: Positions): number => {
  const count = plan.fieldCount
  if (at + plan.minimum > end) return -1
  for (let i = 0; i < count; i++) {
    let length = plan.lengths[i]!
    if (length === VARIABLE_LENGTH) {
      // RFC 7011 §7: one octet, or 255 and two octets.
      if (at >= end) return -1
      length = view.getUint8(at++)
      if (length === 255) {
        if (at + 2 > end) return -1
        length = view.getUint16(at)
        at += 2
      }
    }
    if (at + length > end) return -1
    positions.at[i] = at
    positions.length[i] = length
    at += length
  }
  return at
}

const frame: Frame = makeFrame()

/**
 * Decodes at most `most` records between `at` and `end` into rows from `batch.length` on; the caller has made room for them.
 * Returns where it stopped: less than `plan.minimum` before `end` when the set is done; -1 when a record runs past the set.
 */
export const interpret = (plan: Plan, reading: Reading, positions: Positions, at: number, end: number, most: number): number => {
  const { batch, view } = reading
  let row = batch.length
  const last = row + most
  while (row < last && end - at >= plan.minimum) {
    const next = locate(plan, view, at, end, positions)
    if (next < 0) {
      batch.length = row
      return -1
    }
    readRecord(plan, reading, positions, row)
    row++
    at = next
  }
  batch.length = row
  return at
}

const uint = (view: DataView, positions: Positions, field: number): number =>
  field < 0 ? 0 : readUint(view, positions.at[field]!, positions.length[field]!)

/** The first candidate that is not 0. */
const best = (view: DataView, positions: Positions, fields: ReadonlyArray<number>): number => {
  for (let i = 0; i < fields.length; i++) {
    const value = uint(view, positions, fields[i]!)
    if (value !== 0) return value
  }
  return 0
}

const isZero6 = (view: DataView, at: number): boolean =>
  view.getUint32(at) === 0 && view.getUint32(at + 4) === 0 && view.getUint32(at + 8) === 0 && view.getUint32(at + 12) === 0

/** Offset of the first candidate that is not ::, else of any candidate, else -1. */
const best6 = (view: DataView, positions: Positions, fields: ReadonlyArray<number>): number => {
  let at = -1
  for (let i = 0; i < fields.length; i++) {
    at = positions.at[fields[i]!]!
    if (!isZero6(view, at)) return at
  }
  return at
}

const copy6 = (view: DataView, at: number, target: DataView, to: number): void => {
  for (let i = 0; i < 16; i += 4) target.setUint32(to + i, at < 0 ? 0 : view.getUint32(at + i))
}

const readRecord = (plan: Plan, reading: Reading, positions: Positions, row: number): void => {
  const { batch, view } = reading
  const protocol = best(view, positions, plan.protocol)
  batch.exporter[row] = reading.exporterIndex
  batch.protocol[row] = protocol
  batch.tcpFlags[row] = best(view, positions, plan.tcpFlags)
  batch.sourcePort[row] = best(view, positions, plan.sourcePort)
  let destinationPort = best(view, positions, plan.destinationPort)
  if (destinationPort === 0 && (protocol === 1 || protocol === 58)) {
    destinationPort =
      plan.icmpTypeCode >= 0
        ? uint(view, positions, plan.icmpTypeCode)
        : (uint(view, positions, plan.icmpType) << 8) | uint(view, positions, plan.icmpCode)
  }
  batch.destinationPort[row] = destinationPort
  batch.bytes[row] = uint(view, positions, plan.bytes)
  batch.packets[row] = uint(view, positions, plan.packets)
  batch.reverseBytes[row] = uint(view, positions, plan.reverseBytes)
  batch.reversePackets[row] = uint(view, positions, plan.reversePackets)
  batch.inputInterface[row] = uint(view, positions, plan.inputInterface)
  batch.outputInterface[row] = uint(view, positions, plan.outputInterface)
  batch.direction[row] = plan.direction < 0 ? DIRECTION_UNKNOWN : uint(view, positions, plan.direction)
  batch.sampling[row] = readRate(plan, reading, positions)
  readAddresses(plan, reading, positions, row)
  readTimes(plan, reading, positions, row)
}

/** A template may hold both families; the one that is not all zero counts, IPv4 when both are not. */
const readAddresses = (plan: Plan, reading: Reading, positions: Positions, row: number): void => {
  const { batch, view } = reading
  const source = best(view, positions, plan.source4)
  const destination = best(view, positions, plan.destination4)
  const has4 = plan.source4.length + plan.destination4.length > 0
  const has6 = plan.source6.length + plan.destination6.length > 0
  batch.source[row] = 0
  batch.destination[row] = 0
  if (source !== 0 || destination !== 0) {
    batch.family[row] = FAMILY_IPV4
    batch.source[row] = source
    batch.destination[row] = destination
    return
  }
  if (has6) {
    const source6 = best6(view, positions, plan.source6)
    const destination6 = best6(view, positions, plan.destination6)
    if (!has4 || (source6 >= 0 && !isZero6(view, source6)) || (destination6 >= 0 && !isZero6(view, destination6))) {
      batch.family[row] = FAMILY_IPV6
      copy6(view, source6, reading.ipv6, row * 32)
      copy6(view, destination6, reading.ipv6, row * 32 + 16)
      return
    }
  }
  if (plan.sectionKind !== SECTION_NONE && readSection(plan, reading, positions, row)) return
  batch.family[row] = has4 ? FAMILY_IPV4 : FAMILY_NONE
}

/** Records that carry the first octets of one packet instead of a flow key. */
const readSection = (plan: Plan, reading: Reading, positions: Positions, row: number): boolean => {
  const { batch, view } = reading
  const at = positions.at[plan.section]!
  const end = at + positions.length[plan.section]!
  readFrame(view, at, end, plan.sectionKind === SECTION_ETHERNET ? HEADER_ETHERNET : HEADER_IPV4, frame)
  if (frame.family === 0) return false
  if (enterTunnels(view, end, frame) > 0) reading.outcome.tunnelled++
  batch.family[row] = frame.family
  if (frame.family === 4) {
    batch.source[row] = view.getUint32(frame.addressAt)
    batch.destination[row] = view.getUint32(frame.addressAt + 4)
  } else {
    copy6(view, frame.addressAt, reading.ipv6, row * 32)
    copy6(view, frame.addressAt + 16, reading.ipv6, row * 32 + 16)
  }
  batch.protocol[row] = frame.protocol
  batch.sourcePort[row] = frame.sourcePort
  batch.destinationPort[row] = frame.destinationPort
  batch.tcpFlags[row] = frame.tcpFlags
  // Octets of the IP packet; those of the frame where the header does not say (offloading).
  if (plan.bytes < 0) batch.bytes[row] = frame.ipLength !== 0 ? frame.ipLength : uint(view, positions, plan.frameSize)
  if (plan.packets < 0) batch.packets[row] = 1
  return true
}

const readRate = (plan: Plan, reading: Reading, positions: Positions): number => {
  const { view } = reading
  let rate = 0
  switch (plan.rateKind) {
    case RATE_INTERVAL:
      rate = uint(view, positions, plan.rateA)
      break
    case RATE_INTERVAL_SPACE: {
      const taken = uint(view, positions, plan.rateA)
      rate = taken === 0 ? 0 : wholeRate((taken + uint(view, positions, plan.rateB)) / taken)
      break
    }
    case RATE_SIZE_POPULATION: {
      const size = uint(view, positions, plan.rateA)
      rate = size === 0 ? 0 : wholeRate(uint(view, positions, plan.rateB) / size)
      break
    }
    case RATE_PROBABILITY: {
      const at = positions.at[plan.rateA]!
      rate = wholeRate(1 / (positions.length[plan.rateA] === 4 ? view.getFloat32(at) : view.getFloat64(at)))
    }
  }
  if (rate !== 0) return rate
  return plan.samplerId < 0 ? reading.rate : rateOfSampler(reading.sampling, uint(view, positions, plan.samplerId))
}

/** Where `uptime` (ms, modulo 2^32) lies on the exporter's clock. */
const fromUptime = (reading: Reading, uptime: number): number =>
  reading.hasUptime ? reading.exportMs + ((uptime - reading.uptime) | 0) : 0

const readTime = (source: TimeSource, reading: Reading, positions: Positions): number => {
  const { view } = reading
  const field = source.field
  switch (source.kind) {
    case TIME_MILLISECONDS:
      return uint(view, positions, field)
    case TIME_SECONDS:
      return uint(view, positions, field) * 1000
    case TIME_NTP: {
      const at = positions.at[field]!
      const seconds = view.getUint32(at)
      return seconds === 0 ? 0 : (seconds - NTP_EPOCH) * 1000 + Math.floor((view.getUint32(at + 4) * 1000) / TWO_32)
    }
    case TIME_DELTA_MICROSECONDS:
      return reading.exportMs - Math.floor(uint(view, positions, field) / 1000)
    case TIME_UPTIME:
      return fromUptime(reading, uint(view, positions, field))
    default:
      return 0
  }
}

const readTimes = (plan: Plan, reading: Reading, positions: Positions, row: number): void => {
  const { batch, view } = reading
  const { hasUptime, uptime } = reading
  if (plan.systemInit >= 0) {
    const init = uint(view, positions, plan.systemInit)
    if (init !== 0) {
      reading.hasUptime = true
      reading.uptime = (reading.exportMs - init) % TWO_32
    }
  }
  let start = readTime(plan.start, reading, positions)
  let end = readTime(plan.end, reading, positions)
  if (start === 0 || end === 0) {
    const duration = uint(view, positions, plan.durationMs) + Math.floor(uint(view, positions, plan.durationUs) / 1000)
    if (start === 0 && end !== 0) start = end - duration
    else if (end === 0 && start !== 0) end = start + duration
  }
  batch.start[row] = start
  batch.end[row] = end
  reading.hasUptime = hasUptime
  reading.uptime = uptime
}
