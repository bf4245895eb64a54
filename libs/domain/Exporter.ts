/** Who sends flows, and how well we hear it. */
import { Schema } from "effect"
import { Address } from "./Address.ts"
import { ExporterFinding } from "./ExporterFinding.ts"
import { ExporterPolicy, undecided } from "./ExporterPolicy.ts"
import { Count, ExporterId, Instant } from "./ids.ts"

export const ExporterProtocol = Schema.Literals(["netflow5", "netflow9", "ipfix", "sflow5"])
export type ExporterProtocol = typeof ExporterProtocol.Type

export const exporterProtocolNames: Record<ExporterProtocol, string> = {
  netflow5: "NetFlow v5",
  netflow9: "NetFlow v9",
  ipfix: "IPFIX",
  sflow5: "sFlow v5"
}

/**
 * heard: a datagram within the silence limit; silent: none; waiting: heard, but data sets wait for their template; expected: added by hand
 * and never heard.
 */
export const ExporterState = Schema.Literals(["heard", "waiting", "silent", "expected"])
export type ExporterState = typeof ExporterState.Type

export class TemplateSummary extends Schema.Class<TemplateSummary>("TemplateSummary")({
  observationDomain: Schema.Int,
  templateId: Schema.Int,
  kind: Schema.Literals(["data", "options"]),
  protocol: ExporterProtocol,
  /** [enterprise, element, length] in order; 65535 is variable length (RFC 7011 §7). */
  fields: Schema.Array(Schema.Tuple([Schema.Int, Schema.Int, Schema.Int])),
  learnedAt: Instant
}) {}

/** An exporter is an address and a protocol: a router that sends NetFlow and sFlow is two. Counters are since the appliance started. */
export class Exporter extends Schema.Class<Exporter>("Exporter")({
  id: ExporterId,
  address: Address,
  protocol: ExporterProtocol,
  name: Schema.NullOr(Schema.String),
  state: ExporterState,
  firstSeen: Instant,
  lastSeen: Instant,
  datagrams: Count,
  octets: Count,
  records: Count,
  /** Records per second over the last minute. */
  recordsPerSecond: Schema.Number,
  /** Datagrams (v9, sFlow) or records (v5, IPFIX) that the exporter's own sequence numbers say we did not get. */
  sequenceLost: Count,
  sequenceResets: Count,
  malformed: Count,
  /** Malformed datagrams and sets by reason. */
  malformedReasons: Schema.Record(Schema.String, Count),
  /** Data sets waiting for their template now, and ever given up. */
  heldSets: Schema.Int,
  heldDropped: Count,
  templates: Schema.Int,
  /** What the exporter says: 0 nothing, 1 unsampled, N one of N; the largest seen. The policy's override is not in it. */
  sampling: Schema.Int,
  /** Arrival minus export time, ms, smoothed; null before the first datagram with a clock (sFlow has none). */
  clockSkewMs: Schema.NullOr(Schema.Number),
  observationDomains: Schema.Array(Schema.Int),
  /** Elements nobody knows here, "enterprise.element" → records. */
  unknownElements: Schema.Record(Schema.String, Count),
  policy: ExporterPolicy,
  /** Datagrams refused because it is blocked; records decoded and kept off the map because it is not approved. */
  blocked: Count,
  withheld: Count,
  /** Datagrams turned away because it sent more than its share. */
  overLimit: Count,
  /** Flow records in no window: for want of room, by sampling while the store lagged, because their window was closed. */
  recordsRefused: Count,
  recordsLeftOut: Count,
  recordsLate: Count,
  /** Flow records of traffic that was not let through, and those whose conversation was found inside a tunnel. */
  denied: Count,
  tunnelled: Count,
  /** Times its clock was set by more than a minute. */
  clockJumps: Count,
  /** Since when it is silent: its last datagram. Null while it is heard, blocked or only expected. */
  silentSince: Schema.NullOr(Instant),
  /** Its silence is an alarm: approved, or heard for long enough to be missed. */
  silenceAlarms: Schema.Boolean,
  /** What the coach says, worst first. */
  findings: Schema.Array(ExporterFinding)
}) {}

/** Counters of an exporter that was not heard in this run. */
export const nothingCounted = {
  blocked: 0n,
  withheld: 0n,
  overLimit: 0n,
  recordsRefused: 0n,
  recordsLeftOut: 0n,
  recordsLate: 0n,
  denied: 0n,
  tunnelled: 0n,
  clockJumps: 0n
}

/** One that sent nothing yet, but for who it is and since when. */
export const nothingHeard = {
  name: null,
  state: "expected",
  datagrams: 0n,
  octets: 0n,
  records: 0n,
  recordsPerSecond: 0,
  sequenceLost: 0n,
  sequenceResets: 0n,
  malformed: 0n,
  malformedReasons: {},
  heldSets: 0,
  heldDropped: 0n,
  templates: 0,
  sampling: 0,
  clockSkewMs: null,
  observationDomains: [],
  unknownElements: {},
  policy: undecided,
  ...nothingCounted,
  silentSince: null,
  silenceAlarms: false,
  findings: []
} as const

/** Of the last hour, a number a minute, oldest first; the last minute is the one that runs. */
export class ExporterHistory extends Schema.Class<ExporterHistory>("ExporterHistory")({
  id: ExporterId,
  /** Start of the first minute. */
  from: Instant,
  /** Null: not heard, or the appliance did not run. */
  records: Schema.Array(Schema.NullOr(Schema.Int)),
  lost: Schema.Array(Schema.NullOr(Schema.Int)),
  malformed: Schema.Array(Schema.NullOr(Schema.Int))
}) {}
