/** What the appliance knows about itself: the supervision tree, warnings, and the public verdict. */
import { Schema } from "effect"
import { Count, Instant } from "./ids.ts"
import { StorageReading } from "./Storage.ts"

export const ActorState = Schema.Literals(["starting", "running", "restarting", "given-up", "stopped"])
export type ActorState = typeof ActorState.Type

export const MailboxPolicy = Schema.Literals(["refuse", "slide", "wait"])
export type MailboxPolicy = typeof MailboxPolicy.Type

export class MailboxReading extends Schema.Class<MailboxReading>("MailboxReading")({
  name: Schema.String,
  policy: MailboxPolicy,
  capacity: Schema.Int,
  depth: Schema.Int,
  offered: Count,
  refused: Count
}) {}

/** One actor. `path` is its place in the tree, e.g. `flow/worker-1/udp:2055`; parents are the prefixes. */
export class ActorReading extends Schema.Class<ActorReading>("ActorReading")({
  path: Schema.String,
  state: ActorState,
  since: Instant,
  restarts: Schema.Int,
  lastError: Schema.NullOr(Schema.Struct({ message: Schema.String, at: Instant })),
  mailbox: Schema.NullOr(MailboxReading),
  /** Free numbers of the actor, e.g. `datagrams`, `kernelDropped`, `conversations`. */
  gauges: Schema.Record(Schema.String, Schema.Number)
}) {}

export const Severity = Schema.Literals(["info", "warning", "critical"])
export type Severity = typeof Severity.Type

/** A condition of the appliance itself. `code` is stable: docs/troubleshoot.md has a section of that name. */
export class HealthWarning extends Schema.Class<HealthWarning>("HealthWarning")({
  code: Schema.String,
  severity: Severity,
  title: Schema.String,
  /** What is wrong, with its figures. */
  detail: Schema.String,
  /** What to do. */
  hint: Schema.String,
  since: Instant,
  /** Actor or exporter it is about, if any. */
  subject: Schema.NullOr(Schema.String)
}) {}

export const HealthStatus = Schema.Literals(["healthy", "degraded", "unhealthy"])

/** Accounts for every datagram: received = decoded + malformed + refused + failed, each by reason elsewhere. */
export class FlowAccount extends Schema.Class<FlowAccount>("FlowAccount")({
  datagrams: Count,
  records: Count,
  malformed: Count,
  /** Refused by a full mailbox or by pressure sampling. */
  refused: Count,
  /** Dropped by the kernel before the socket was read. */
  kernelDropped: Count,
  /** Lost to an exception inside a worker part that was restarted. */
  failed: Count,
  late: Count,
  /** Records that were folded into an open window and lost with it: a worker that died, or a hard stop of the run before. */
  lostOpenSlices: Count
}) {}

/** Closed slices of windows between a flow worker and the database. */
export class SpoolState extends Schema.Class<SpoolState>("SpoolState")({
  files: Schema.Int,
  /** Octets of those and of what was set aside, and how many there may be. */
  bytes: Schema.Number,
  limitBytes: Schema.Number,
  /** Files that could not be read or written, kept for people to look at. */
  setAside: Schema.Int,
  /** Not written yet, on disk or in memory. */
  waitingSlices: Schema.Int,
  waitingWindows: Schema.Int,
  waitingRecords: Count,
  memoryBytes: Schema.Number,
  oldestSeconds: Schema.NullOr(Schema.Number),
  /** Left by an earlier start and written since this one. */
  replayedSlices: Schema.Int,
  replayedRecords: Count,
  /** Records of slices that were set aside since the start. */
  lostRecords: Count,
  /** Transactions, and slices in them: several slices of a window are merged. */
  writes: Schema.Int,
  writtenSlices: Schema.Int
}) {}

export class HealthDetail extends Schema.Class<HealthDetail>("HealthDetail")({
  status: HealthStatus,
  version: Schema.String,
  startedAt: Instant,
  actors: Schema.Array(ActorReading),
  warnings: Schema.Array(HealthWarning),
  flow: FlowAccount,
  spool: Schema.optionalKey(SpoolState),
  database: Schema.Struct({
    reachable: Schema.Boolean,
    embedded: Schema.Boolean,
    roundTripMs: Schema.NullOr(Schema.Number),
    sizeBytes: Schema.NullOr(Count),
    version: Schema.NullOr(Schema.String)
  }),
  storage: StorageReading,
  memoryBytes: Schema.Number,
  /** Free and total octets of the file system that holds the data folder. */
  disk: Schema.Struct({ freeBytes: Schema.Number, totalBytes: Schema.Number })
}) {}

/** `/health`, public: no addresses, no names. */
export class PublicHealth extends Schema.Class<PublicHealth>("PublicHealth")({
  status: HealthStatus,
  version: Schema.String,
  uptimeSeconds: Schema.Int,
  checks: Schema.Record(Schema.String, Schema.Literals(["pass", "warn", "fail"]))
}) {}
