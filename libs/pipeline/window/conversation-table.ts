/**
 * Conversations of one open window: a hash table over typed arrays. Both directions share a slot, found by exporter, family, protocol
 * and the two ends (window/fold.ts). Nothing is allocated for a record.
 *
 * A slot is 128 bytes of one buffer, two cache lines: the key and what every record changes lie in the first, evidence in the second.
 * Slots are dense and in order of arrival; a separate index of 32-bit entries (12 bits of hash, 20 bits of slot + 1) finds them, so a
 * growing table moves 4 bytes a conversation and a flush reads straight through.
 */
import { type PortRanks, portClass } from "#domain/PortRank.ts"
import type { ConversationColumns } from "#domain/Window.ts"
import type { FlowBatch } from "../decode/FlowBatch.ts"
import { emitColumns } from "./emit-columns.ts"
import { type Ipv6Interner, makeIpv6Interner } from "./ipv6-interner.ts"
import {
  A,
  A_PORTS,
  B,
  BEGAN,
  BYTES,
  EXCESS_BYTES,
  EXCESS_PACKETS,
  EXPORTER_SHIFT,
  FAMILY6_BIT,
  FIRST,
  FLAGS,
  LAST,
  LAST_START,
  LAST_TURN,
  META,
  PACKETS,
  PORTS,
  PORTS_SEEN,
  PROTOCOL_SHIFT,
  RECORDS,
  SAMPLING,
  SLOT_DOUBLES_SHIFT,
  SLOT_WORDS,
  SLOT_WORDS_SHIFT,
  SYN,
  SYN_ACK
} from "./slot.ts"

/** 20 bits of slot + 1 in an index entry. */
export const MAX_CONVERSATIONS = (1 << 20) - 1
const SLOT_MASK = (1 << 20) - 1
const TAG_MASK = ~SLOT_MASK
const INITIAL = 1024

/** Both directions of a connection start within a round trip; 5 s is the longest that is believed. */
const SAME_CONNECTION_MS = 5000
/** A flow that claims to have begun earlier than this before its end has a broken start time. */
const LONGEST_FLOW_MS = 2 * 24 * 3600 * 1000

const portClasses = Uint8Array.from({ length: 256 }, (_, protocol) => portClass(protocol))

/** What the table must know of each exporter, by the index in the batch's `exporter` column. */
export interface ExporterColumns {
  /** Arrival minus export time, ms; added to the exporter's own times. */
  readonly skewMs: Float64Array
  /** Rate to apply where the record says nothing (0 or 1: none). */
  readonly sampling: Uint32Array
}

/** Conversations that may still be begun, shared by all windows of a worker: memory stays bounded however many of them are open. */
export interface Room {
  free: number
}

/** Records that found no room, by reason, since the table was made. */
export interface RefusedRecords {
  /** The table holds as many conversations as it may. */
  conversations: number
  /** The record has no IP address. */
  noAddress: number
}

export class ConversationTable {
  /** Conversations held. */
  rows = 0
  /** Records folded since the last reset. */
  records = 0
  readonly refused: RefusedRecords = { conversations: 0, noAddress: 0 }
  private readonly ranks: PortRanks
  private readonly room: Room
  private readonly seed: number
  private readonly base: number
  private readonly ipv6: Ipv6Interner
  private words: Int32Array
  private doubles: Float64Array
  private index: Int32Array

  /** `base`: ms since 1970 that slot times are relative to, the start of the window. */
  constructor(ranks: PortRanks, base: number, room: Room, seed: number) {
    this.ranks = ranks
    this.base = base
    this.room = room
    this.seed = seed | 0
    this.ipv6 = makeIpv6Interner(MAX_CONVERSATIONS, this.seed)
    this.doubles = new Float64Array(INITIAL << SLOT_DOUBLES_SHIFT)
    this.words = new Int32Array(this.doubles.buffer)
    this.index = new Int32Array(INITIAL * 2)
  }

  get bytesHeld(): number {
    return this.words.byteLength + this.index.byteLength
  }

