/**
 * Traffic of known dependencies between two folds: the rows of the journal, added up by window and dependency. What cannot be added to a
 * row (another owner, a sum that a double would not hold exactly) begins another list for the same window; lists are folded in order.
 */

import { bit, latestBits } from "../collapse/edge-fields.ts"
import { addRow, column, columnCount, type KnownRows, makeKnownRows, seenColumn } from "./KnownRows.ts"

export interface PendingWindow {
  readonly windowStart: number
  readonly rows: KnownRows
}

export interface Pending {
  readonly windows: ReadonlyArray<PendingWindow>
  readonly size: () => number
  readonly add: (windowStart: number, rows: KnownRows) => void
  readonly clear: () => void
}

interface List extends PendingWindow {
  readonly rowOf: Map<number, number>
  readonly seenOf: Map<number, number>
  readonly exporterOf: Map<string, number>
}

/** Fields of `bits` of which the latest stand; the others are flags that stay. */
const replaced = latestBits | bit.declared
/** Columns that are added up. */
const sums = [
  column.flows,
  column.toServer,
  column.toClient,
  column.packets,
  column.rawBytes,
  column.rawPackets,
  column.clientPorts,
  column.synForward,
  column.synReverse,
  column.synAckForward,
  column.synAckReverse,
  column.beganForward,
  column.beganReverse
]
const seenSums = [seenColumn.records, seenColumn.bytes, seenColumn.packets]

const exporterNumber = (list: List, address: string): number => {
  let number = list.exporterOf.get(address)
  if (number === undefined) list.exporterOf.set(address, (number = list.rows.exporters.push(address) - 1))
  return number
}

/** Row of the list that each of `rows` is added to, -1 for a new one. Undefined: not all of them can be added. */
const placesIn = (list: List, rows: KnownRows): Int32Array | undefined => {
  const places = new Int32Array(rows.edges.length)
  const keys = rows.edges.columns[column.key]!
  for (let i = 0; i < places.length; i++) places[i] = list.rowOf.get(keys[i]!) ?? -1
  const exporters = rows.exporters.map((address) => exporterNumber(list, address))
  const owners = rows.edges.columns[column.exporter]!
  const known = list.rows.edges.columns[column.exporter]!
  for (let i = 0; i < places.length; i++) if (places[i]! >= 0 && known[places[i]!] !== exporters[owners[i]!]) return undefined
  for (const c of sums) {
    const from = rows.edges.columns[c]!
    const to = list.rows.edges.columns[c]!
    for (let i = 0; i < places.length; i++)
      if (places[i]! >= 0 && to[places[i]!]! + from[i]! > Number.MAX_SAFE_INTEGER) return undefined
  }
  return places
}

/** `target`: from `placesIn`; afterwards no longer with new ones. */
const merge = (list: List, rows: KnownRows, target: Int32Array): void => {
  const exporters = rows.exporters.map((address) => exporterNumber(list, address))
  const from = rows.edges.columns
  const edges = list.rows.edges
  for (let i = 0; i < rows.edges.length; i++) {
    const key = from[column.key]![i]!
    // two addresses of one asset are two rows of one dependency
    const known = target[i]! >= 0 ? target[i] : list.rowOf.get(key)
    if (known === undefined) {
      const row = addRow(edges)
      list.rowOf.set(key, row)
      target[i] = row
      for (let c = 0; c < columnCount; c++) edges.columns[c]![row] = from[c]![i]!
      edges.columns[column.exporter]![row] = exporters[from[column.exporter]![i]!]!
      continue
    }
    target[i] = known
    const to = edges.columns
    for (const c of sums) to[c]![known]! += from[c]![i]!
    if (from[column.flows]![i]! > 0) to[column.sampling]![known] = from[column.sampling]![i]!
    if (from[column.first]![i]! < to[column.first]![known]!) to[column.first]![known] = from[column.first]![i]!
    if (from[column.last]![i]! > to[column.last]![known]!) to[column.last]![known] = from[column.last]![i]!
    if (from[column.fanIn]![i]! > to[column.fanIn]![known]!) to[column.fanIn]![known] = from[column.fanIn]![i]!
    to[column.fanInAgainst]![known] = from[column.fanInAgainst]![i]!
    to[column.bits]![known] = (to[column.bits]![known]! & ~replaced) | from[column.bits]![i]!
  }
  const seen = rows.observers.columns
  const observers = list.rows.observers
  for (let i = 0; i < rows.observers.length; i++) {
    const row = target[seen[seenColumn.row]![i]!]!
    const exporter = exporters[seen[seenColumn.exporter]![i]!]!
    const owner = seen[seenColumn.owner]![i]!
    const key = (row * 65_536 + exporter) * 2 + owner
    const known = list.seenOf.get(key)
    if (known !== undefined) {
      for (const c of seenSums) observers.columns[c]![known]! += seen[c]![i]!
      continue
    }
    const at = addRow(observers)
    list.seenOf.set(key, at)
    const to = observers.columns
    to[seenColumn.row]![at] = row
    to[seenColumn.exporter]![at] = exporter
    to[seenColumn.owner]![at] = owner
    for (const c of seenSums) to[c]![at] = seen[c]![i]!
  }
}

export const makePending = (): Pending => {
  let windows: Array<List> = []
  return {
    get windows() {
      return windows
    },
    size: () => windows.reduce((sum, window) => sum + window.rows.edges.length, 0),
    add: (windowStart, rows) => {
      if (rows.edges.length === 0) return
      let list = windows.findLast((one) => one.windowStart === windowStart)
      let places = list === undefined ? undefined : placesIn(list, rows)
      if (list === undefined || places === undefined) {
        list = { windowStart, rows: makeKnownRows(), rowOf: new Map(), seenOf: new Map(), exporterOf: new Map() }
        windows.push(list)
        // oldest window first; lists of one window in the order they came
        windows.sort((one, other) => one.windowStart - other.windowStart)
        places = new Int32Array(rows.edges.length).fill(-1)
      }
      merge(list, rows, places)
    },
    clear: () => {
      windows = []
    }
  }
}
