/** One normalised flow record, whatever protocol it came in: for people and programs, never for the hot path (FL-ING-06). */
import { Schema } from "effect"

const u32 = Schema.Int
export const FlowRecord = Schema.Struct({
  exporter: Schema.String,
  sourceAddress: Schema.NullOr(Schema.String),
  destinationAddress: Schema.NullOr(Schema.String),
  sourcePort: Schema.Int,
  destinationPort: Schema.Int,
  protocol: Schema.Int,
  bytes: Schema.Number,
  packets: Schema.Number,
  tcpFlags: Schema.Int,
  inputInterface: u32,
  outputInterface: u32,
  sourceAs: u32,
  destinationAs: u32,
  startMs: Schema.NullOr(Schema.Number),
  endMs: Schema.NullOr(Schema.Number),
  sampling: Schema.Int
})
export type FlowRecord = typeof FlowRecord.Type