  /**
   * Folds rows `from` to `to` (exclusive) of a batch. `at`: the end of each flow, ms since 1970, corrected. `pressure`: these records
   * stand for `pressure` times as many.
   */
  fold(batch: FlowBatch, from: number, to: number, at: Float64Array, exporters: ExporterColumns, pressure: number): void {
    const { family, source, destination, sourcePort, destinationPort, protocol, tcpFlags, bytes, packets, start } = batch
    const { reverseBytes, reversePackets, sampling, exporter } = batch
    const { ranks, seed, base, refused } = this
    let { words, doubles, index } = this
    let mask = index.length - 1
    let folded = 0
    for (let i = from; i < to; i++) {
      let src: number
      let dst: number
      let kindBits = 0
      if (family[i] === 4) {
        src = source[i]! | 0
        dst = destination[i]! | 0
      } else if (family[i] === 6) {
        src = this.ipv6.intern(batch.ipv6, i << 5)
        dst = this.ipv6.intern(batch.ipv6, (i << 5) + 16)
        if (src < 0 || dst < 0) {
          refused.conversations++
          continue
        }
        kindBits = FAMILY6_BIT
      } else {
        refused.noAddress++
        continue
      }
      const proto = protocol[i]!
      const kind = portClasses[proto]!
      let srcPort = 0
      let dstPort = 0
      let sourceIsB: boolean
      if (kind !== 0) {
        srcPort = sourcePort[i]!
        dstPort = destinationPort[i]!
        const srcRank = ranks[(kind << 16) | srcPort]!
        const dstRank = ranks[(kind << 16) | dstPort]!
        if (srcRank !== dstRank) {
          kindBits |= 1
          sourceIsB = srcRank > dstRank
        } else {
          sourceIsB = src === dst ? srcPort > dstPort : src > dst
        }
      } else {
        sourceIsB = src > dst
      }
      const turn = sourceIsB ? 1 : 0
      const a = sourceIsB ? dst : src
      const b = sourceIsB ? src : dst
      const aPort = sourceIsB ? dstPort : srcPort
      const bPort = sourceIsB ? srcPort : dstPort
      const ports = (kindBits & 1) !== 0 ? bPort : (aPort << 16) | bPort
      const sender = exporter[i]!
      const meta = (sender << EXPORTER_SHIFT) | (proto << PROTOCOL_SHIFT) | kindBits

      let hash = Math.imul(a ^ seed, 0x9e3779b1)
      hash = Math.imul(hash ^ (hash >>> 15) ^ b, 0x85ebca6b)
      hash = Math.imul(hash ^ (hash >>> 13) ^ ports, 0xc2b2ae35)
      hash = Math.imul(hash ^ (hash >>> 16) ^ meta, 0x27d4eb2f)
      hash ^= hash >>> 15
      const tag = hash & TAG_MASK
      let position = hash & mask
      let slot = -1
      for (let entry = index[position]!; entry !== 0; entry = index[position]!) {
        if ((entry & TAG_MASK) === tag) {
          const o = ((entry & SLOT_MASK) - 1) << SLOT_WORDS_SHIFT
          if (words[o + A] === a && words[o + B] === b && words[o + PORTS] === ports && words[o + META] === meta) {
            slot = o
            break
          }
        }
        position = (position + 1) & mask
      }
      const ended = (at[i]! - base) | 0
      if (slot < 0) {
        if (this.room.free <= 0 || this.rows >= MAX_CONVERSATIONS) {
          refused.conversations++
          continue
        }
        slot = this.insert(hash, a, b, ports, meta, aPort, ended) << SLOT_WORDS_SHIFT
        words = this.words
        doubles = this.doubles
        index = this.index
        mask = index.length - 1
      }
      const wide = slot >> 1
      let rate = sampling[i]!
      if (rate === 0) rate = exporters.sampling[sender]!
      if (rate < 1) rate = 1
      rate *= pressure
      const octets = bytes[i]!
      const count = packets[i]!
      words[slot + RECORDS + turn] = words[slot + RECORDS + turn]! + 1
      if (rate === 1) {
        doubles[wide + BYTES + turn] = doubles[wide + BYTES + turn]! + octets
        doubles[wide + PACKETS + turn] = doubles[wide + PACKETS + turn]! + count
      } else {
        doubles[wide + BYTES + turn] = doubles[wide + BYTES + turn]! + octets * rate
        doubles[wide + PACKETS + turn] = doubles[wide + PACKETS + turn]! + count * rate
        doubles[wide + EXCESS_BYTES] = doubles[wide + EXCESS_BYTES]! + octets * (rate - 1)
        doubles[wide + EXCESS_PACKETS] = doubles[wide + EXCESS_PACKETS]! + count * (rate - 1)
        if (rate > words[slot + SAMPLING]! >>> 0) words[slot + SAMPLING] = rate
      }
      if (ended > words[slot + LAST]!) words[slot + LAST] = ended
      let began = ended
      const started = start[i]!
      if (started !== 0) {
        const span = at[i]! - started - exporters.skewMs[sender]!
        if (span > 0 && span < LONGEST_FLOW_MS) began = (at[i]! - span - base) | 0
      }
      if (began < words[slot + FIRST]!) words[slot + FIRST] = began
      if (kind !== 0) {
        const seen = words[slot + PORTS_SEEN]!
        if (seen >>> 16 !== aPort) {
          words[slot + A_PORTS] = words[slot + A_PORTS]! + 1
          words[slot + PORTS_SEEN] = (seen & 0xffff) | (aPort << 16)
          words[slot + LAST_TURN] = 0
        }
        if (started !== 0) {
          // The other direction of the same connection came just before this one: whose clock shows the earlier start began.
          if (words[slot + LAST_TURN] === 2 - turn) {
            const ahead = words[slot + LAST_START]! - began
            if (ahead !== 0 && ahead < SAME_CONNECTION_MS && ahead > -SAME_CONNECTION_MS) {
              const who = slot + BEGAN + (ahead > 0 ? turn : 1 - turn)
              words[who] = words[who]! + 1
            }
            words[slot + LAST_TURN] = 0
          } else {
            words[slot + LAST_TURN] = 1 + turn
            words[slot + LAST_START] = began
          }
        }
      }
      const flags = tcpFlags[i]!
      if (flags !== 0) {
        words[slot + FLAGS] = words[slot + FLAGS]! | (flags << (turn << 3))
        if ((flags & 0x12) === 0x02) words[slot + SYN + turn] = words[slot + SYN + turn]! + 1
        // One packet: a client's flow of two packets or more has SYN and ACK as well.
        else if ((flags & 0x1b) === 0x12 && count === 1) words[slot + SYN_ACK + turn] = words[slot + SYN_ACK + turn]! + 1
      }
      if (reversePackets[i] !== 0 || reverseBytes[i] !== 0) this.foldReverse(batch, i, slot, turn, rate, kind !== 0)
      folded++
    }
    this.records += folded
  }

