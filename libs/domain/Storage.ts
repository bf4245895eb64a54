/** What the database keeps, for how long, and what had to go. */
import { Schema } from "effect"
import { Count, Instant } from "./ids.ts"

/** One kind of rows that is kept by time. */
export class StorageClass extends Schema.Class<StorageClass>("StorageClass")({
  /** Table, which is also what the knob `retention.<name>_days` is named after. */
  name: Schema.String,
  keepDays: Schema.Int,
  partitions: Schema.Int,
  /** Begin of the oldest partition and end of the newest: made ahead, so that is in the future. */
  from: Schema.NullOr(Instant),
  until: Schema.NullOr(Instant),
  bytes: Count
}) {}

export const DroppedPartition = Schema.Struct({
  name: Schema.String,
  at: Instant,
  /** age: older than it is kept; room: the disk was nearly full, or the database larger than allowed. */
  why: Schema.Literals(["age", "room"])
})
export type DroppedPartition = typeof DroppedPartition.Type

export class StorageReading extends Schema.Class<StorageReading>("StorageReading")({
  classes: Schema.Array(StorageClass),
  /** Every hour and day before these is rolled up; null before the first. */
  hoursUpTo: Schema.NullOr(Instant),
  daysUpTo: Schema.NullOr(Instant),
  /** The last ones, newest first, since the appliance started. */
  dropped: Schema.Array(DroppedPartition),
  /** Octets that must stay free, and how large the database may become (0: as large as the disk). */
  reserveBytes: Schema.Number,
  mostBytes: Schema.Number,
  /** Room is needed and nothing is left that may go. */
  exhausted: Schema.Boolean
}) {}
