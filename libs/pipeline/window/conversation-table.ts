/**
 * Conversations of all open windows: one hash table in the kernel's memory (layout.ts). Both directions of a conversation share a slot,
 * found by window, exporter, family, protocol and the two ends (window/fold.ts). Nothing is allocated for a record.
 *
 * A slot is 128 bytes, two cache lines: the key and what every record changes lie in the first, evidence in the second. An index of 32-bit
 * entries (11 bits of hash, 21 bits of slot) finds them. Slots are given to windows by the chunk (chunks.ts), so that a flush reads straight
 * through and frees whole chunks.
 */
import type { PortRanks } from "#domain/PortRank.ts"
import type { ConversationColumns, EgressColumns } from "#domain/Window.ts"
import { BATCH_ROWS, type FlowBatch } from "../decode/FlowBatch.ts"
import { CHUNK, CHUNK_SHIFT, type Chunks, type GiveBack, makeChunks } from "./chunks.ts"
import { addEgress, type EgressTable, makeEgressTable } from "./egress.ts"
import { emitColumns } from "./emit-columns.ts"
import { type Ipv6Interner, makeIpv6Interner } from "./ipv6-interner.ts"
import { type Kernel, makeKernel, type Secrets, secretsOf } from "./kernel.ts"
import * as At from "./layout.ts"
import { EGRESS, META, SLOT_BYTES_SHIFT, SLOT_WORDS_SHIFT } from "./slot.ts"

/** Beside full chunks, the first, whose slot 0 takes what belongs nowhere, and those that windows have only begun. */
const MORE_CHUNKS = 64
export const MAX_CONVERSATIONS = (1 << At.SLOT_BITS) - (MORE_CHUNKS << CHUNK_SHIFT)
const SMALLEST_INDEX = 4096

/** What the exporters of the rows are known by, by the index in the batch's `exporter` column. */
export interface ExporterColumns {
  /** Arrival minus export time, whole ms; added to the exporter's own times. */
  readonly skewMs: Float64Array
  /** Rate to apply where the record says nothing (0 or 1: none). */
  readonly sampling: Uint32Array
}

/** What found no room since the table was made. */
export interface Refused {
  /** Records: the windows hold as many conversations as they may. */
  conversations: number
  /** Records without an IP address. */
  noAddress: number
  /** Parts of records that are counted elsewhere (place-rows.ts). */
  parts: number
}

/** Records of each exporter, by its index, that are in no window though it sent them. */
export interface Unfolded {
  /** Found no room. */
  readonly refused: Float64Array
  /** Left out by sampling under pressure. */
  readonly leftOut: Float64Array
  /** Their window was closed. */
  readonly late: Float64Array
}

/** One window's share of the table. */
export interface TableWindow {
  /** What its rows are marked with. */
  readonly tag: number
  readonly id: number
  readonly chunks: Array<number>
  readonly ipv6: Ipv6Interner
  readonly egress: EgressTable
}

export class ConversationTable {
  /** A batch whose rows are folded without being copied. */
  readonly batch: FlowBatch
  readonly columns: FlowBatch
  readonly ended: Int32Array
  readonly began: Int32Array
  readonly own: Int32Array
  readonly mark: Int32Array
  readonly odd: Int32Array
  readonly six: Int32Array
  readonly refused: Refused = { conversations: 0, noAddress: 0, parts: 0 }
  readonly unfolded: Unfolded = {
    refused: new Float64Array(At.MAX_EXPORTERS),
    leftOut: new Float64Array(At.MAX_EXPORTERS),
    late: new Float64Array(At.MAX_EXPORTERS)
  }
  /** Records folded since the table was made. */
  records = 0
  private readonly kernel: Kernel
  readonly most: number
  private readonly seed: number
  private readonly secrets: Secrets
  private readonly said: Int32Array
  private readonly piece: At.Piece
  private readonly skews: Float64Array
  private readonly rates: Uint32Array
  /** Next free slot and limit of each window. */
  private readonly shares: Int32Array
  private readonly slots: number
  private readonly words: Int32Array
  private readonly doubles: Float64Array
  private readonly index: Int32Array
  private indexLength = SMALLEST_INDEX
  private readonly chunks: Chunks
  private readonly freeIds: Array<number> = Array.from({ length: At.MAX_WINDOWS }, (_, i) => At.MAX_WINDOWS - 1 - i)
  private readonly open_ = new Map<number, TableWindow>()
  private readonly ordinals = new Int32Array(1 << (At.SLOT_BITS - CHUNK_SHIFT))

