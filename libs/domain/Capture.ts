/** Datagrams of one exporter, those that came lately and those that come, in a file that is kept for a while. */
import { Schema } from "effect"
import { LONGEST_CAPTURE_SECONDS, MOST_CAPTURED } from "./capture-limits.ts"
import { Count, ExporterId, Instant } from "./ids.ts"

export const CaptureId = Schema.String.check(Schema.isPattern(/^[0-9a-f]{16}$/)).pipe(Schema.brand("CaptureId"))
export type CaptureId = typeof CaptureId.Type

/** Name of a capture's file. */
export const CaptureFile = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{16}\.pcap$/, { description: "a capture's id and .pcap" })
)

/** running: waits for datagrams; ready: its file can be fetched; cancelled: there was none; failed: the file could not be written. */
export const CaptureState = Schema.Literals(["running", "ready", "cancelled", "failed"])

const Datagrams = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: MOST_CAPTURED }))

/** So many of the last datagrams, at once, and so many of the next ones within `seconds` (default 30). What is left out is 0. */
export const CaptureRequest = Schema.Struct({
  last: Schema.optionalKey(Datagrams),
  next: Schema.optionalKey(Datagrams),
  seconds: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: LONGEST_CAPTURE_SECONDS })))
}).check(
  Schema.makeFilter(({ last = 0, next = 0 }) => last + next > 0 || "asks for no datagram: last or next must be above 0", {
    description: "asks for at least one datagram"
  })
)
export type CaptureRequest = typeof CaptureRequest.Type

export class Capture extends Schema.Class<Capture>("Capture")({
  id: CaptureId,
  exporter: ExporterId,
  state: CaptureState,
  startedAt: Instant,
  /** When it ended, or has to end at the latest. */
  endsAt: Instant,
  /** Taken so far, and wanted at most: fewer may have come. */
  datagrams: Schema.Int,
  wanted: Schema.Int,
  /** Octets of the file; 0 while there is none. */
  octets: Count,
  /** When the file is removed; null while there is none. */
  expiresAt: Schema.NullOr(Instant)
}) {}
