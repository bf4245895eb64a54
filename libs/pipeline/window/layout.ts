/**
 * Where things lie in the memory that the kernel (kernel.ts) and JavaScript share: byte offsets. The batch is at a fixed place, so that the
 * decoder writes where the kernel reads; slots come last, and pages that were never touched take no memory.
 */
import {
  BATCH_ROWS,
  batchAt,
  type ColumnOffsets,
  DATAGRAM_ROOM,
  type FlowBatch,
  placeColumns,
  RECEIVE_ROOM,
  SCRATCH_ROOM,
  spaceFrom
} from "../decode/FlowBatch.ts"

/** Rows of one piece: their slots of 128 bytes fit a first-level cache. */
export const PIECE = 256
/** Rows that records which span windows are cut into, beside those of the batch. */
export const PART_ROWS = 2048
const ROWS = BATCH_ROWS + PART_ROWS
/** An index entry: the number of a slot, and above it what fits of the hash. */
export const SLOT_BITS = 21
export const SLOT_MASK = (1 << SLOT_BITS) - 1
/** Exporters and open windows that a key has bits for (slot.ts). */
export const MAX_EXPORTERS = 4096
export const MAX_WINDOWS = 255

const { end, take } = spaceFrom(64)

/** What a routine has to say beside its result: of the rows that were placed, or of the piece. */
export const SAID = take(64)
export const SAID_SIXES = SAID
export const SAID_NO_ADDRESS = SAID + 4
export const SAID_EGRESS = SAID + 8
export const SAID_TOUCHED = SAID + 12
export const SAID_NOWHERE = SAID + 16

/** Of each window: number of its next free slot, and the number it must not reach. */
export const WINDOWS = take((MAX_WINDOWS + 1) * 8)

// Of each row of a piece.
/** Two words of 64 bits: the key. */
export const KEY = take(PIECE * 16)
export const HASH = take(PIECE * 4)
/** Class of the protocol in the upper 16 bits, plus the rank of the source port less that of the destination port; 0 without ports. */
export const STANDING = take(PIECE * 4)
/** First what the index has at the hash, then the offset of the slot; 0 no slot. */
export const SLOT = take(PIECE * 4)
/** Port of `a` in 16 bits, then TURNED (the source is end `b`) and PORTED (the protocol has ports). */
export const AUX = take(PIECE * 4)
export const TURNED_SHIFT = 16
export const PORTED_SHIFT = 17
/** Rows of the piece whose slot was not found at once. */
export const MISSES = take(PIECE * 4)
/** Rows of the piece that were taken on the way out; SAID_EGRESS says how many. */
export const EGRESS_ROWS = take(PIECE * 4)

export const CLASSES = take(256)
/** Of all TCP flags: what they tell (kernel-add.ts). */
export const TELLS = take(256)
/** What a record adds to the words from RECORDS to LAST, for each direction. */
export const COUNTS = take(32)
export const RANKS = take(4 << 16)
export const SKEWS = take(MAX_EXPORTERS * 8)
export const RATES = take(MAX_EXPORTERS * 4)

/** Columns of the batch, with room for parts behind its rows. */
export const COLUMN = placeColumns(ROWS, take)
/** Those of a batch that is somewhere else; IPv6 addresses are interned from where they are. */
export const COPIED = (Object.keys(COLUMN) as ReadonlyArray<keyof ColumnOffsets>).filter((name) => name !== "ipv6")
// The decoder's.
const DATAGRAM = take(DATAGRAM_ROOM + RECEIVE_ROOM)
const SCRATCH = take(SCRATCH_ROOM)

// Where a row belongs.
/** ms from the start of its window. */
export const ENDED = take(ROWS * 4)
export const BEGAN = take(ROWS * 4)
/**
 * When it began, by the exporter's own clock, where it is marked STARTED: the halves of a connection come in different datagrams, between which
 * the measure of its skew may change.
 */
export const OWN = take(ROWS * 4)
/** NOWHERE, or the window in the upper 8 bits, and STARTED (it has a start that is believed), PART (the record is counted elsewhere). */
export const MARK = take(ROWS * 4)
export const NOWHERE = -1
export const STARTED = 1
export const PART = 2
export const WINDOW_SHIFT = 24
/** Rows that are not wholly in the current window. */
export const ODD = take(BATCH_ROWS * 4)
/** Rows with IPv6 addresses. */
export const SIX = take(BATCH_ROWS * 4)

export const INDEX = (end() + 4095) & ~4095

/** The columns with room for parts, and the batch that is decoded into: its rows need not be copied to be folded. */
export const columnsIn = (memory: WebAssembly.Memory): FlowBatch => batchAt(memory.buffer, COLUMN, ROWS)
export const batchIn = (memory: WebAssembly.Memory): FlowBatch =>
  batchAt(memory.buffer, COLUMN, BATCH_ROWS, { memory, columns: COLUMN, datagram: DATAGRAM, receives: true, scratch: SCRATCH })

/** What the kernel says of the rows of a piece, for JavaScript. */
export interface Piece {
  readonly slot: Int32Array
  readonly aux: Int32Array
  readonly misses: Int32Array
  readonly egress: Int32Array
}
export const pieceIn = ({ buffer }: WebAssembly.Memory): Piece => ({
  slot: new Int32Array(buffer, SLOT, PIECE),
  aux: new Int32Array(buffer, AUX, PIECE),
  misses: new Int32Array(buffer, MISSES, PIECE),
  egress: new Int32Array(buffer, EGRESS_ROWS, PIECE)
})
