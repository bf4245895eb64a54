/** What an exporter is, from what is stored of it and what the flow workers count now. */
import { DateTime } from "effect"
import type { Address } from "#domain/Address.ts"
import { Exporter } from "#domain/Exporter.ts"
import { type ExporterTotals, exporterKey } from "../flow/FlowLedger.ts"

/**
 * Every stored exporter with the counters of this run; one that was not heard in this run is silent and keeps its last counters. An
 * exporter that was never stored yet (its first second) is left out: it has no id.
 */
export const exporterReadings = (
  stored: ReadonlyArray<Exporter>,
  heard: ReadonlyArray<ExporterTotals>
): ReadonlyArray<Exporter> => {
  const live = new Map(heard.map((totals) => [exporterKey(totals.address, totals.protocol), totals]))
  return stored.map((row) => {
    const now = live.get(exporterKey(row.address, row.protocol))
    return now === undefined
      ? new Exporter({ ...row, state: "silent", recordsPerSecond: 0 })
      : new Exporter({ ...row, ...countersOf(now) })
  })
}

const countersOf = (now: ExporterTotals) => ({
  address: now.address as Address,
  state: now.state,
  lastSeen: DateTime.makeUnsafe(now.lastSeen),
  datagrams: BigInt(now.datagrams),
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

const counts = (numbers: Readonly<Record<string, number>>): Readonly<Record<string, bigint>> =>
  Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, BigInt(value)]))
