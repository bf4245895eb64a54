/** Third pass over a piece of a batch: volumes, times and evidence of each row into its slot (slot.ts). */
import type { FlowBatch } from "../decode/FlowBatch.ts"
import { EGRESS_BYTES, EGRESS_PACKETS, type EgressTable, entryAt } from "./egress.ts"
import { PORTED, type RowKeys, TURNED } from "./row-keys.ts"
import {
  A_PORTS,
  BEGAN,
  BYTES,
  EGRESS,
  EXCESS_BYTES,
  EXCESS_PACKETS,
  FIRST,
  FLAGS,
  LAST,
  LAST_BEGAN,
  PACKETS,
  PORTS_SEEN,
  RECORDS,
  SAMPLING,
  SLOT_WORDS_SHIFT,
  SYN,
  SYN_ACK
} from "./slot.ts"

/** What the table must know of each exporter, by the index in the batch's `exporter` column. */
export interface ExporterColumns {
  /** Arrival minus export time, whole ms; added to the exporter's own times. */
  readonly skewMs: Float64Array
  /** Rate to apply where the record says nothing (0 or 1: none). */
  readonly sampling: Uint32Array
}

/** Both directions of a connection start within a round trip; 5 s is the longest that is believed. */
const SAME_CONNECTION_MS = 5000
/** A flow that claims to have begun earlier than this before its end has a broken start time. */
const LONGEST_FLOW_MS = 2 * 24 * 3600 * 1000

/** The reverse half of a biflow. Its source is the initiator (RFC 5103 §5). */
const addReverse = (
  words: Int32Array,
  doubles: Float64Array,
  slot: number,
  turn: number,
  octets: number,
  count: number,
  rate: number,
  ported: boolean
): void => {
  const wide = slot >> 1
  const other = 1 - turn
  doubles[wide + BYTES + other]! += octets * rate
  doubles[wide + PACKETS + other]! += count * rate
  doubles[wide + EXCESS_BYTES]! += octets * (rate - 1)
  doubles[wide + EXCESS_PACKETS]! += count * (rate - 1)
  if (ported) words[slot + BEGAN + turn]! += 1
}

/** A record that was taken on the way out, once more beside the sums of its conversation. */
const addEgress = (
  words: Int32Array,
  egress: EgressTable,
  slot: number,
  turn: number,
  octets: number,
  count: number,
  backOctets: number,
  backCount: number
): void => {
  const known = words[slot + EGRESS]!
  const at = known === 0 ? egress.add(slot >>> SLOT_WORDS_SHIFT) : entryAt(known - 1)
  if (known === 0) words[slot + EGRESS] = egress.size()
  const sums = egress.sums()
  sums[at + turn]! += 1
  sums[at + EGRESS_BYTES + turn]! += octets
  sums[at + EGRESS_PACKETS + turn]! += count
  sums[at + EGRESS_BYTES + 1 - turn]! += backOctets
  sums[at + EGRESS_PACKETS + 1 - turn]! += backCount
}

/**
 * Adds rows `from` to `to` of a batch whose slots were found. `at`: the end of each flow, ms since 1970, corrected; `base`: what slot
 * times are relative to. Returns how many rows had a slot.
 */
export const addRows = (
  words: Int32Array,
  doubles: Float64Array,
  keys: RowKeys,
  batch: FlowBatch,
  from: number,
  to: number,
  at: Float64Array,
  base: number,
  exporters: ExporterColumns,
  pressure: number,
  egress: EgressTable
): number => {
  const { bytes, direction, exporter, packets, reverseBytes, reversePackets, sampling, start, tcpFlags } = batch
  const { aPort, slot: slots } = keys
  const skews = exporters.skewMs
  const rates = exporters.sampling
  let sender = -1
  let skew = 0
  let ownRate = 0
  let added = 0
  for (let i = from; i < to; i++) {
    const found = slots[i - from]!
    if (found < 0) continue
    const turn = found & TURNED
    const slot = found & ~31
    const wide = slot >> 1
    if (exporter[i] !== sender) {
      sender = exporter[i]!
      skew = skews[sender]!
      ownRate = rates[sender]!
    }
    let rate = sampling[i]!
    if (rate === 0) rate = ownRate
    if (rate === 0) rate = 1
    if (pressure !== 1) rate *= pressure
    const octets = bytes[i]!
    const count = packets[i]!
    words[slot + RECORDS + turn]! += 1
    if (rate === 1) {
      doubles[wide + BYTES + turn]! += octets
      doubles[wide + PACKETS + turn]! += count
    } else {
      doubles[wide + BYTES + turn]! += octets * rate
      doubles[wide + PACKETS + turn]! += count * rate
      doubles[wide + EXCESS_BYTES]! += octets * (rate - 1)
      doubles[wide + EXCESS_PACKETS]! += count * (rate - 1)
      if (rate > words[slot + SAMPLING]! >>> 0) words[slot + SAMPLING] = rate
    }
    const end = at[i]!
    const ended = (end - base) | 0
    if (ended > words[slot + LAST]!) words[slot + LAST] = ended
    let began = ended
    const started = start[i]!
    if (started !== 0) {
      const span = (end - started - skew) | 0
      if (span > 0 && span < LONGEST_FLOW_MS) began = (ended - span) | 0
    }
    if (began < words[slot + FIRST]!) words[slot + FIRST] = began
    const ported = (found & PORTED) !== 0
    if (ported) {
      const port = aPort[i - from]!
      const seen = words[slot + PORTS_SEEN]!
      let last = words[slot + LAST_BEGAN]!
      if (seen >>> 16 !== port) {
        words[slot + A_PORTS]! += 1
        words[slot + PORTS_SEEN] = (seen & 0xffff) | (port << 16)
        last = 0
      }
      // Without its SYN, TCP was running before: an active timeout cut it, and which half starts first says nothing. With a SYN in both
      // halves, the earlier start is the opening SYN's.
      const told = tcpFlags[i]!
      if (started !== 0 && (told === 0 || (told & 0x02) !== 0)) {
        const ahead = ((last >> 2) - ((began << 2) >> 2)) | 0
        if ((last & 3) === 2 - turn && ahead < SAME_CONNECTION_MS && ahead > -SAME_CONNECTION_MS) {
          // The other direction of the same connection came before this one: whose start is earlier began.
          if (ahead !== 0) words[slot + (told === 0 ? BEGAN : SYN) + (ahead > 0 ? turn : 1 - turn)]! += 1
          words[slot + LAST_BEGAN] = 0
        } else {
          words[slot + LAST_BEGAN] = (began << 2) | (1 + turn)
        }
      }
    }
    const flags = tcpFlags[i]!
    if (flags !== 0) {
      words[slot + FLAGS]! |= flags << (turn << 3)
      if ((flags & 0x12) === 0x02) words[slot + SYN + turn]! += 1
      // One packet: a client's flow of two packets or more has SYN and ACK as well.
      else if ((flags & 0x1b) === 0x12 && count === 1) words[slot + SYN_ACK + turn]! += 1
    }
    const backOctets = reverseBytes[i]!
    const backCount = reversePackets[i]!
    if (backCount !== 0 || backOctets !== 0) addReverse(words, doubles, slot, turn, backOctets, backCount, rate, ported)
    if (direction[i] === 1) addEgress(words, egress, slot, turn, octets * rate, count * rate, backOctets * rate, backCount * rate)
    added++
  }
  return added
}
