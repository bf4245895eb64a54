/**
 * Reused columns of decoded flow records. A record is a row index, never an object (design.md, hot path rule).
 *
 * The decoder appends rows and moves `length`; whoever drains the batch sets `length` back to 0. Columns are never cleared: a
 * decoder writes every column of every row it appends.
 */

/** Rows of a batch. One 64 KiB datagram of 8-byte records (8,189 rows) fits; a decoder that runs out asks its `full` callback to drain. */
export const BATCH_ROWS = 8192

/** Address family of a row: no address in the record, IPv4 in `source`/`destination`, or IPv6 in `ipv6`. */
export const FAMILY_NONE = 0
export const FAMILY_IPV4 = 4
export const FAMILY_IPV6 = 6

/** `direction` when the record does not say (IE 61: 0 ingress, 1 egress). */
export const DIRECTION_UNKNOWN = 255

/** The largest UDP payload; and room for it with what may be read behind its last octet. */
export const MAX_DATAGRAM = 65_535
export const DATAGRAM_ROOM = MAX_DATAGRAM + 17
export const SCRATCH_ROOM = 256
/** Datagrams that are received together, each at a place of its own behind the first DATAGRAM_ROOM octets. Places do not begin at the same lines of a cache. */
export const RECEIVED_AT_ONCE = 64
export const RECEIVED_STRIDE = 65_536 + 1536
export const RECEIVE_ROOM = RECEIVED_AT_ONCE * RECEIVED_STRIDE
/** Behind the first octet of the room. */
export const receivedAt = (place: number): number => DATAGRAM_ROOM + place * RECEIVED_STRIDE

/** Memory that generated code (generate.ts) works in: it reads the datagram and writes columns. Byte offsets. */
export interface SharedMemory {
  readonly memory: WebAssembly.Memory
  readonly columns: ColumnOffsets
  /** DATAGRAM_ROOM octets, and then RECEIVE_ROOM where `receives`: what lies there is decoded where it is. */
  readonly datagram: number
  readonly receives: boolean
  /** SCRATCH_ROOM octets of the code's own. */
  readonly scratch: number
}

export interface FlowBatch {
  length: number
  /** Where the columns lie, when generated code can write them. */
  readonly shared?: SharedMemory
  /** Index of the exporter in the worker's exporter table. */
  readonly exporter: Uint32Array
  readonly family: Uint8Array
  /** IPv4 addresses as unsigned integers; 0 for other families. */
  readonly source: Uint32Array
  readonly destination: Uint32Array
  /** IPv6 addresses: row i has its source at byte 32·i and its destination at 32·i + 16. Stale where `family` is not 6. */
  readonly ipv6: Uint8Array
  readonly sourcePort: Uint16Array
  readonly destinationPort: Uint16Array
  readonly protocol: Uint8Array
  /** The low 8 bits of the cumulative TCP flags (FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128); 0 when unknown. */
  readonly tcpFlags: Uint8Array
  /** Octets of IP packets, and packets, as exported: not multiplied by the sampling rate. Of sFlow the sampled packet's IP length. */
  readonly bytes: Float64Array
  readonly packets: Float64Array
  /** Reverse elements of a biflow (RFC 5103), as exported. */
  readonly reverseBytes: Float64Array
  readonly reversePackets: Float64Array
  /** Flow start and end in ms since 1970 by the exporter's clock; 0 when the record has none (sFlow). */
  readonly start: Float64Array
  readonly end: Float64Array
  /** ifIndex; 0 unknown. */
  readonly inputInterface: Uint32Array
  readonly outputInterface: Uint32Array
  /** One of N packets was sampled: N. 1 unsampled, 0 when nothing was said. */
  readonly sampling: Uint32Array
  /** IE 61 flowDirection, or DIRECTION_UNKNOWN. */
  readonly direction: Uint8Array
}