  /**
   * `most`: conversations of all windows together. `seed` keeps senders from choosing addresses that collide. `giveBack`: what the table
   * needs no more of its memory, from one octet to another; true when it takes none now.
   */
  constructor(ranks: PortRanks, seed: number, most: number, giveBack: GiveBack = () => false) {
    this.most = Math.min(most, MAX_CONVERSATIONS)
    this.seed = seed | 0
    this.secrets = secretsOf(seed)
    const chunks = Math.ceil(this.most / CHUNK) + MORE_CHUNKS
    let longest = SMALLEST_INDEX
    while (longest < 2 * chunks * CHUNK) longest *= 2
    this.slots = At.INDEX + longest * 4
    const pages = Math.ceil((this.slots + ((chunks * CHUNK) << SLOT_BYTES_SHIFT)) / 65_536)
    // All of it at once: pages nobody touched cost nothing, and memory that never grows is never moved.
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    const { buffer } = memory
    this.kernel = makeKernel(memory, ranks)
    this.columns = At.columnsIn(memory)
    this.batch = At.batchIn(memory)
    const rows = this.columns.family.length
    this.ended = new Int32Array(buffer, At.ENDED, rows)
    this.began = new Int32Array(buffer, At.BEGAN, rows)
    this.own = new Int32Array(buffer, At.OWN, rows)
    this.mark = new Int32Array(buffer, At.MARK, rows)
    this.odd = new Int32Array(buffer, At.ODD, BATCH_ROWS)
    this.six = new Int32Array(buffer, At.SIX, BATCH_ROWS)
    this.said = new Int32Array(buffer, At.SAID, 8)
    this.piece = At.pieceIn(memory)
    this.skews = new Float64Array(buffer, At.SKEWS, At.MAX_EXPORTERS)
    this.rates = new Uint32Array(buffer, At.RATES, At.MAX_EXPORTERS)
    this.shares = new Int32Array(buffer, At.WINDOWS, (At.MAX_WINDOWS + 1) * 2)
    this.words = new Int32Array(buffer, this.slots, (chunks * CHUNK) << SLOT_WORDS_SHIFT)
    this.doubles = new Float64Array(buffer, this.slots, this.words.length / 2)
    this.index = new Int32Array(buffer, At.INDEX, longest)
    this.chunks = makeChunks(chunks, (chunk) => {
      const at = this.slots + ((chunk << CHUNK_SHIFT) << SLOT_BYTES_SHIFT)
      return giveBack(buffer, at, at + (CHUNK << SLOT_BYTES_SHIFT))
    })
    // No key has all bits set: what belongs nowhere is not found.
    this.words[META] = -1
  }

  /** Undefined when there are MAX_WINDOWS of them. */
  open(): TableWindow | undefined {
    const id = this.freeIds.pop()
    if (id === undefined) return undefined
    const window: TableWindow = {
      id,
      tag: id << At.WINDOW_SHIFT,
      chunks: [],
      ipv6: makeIpv6Interner(MAX_CONVERSATIONS, this.seed),
      egress: makeEgressTable()
    }
    this.open_.set(id, window)
    return window
  }

  rows(window: TableWindow): number {
    const { chunks } = window
    return chunks.length === 0
      ? 0
      : this.shares[window.id * 2]! - (chunks.at(-1)! << CHUNK_SHIFT) + ((chunks.length - 1) << CHUNK_SHIFT)
  }

