/** Flow records of an sFlow sample that only people ask for: link layer, VLANs, routes, AS paths. */
import { ipv4Text, ipv6Text, macText } from "./address-text.ts"
import { type Cursor, makeCursor } from "./Cursor.ts"
import type { Reading } from "./Reading.ts"
import type { DescribedRecord } from "./record.ts"
import type { FlowSample } from "./sflow.ts"

/** A path of more ASes than this is a forged length; the longest seen in the Internet is below 1,000. */
const MAX_PATH = 4096

export const describeSample = (sample: FlowSample, reading: Reading, record: DescribedRecord): void => {
  const { view } = reading
  const formats: Array<string> = []
  let at = sample.recordsAt
  for (let i = 0; i < sample.records && sample.end - at >= 8; i++) {
    const tag = view.getUint32(at)
    const length = view.getUint32(at + 4)
    at += 8
    if (length > sample.end - at) break
    formats.push(`${tag >>> 12}:${tag & 0xfff}`)
    describe(tag, view, at, at + length, sample, record)
    at += length
  }
  record["records"] = formats
}

const describe = (tag: number, view: DataView, at: number, end: number, sample: FlowSample, record: DescribedRecord): void => {
  switch (tag) {
    case 1:
      if (at === sample.rawAt) describeRaw(view, at, sample, record)
      return
    case 2:
      if (end - at >= 20 && sample.rawAt < 0) {
        record["srcMac"] = macText(view, at + 4)
        record["dstMac"] = macText(view, at + 12)
        if (end - at >= 24) record["etherType"] = view.getUint32(at + 20)
      }
      return
    case 3:
      if (end - at >= 32 && sample.rawAt < 0) record["tos"] = view.getUint32(at + 28)
      return
    case 4:
      if (end - at >= 56 && sample.rawAt < 0) record["tos"] = view.getUint32(at + 52)
      return
    case 1001:
      if (end - at >= 16) {
        record["vlan"] = view.getUint32(at)
        record["postVlan"] = view.getUint32(at + 8)
      }
      return
    case 1002:
      describeRouter(makeCursor(view, at, end), view, record)
      return
    case 1003:
      describeGateway(makeCursor(view, at, end), view, record)
      return
  }
}

const describeRaw = (view: DataView, at: number, sample: FlowSample, record: DescribedRecord): void => {
  const { frame } = sample
  record["headerProtocol"] = view.getUint32(at)
  record["strippedBytes"] = view.getUint32(at + 8)
  record["headerLength"] = view.getUint32(at + 12)
  if (frame.macAt >= 0) {
    record["dstMac"] = macText(view, frame.macAt)
    record["srcMac"] = macText(view, frame.macAt + 6)
    record["etherType"] = frame.etherType
  }
  if (frame.vlans > 0) record["vlanTags"] = [...frame.vlan.subarray(0, Math.min(frame.vlans, 4))]
  if (frame.mpls > 0)
    record["mplsLabels"] = [...frame.mplsLabels.subarray(0, Math.min(frame.mpls, 16))].filter((label) => label !== 0)
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
  record["bgpNextHop"] = nextHop
  record["routerAs"] = routerAs
  record["srcAs"] = srcAs
  record["srcPeerAs"] = srcPeerAs
  const path: Array<number> = []
  for (let i = 0; i < segments && !cursor.truncated; i++) {
    cursor.u32() // set or sequence
    const count = cursor.u32()
    if (count * 4 > cursor.remaining) break
    for (let k = 0; k < count && path.length < MAX_PATH; k++) path.push(cursor.u32())
  }
  record["asPath"] = path
  record["dstAs"] = path.at(-1) ?? 0
}
