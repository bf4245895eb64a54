/** What the coach found wrong with an exporter. What to do about each stands in exporter-advice.ts. */
import { Schema } from "effect"

export const FindingCode = Schema.Literals([
  "one-direction",
  "active-timeout-long",
  "active-timeout-short",
  "sampling-missing",
  "sampling-differs",
  "clock-off",
  "clock-drift",
  "template-interval",
  "options-missing",
  "loss-network",
  "loss-here",
  "receive-buffer",
  "no-tcp-flags",
  "no-interfaces",
  "no-times",
  "no-direction",
  "no-ports",
  "fragments",
  "both-ways",
  "netflow5-limits"
])
export type FindingCode = typeof FindingCode.Type

export class ExporterFinding extends Schema.Class<ExporterFinding>("ExporterFinding")({
  code: FindingCode,
  severity: Schema.Literals(["info", "warning"]),
  /** What is wrong, with its figures: a sentence without its full stop. */
  text: Schema.String
}) {}
