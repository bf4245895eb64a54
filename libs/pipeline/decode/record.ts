/** One record as a JSON object, for people (`flowlens decode`, evidence): never in the hot path. */
import { hexText, ipv4Text, ipv6Text, macText } from "./address-text.ts"
import { FAMILY_IPV4, FAMILY_IPV6 } from "./FlowBatch.ts"
import type { Positions } from "./interpret.ts"
import type { OptionsFacts } from "./options.ts"
import { SECTION_NONE, TIME_UPTIME, type TimeSource } from "./plan.ts"
import { type Reading, readUint } from "./Reading.ts"
import type { Template } from "./TemplateCache.ts"

/** Sees every record as it is decoded, while its bytes are still there. */
export interface RecordTrace {
  readonly templateRecord: (template: Template, reading: Reading, positions: Positions, row: number) => void
  /** `start` and `end` are the sample's octets after its length. */
  readonly flowSample: (reading: Reading, start: number, end: number, expanded: boolean, row: number) => void
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
  template.learned.fields.findIndex(([enterprise, id], i) => enterprise === 0 && id === element && fits(positions.length[i]!))

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

/** What the appliance makes of a record where that is not what the record itself says first: `key` → value of the row. */
const differing = (record: DescribedRecord, row: DescribedRecord): DescribedRecord | undefined => {
  const keys = Object.keys(row).filter((key) => row[key] !== record[key])
  return keys.length === 0 ? undefined : Object.fromEntries(keys.map((key) => [key, row[key]]))
}

/** The first occurrence of an element: candidates are listed last occurrence first. */
const firstOf = (candidates: ReadonlyArray<number>): number => candidates[candidates.length - 1] ?? -1

/** Export time minus uptime plus value, as the header says it, without looking for a wrap of the uptime. */
const literalTime = (reading: Reading, positions: Positions, source: TimeSource, column: number): number => {
  if (source.kind !== TIME_UPTIME || reading.outcome.version === 10 || column === 0) return column
  const value = readUint(reading.view, positions.at[source.field]!, positions.length[source.field]!)
  return reading.exportMs - reading.uptime + value
}

/** What was read as addresses, by first occurrence. */
const literalAddresses = (template: Template, reading: Reading, positions: Positions, row: number): DescribedRecord => {
  const { batch, view } = reading
  const { plan } = template
  const record: DescribedRecord = {}
  describeAddresses(reading, row, record)
  const lists =
    batch.family[row] === FAMILY_IPV6 ? ([plan.source6, plan.destination6] as const) : ([plan.source4, plan.destination4] as const)
  for (const [key, list] of [
    ["srcIp", lists[0]],
    ["dstIp", lists[1]]
  ] as const) {
    if (list.length < 2) continue
    const at = positions.at[firstOf(list)]!
    record[key] = batch.family[row] === FAMILY_IPV6 ? ipv6Text(view, at) : ipv4Text(view.getUint32(at))
  }
  return record
}

/**
 * A record of NetFlow v5, v9 or IPFIX: what it says, element by element, and under `normalised` what its row of the batch has instead,
 * where the two differ: the inner of two headers, ICMP type and code as destination port, an uptime that wrapped.
 */
export const describeTemplateRecord = (
  template: Template,
  reading: Reading,
  positions: Positions,
  row: number
): DescribedRecord => {
  const { batch, view } = reading
  const { plan } = template
  const ofSection = plan.sectionKind !== SECTION_NONE && plan.source4.length + plan.source6.length === 0
  const record: DescribedRecord = literalAddresses(template, reading, positions, row)
  const rowSays: DescribedRecord = {}
  describeAddresses(reading, row, rowSays)
  const said = (key: string, field: number, column: number): void => {
    if (field < 0 && !ofSection) return
    const length = field < 0 ? 0 : positions.length[field]!
    record[key] = ofSection ? column : wholeAt(view, positions.at[field]!, length)
    // A column is as wide as the protocol; a whole number past 2^53 is text here and rounded there.
    if (typeof record[key] === "number") rowSays[key] = column
  }
  said("srcPort", firstOf(plan.sourcePort), batch.sourcePort[row]!)
  said("dstPort", firstOf(plan.destinationPort), batch.destinationPort[row]!)
  said("protocol", firstOf(plan.protocol), batch.protocol[row]!)
  said("bytes", plan.bytes, batch.bytes[row]!)
  said("packets", plan.packets, batch.packets[row]!)
  if (plan.reverseBytes >= 0) said("reverseBytes", plan.reverseBytes, batch.reverseBytes[row]!)
  if (plan.reversePackets >= 0) said("reversePackets", plan.reversePackets, batch.reversePackets[row]!)
  if (plan.tcpFlags.length > 0)
    record["tcpFlags"] = wholeAt(view, positions.at[firstOf(plan.tcpFlags)]!, positions.length[firstOf(plan.tcpFlags)]!)
  said("inputInterface", plan.inputInterface, batch.inputInterface[row]!)
  said("outputInterface", plan.outputInterface, batch.outputInterface[row]!)
  if (plan.direction >= 0) record["direction"] = batch.direction[row]
  if (batch.start[row] !== 0) {
    record["startMs"] = literalTime(reading, positions, plan.start, batch.start[row]!)
    rowSays["startMs"] = batch.start[row]
  }
  if (batch.end[row] !== 0) {
    record["endMs"] = literalTime(reading, positions, plan.end, batch.end[row]!)
    rowSays["endMs"] = batch.end[row]
  }
  if (batch.sampling[row] !== 0) {
    record["samplingRate"] = batch.sampling[row]
    record["samplingRateFrom"] = rateFrom(template, reading, positions)
  }
  describeElements(template, reading, positions, row, record)
  describeIcmp(template, view, positions, record)
  describeLabels(template, view, positions, record)
  if (template.learned.id !== 0) record["templateId"] = template.learned.id
  const normalised = differing(record, rowSays)
  if (normalised !== undefined) record["normalised"] = normalised
  return record
}

/** Elements that have no column. */
const describeElements = (
  template: Template,
  reading: Reading,
  positions: Positions,
  row: number,
  record: DescribedRecord
): void => {
  const { batch, view } = reading
  for (const [key, element, kind] of readers) {
    if (key in record) continue
    const field = fieldOf(template, positions, element, lengthOf[kind])
    if (field >= 0) record[key] = valueAt(view, positions.at[field]!, positions.length[field]!, kind)
  }
  const six = batch.family[row] === FAMILY_IPV6
  for (const [key, ipv4, ipv6, isAddress] of byFamily) {
    const fits = (wanted: boolean) => (isAddress ? lengthOf[wanted ? "ipv6" : "ipv4"] : lengthOf.number)
    const own = fieldOf(template, positions, six ? ipv6 : ipv4, fits(six))
    const field = own >= 0 ? own : fieldOf(template, positions, six ? ipv4 : ipv6, fits(!six))
    if (field < 0) continue
    const length = positions.length[field]!
    record[key] = valueAt(view, positions.at[field]!, length, isAddress ? (length === 16 ? "ipv6" : "ipv4") : "number")
  }
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
