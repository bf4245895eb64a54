/**
 * What leaves a flow worker: the conversations of one window, as columns. Typed arrays so that a slice crosses the thread boundary
 * by transfer, not by copy.
 *
 * A window of 5 minutes is written in *slices*: every `aggregation.flush_interval_seconds` the conversations seen since the last
 * slice leave the worker and are added to what the store has of that window. `(boot, worker, sequence)` names a slice, so writing
 * it twice is seen and refused.
 */

import type { ExporterProtocol } from "./Exporter.ts"

/** Families in `family`: 4 (addresses in `a`, `b` as integers) or 6 (`a`, `b` are indices of 16-byte addresses in `ipv6`). */
export interface WindowSlice {
  /** Names the process start (UUID), the worker and the slice: the idempotency key of the write. */
  readonly boot: string
  readonly worker: string
  readonly sequence: number
  /** Start of the window, ms since 1970, a multiple of `windowSeconds`. */
  readonly windowStart: number
  readonly windowSeconds: number
  /** True for the last slice of a window: later records for it are late and counted. */
  readonly final: boolean
  /** 1 normally; N when the worker kept one record of N under pressure (volumes already multiplied back). */
  readonly pressureSampling: number
  /** Records folded into this slice, with those that its exporters only said again: the account of every record. */
  readonly records: number
  readonly rows: number
  /** By the numbers of the `exporter` column. */
  readonly exporters: ReadonlyArray<SliceExporter>
  readonly ipv6: Uint8Array
  readonly columns: ConversationColumns
  /** Absent when no record said that it was taken on the way out. */
  readonly egress?: EgressColumns
}

/** Of some rows of the columns: the part that was reported on the way out (IE 61 flowDirection = 1). Volumes scaled by sampling. */
export interface EgressColumns {
  readonly row: Uint32Array
  readonly recordsAb: Float64Array
  readonly recordsBa: Float64Array
  readonly bytesAb: Float64Array
  readonly bytesBa: Float64Array
  readonly packetsAb: Float64Array
  readonly packetsBa: Float64Array
}

/** What a device sends by one protocol it may say again by another: two exporters at one address. */
export interface SliceExporter {
  /** Text form of the exporter's address (the agent address for sFlow). */
  readonly address: string
  /** Absent in slices that were spooled by a version that did not say it. */
  readonly protocol?: ExporterProtocol
  /** What is told of here was taken on the way out; only where a slice keeps that apart (resolve/collapse/echoes.ts). */
  readonly egress?: boolean
  /** What it said again from other interfaces (window/repeats.ts): in `records` of the slice, and in none of its rows. Octets scaled. */
  readonly repeats?: { readonly records: number; readonly bytes: number }
}

/**
 * One row per exporter and conversation, both directions joined. Ends are `a` and `b`; the order says nothing about who serves,
 * but it is a function of the two ends only, so both directions meet in one row.
 *
 * `folded` = 1: `b` + `bPort` is the end whose port is plainly a service (see window/fold), and the ports of `a` were folded together
 * (`aPort` is the first one seen, `aPorts` counts changes of it). `folded` = 0: `aPort` and `bPort` are exact.
 */
export interface ConversationColumns {
  readonly exporter: Uint32Array
  readonly family: Uint8Array
  readonly protocol: Uint8Array
  readonly folded: Uint8Array
  readonly a: Uint32Array
  readonly b: Uint32Array
  readonly aPort: Uint16Array
  readonly bPort: Uint16Array
  readonly aPorts: Uint32Array
  /** Records a→b and b→a. Of a record that spans windows, only the window of its end counts it; the others have their share of its volume. */
  readonly recordsAb: Uint32Array
  readonly recordsBa: Uint32Array
  /** Octets and packets multiplied by the sampling rate. */
  readonly bytesAb: Float64Array
  readonly bytesBa: Float64Array
  readonly packetsAb: Float64Array
  readonly packetsBa: Float64Array
  /** The same as exported, and the largest rate that was applied (1 = exact). */
  readonly rawBytes: Float64Array
  readonly rawPackets: Float64Array
  readonly sampling: Uint32Array
  /** OR of the TCP flags of each direction. */
  readonly flagsAb: Uint8Array
  readonly flagsBa: Uint8Array
  /**
   * Records whose flags hold SYN and not ACK, and earlier starts of two halves that hold a SYN each: their sender opened the connection
   * (RFC 9293 §3.5).
   */
  readonly synAb: Uint32Array
  readonly synBa: Uint32Array
  /** Records whose flags are SYN and ACK without FIN or PSH: their sender accepted (seen in packet samples). */
  readonly synAckAb: Uint32Array
  readonly synAckBa: Uint32Array
  /** Times one end began first when both directions of one connection were seen with start times, and flags say nothing. */
  readonly beganA: Uint32Array
  readonly beganB: Uint32Array
  /** First and last flow time, ms since 1970, corrected by the exporter's clock skew. */
  readonly first: Float64Array
  readonly last: Float64Array
}

/** Start of the window that holds `at` (ms since 1970). */
export const windowStartOf = (at: number, windowSeconds: number): number => {
  const span = windowSeconds * 1000
  return Math.floor(at / span) * span
}
