/**
 * Conversations of one open window: a hash table over typed arrays. Both directions share a slot, found by exporter, family, protocol
 * and the two ends (window/fold.ts). Nothing is allocated for a record.
 *
 * A slot is 128 bytes of one buffer, two cache lines: the key and what every record changes lie in the first, evidence in the second.
 * Slots are dense and in order of arrival; a separate index of 32-bit entries (12 bits of hash, 20 bits of slot + 1) finds them, so a
 * growing table moves 4 bytes a conversation and a flush reads straight through.
 *
 * Rows go through in pieces and three passes: keys (row-keys.ts), slots, sums (add-rows.ts). Only the second waits for memory, and its
 * loop is so short that a processor has the misses of many rows under way at once.
 */
import type { PortRanks } from "#domain/PortRank.ts"
import type { ConversationColumns, EgressColumns } from "#domain/Window.ts"
import type { FlowBatch } from "../decode/FlowBatch.ts"
import { addRows, type ExporterColumns } from "./add-rows.ts"
import { type EgressTable, makeEgressTable } from "./egress.ts"
import { emitColumns } from "./emit-columns.ts"
import { type Ipv6Interner, makeIpv6Interner } from "./ipv6-interner.ts"
import { hashKey, makeRowKeys, NO_ADDRESS, NO_ROOM, PIECE, readKeys } from "./row-keys.ts"
import { A, B, FIRST, LAST, META, PORTS, PORTS_SEEN, SAMPLING, SLOT_DOUBLES_SHIFT, SLOT_WORDS, SLOT_WORDS_SHIFT } from "./slot.ts"

/** 20 bits of slot + 1 in an index entry. */
export const MAX_CONVERSATIONS = (1 << 20) - 1
const SLOT_MASK = (1 << 20) - 1
const TAG_MASK = ~SLOT_MASK
const INITIAL = 1024

/** Conversations that may still be begun, shared by all windows of a worker: memory stays bounded however many of them are open. */
export interface Room {
  free: number
}

/** Records that found no room, by reason, since the table was made. */
export interface RefusedRecords {
  /** The windows hold as many conversations as they may. */
  conversations: number
  /** The record has no IP address. */
  noAddress: number
}

/** One thread folds one piece at a time, so all tables of a thread share the keys. */
const keys = makeRowKeys()

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
  private readonly egress: EgressTable = makeEgressTable()
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
    return this.words.byteLength + this.index.byteLength + this.egress.bytesHeld()
  }

  /**
   * Folds rows `from` to `to` (exclusive) of a batch. `at`: the end of each flow, ms since 1970, corrected. `pressure`: these records
   * stand for `pressure` times as many.
   */
  fold(batch: FlowBatch, from: number, to: number, at: Float64Array, exporters: ExporterColumns, pressure: number): void {
    for (let piece = from; piece < to; piece += PIECE) {
      const end = Math.min(to, piece + PIECE)
      readKeys(keys, batch, piece, end, this.ranks, this.ipv6, this.seed)
      this.findSlots(end - piece, at, piece)
      this.records += addRows(this.words, this.doubles, keys, batch, piece, end, at, this.base, exporters, pressure, this.egress)
    }
  }

  /** Second pass: the slot of each key, a fresh one where there is none. */
  private findSlots(count: number, at: Float64Array, from: number): void {
    let { index, words } = this
    let mask = index.length - 1
    const { a, b, hash, meta, ports, slot } = keys
    for (let k = 0; k < count; k++) {
      if (slot[k]! < 0) {
        if (slot[k] === NO_ADDRESS) this.refused.noAddress++
        else this.refused.conversations++
        continue
      }
      const hashed = hash[k]!
      let position = hashed & mask
      let entry = index[position]!
      let found = NO_ROOM
      while (entry !== 0) {
        if (((entry ^ hashed) & TAG_MASK) === 0) {
          const o = ((entry & SLOT_MASK) - 1) << SLOT_WORDS_SHIFT
          if (words[o + A] === a[k] && words[o + B] === b[k] && words[o + PORTS] === ports[k] && words[o + META] === meta[k]) {
            found = o
            break
          }
        }
        position = (position + 1) & mask
        entry = index[position]!
      }
      if (found < 0) {
        if (this.room.free <= 0 || this.rows >= MAX_CONVERSATIONS) {
          this.refused.conversations++
        } else {
          found = this.insert(k, (at[from + k]! - this.base) | 0) << SLOT_WORDS_SHIFT
          index = this.index
          words = this.words
          mask = index.length - 1
        }
      }
      slot[k] = found < 0 ? NO_ROOM : found | slot[k]!
    }
  }

  /** A fresh slot for key `k`, which is not there. */
  private insert(k: number, ended: number): number {
    if ((this.rows + 1) << SLOT_WORDS_SHIFT > this.words.length) this.grow()
    const { doubles, index, words } = this
    const mask = index.length - 1
    const hash = keys.hash[k]!
    let position = hash & mask
    while (index[position] !== 0) position = (position + 1) & mask
    const slot = this.rows++
    this.room.free--
    index[position] = (hash & TAG_MASK) | this.rows
    const o = slot << SLOT_WORDS_SHIFT
    doubles.fill(0, o >> 1, (o + SLOT_WORDS) >> 1)
    words[o + A] = keys.a[k]!
    words[o + B] = keys.b[k]!
    words[o + PORTS] = keys.ports[k]!
    words[o + META] = keys.meta[k]!
    words[o + FIRST] = ended
    words[o + LAST] = ended
    words[o + SAMPLING] = 1
    words[o + PORTS_SEEN] = keys.aPort[k]! | (keys.aPort[k]! << 16)
    return slot
  }

  private grow(): void {
    const doubles = new Float64Array(this.doubles.length * 2)
    doubles.set(this.doubles)
    const words = new Int32Array(doubles.buffer)
    const index = new Int32Array(this.index.length * 2)
    const mask = index.length - 1
    for (let slot = 0; slot < this.rows; slot++) {
      const o = slot << SLOT_WORDS_SHIFT
      const hash = hashKey(this.seed, words[o + A]!, words[o + B]!, words[o + PORTS]!, words[o + META]!)
      let position = hash & mask
      while (index[position] !== 0) position = (position + 1) & mask
      index[position] = (hash & TAG_MASK) | (slot + 1)
    }
    this.doubles = doubles
    this.words = words
    this.index = index
  }

  /** Fresh columns of exactly `rows` rows, for transfer. `rename` gives the slice's index of an exporter. */
  emit(rename: (exporter: number) => number): {
    readonly columns: ConversationColumns
    readonly ipv6: Uint8Array
    readonly egress: EgressColumns | undefined
  } {
    const columns = emitColumns(this.words, this.doubles, this.rows, this.base, rename)
    return { columns, ipv6: this.ipv6.emit(), egress: this.egress.emit() }
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
    this.egress.reset()
  }
}
