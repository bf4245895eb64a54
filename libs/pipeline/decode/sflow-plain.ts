/** The commonest sFlow samples, read without looking at every step. What they say is what sflow.ts reads of them one by one. */
import { FAMILY_IPV4, FAMILY_IPV6 } from "./FlowBatch.ts"
import { HEADER_ETHERNET } from "./frame.ts"
import type { Reading } from "./Reading.ts"
import { EXPANDED_FLOW_SAMPLE, FLOW_SAMPLE, FORMAT_INTERFACE, INTERNAL_INTERFACE, RAW_HEADER } from "./sflow-formats.ts"
import { FACTS, type SflowRows } from "./sflow-rows.ts"
import { isTunnelPort } from "./tunnel.ts"

/** Octets of the shortest expanded flow sample with a header in it of which all that is plain can be read; captures are rarely shorter. */
const FIXED = 8 + 44 + 24 + 78

/** IEEE 802.1Q. */
const VLAN = 0x8100

export interface PlainSamples {
  /**
   * The commonest samples, as many as follow each other: TCP or UDP, no tunnel, first fragments of IPv4 without options or of IPv6 without
   * extensions, in Ethernet frames, tagged or not, whose raw header comes first in the sample. Returns how many; `end` is behind them.
   */
  readonly read: (start: number, end: number, most: number) => number
  end: number
}

export const makePlainSamples = ({ outcome, view }: Reading, rows: SflowRows): PlainSamples => {
  const { facts } = rows

  const read = (start: number, end: number, most: number): number => {
    rows.makeRoom()
    // All that is read at fixed places lies within that many octets; one look is enough.
    const until = Math.min(most, rows.room - rows.pending)
    let fact = rows.pending * FACTS
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
      if (transport === ip + 40) rows.copyAddresses(ip + 8, taken)
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
    rows.pending += taken
    outcome.expandedFlowSamples += expandedOnes
    outcome.flowSamples += taken - expandedOnes
    plain.end = at
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

  const plain: PlainSamples = { read, end: 0 }
  return plain
}
