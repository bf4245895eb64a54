/** Edges whose dependency is known, as KnownRows (pure). */
import { bitsOf, instant, mostAgainst, mostFanIn, signed, small, whole } from "../collapse/edge-fields.ts"
import type { Edge } from "../collapse/edges.ts"
import { addRow, column, type KnownRows, makeKnownRows, seenColumn } from "./KnownRows.ts"

export interface KnownStage {
  readonly rows: KnownRows
  /** `key` as in KnownRows. */
  readonly add: (key: number, edge: Edge) => void
}

/** For about so many edges. */
export const stageKnown = (expected: number): KnownStage => {
  const known = makeKnownRows(Math.min(expected, 65_536))
  const knownExporters = new Map<string, number>()

  function knownExporterOf(address: string): number {
    let number = knownExporters.get(address)
    if (number === undefined) knownExporters.set(address, (number = known.exporters.push(address) - 1))
    return number
  }

  function addKnown(key: number, edge: Edge) {
    const row = addRow(known.edges)
    const c = known.edges.columns
    c[column.key]![row] = key
    c[column.exporter]![row] = knownExporterOf(edge.exporter)
    c[column.flows]![row] = whole(edge.flows)
    c[column.toServer]![row] = whole(edge.bytesToServer)
    c[column.toClient]![row] = whole(edge.bytesToClient)
    c[column.packets]![row] = whole(edge.packets)
    const sampled = edge.sampling > 1
    c[column.rawBytes]![row] = sampled ? whole(edge.rawBytes) : whole(edge.bytesToServer) + whole(edge.bytesToClient)
    c[column.rawPackets]![row] = whole(sampled ? edge.rawPackets : edge.packets)
    c[column.sampling]![row] = sampled ? small(edge.sampling) : 1
    c[column.first]![row] = instant(edge.first)
    c[column.last]![row] = instant(edge.last)
    c[column.bits]![row] = bitsOf(edge)
    c[column.fanIn]![row] = Math.min(mostFanIn, small(edge.fanIn))
    c[column.fanInAgainst]![row] = Math.min(mostAgainst, small(edge.fanInAgainst))
    c[column.clientPorts]![row] = signed(edge.clientPorts)
    c[column.synForward]![row] = small(edge.synForward)
    c[column.synReverse]![row] = small(edge.synReverse)
    c[column.synAckForward]![row] = small(edge.synAckForward)
    c[column.synAckReverse]![row] = small(edge.synAckReverse)
    c[column.beganForward]![row] = small(edge.beganForward)
    c[column.beganReverse]![row] = small(edge.beganReverse)
    if (edge.exporterToClient !== edge.exporter) seeKnown(row, edge.exporterToClient, true, 0, edge.bytesToClient, 0)
    for (const seen of edge.observers) seeKnown(row, seen.exporter, false, seen.records, seen.bytes, seen.packets)
  }

  function seeKnown(row: number, exporter: string, owner: boolean, records: number, bytes: number, packets: number) {
    const at = addRow(known.observers)
    const c = known.observers.columns
    c[seenColumn.row]![at] = row
    c[seenColumn.exporter]![at] = knownExporterOf(exporter)
    c[seenColumn.owner]![at] = owner ? 1 : 0
    c[seenColumn.records]![at] = whole(records)
    c[seenColumn.bytes]![at] = whole(bytes)
    c[seenColumn.packets]![at] = whole(packets)
  }

  return { rows: known, add: addKnown }
}
