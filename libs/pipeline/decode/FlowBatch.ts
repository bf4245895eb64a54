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

export interface FlowBatch {
  length: number
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

export const makeFlowBatch = (rows: number = BATCH_ROWS): FlowBatch => ({
  length: 0,
  exporter: new Uint32Array(rows),
  family: new Uint8Array(rows),
  source: new Uint32Array(rows),
  destination: new Uint32Array(rows),
  ipv6: new Uint8Array(rows * 32),
  sourcePort: new Uint16Array(rows),
  destinationPort: new Uint16Array(rows),
  protocol: new Uint8Array(rows),
  tcpFlags: new Uint8Array(rows),
  bytes: new Float64Array(rows),
  packets: new Float64Array(rows),
  reverseBytes: new Float64Array(rows),
  reversePackets: new Float64Array(rows),
  start: new Float64Array(rows),
  end: new Float64Array(rows),
  inputInterface: new Uint32Array(rows),
  outputInterface: new Uint32Array(rows),
  sampling: new Uint32Array(rows),
  direction: new Uint8Array(rows)
})
