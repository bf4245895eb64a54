/** Which warnings hold now: a pure function of what the parts report. When each began is the ledger's business. */
import { DateTime } from "effect"
import { type Exporter, exporterProtocolNames } from "#domain/Exporter.ts"
import type { StorageReading } from "#domain/Storage.ts"
import type { ActorEntry } from "#pipeline/actor/ActorEntry.ts"
import type { WarningCode } from "./warnings.ts"

export interface WarningInputs {
  /** ms since 1970 */
  readonly now: number
  readonly actors: ReadonlyArray<ActorEntry>
  readonly exporters: ReadonlyArray<Exporter>
  /** Flows of unapproved exporters are kept off the map. */
  readonly requireApproval: boolean
  readonly databaseReachable: boolean
  /** The database's own server, which is no actor; undefined where it runs elsewhere. */
  readonly databaseServer?:
    | { readonly since: number; readonly restarts: number; readonly lastFault: string | undefined }
    | undefined
  readonly diskFreeBytes: number
  readonly diskTotalBytes: number
  readonly storage: StorageReading
  /** What the flow workers say of themselves. */
  readonly flow: ReadonlyArray<RaisedWarning>
  /** Records the run before folded and never wrote; undefined when it stopped cleanly. */
  readonly uncleanStop: { readonly at: Date; readonly recordsLost: bigint } | undefined
}

export interface RaisedWarning {
  readonly code: WarningCode
  readonly subject: string | null
  readonly detail: string
  /** When it began, where that is known better than from when it was first told. */
  readonly since?: DateTime.Utc
}

/** A restart older than this is history: it stays beside the actor, not among the warnings. */
const recentRestartMs = 10 * 60_000
const skewWorthSayingMs = 30_000
const lowDiskShare = 0.1
const fullDiskBytes = 64 * 1024 ** 2

export const deriveWarnings = (inputs: WarningInputs): ReadonlyArray<RaisedWarning> => [
  ...system(inputs),
  ...inputs.actors.flatMap((actor) => ofActor(actor, inputs.now)),
  ...together(inputs.flow),
  ...approvals(inputs),
  ...inputs.exporters.filter(({ policy }) => policy.approval !== "blocked").flatMap(ofExporter)
]

const approvals = ({ exporters, requireApproval }: WarningInputs): ReadonlyArray<RaisedWarning> => {
  const waiting = requireApproval ? exporters.filter(({ policy, withheld }) => policy.approval === "new" && withheld > 0n) : []
  if (waiting.length === 0) return []
  const withheld = waiting.reduce((sum, one) => sum + one.withheld, 0n)
  const detail = `${waiting.length} exporter(s), ${withheld} flow records kept off the map`
  return [{ code: "exporters-unapproved", subject: null, detail }]
}

/** Three ports with one and the same trouble are one line. */
const together = (raised: ReadonlyArray<RaisedWarning>): ReadonlyArray<RaisedWarning> => {
  const groups = new Map<string, RaisedWarning>()
  for (const one of raised) {
    const key = `${one.code} ${one.detail}`
    const known = groups.get(key)
    const { code, detail } = one
    groups.set(
      key,
      known === undefined ? { code, subject: one.subject, detail } : { ...known, subject: `${known.subject}, ${one.subject}` }
    )
  }
  return [...groups.values()]
}

function* system(inputs: WarningInputs): Iterable<RaisedWarning> {
  if (!inputs.databaseReachable) yield { code: "database-away", subject: null, detail: "no answer within two seconds" }
  const server = inputs.databaseServer
  if (server !== undefined && server.restarts > 0 && inputs.now - server.since < recentRestartMs) {
    // its log ends with what it died of
    const why = server.lastFault?.trim().split("\n").at(-1) ?? "cause unknown"
    yield { code: "actor-restarted", subject: "database", detail: `${server.restarts} restart(s); last: ${why}` }
  }
  const free = `${gigabytes(inputs.diskFreeBytes)} of ${gigabytes(inputs.diskTotalBytes)} free`
  if (inputs.diskFreeBytes < fullDiskBytes) yield { code: "disk-full", subject: null, detail: free }
  else if (inputs.diskFreeBytes < inputs.diskTotalBytes * lowDiskShare && inputs.diskFreeBytes < 10 * 1024 ** 3) {
    yield { code: "disk-low", subject: null, detail: free }
  }
  yield* ofStorage(inputs.storage, inputs.now)
  if (inputs.uncleanStop !== undefined) {
    const { at, recordsLost } = inputs.uncleanStop
    yield {
      code: "unclean-stop",
      subject: null,
      detail: `last heard ${at.toISOString()}; ${recordsLost} flow records had been counted and were not yet written`
    }
  }
}

/** So long an operator should see that data went before its time. */
const forRoomMs = 24 * 3_600_000

function* ofStorage({ dropped, exhausted }: StorageReading, now: number): Iterable<RaisedWarning> {
  if (exhausted) yield { code: "storage-exhausted", subject: null, detail: "nothing is left in the database that may be dropped" }
  const gone = dropped.filter(({ at, why }) => why === "room" && now - DateTime.toEpochMillis(at) < forRoomMs)
  if (gone.length > 0) {
    const last = DateTime.formatIso(gone[0]!.at)
    yield { code: "dropped-for-room", subject: null, detail: `${gone.map(({ name }) => name).join(", ")}; the last at ${last}` }
  }
}

const ofActor = (actor: ActorEntry, now: number): ReadonlyArray<RaisedWarning> => {
  const why = actor.lastError?.message ?? "cause unknown"
  if (actor.state === "given-up") return [{ code: "actor-gave-up", subject: actor.path, detail: why }]
  if (actor.lastError !== null && now - actor.lastError.at < recentRestartMs && actor.restarts > 0) {
    return [{ code: "actor-restarted", subject: actor.path, detail: `${actor.restarts} restart(s); last: ${why}` }]
  }
  return []
}

const ofExporter = (exporter: Exporter): ReadonlyArray<RaisedWarning> => {
  const raised: Array<RaisedWarning> = []
  const subject = `${exporter.address} ${exporterProtocolNames[exporter.protocol]}`
  if (exporter.silentSince !== null && exporter.silenceAlarms) {
    const detail = `${exporter.name ?? exporter.address} was last heard ${DateTime.formatIso(exporter.silentSince)}`
    raised.push({ code: "exporter-silent", subject, detail, since: exporter.silentSince })
  }
  if (exporter.state === "waiting") raised.push({ code: "template-waiting", subject, detail: `${exporter.heldSets} set(s) held` })
  if (exporter.sequenceLost > 0n) {
    const unit = exporter.protocol === "netflow9" || exporter.protocol === "sflow5" ? "datagrams" : "flow records"
    raised.push({ code: "sequence-gaps", subject, detail: `${exporter.sequenceLost} ${unit} did not arrive` })
  }
  if (exporter.malformed > 0n) {
    const reasons = Object.entries(exporter.malformedReasons).map(([reason, count]) => `${reason} ${count}`)
    raised.push({ code: "malformed-datagrams", subject, detail: reasons.join(", ") })
  }
  if (exporter.clockSkewMs !== null && Math.abs(exporter.clockSkewMs) > skewWorthSayingMs) {
    const seconds = Math.round(Math.abs(exporter.clockSkewMs) / 1000)
    raised.push({ code: "clock-skew", subject, detail: `${seconds} s ${exporter.clockSkewMs > 0 ? "behind" : "ahead of"} ours` })
  }
  return raised
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
