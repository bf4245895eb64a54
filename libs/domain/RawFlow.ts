/** Single flow records, as exported, kept only where `flow_raw.keep` is on. */
import { Schema } from "effect"
import { Address } from "./Address.ts"
import { Count, Instant } from "./ids.ts"

export class RawFlow extends Schema.Class<RawFlow>("RawFlow")({
  /** Of the record, growing in the order of arrival. */
  id: Count,
  received: Instant,
  exporter: Address,
  /** Begin and end by the record's own times, corrected by the exporter's clock skew; `received` where it has none. */
  start: Instant,
  end: Instant,
  source: Schema.NullOr(Address),
  destination: Schema.NullOr(Address),
  sourcePort: Schema.Int,
  destinationPort: Schema.Int,
  protocol: Schema.Int,
  tcpFlags: Schema.Int,
  /** As exported, not scaled. A biflow's other direction stands in `reverse…`. */
  octets: Count,
  packets: Count,
  reverseOctets: Count,
  reversePackets: Count,
  /** 0 nothing said, 1 unsampled, N one of N. */
  sampling: Schema.Int,
  inputInterface: Schema.Int,
  outputInterface: Schema.Int
}) {}

/** Every term must hold. Newest first; `after` is the `next` of the page before. */
export const RawFlowQuery = Schema.Struct({
  /** An address or network that is source or destination. */
  host: Schema.optionalKey(Schema.String),
  /** The other end of it. */
  peer: Schema.optionalKey(Schema.String),
  /** Source or destination port. */
  port: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))),
  protocol: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))),
  exporter: Schema.optionalKey(Schema.String),
  /** By arrival. */
  from: Schema.optionalKey(Instant),
  to: Schema.optionalKey(Instant),
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))),
  after: Schema.optionalKey(Schema.String)
})
export type RawFlowQuery = typeof RawFlowQuery.Type

/** `searchedTo`: how far back a search came before its time was up; ask on with it as `to`. Null: to the oldest record. */
export const RawFlowPage = Schema.Struct({
  /** False: `flow_raw.keep` is off, and nothing is left of before. */
  kept: Schema.Boolean,
  items: Schema.Array(RawFlow),
  next: Schema.optionalKey(Schema.String),
  searchedTo: Schema.NullOr(Instant)
})
export type RawFlowPage = typeof RawFlowPage.Type