/** Octets of a row in each column. */
const rowBytes = {
  exporter: 4,
  family: 1,
  source: 4,
  destination: 4,
  ipv6: 32,
  sourcePort: 2,
  destinationPort: 2,
  protocol: 1,
  tcpFlags: 1,
  bytes: 8,
  packets: 8,
  reverseBytes: 8,
  reversePackets: 8,
  start: 8,
  end: 8,
  inputInterface: 4,
  outputInterface: 4,
  sampling: 4,
  direction: 1
} as const satisfies Record<keyof Omit<FlowBatch, "length" | "shared">, number>
export type ColumnOffsets = Readonly<Record<keyof typeof rowBytes, number>>

/** Gives out stretches of a memory from `start` on. */
export const spaceFrom = (start: number): { readonly take: (bytes: number) => number; readonly end: () => number } => {
  let end = start
  return {
    take: (bytes) => {
      const at = end
      // Whole cache lines, and one more: columns of a power of two would all fall into the same sets of the cache.
      end += ((bytes + 63) & ~63) + 64
      return at
    },
    end: () => end
  }
}

/** Where datagrams may be received to be decoded. */
export const receiveRoom = (shared: SharedMemory | undefined): Uint8Array<ArrayBuffer> | undefined =>
  shared?.receives === true ? new Uint8Array(shared.memory.buffer, shared.datagram + DATAGRAM_ROOM, RECEIVE_ROOM) : undefined

export const placeColumns = (rows: number, take: (bytes: number) => number): ColumnOffsets => {
  const offsets: Record<string, number> = {}
  for (const [name, bytes] of Object.entries(rowBytes)) offsets[name] = take(rows * bytes)
  return offsets as ColumnOffsets
}

export const batchAt = (memory: ArrayBuffer, at: ColumnOffsets, rows: number, shared?: SharedMemory): FlowBatch => ({
  length: 0,
  exporter: new Uint32Array(memory, at.exporter, rows),
  family: new Uint8Array(memory, at.family, rows),
  source: new Uint32Array(memory, at.source, rows),
  destination: new Uint32Array(memory, at.destination, rows),
  ipv6: new Uint8Array(memory, at.ipv6, rows * 32),
  sourcePort: new Uint16Array(memory, at.sourcePort, rows),
  destinationPort: new Uint16Array(memory, at.destinationPort, rows),
  protocol: new Uint8Array(memory, at.protocol, rows),
  tcpFlags: new Uint8Array(memory, at.tcpFlags, rows),
  bytes: new Float64Array(memory, at.bytes, rows),
  packets: new Float64Array(memory, at.packets, rows),
  reverseBytes: new Float64Array(memory, at.reverseBytes, rows),
  reversePackets: new Float64Array(memory, at.reversePackets, rows),
  start: new Float64Array(memory, at.start, rows),
  end: new Float64Array(memory, at.end, rows),
  inputInterface: new Uint32Array(memory, at.inputInterface, rows),
  outputInterface: new Uint32Array(memory, at.outputInterface, rows),
  sampling: new Uint32Array(memory, at.sampling, rows),
  direction: new Uint8Array(memory, at.direction, rows),
  ...(shared === undefined ? {} : { shared })
})

/** A batch that generated code cannot write to: every record is interpreted. */
export const makeFlowBatch = (rows: number = BATCH_ROWS): FlowBatch => {
  const space = spaceFrom(0)
  const columns = placeColumns(rows, space.take)
  return batchAt(new ArrayBuffer(space.end()), columns, rows)
}

/** A batch in a memory of its own with the datagram that is decoded into it. Address space is dear: one of these takes gigabytes. */
export const makeSharedBatch = (rows: number = BATCH_ROWS, receives = false): FlowBatch => {
  const space = spaceFrom(64)
  const columns = placeColumns(rows, space.take)
  const shared = {
    columns,
    scratch: space.take(SCRATCH_ROOM),
    datagram: space.take(DATAGRAM_ROOM + (receives ? RECEIVE_ROOM : 0)),
    receives
  }
  const memory = new WebAssembly.Memory({ initial: Math.ceil(space.end() / 65_536) })
  return batchAt(memory.buffer, columns, rows, { ...shared, memory })
}