  /** The reverse half of a biflow. Its source is the initiator (RFC 5103 §5). */
  private foldReverse(batch: FlowBatch, i: number, slot: number, turn: number, rate: number, ported: boolean): void {
    const { words, doubles } = this
    const wide = slot >> 1
    const other = 1 - turn
    const octets = batch.reverseBytes[i]!
    const count = batch.reversePackets[i]!
    doubles[wide + BYTES + other] = doubles[wide + BYTES + other]! + octets * rate
    doubles[wide + PACKETS + other] = doubles[wide + PACKETS + other]! + count * rate
    doubles[wide + EXCESS_BYTES] = doubles[wide + EXCESS_BYTES]! + octets * (rate - 1)
    doubles[wide + EXCESS_PACKETS] = doubles[wide + EXCESS_PACKETS]! + count * (rate - 1)
    if (ported) words[slot + BEGAN + turn] = words[slot + BEGAN + turn]! + 1
  }

  /** A fresh slot for a key that is not there. */
  private insert(hash: number, a: number, b: number, ports: number, meta: number, aPort: number, ended: number): number {
    if ((this.rows + 1) << SLOT_WORDS_SHIFT > this.words.length) this.grow()
    const { words, doubles, index } = this
    const mask = index.length - 1
    let position = hash & mask
    while (index[position] !== 0) position = (position + 1) & mask
    const slot = this.rows++
    this.room.free--
    index[position] = (hash & TAG_MASK) | this.rows
    const o = slot << SLOT_WORDS_SHIFT
    doubles.fill(0, o >> 1, (o + SLOT_WORDS) >> 1)
    words[o + A] = a
    words[o + B] = b
    words[o + PORTS] = ports
    words[o + META] = meta
    words[o + FIRST] = ended
    words[o + LAST] = ended
    words[o + SAMPLING] = 1
    words[o + PORTS_SEEN] = aPort | (aPort << 16)
    return slot
  }

  private hashOf(o: number): number {
    const { words } = this
    let hash = Math.imul(words[o + A]! ^ this.seed, 0x9e3779b1)
    hash = Math.imul(hash ^ (hash >>> 15) ^ words[o + B]!, 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13) ^ words[o + PORTS]!, 0xc2b2ae35)
    hash = Math.imul(hash ^ (hash >>> 16) ^ words[o + META]!, 0x27d4eb2f)
    return hash ^ (hash >>> 15)
  }

  private grow(): void {
    const doubles = new Float64Array(this.doubles.length * 2)
    doubles.set(this.doubles)
    this.doubles = doubles
    this.words = new Int32Array(doubles.buffer)
    const index = new Int32Array(this.index.length * 2)
    const mask = index.length - 1
    for (let slot = 0; slot < this.rows; slot++) {
      const hash = this.hashOf(slot << SLOT_WORDS_SHIFT)
      let position = hash & mask
      while (index[position] !== 0) position = (position + 1) & mask
      index[position] = (hash & TAG_MASK) | (slot + 1)
    }
    this.index = index
  }

  /** Fresh columns of exactly `rows` rows, for transfer. `rename` gives the slice's index of an exporter. */
  emit(rename: (exporter: number) => number): { readonly columns: ConversationColumns; readonly ipv6: Uint8Array } {
    return { columns: emitColumns(this.words, this.doubles, this.rows, this.base, rename), ipv6: this.ipv6.emit() }
  }

  /** Empties the table. Memory that this round had no use for is given back by halves. */
  reset(): void {
    const slots = this.index.length >> 1
    if (slots > INITIAL && this.rows < slots >> 3) {
      this.doubles = new Float64Array((slots >> 1) << SLOT_DOUBLES_SHIFT)
      this.words = new Int32Array(this.doubles.buffer)
      this.index = new Int32Array(slots)
    } else {
      this.index.fill(0)
    }
    this.room.free += this.rows
    this.rows = 0
    this.records = 0
    this.ipv6.reset()
  }
}
