/** One record as a JSON object, for people (`flowlens decode`, evidence): never in the hot path. */
import { hexText, ipv4Text, ipv6Text, macText } from "./address-text.ts"
import { DIRECTION_UNKNOWN, FAMILY_IPV4, FAMILY_IPV6 } from "./FlowBatch.ts"
import type { Positions } from "./interpret.ts"
import type { OptionsFacts } from "./options.ts"
import { type Reading, readUint } from "./Reading.ts"
import type { FlowSample } from "./sflow.ts"
import { describeSample } from "./sflow-record.ts"
import type { Template } from "./TemplateCache.ts"

/** Sees every record as it is decoded, while its bytes are still there. */
export interface RecordTrace {
  readonly templateRecord: (template: Template, reading: Reading, positions: Positions, row: number) => void
  readonly flowSample: (sample: FlowSample, reading: Reading, row: number) => void
  readonly optionsRecord?: (template: Template, facts: OptionsFacts) => void
}

export type DescribedRecord = Record<string, unknown>

type Kind = "number" | "ipv4" | "ipv6" | "mac" | "hex"
type Reader = readonly [key: string, element: number, kind: Kind]

/** Keys read straight from the record; the first element that is there counts. */
const readers: ReadonlyArray<Reader> = [
  ["srcAs", 16, "number"],
  ["dstAs", 17, "number"],
  ["tos", 5, "number"],
  ["vlan", 58, "number"],
  ["vlan", 243, "number"],
  ["postVlan", 59, "number"],
  ["postVlan", 254, "number"],
  ["srcMac", 56, "mac"],
  ["dstMac", 80, "mac"],
  ["postSrcMac", 81, "mac"],
  ["postDstMac", 57, "mac"],
  ["applicationId", 95, "hex"],
  ["natSrcIp", 225, "ipv4"],
  ["natSrcIp", 281, "ipv6"],
  ["natDstIp", 226, "ipv4"],
  ["natDstIp", 282, "ipv6"],
  ["natSrcPort", 227, "number"],
  ["natDstPort", 228, "number"],
  ["natEvent", 230, "number"],
  ["firewallEvent", 233, "number"],
  // Cisco ASA before it used the registered elements.
  ["natSrcIp", 40001, "ipv4"],
  ["natDstIp", 40002, "ipv4"],
  ["natSrcPort", 40003, "number"],
  ["natDstPort", 40004, "number"],
  ["firewallEvent", 40005, "number"],
  ["flowEndReason", 136, "number"],
  ["forwardingStatus", 89, "number"],
  ["ingressVrfId", 234, "number"],
  ["egressVrfId", 235, "number"],
  ["ingressPhysicalInterface", 252, "number"],
  ["egressPhysicalInterface", 253, "number"],
  ["icmpTypeCode", 32, "number"],
  ["icmpTypeCode", 139, "number"],
  ["dataLinkFrameSection", 315, "hex"]
]

/** Keys whose element depends on the family of the record's addresses. */
const byFamily: ReadonlyArray<readonly [key: string, ipv4: number, ipv6: number, isAddress: boolean]> = [
  ["nextHop", 15, 62, true],
  ["bgpNextHop", 18, 63, true],
  ["srcMask", 9, 29, false],
  ["dstMask", 13, 30, false]
]

const lengthOf: Record<Kind, (length: number) => boolean> = {
  number: (length) => length >= 1 && length <= 8,
  ipv4: (length) => length === 4,
  ipv6: (length) => length === 16,
  mac: (length) => length === 6,
  hex: (length) => length > 0
}

/** Whole numbers a double cannot hold are written as text. */
const wholeAt = (view: DataView, at: number, length: number): number | string => {
  const value = readUint(view, at, length)
  return Number.isSafeInteger(value) ? value : BigInt(`0x${hexText(view, at, length)}`).toString()
}

const valueAt = (view: DataView, at: number, length: number, kind: Kind): unknown => {
  switch (kind) {
    case "number":
      return wholeAt(view, at, length)
    case "ipv4":
      return ipv4Text(view.getUint32(at))
    case "ipv6":
      return ipv6Text(view, at)
    case "mac":
      return macText(view, at)
    case "hex":
      return hexText(view, at, length)
  }
}

const fieldOf = (template: Template, positions: Positions, element: number, fits: (length: number) => boolean): number =>
  template.learned.fields.findIndex(
    ([enterprise, id], i) => enterprise === 0 && id === element && fits(positions.length[i]!)
  )

/** Addresses of a row. */
export const describeAddresses = (reading: Reading, row: number, record: DescribedRecord): void => {
  const { batch } = reading
  if (batch.family[row] === FAMILY_IPV4) {
    record["srcIp"] = ipv4Text(batch.source[row]!)
    record["dstIp"] = ipv4Text(batch.destination[row]!)
  } else if (batch.family[row] === FAMILY_IPV6) {
    record["srcIp"] = ipv6Text(reading.ipv6, row * 32)
    record["dstIp"] = ipv6Text(reading.ipv6, row * 32 + 16)
  }
}

const rateFrom = (template: Template, reading: Reading, positions: Positions): string => {
  if (reading.outcome.version === 5) return "header"
  const { rateA } = template.plan
  return rateA >= 0 && readUint(reading.view, positions.at[rateA]!, positions.length[rateA]!) !== 0 ? "record" : "options"
}

