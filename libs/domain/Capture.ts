/** Datagrams of one exporter, taken as they come and kept in a file for a while. */
import { Schema } from "effect"
import { Count, ExporterId, Instant } from "./ids.ts"

export const CaptureId = Schema.String.check(Schema.isPattern(/^[0-9a-f]{16}$/)).pipe(Schema.brand("CaptureId"))
export type CaptureId = typeof CaptureId.Type

/** Name of a capture's file. */
export const CaptureFile = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{16}\.pcap$/, { description: "a capture's id and .pcap" })
)

/** running: waits for datagrams; ready: its file can be fetched; cancelled before it had one; failed: the file could not be written. */
export const CaptureState = Schema.Literals(["running", "ready", "cancelled", "failed"])

export const MOST_CAPTURED = 1000
export const LONGEST_CAPTURE_SECONDS = 60

export const CaptureRequest = Schema.Struct({
  datagrams: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MOST_CAPTURED })),
  seconds: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: LONGEST_CAPTURE_SECONDS }))
})
export type CaptureRequest = typeof CaptureRequest.Type

export class Capture extends Schema.Class<Capture>("Capture")({
  id: CaptureId,
  exporter: ExporterId,
  state: CaptureState,
  startedAt: Instant,
  /** When it ended, or has to end at the latest. */
  endsAt: Instant,
  /** Taken so far, and wanted. */
  datagrams: Schema.Int,
  wanted: Schema.Int,
  /** Octets of the file. */
  octets: Count,
  /** When the file is removed; null while there is none. */
  expiresAt: Schema.NullOr(Instant)
}) {}
