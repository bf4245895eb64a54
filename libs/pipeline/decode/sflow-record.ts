/** An sFlow flow sample as a JSON object, for people: interfaces, link layer, VLANs, routes and AS paths. Never in the hot path. */
import { ipv4Text, ipv6Text, macText } from "./address-text.ts"
import { type Cursor, makeCursor } from "./Cursor.ts"
import { type Frame, makeFrame, readFrame } from "./frame.ts"
import type { Reading } from "./Reading.ts"
import { type DescribedRecord, describeAddresses } from "./record.ts"
import { ETHERNET_FRAME, RAW_HEADER, SAMPLED_IPV4, SAMPLED_IPV6 } from "./sflow-formats.ts"
import { mayTunnel } from "./tunnel.ts"

/** Extended flow records by enterprise 0 format. */
const EXTENDED_SWITCH = 1001
const EXTENDED_ROUTER = 1002
const EXTENDED_GATEWAY = 1003

/** A path of more ASes than this is a forged length; the longest seen in the Internet is below 1,000. */
const MAX_PATH = 4096

export const describeFlowSample = (
  reading: Reading,
  start: number,
  end: number,
  expanded: boolean,
  row: number
): DescribedRecord => {
  const { batch, view } = reading
  const word = (at: number) => view.getUint32(start + at)
  const record: DescribedRecord = expanded
    ? {
        sourceIdClass: word(4),
        sourceIdIndex: word(8),
        samplingRate: word(12),
        samplePool: word(16),
        drops: word(20),
        inputFormat: word(24),
        inputInterface: word(28),
        outputFormat: word(32),
        outputInterface: word(36)
      }
    : {
        sourceIdClass: word(4) >>> 24,
        sourceIdIndex: word(4) & 0xffffff,
        samplingRate: word(8),
        samplePool: word(12),
        drops: word(16),
        inputFormat: word(20) >>> 30,
        inputInterface: word(20) & 0x3fffffff,
        outputFormat: word(24) >>> 30,
        outputInterface: word(24) & 0x3fffffff
      }
  record["samplingRateFrom"] = "sample"
  const normalised: DescribedRecord = {}
  describeAddresses(reading, row, normalised)
  if (batch.family[row] !== 0) {
    const { destinationPort, protocol, sourcePort, tcpFlags } = batch
    describeTransport(protocol[row]!, sourcePort[row]!, destinationPort[row]!, tcpFlags[row]!, normalised)
  }
  if (batch.packets[row] !== 0) {
    normalised["bytes"] = batch.bytes[row]
    record["packets"] = batch.packets[row]
  }
  Object.assign(record, normalised)
  frame.family = 0
  describeRecords(makeCursor(view, start + (expanded ? 40 : 28), end), view, record)
  if (frame.family !== 0 && mayTunnel(frame.protocol, frame.destinationPort)) describeOuter(view, record)
  const keys = Object.keys(normalised).filter((key) => record[key] !== normalised[key])
  if (keys.length > 0) record["normalised"] = Object.fromEntries(keys.map((key) => [key, normalised[key]]))
  return record
}

const describeTransport = (
  protocol: number,
  sourcePort: number,
  destinationPort: number,
  tcpFlags: number,
  record: DescribedRecord
): void => {
  record["protocol"] = protocol
  if (protocol === 1 || protocol === 58) record["icmpTypeCode"] = destinationPort
  else {
    record["srcPort"] = sourcePort
    record["dstPort"] = destinationPort
  }
  if (protocol === 6) record["tcpFlags"] = tcpFlags
}

/** Literally what the sample says first: the packet the tunnel's ends exchange. The row has the one inside. */
const describeOuter = (view: DataView, record: DescribedRecord): void => {
  const { addressAt, destinationPort, family, protocol, sourcePort, tcpFlags } = frame
  for (const key of ["srcPort", "dstPort", "icmpTypeCode", "tcpFlags"]) delete record[key]
  record["srcIp"] = family === 4 ? ipv4Text(view.getUint32(addressAt)) : ipv6Text(view, addressAt)
  record["dstIp"] = family === 4 ? ipv4Text(view.getUint32(addressAt + 4)) : ipv6Text(view, addressAt + 16)
  describeTransport(protocol, sourcePort, destinationPort, tcpFlags, record)
}