  get bytesHeld(): number {
    let bytes = ((this.chunks.written() << CHUNK_SHIFT) << SLOT_BYTES_SHIFT) + this.indexLength * 4
    for (const window of this.open_.values()) bytes += window.egress.bytesHeld()
    return bytes
  }

  /** Copies rows of another batch to where the kernel reads them. */
  load(batch: FlowBatch, from: number, count: number): void {
    if (batch === this.batch) return
    for (const name of At.COPIED) this.columns[name].set(batch[name].subarray(from, from + count))
  }

  skewOf(exporter: number): number {
    return this.skews[exporter]!
  }

  /** The window that a row's mark names. */
  windowOf(mark: number): TableWindow {
    return this.open_.get(mark >>> At.WINDOW_SHIFT)!
  }

  setExporters({ sampling, skewMs }: ExporterColumns): void {
    this.skews.set(skewMs)
    this.rates.set(sampling)
  }

  /**
   * Marks the first `count` rows that lie wholly in `window`, of `span` ms from `base`, and lists the others in `odd`; returns how many.
   * Those with IPv6 addresses are listed in `six`.
   */
  place(count: number, window: TableWindow | undefined, base: number, span: number, arrivalMs: number): number {
    return this.kernel.place(count, base, span, arrivalMs, window?.tag ?? 0)
  }

  /** How many of the rows that were placed last have IPv6 addresses. */
  get sixes(): number {
    return this.saidAt(At.SAID_SIXES)
  }

  private saidAt(at: number): number {
    return this.said[(at - At.SAID) >> 2]!
  }

  /** Folds rows that were placed. `pressure`: each stands for so many. `whole`: records are counted with them, else they are parts. */
  fold(from: number, count: number, pressure: number, whole = true): void {
    const { kernel, secrets, slots } = this
    for (let row = from; row < from + count; row += At.PIECE) {
      const length = Math.min(At.PIECE, from + count - row)
      const misses = kernel.keys(row, length, this.indexLength - 1, slots, ...secrets)
      this.refused.noAddress += this.saidAt(At.SAID_NO_ADDRESS)
      const folded = misses === 0 ? length : length - this.resolve(row, misses)
      kernel.add(row, length, pressure, slots, whole ? 1 : 0)
      if (whole) this.records += folded
      const egress = this.saidAt(At.SAID_EGRESS)
      if (egress > 0) this.addEgress(row, egress, pressure)
    }
  }

  /** Finds or makes the slots of what was missed. Returns how many rows have none. */
  private resolve(row: number, misses: number): number {
    const { columns, kernel, mark, piece, slots, unfolded } = this
    let refused = 0
    for (let at = 0; at < misses; ) {
      at = kernel.resolve(at, misses, row, this.indexLength - 1, slots)
      if (at >= misses) break
      const k = piece.misses[at]!
      const marked = mark[row + k]!
      if (this.grant(this.windowOf(marked))) continue
      if ((marked & At.PART) !== 0) this.refused.parts++
      else {
        this.refused.conversations++
        unfolded.refused[columns.exporter[row + k]!]!++
      }
      piece.slot[k] = 0
      refused++
      at++
    }
    return refused + this.saidAt(At.SAID_NOWHERE)
  }

