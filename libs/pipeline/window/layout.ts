/**
 * Where things lie in the memory that the kernel (kernel.ts) and JavaScript share: byte offsets. The batch is at a fixed place, so that the
 * decoder writes where the kernel reads; slots come last, and pages that were never touched take no memory.
 */
import { BATCH_ROWS, type FlowBatch, makeFlowBatch } from "../decode/FlowBatch.ts"

/** Rows of one piece: their slots of 128 bytes fit a first-level cache. */
export const PIECE = 256
/** Rows that records which span windows are cut into, beside those of the batch. */
export const PART_ROWS = 2048
const ROWS = BATCH_ROWS + PART_ROWS
/** An index entry: the number of a slot, and above it what fits of the hash. */
export const SLOT_BITS = 21
/** Exporters and open windows that a key has bits for (slot.ts). */
export const MAX_EXPORTERS = 4096
export const MAX_WINDOWS = 255

let end = 64
const take = (bytes: number): number => {
  const at = end
  // Whole cache lines, and one more: columns of a power of two would all fall into the same sets of the cache.
  end += ((bytes + 63) & ~63) + 64
  return at
}

/** What a routine has to say beside its result. */
export const SAID = take(64)
export const SAID_FAMILIES = SAID
export const SAID_NO_ADDRESS = SAID + 4
export const SAID_EGRESS = SAID + 8
export const SAID_TOUCHED = SAID + 12

/** Of each window: number of its next free slot, and the number it must not reach. */
export const WINDOWS = take((MAX_WINDOWS + 1) * 8)

// Of each row of a piece.
/** Two words of 64 bits: the key. */
export const KEY = take(PIECE * 16)
export const HASH = take(PIECE * 4)
/** First what the index has at the hash, then the offset of the slot; 0 no slot. */
export const SLOT = take(PIECE * 4)
/** Port of `a` in 16 bits, then TURNED (the source is end `b`) and PORTED (the protocol has ports). */
export const AUX = take(PIECE * 4)
export const TURNED_SHIFT = 16
export const PORTED_SHIFT = 17
/** Rows of the piece whose slot was not found at once. */
export const MISSES = take(PIECE * 4)
/** Rows of the piece that were taken on the way out. */
export const EGRESS_ROWS = take(PIECE * 4)

export const CLASSES = take(256)
export const RANKS = take(4 << 16)
export const SKEWS = take(MAX_EXPORTERS * 8)
export const RATES = take(MAX_EXPORTERS * 4)

// Columns of the batch.
export const EXPORTER = take(ROWS * 4)
export const FAMILY = take(ROWS)
export const SOURCE = take(ROWS * 4)
export const DESTINATION = take(ROWS * 4)
export const SOURCE_PORT = take(ROWS * 2)
export const DESTINATION_PORT = take(ROWS * 2)
export const PROTOCOL = take(ROWS)
export const TCP_FLAGS = take(ROWS)
export const BYTES = take(ROWS * 8)
export const PACKETS = take(ROWS * 8)
export const REVERSE_BYTES = take(ROWS * 8)
export const REVERSE_PACKETS = take(ROWS * 8)
export const START = take(ROWS * 8)
export const END = take(ROWS * 8)
export const SAMPLING = take(ROWS * 4)
export const DIRECTION = take(ROWS)

// Where a row belongs.
/** ms from the start of its window. */
export const ENDED = take(ROWS * 4)
export const BEGAN = take(ROWS * 4)
/** NOWHERE, or the window in the upper 8 bits, and STARTED (it has a start that is believed), PART (the record is counted elsewhere). */
export const MARK = take(ROWS * 4)
export const NOWHERE = -1
export const STARTED = 1
export const PART = 2
export const WINDOW_SHIFT = 24
/** Rows that are not wholly in the current window. */
export const ODD = take(BATCH_ROWS * 4)

export const INDEX = (end + 4095) & ~4095

/** The columns the kernel reads, with room for parts behind the rows of the batch. */
export type KernelColumns = Omit<FlowBatch, "length" | "ipv6" | "inputInterface" | "outputInterface">

export const kernelColumns = (memory: ArrayBuffer): KernelColumns => ({
  exporter: new Uint32Array(memory, EXPORTER, ROWS),
  family: new Uint8Array(memory, FAMILY, ROWS),
  source: new Uint32Array(memory, SOURCE, ROWS),
  destination: new Uint32Array(memory, DESTINATION, ROWS),
  sourcePort: new Uint16Array(memory, SOURCE_PORT, ROWS),
  destinationPort: new Uint16Array(memory, DESTINATION_PORT, ROWS),
  protocol: new Uint8Array(memory, PROTOCOL, ROWS),
  tcpFlags: new Uint8Array(memory, TCP_FLAGS, ROWS),
  bytes: new Float64Array(memory, BYTES, ROWS),
  packets: new Float64Array(memory, PACKETS, ROWS),
  reverseBytes: new Float64Array(memory, REVERSE_BYTES, ROWS),
  reversePackets: new Float64Array(memory, REVERSE_PACKETS, ROWS),
  start: new Float64Array(memory, START, ROWS),
  end: new Float64Array(memory, END, ROWS),
  sampling: new Uint32Array(memory, SAMPLING, ROWS),
  direction: new Uint8Array(memory, DIRECTION, ROWS)
})

/** A batch whose rows need not be copied to be folded. */
export const batchOver = (columns: KernelColumns): FlowBatch => {
  const batch: Record<string, unknown> = { ...makeFlowBatch(BATCH_ROWS) }
  for (const [name, column] of Object.entries(columns)) batch[name] = column.subarray(0, BATCH_ROWS)
  return batch as unknown as FlowBatch
}
