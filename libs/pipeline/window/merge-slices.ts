/**
 * Slices of one window, of all workers and boots, as one: exporters and IPv6 addresses numbered anew, rows of the same exporter and
 * conversation joined. Sums are exact (whole numbers below 2⁵³). What is found by looking at a slice as a whole, duplicates and echoes, is
 * then found across slices.
 *
 * The ends of an exact conversation (`folded` = 0) are in order of their numbers, and IPv6 addresses are numbered by each slice in its own
 * way: such a row is turned round where the new numbers say otherwise.
 */
import type { ConversationColumns, EgressColumns, SliceExporter, WindowSlice } from "#domain/Window.ts"
import { emptyEgress } from "./egress.ts"
import { emptyColumns } from "./emit-columns.ts"
import { makeIpv6Interner, wordsOf } from "./ipv6-interner.ts"

type Name = keyof ConversationColumns

/** Hash of a key. `seed` keeps senders from choosing addresses that collide. */
const hashKey = (seed: number, a: number, b: number, ports: number, meta: number): number => {
  let hash = Math.imul(a ^ seed, 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 15) ^ b, 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13) ^ ports, 0xc2b2ae35)
  hash = Math.imul(hash ^ (hash >>> 16) ^ meta, 0x27d4eb2f)
  return hash ^ (hash >>> 15)
}

/** What becomes of a column when rows are joined; every column stands here once. `key`: equal, or set with the key. */
const rules: Record<Name, "key" | "add" | "or" | "least" | "most"> = {
  exporter: "key",
  family: "key",
  protocol: "key",
  folded: "key",
  a: "key",
  b: "key",
  aPort: "key",
  bPort: "key",
  aPorts: "add",
  recordsAb: "add",
  recordsBa: "add",
  bytesAb: "add",
  bytesBa: "add",
  packetsAb: "add",
  packetsBa: "add",
  rawBytes: "add",
  rawPackets: "add",
  sampling: "most",
  flagsAb: "or",
  flagsBa: "or",
  synAb: "add",
  synBa: "add",
  synAckAb: "add",
  synAckBa: "add",
  beganA: "add",
  beganB: "add",
  first: "least",
  last: "most"
}

/** The column that takes this one's place when the ends change places: `bytesAb` ↔ `bytesBa`, `beganA` ↔ `beganB`. */
const turnedName = (name: string): string =>
  name.endsWith("Ab")
    ? `${name.slice(0, -2)}Ba`
    : name.endsWith("Ba")
      ? `${name.slice(0, -2)}Ab`
      : name === "beganA"
        ? "beganB"
        : name === "beganB"
          ? "beganA"
          : name

const joined = (Object.keys(rules) as Array<Name>).filter((name) => rules[name] !== "key")
const egressNames = Object.keys(emptyEgress(0)).filter((name) => name !== "row") as Array<Exclude<keyof EgressColumns, "row">>

type Columns = Record<string, Uint8Array | Uint16Array | Uint32Array | Float64Array>

const wider = (columns: object, rows: number, empty: (rows: number) => object): Columns => {
  const fresh = empty(rows) as Columns
  for (const [name, column] of Object.entries(columns as Columns))
    fresh[name]!.set(column.subarray(0, Math.min(column.length, rows)))
  return fresh
}
const exactly = (columns: object, rows: number): Columns =>
  Object.fromEntries(Object.entries(columns as Columns).map(([name, column]) => [name, column.slice(0, rows)]))

export interface Merger {
  /** The slice is not kept: its memory may be let go. */
  readonly add: (slice: WindowSlice) => void
  readonly rows: () => number
  /** Undefined before the first slice. The heading is the first one's, but for what is added up; good until the next `add`. */
  readonly merged: () => WindowSlice | undefined
}

const INITIAL = 1024