/** A record of NetFlow v5, v9 or IPFIX: the columns of its row, then what only people ask for, read from the bytes. */
export const describeTemplateRecord = (
  template: Template,
  reading: Reading,
  positions: Positions,
  row: number
): DescribedRecord => {
  const { batch, view } = reading
  const { plan } = template
  const record: DescribedRecord = {}
  const number = (key: string, field: number, column: number): void => {
    if (field < 0) return
    record[key] = Number.isSafeInteger(column) ? column : wholeAt(view, positions.at[field]!, positions.length[field]!)
  }
  const ofSection = plan.section >= 0 && plan.source4.length + plan.source6.length === 0
  describeAddresses(reading, row, record)
  if (plan.sourcePort.length > 0 || ofSection) record["srcPort"] = batch.sourcePort[row]
  if (plan.destinationPort.length > 0 || ofSection) record["dstPort"] = batch.destinationPort[row]
  if (plan.protocol.length > 0 || ofSection) record["protocol"] = batch.protocol[row]
  number("bytes", ofSection && plan.bytes < 0 ? plan.section : plan.bytes, batch.bytes[row]!)
  number("packets", ofSection && plan.packets < 0 ? plan.section : plan.packets, batch.packets[row]!)
  number("reverseBytes", plan.reverseBytes, batch.reverseBytes[row]!)
  number("reversePackets", plan.reversePackets, batch.reversePackets[row]!)
  if (plan.tcpFlags.length > 0 || ofSection) record["tcpFlags"] = batch.tcpFlags[row]
  number("inputInterface", plan.inputInterface, batch.inputInterface[row]!)
  number("outputInterface", plan.outputInterface, batch.outputInterface[row]!)
  if (batch.direction[row] !== DIRECTION_UNKNOWN) record["direction"] = batch.direction[row]
  if (batch.start[row] !== 0) record["startMs"] = batch.start[row]
  if (batch.end[row] !== 0) record["endMs"] = batch.end[row]
  if (batch.sampling[row] !== 0) {
    record["samplingRate"] = batch.sampling[row]
    record["samplingRateFrom"] = rateFrom(template, reading, positions)
  }
  for (const [key, element, kind] of readers) {
    if (key in record) continue
    const field = fieldOf(template, positions, element, lengthOf[kind])
    if (field >= 0) record[key] = valueAt(view, positions.at[field]!, positions.length[field]!, kind)
  }
  const six = batch.family[row] === FAMILY_IPV6
  for (const [key, ipv4, ipv6, isAddress] of byFamily) {
    const own = fieldOf(template, positions, six ? ipv6 : ipv4, isAddress ? lengthOf[six ? "ipv6" : "ipv4"] : lengthOf.number)
    const other = own >= 0 ? own : fieldOf(template, positions, six ? ipv4 : ipv6, isAddress ? lengthOf[six ? "ipv4" : "ipv6"] : lengthOf.number)
    if (other < 0) continue
    const length = positions.length[other]!
    record[key] = valueAt(view, positions.at[other]!, length, isAddress ? (length === 16 ? "ipv6" : "ipv4") : "number")
  }
  describeIcmp(template, view, positions, record)
  describeLabels(template, view, positions, record)
  if (template.learned.id !== 0) record["templateId"] = template.learned.id
  return record
}

/** ICMP type and code as two elements (IE 176/177, 178/179). */
const describeIcmp = (template: Template, view: DataView, positions: Positions, record: DescribedRecord): void => {
  const { icmpCode, icmpType } = template.plan
  if ("icmpTypeCode" in record || icmpType < 0) return
  const type = readUint(view, positions.at[icmpType]!, positions.length[icmpType]!)
  const code = icmpCode < 0 ? 0 : readUint(view, positions.at[icmpCode]!, positions.length[icmpCode]!)
  record["icmpTypeCode"] = type * 256 + code
}

/** IE 70 to 79: label stack entries of 3 octets, of which 20 bits are the label (RFC 3032 §2.1). */
const describeLabels = (template: Template, view: DataView, positions: Positions, record: DescribedRecord): void => {
  const labels: Array<number> = []
  for (let element = 70; element <= 79; element++) {
    const field = fieldOf(template, positions, element, (length) => length === 3)
    if (field < 0) continue
    const label = readUint(view, positions.at[field]!, 3) >>> 4
    if (label !== 0) labels.push(label)
  }
  if (labels.length > 0) record["mplsLabels"] = labels
}

/** An sFlow flow sample: its row, then its records. */
export const describeFlowSample = (sample: FlowSample, reading: Reading, row: number): DescribedRecord => {
  const { batch } = reading
  const record: DescribedRecord = {
    samplingRate: sample.samplingRate,
    samplingRateFrom: "sample",
    samplePool: sample.samplePool,
    drops: sample.drops,
    inputInterface: sample.inputInterface,
    inputFormat: sample.inputFormat,
    outputInterface: sample.outputInterface,
    outputFormat: sample.outputFormat,
    sourceIdClass: sample.sourceIdClass,
    sourceIdIndex: sample.sourceIdIndex
  }
  describeAddresses(reading, row, record)
  if (batch.packets[row] !== 0) {
    record["bytes"] = batch.bytes[row]
    record["packets"] = batch.packets[row]
  }
  if (batch.family[row] !== 0) {
    const protocol = batch.protocol[row]!
    record["protocol"] = protocol
    if (protocol === 1 || protocol === 58) record["icmpTypeCode"] = batch.destinationPort[row]
    else if (sample.rawAt < 0 || sample.frame.hasPorts) {
      record["srcPort"] = batch.sourcePort[row]
      record["dstPort"] = batch.destinationPort[row]
    }
    if (protocol === 6) record["tcpFlags"] = batch.tcpFlags[row]
  }
  describeSample(sample, reading, record)
  return record
}

