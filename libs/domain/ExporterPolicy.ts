/** What people decide about an exporter: whether it is let in, which sampling rate counts, when its silence is an alarm. */
import { Schema } from "effect"
import { Instant } from "./ids.ts"

/** new: heard and not yet decided on; approved: its flows become the map; blocked: its datagrams are refused and counted. */
export const Approval = Schema.Literals(["new", "approved", "blocked"])
export type Approval = typeof Approval.Type

/** replaces: whatever the exporter says; only-unsaid: where record, header and options data say nothing. */
export const SamplingMode = Schema.Literals(["replaces", "only-unsaid"])
export type SamplingMode = typeof SamplingMode.Type

/** One of `rate` packets was sampled; 1 is unsampled. */
export const SamplingOverride = Schema.Struct({
  rate: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4_294_967_295 })),
  mode: SamplingMode
})
export type SamplingOverride = typeof SamplingOverride.Type

export const SilenceSeconds = Schema.Int.check(Schema.isBetween({ minimum: 10, maximum: 604_800 }))

export class ExporterPolicy extends Schema.Class<ExporterPolicy>("ExporterPolicy")({
  approval: Approval,
  /** Who decided last, and when; null while nobody has. */
  decidedBy: Schema.NullOr(Schema.String),
  decidedAt: Schema.NullOr(Instant),
  sampling: Schema.NullOr(SamplingOverride),
  /** Null: `exporters.silence_seconds`. */
  silenceSeconds: Schema.NullOr(SilenceSeconds),
  /** Its silence is a health warning. */
  silentAlarm: Schema.Boolean
}) {}

export const undecided = new ExporterPolicy({
  approval: "new",
  decidedBy: null,
  decidedAt: null,
  sampling: null,
  silenceSeconds: null,
  silentAlarm: true
})

export const ExporterName = Schema.String.check(Schema.isTrimmed(), Schema.isMinLength(1), Schema.isMaxLength(128))

/** What is left out stays; null puts a setting back to its default. */
export const ExporterChange = Schema.Struct({
  name: Schema.optionalKey(Schema.NullOr(ExporterName)),
  approval: Schema.optionalKey(Approval),
  sampling: Schema.optionalKey(Schema.NullOr(SamplingOverride)),
  silenceSeconds: Schema.optionalKey(Schema.NullOr(SilenceSeconds)),
  silentAlarm: Schema.optionalKey(Schema.Boolean)
})
export type ExporterChange = typeof ExporterChange.Type