  /** More slots for a window. Where few are left, others give back what they did not use, and each gets half of it. */
  private grant(window: TableWindow): boolean {
    const { most, shares } = this
    let granted = 0
    for (const { chunks, id } of this.open_.values()) {
      if (chunks.length > 0) granted += shares[id * 2 + 1]! - (chunks.at(-1)! << CHUNK_SHIFT) + ((chunks.length - 1) << CHUNK_SHIFT)
    }
    let free = most - granted
    if (free < CHUNK) {
      for (const { id } of this.open_.values()) {
        free += shares[id * 2 + 1]! - shares[id * 2]!
        shares[id * 2 + 1] = shares[id * 2]!
      }
      if (free <= 0) return false
    }
    const share = window.id * 2
    const last = window.chunks.at(-1)
    let next = shares[share]!
    let end = last === undefined ? next : (last + 1) << CHUNK_SHIFT
    if (next === end) {
      const chunk = this.chunks.take()
      if (chunk === undefined) return false
      window.chunks.push(chunk)
      next = chunk << CHUNK_SHIFT
      end = next + CHUNK
      shares[share] = next
      shares[share + 1] = next
      if (this.slotsTaken() * 2 > this.indexLength) this.reindex(this.indexLength * 2)
    }
    shares[share + 1] = Math.min(end, next + (free >= CHUNK ? CHUNK : (free + 1) >> 1))
    return true
  }

  private slotsTaken(): number {
    let chunks = 0
    for (const window of this.open_.values()) chunks += window.chunks.length
    return chunks << CHUNK_SHIFT
  }

  private reindex(length: number): void {
    this.index.fill(0, 0, Math.max(length, this.indexLength))
    this.indexLength = length
    for (const { chunks, id } of this.open_.values()) {
      chunks.forEach((chunk, i) => {
        const first = chunk << CHUNK_SHIFT
        const end = i === chunks.length - 1 ? this.shares[id * 2]! : first + CHUNK
        if (end > first) this.kernel.reindex(first, end, length - 1, this.slots, ...this.secrets)
      })
    }
  }

  private addEgress(row: number, count: number, pressure: number): void {
    const { columns, mark, piece, rates, words } = this
    for (let n = 0; n < count; n++) {
      const k = piece.egress[n]!
      const slot = piece.slot[k]! >> SLOT_BYTES_SHIFT
      if (slot === 0) continue
      const i = row + k
      const { egress } = this.windowOf(mark[i]!)
      const word = (slot << SLOT_WORDS_SHIFT) + EGRESS
      if (words[word] === 0) words[word] = egress.add(slot)
      const rate = (columns.sampling[i]! || rates[columns.exporter[i]!]! || 1) * pressure
      const turn = (piece.aux[k]! >> At.TURNED_SHIFT) & 1
      addEgress(egress, words[word]! - 1, turn, (mark[i]! & At.PART) === 0 ? 1 : 0, columns, i, rate)
    }
  }

  /** Fresh columns of exactly the window's rows, for transfer. `rename` gives the slice's index of an exporter. */
  emit(
    window: TableWindow,
    base: number,
    rename: (exporter: number) => number
  ): { readonly columns: ConversationColumns; readonly ipv6: Uint8Array; readonly egress: EgressColumns | undefined } {
    const { chunks } = window
    chunks.forEach((chunk, ordinal) => {
      this.ordinals[chunk] = ordinal
    })
    const columns = emitColumns(this.words, this.doubles, chunks, CHUNK_SHIFT, this.rows(window), base, rename)
    const rowOf = (slot: number) => (this.ordinals[slot >> CHUNK_SHIFT]! << CHUNK_SHIFT) | (slot & (CHUNK - 1))
    return { columns, ipv6: window.ipv6.emit(), egress: window.egress.emit(rowOf) }
  }

  /** Empties a window's share; its chunks are free for others. */
  reset(window: TableWindow): void {
    window.ipv6.reset()
    window.egress.reset()
    this.shares[window.id * 2] = 0
    this.shares[window.id * 2 + 1] = 0
    if (window.chunks.length === 0) return
    const before = this.slotsTaken()
    this.chunks.free(window.chunks.splice(0))
    const { indexLength } = this
    this.reindex(indexLength > SMALLEST_INDEX && before * 8 < indexLength ? indexLength / 2 : indexLength)
  }

  /** After a flush: what was not needed lately goes back to the system. */
  relieve(): void {
    this.chunks.relieve()
  }

  close(window: TableWindow): void {
    this.reset(window)
    this.open_.delete(window.id)
    this.freeIds.push(window.id)
  }
}
