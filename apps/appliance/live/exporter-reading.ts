/** What an exporter is, from what is stored of it, what the flow workers count now, and what the coach makes of that. */
import { DateTime } from "effect"
import type { Address } from "#domain/Address.ts"
import { coach } from "#domain/coach.ts"
import { Exporter, nothingCounted } from "#domain/Exporter.ts"
import type { ListenerReading } from "#pipeline/ingest/UdpListener.ts"
import { silenceAlarms, silentSince } from "../exporters/silence.ts"
import { type ExporterTotals, exporterKey } from "../flow/FlowLedger.ts"

export interface ExporterKnobs {
  readonly silenceSeconds: number
  readonly windowSeconds: number
  readonly requireApproval: boolean
}

export interface ExporterSurroundings extends Omit<ExporterKnobs, "requireApproval"> {
  /** ms since 1970 */
  readonly now: number
  readonly startedAt: number
  readonly listeners: ReadonlyArray<ListenerReading>
}

/**
 * Every stored exporter with the counters of this run; one that was not heard in this run keeps its last counters. An exporter that was
 * never stored yet (its first second) is left out: it has no id.
 */
export const exporterReadings = (
  stored: ReadonlyArray<Exporter>,
  heard: ReadonlyArray<ExporterTotals>,
  around: ExporterSurroundings
): ReadonlyArray<Exporter> => {
  const live = new Map(heard.map((totals) => [exporterKey(totals.address, totals.protocol), totals]))
  const open = around.listeners.filter((listener) => listener.bufferGranted > 0)
  const buffer = {
    bufferAsked: Math.max(0, ...open.map((listener) => listener.bufferAsked)),
    bufferGranted: open.length === 0 ? 0 : Math.min(...open.map((listener) => listener.bufferGranted))
  }
  return stored.map((row) => {
    const now = live.get(exporterKey(row.address, row.protocol))
    // a blocked one is known to the workers by the datagrams they refuse, and was not heard
    const counted = now === undefined || now.datagrams === 0 ? undefined : now
    const since = silentSince({
      exporter: row,
      heardAt: counted?.lastSeen,
      now: around.now,
      startedAt: around.startedAt,
      defaultSeconds: around.silenceSeconds
    })
    const state = since !== null ? "silent" : (counted?.state ?? row.state)
    const one = {
      ...row,
      ...(counted === undefined ? { recordsPerSecond: 0 } : countersOf(counted)),
      ...nothingCounted,
      ...(now === undefined ? {} : countedHere(now)),
      // the workers judge by one limit for all
      state: state === "silent" && since === null ? ("heard" as const) : state,
      silentSince: since === null ? null : DateTime.makeUnsafe(since)
    }
    return new Exporter({
      ...one,
      silenceAlarms: silenceAlarms(one),
      findings:
        counted === undefined || row.policy.approval === "blocked"
          ? []
          : coach({
              protocol: row.protocol,
              measures: counted.measures,
              sampling: counted.sampling,
              override: row.policy.sampling,
              clockSkewMs: counted.clockSkewMs,
              windowSeconds: around.windowSeconds,
              ...buffer
            })
    })
  })
}

const countersOf = (now: ExporterTotals) => ({
  address: now.address as Address,
  state: now.state,
  lastSeen: DateTime.makeUnsafe(now.lastSeen),
  datagrams: BigInt(now.datagrams),
  octets: BigInt(now.octets),
  records: BigInt(now.records),
  recordsPerSecond: now.recordsPerSecond,
  sequenceLost: BigInt(now.sequenceLost),
  sequenceResets: BigInt(now.sequenceResets),
  malformed: BigInt(now.malformed),
  malformedReasons: counts(now.malformedReasons),
  heldSets: now.heldSets,
  heldDropped: BigInt(now.heldDropped),
  templates: now.templates,
  sampling: now.sampling,
  clockSkewMs: now.clockSkewMs,
  observationDomains: now.observationDomains,
  unknownElements: counts(now.unknownElements)
})

/** Those that are told of an exporter all of whose datagrams were turned away, too. */
const countedHere = (now: ExporterTotals) =>
  Object.fromEntries(
    (Object.keys(nothingCounted) as Array<keyof typeof nothingCounted>).map((name) => [name, BigInt(now[name])])
  ) as typeof nothingCounted

const counts = (numbers: Readonly<Record<string, number>>): Readonly<Record<string, bigint>> =>
  Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, BigInt(value)]))