/** `seed` keeps senders from choosing keys that collide. Slices of another window are refused with an exception: a bug. */
export const makeMerger = (seed = 0): Merger => {
  let heading: WindowSlice | undefined
  let columns = emptyColumns(INITIAL) as unknown as Columns
  let egress = emptyEgress(0) as unknown as Columns
  /** Number + 1 of the egress entry of a row. */
  let entryOf = new Uint32Array(INITIAL)
  let meta = new Int32Array(INITIAL)
  let index = new Int32Array(INITIAL * 2)
  let rows = 0
  let entries = 0
  const exporters: Array<SliceExporter> = []
  const repeats = new Map<number, { records: number; bytes: number }>()
  const ipv6 = makeIpv6Interner(1 << 30, seed)

  const ports = (of: Columns, row: number): number =>
    of["folded"]![row] === 1 ? of["bPort"]![row]! : (of["aPort"]![row]! << 16) | of["bPort"]![row]!
  const hashOf = (of: Columns, row: number, what: number) => hashKey(seed, of["a"]![row]!, of["b"]![row]!, ports(of, row), what)

  const grow = (): void => {
    const room = meta.length * 2
    columns = wider(columns, room, emptyColumns)
    const moreEntries = new Uint32Array(room)
    moreEntries.set(entryOf)
    entryOf = moreEntries
    const moreMeta = new Int32Array(room)
    moreMeta.set(meta)
    meta = moreMeta
    index = new Int32Array(room * 2)
    const mask = index.length - 1
    for (let row = 0; row < rows; row++) {
      let at = hashOf(columns, row, meta[row]!) & mask
      while (index[at] !== 0) at = (at + 1) & mask
      index[at] = row + 1
    }
  }

  /** The row of a key, and whether it is new. */
  let fresh = false
  const find = (a: number, b: number, portsOf: number, what: number, bPort: number, aPort: number): number => {
    if (rows === meta.length) grow()
    const mask = index.length - 1
    let at = hashKey(seed, a, b, portsOf, what) & mask
    for (let entry = index[at]!; entry !== 0; entry = index[at]!) {
      const row = entry - 1
      if (
        meta[row] === what &&
        columns["a"]![row]! >>> 0 === a >>> 0 &&
        columns["b"]![row]! >>> 0 === b >>> 0 &&
        columns["bPort"]![row] === bPort &&
        ((what & 1) === 1 || columns["aPort"]![row] === aPort)
      ) {
        fresh = false
        return row
      }
      at = (at + 1) & mask
    }
    index[at] = rows + 1
    meta[rows] = what
    fresh = true
    return rows++
  }

  /** One whose protocol nobody told is the first that is known at its address. */
  const numberOf = (exporter: SliceExporter): number => {
    const { address, protocol } = exporter
    const same = exporters.findIndex((one) => one.address === address && one.protocol === protocol)
    if (same >= 0) return same
    const untold = exporters.findIndex(
      (one) => one.address === address && (one.protocol ?? protocol) === (protocol ?? one.protocol)
    )
    if (untold < 0) return exporters.push(exporter) - 1
    if (protocol !== undefined) exporters[untold] = exporter
    return untold
  }

  const add = (slice: WindowSlice): void => {
    if (heading === undefined) heading = slice
    else if (heading.windowStart !== slice.windowStart || heading.windowSeconds !== slice.windowSeconds) {
      throw new Error("slices of different windows cannot be merged")
    } else {
      heading = {
        ...heading,
        final: heading.final || slice.final,
        pressureSampling: Math.max(heading.pressureSampling, slice.pressureSampling),
        records: heading.records + slice.records
      }
    }
    const renamed = Uint32Array.from(slice.exporters, numberOf)
    slice.exporters.forEach((exporter, i) => {
      if (exporter.repeats === undefined) return
      const { bytes, records } = repeats.get(renamed[i]!) ?? { bytes: 0, records: 0 }
      repeats.set(renamed[i]!, { records: records + exporter.repeats.records, bytes: bytes + exporter.repeats.bytes })
    })
    const addresses = new Uint32Array(slice.ipv6.length >> 4)
    const words = wordsOf(slice.ipv6)
    for (let i = 0; i < addresses.length; i++) addresses[i] = ipv6.intern(words, i << 2)
    const from = slice.columns as unknown as Columns
    const places = new Uint32Array(slice.rows)
    const turnedRows = new Uint8Array(slice.rows)
    for (let row = 0; row < slice.rows; row++) {
      const six = from["family"]![row] === 6
      const folded = from["folded"]![row]!
      let a = six ? addresses[from["a"]![row]!]! : from["a"]![row]!
      let b = six ? addresses[from["b"]![row]!]! : from["b"]![row]!
      let aPort = from["aPort"]![row]!
      let bPort = from["bPort"]![row]!
      const turned = six && folded === 0 && (a === b ? aPort > bPort : a > b)
      if (turned) {
        ;[a, b] = [b, a]
        ;[aPort, bPort] = [bPort, aPort]
        turnedRows[row] = 1
      }
      const exporter = renamed[from["exporter"]![row]!]!
      const what = (exporter << 12) | (from["protocol"]![row]! << 4) | (six ? 2 : 0) | folded
      const place = find(a, b, folded === 1 ? bPort : (aPort << 16) | bPort, what, bPort, aPort)
      places[row] = place
      if (!fresh) {
        // the first port of this slice against the first one known; where it went on from there nobody knows any more
        if (folded === 1 && columns["aPort"]![place] !== aPort) columns["aPorts"]![place]! += 1
        continue
      }
      columns["exporter"]![place] = exporter
      columns["family"]![place] = six ? 6 : 4
      columns["protocol"]![place] = from["protocol"]![row]!
      columns["folded"]![place] = folded
      columns["a"]![place] = a
      columns["b"]![place] = b
      columns["aPort"]![place] = aPort
      columns["bPort"]![place] = bPort
      columns["first"]![place] = Number.POSITIVE_INFINITY
    }
    // column by column: each reads and writes two arrays
    for (const name of joined) {
      const rule = rules[name]
      const target = columns[name]!
      const straight = from[name]!
      const turned = from[turnedName(name)]!
      for (let row = 0; row < slice.rows; row++) {
        const value = turnedRows[row] === 1 ? turned[row]! : straight[row]!
        const place = places[row]!
        if (rule === "add") target[place]! += value
        else if (rule === "or") target[place]! |= value
        else if (rule === "least") {
          if (value < target[place]!) target[place] = value
        } else if (value > target[place]!) target[place] = value
      }
    }
    if (slice.egress !== undefined) addEgress(slice.egress, places, turnedRows)
  }

  const addEgress = (of: EgressColumns, places: Uint32Array, turnedRows: Uint8Array): void => {
    const source = of as unknown as Columns
    for (let i = 0; i < of.row.length; i++) {
      const row = of.row[i]!
      const place = places[row]!
      let entry = entryOf[place]! - 1
      if (entry < 0) {
        if (entries === egress["row"]!.length) egress = wider(egress, Math.max(64, entries * 2), emptyEgress)
        entry = entries++
        entryOf[place] = entry + 1
        egress["row"]![entry] = place
      }
      for (const name of egressNames) egress[name]![entry]! += source[turnedRows[row] === 1 ? turnedName(name) : name]![i]!
    }
  }

  return {
    add,
    rows: () => rows,
    merged: () =>
      heading === undefined
        ? undefined
        : {
            ...heading,
            rows,
            exporters: exporters.map(({ repeats: _, ...exporter }, i) => {
              const said = repeats.get(i)
              return said === undefined ? exporter : { ...exporter, repeats: said }
            }),
            ipv6: ipv6.emit(),
            columns: exactly(columns, rows) as unknown as ConversationColumns,
            ...(entries === 0 ? {} : { egress: exactly(egress, entries) as unknown as EgressColumns })
          }
  }
}
