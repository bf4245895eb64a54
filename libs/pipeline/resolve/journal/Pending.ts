/**
 * Traffic of known dependencies between two folds: the rows of the journal, added up by window and dependency. What cannot be added to a
 * row (another owner, a sum that a double would not hold exactly) begins another list for the same window; lists are folded in order.
 */

import { bit, latestBits } from "../collapse/edge-fields.ts"
import { addRow, column, type KnownRows, makeKnownRows, seenColumn } from "./KnownRows.ts"

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

/** Whether no sum leaves what a double holds exactly. */
const fits = (to: Float64Array, from: Float64Array, places: Int32Array): boolean => {
  for (let i = 0; i < places.length; i++) if (places[i]! >= 0 && to[places[i]!]! + from[i]! > Number.MAX_SAFE_INTEGER) return false
  return true
}
const addTo = (to: Float64Array, from: Float64Array, places: Int32Array): void => {
  for (let i = 0; i < places.length; i++) to[places[i]!]! += from[i]!
}
const least = (to: Float64Array, from: Float64Array, places: Int32Array): void => {
  for (let i = 0; i < places.length; i++) if (from[i]! < to[places[i]!]!) to[places[i]!] = from[i]!
}
const most = (to: Float64Array, from: Float64Array, places: Int32Array): void => {
  for (let i = 0; i < places.length; i++) if (from[i]! > to[places[i]!]!) to[places[i]!] = from[i]!
}
const latest = (to: Float64Array, from: Float64Array, places: Int32Array): void => {
  for (let i = 0; i < places.length; i++) to[places[i]!] = from[i]!
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
  return sums.every((c) => fits(list.rows.edges.columns[c]!, rows.edges.columns[c]!, places)) ? places : undefined
}

/** `target`: from `placesIn`; afterwards no longer with new ones. Column by column: a loop of two arrays is quick. */
const merge = (list: List, rows: KnownRows, target: Int32Array): void => {
  const exporters = rows.exporters.map((address) => exporterNumber(list, address))
  const from = rows.edges.columns
  const edges = list.rows.edges
  for (let i = 0; i < target.length; i++) {
    if (target[i]! >= 0) continue
    const key = from[column.key]![i]!
    // two addresses of one asset are two rows of one dependency
    const known = list.rowOf.get(key)
    if (known !== undefined) {
      target[i] = known
      continue
    }
    const row = addRow(edges)
    list.rowOf.set(key, row)
    target[i] = row
    const to = edges.columns
    to[column.key]![row] = key
    to[column.exporter]![row] = exporters[from[column.exporter]![i]!]!
    to[column.sampling]![row] = from[column.sampling]![i]!
    to[column.first]![row] = Number.POSITIVE_INFINITY
    to[column.last]![row] = Number.NEGATIVE_INFINITY
  }
  const to = edges.columns
  for (const c of sums) addTo(to[c]!, from[c]!, target)
  least(to[column.first]!, from[column.first]!, target)
  most(to[column.last]!, from[column.last]!, target)
  most(to[column.fanIn]!, from[column.fanIn]!, target)
  latest(to[column.fanInAgainst]!, from[column.fanInAgainst]!, target)
  const [flows, sampling, bits] = [from[column.flows]!, from[column.sampling]!, from[column.bits]!]
  for (let i = 0; i < target.length; i++) {
    const row = target[i]!
    if (flows[i]! > 0) to[column.sampling]![row] = sampling[i]!
    to[column.bits]![row] = (to[column.bits]![row]! & ~replaced) | bits[i]!
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
    const columns = observers.columns
    columns[seenColumn.row]![at] = row
    columns[seenColumn.exporter]![at] = exporter
    columns[seenColumn.owner]![at] = owner
    for (const c of seenSums) columns[c]![at] = seen[c]![i]!
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
        list = { windowStart, rows: makeKnownRows(rows.edges.length), rowOf: new Map(), seenOf: new Map(), exporterOf: new Map() }
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