const describeRecords = (cursor: Cursor, view: DataView, record: DescribedRecord): void => {
  const formats: Array<string> = []
  const count = cursor.u32()
  for (let i = 0; i < count; i++) {
    const tag = cursor.u32()
    const length = cursor.u32()
    const at = cursor.at
    cursor.skip(length)
    if (cursor.truncated) break
    formats.push(`${tag >>> 12}:${tag & 0xfff}`)
    describe(tag, view, at, at + length, record)
  }
  record["records"] = formats
}

const describe = (tag: number, view: DataView, at: number, end: number, record: DescribedRecord): void => {
  const length = end - at
  // What the raw header says comes first, whatever the order of the records.
  const raw = "headerProtocol" in record
  if (tag === RAW_HEADER && length >= 16 && !raw) describeRaw(view, at, end, record)
  else if (tag === ETHERNET_FRAME && length >= 20 && !raw) {
    record["srcMac"] = macText(view, at + 4)
    record["dstMac"] = macText(view, at + 12)
    if (length >= 24) record["etherType"] = view.getUint32(at + 20)
  } else if (tag === SAMPLED_IPV4 && length >= 32 && !raw) record["tos"] = view.getUint32(at + 28)
  else if (tag === SAMPLED_IPV6 && length >= 56 && !raw) record["tos"] = view.getUint32(at + 52)
  else if (tag === EXTENDED_SWITCH && length >= 16) {
    record["vlan"] = view.getUint32(at)
    record["postVlan"] = view.getUint32(at + 8)
  } else if (tag === EXTENDED_ROUTER) describeRouter(makeCursor(view, at, end), view, record)
  else if (tag === EXTENDED_GATEWAY) describeGateway(makeCursor(view, at, end), view, record)
}

const frame: Frame = makeFrame()

const describeRaw = (view: DataView, at: number, end: number, record: DescribedRecord): void => {
  const captured = view.getUint32(at + 12)
  readFrame(view, at + 16, Math.min(end, at + 16 + captured), view.getUint32(at), frame)
  // Literally what the sample says: the frame's octets. The row has the IP packet's.
  record["bytes"] = view.getUint32(at + 4)
  record["headerProtocol"] = view.getUint32(at)
  record["strippedBytes"] = view.getUint32(at + 8)
  record["headerLength"] = captured
  if (frame.macAt >= 0) {
    record["dstMac"] = macText(view, frame.macAt)
    record["srcMac"] = macText(view, frame.macAt + 6)
    record["etherType"] = frame.etherType
  }
  if (frame.vlans > 0) record["vlanTags"] = [...frame.vlan.subarray(0, Math.min(frame.vlans, frame.vlan.length))]
  const labels = [...frame.mplsLabels.subarray(0, Math.min(frame.mpls, frame.mplsLabels.length))].filter((label) => label !== 0)
  if (labels.length > 0) record["mplsLabels"] = labels
  if (frame.family !== 0) record["tos"] = frame.tos
}

/** address: type (1 IPv4, 2 IPv6), then its octets. */
const addressOf = (cursor: Cursor, view: DataView): string | undefined => {
  const type = cursor.u32()
  const at = cursor.at
  cursor.skip(type === 1 ? 4 : type === 2 ? 16 : 0)
  if (cursor.truncated || type < 1 || type > 2) return undefined
  return type === 1 ? ipv4Text(view.getUint32(at)) : ipv6Text(view, at)
}

const describeRouter = (cursor: Cursor, view: DataView, record: DescribedRecord): void => {
  const nextHop = addressOf(cursor, view)
  const srcMask = cursor.u32()
  const dstMask = cursor.u32()
  if (nextHop === undefined || cursor.truncated) return
  record["nextHop"] = nextHop
  record["srcMask"] = srcMask
  record["dstMask"] = dstMask
}

const describeGateway = (cursor: Cursor, view: DataView, record: DescribedRecord): void => {
  const nextHop = addressOf(cursor, view)
  const routerAs = cursor.u32()
  const srcAs = cursor.u32()
  const srcPeerAs = cursor.u32()
  const segments = cursor.u32()
  if (nextHop === undefined || cursor.truncated) return
  const path: Array<number> = []
  for (let i = 0; i < segments && !cursor.truncated; i++) {
    cursor.skip(4) // set or sequence
    const count = cursor.u32()
    if (count * 4 > cursor.remaining) break
    for (let k = 0; k < count && path.length < MAX_PATH; k++) path.push(cursor.u32())
  }
  record["bgpNextHop"] = nextHop
  record["routerAs"] = routerAs
  record["srcAs"] = srcAs
  record["srcPeerAs"] = srcPeerAs
  record["asPath"] = path
  record["dstAs"] = path.at(-1) ?? 0
}
