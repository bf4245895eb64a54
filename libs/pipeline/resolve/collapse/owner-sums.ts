/**
 * What duplicate.ts remembers of each direction of an edge: what every exporter saw of it in its latest window (slot 0) and in the one
 * before (slot 1), who owns it there, how much of it is accounted for, and what is owed. Typed arrays: a site has a million directions.
 */
import { TupleTable } from "./TupleTable.ts"

/** Packets and octets. */
export interface Amounts {
  packets: Float64Array
  bytes: Float64Array
}

export interface OwnerSums {
  readonly keys: TupleTable
  /** Two a direction, one a slot. Owner + 1, 0 none yet; start of the window; what of the owner's sum is accounted for. */
  owner: Int32Array
  window: Float64Array
  counted: Amounts
  /** One a direction. What was counted too much in windows that are over; negative: too little. */
  debt: Amounts
  /** First entry + 1; 0 none. */
  head: Int32Array
  /** By entry, one for each exporter of a direction: which, the next entry + 1, the rate it samples at. */
  exporter: Int32Array
  next: Int32Array
  rate: Float64Array
  /** Two an entry, one a slot. */
  seen: Amounts
  /** One an entry: by how much it saw less than was counted of the window right before slot 1; less than 0: more. */
  behind: Amounts
  entries: number
}

const INITIAL = 1024

const amounts = (length: number): Amounts => ({ packets: new Float64Array(length), bytes: new Float64Array(length) })

const wider = <A extends Float64Array | Int32Array>(from: A): A => {
  const to = new (from.constructor as new (length: number) => A)(from.length * 2)
  to.set(from)
  return to
}
const widerAmounts = (from: Amounts): Amounts => ({ packets: wider(from.packets), bytes: wider(from.bytes) })

export const makeOwnerSums = (): OwnerSums => ({
  keys: new TupleTable(INITIAL),
  owner: new Int32Array(INITIAL * 2),
  window: new Float64Array(INITIAL * 2),
  counted: amounts(INITIAL * 2),
  debt: amounts(INITIAL),
  head: new Int32Array(INITIAL),
  exporter: new Int32Array(INITIAL),
  next: new Int32Array(INITIAL),
  rate: new Float64Array(INITIAL),
  seen: amounts(INITIAL * 2),
  behind: amounts(INITIAL),
  entries: 0
})

/** Room for a direction with this number. */
export const reserve = (sums: OwnerSums, direction: number): void => {
  if (direction < sums.head.length) return
  sums.owner = wider(sums.owner)
  sums.window = wider(sums.window)
  sums.counted = widerAmounts(sums.counted)
  sums.debt = widerAmounts(sums.debt)
  sums.head = wider(sums.head)
}

/** Entry of an exporter, or -1. */
export const findEntry = (sums: OwnerSums, direction: number, exporter: number): number => {
  for (let at = sums.head[direction]!; at !== 0; at = sums.next[at - 1]!) if (sums.exporter[at - 1] === exporter) return at - 1
  return -1
}

export const entryOf = (sums: OwnerSums, direction: number, exporter: number): number => {
  const known = findEntry(sums, direction, exporter)
  if (known >= 0) return known
  const entry = sums.entries++
  if (entry === sums.exporter.length) {
    sums.exporter = wider(sums.exporter)
    sums.next = wider(sums.next)
    sums.rate = wider(sums.rate)
    sums.seen = widerAmounts(sums.seen)
    sums.behind = widerAmounts(sums.behind)
  }
  sums.exporter[entry] = exporter
  sums.rate[entry] = 1
  sums.next[entry] = sums.head[direction]!
  sums.head[direction] = entry + 1
  return entry
}

/** All there is of a direction, into another table. */
export const copyDirection = (from: OwnerSums, at: number, to: OwnerSums, into: number): void => {
  for (let slot = 0; slot < 2; slot++) {
    to.owner[into * 2 + slot] = from.owner[at * 2 + slot]!
    to.window[into * 2 + slot] = from.window[at * 2 + slot]!
    for (const what of ["packets", "bytes"] as const) to.counted[what][into * 2 + slot] = from.counted[what][at * 2 + slot]!
  }
  for (const what of ["packets", "bytes"] as const) to.debt[what][into] = from.debt[what][at]!
  for (let old = from.head[at]!; old !== 0; old = from.next[old - 1]!) {
    const entry = entryOf(to, into, from.exporter[old - 1]!)
    to.rate[entry] = from.rate[old - 1]!
    for (const what of ["packets", "bytes"] as const) to.behind[what][entry] = from.behind[what][old - 1]!
    for (let slot = 0; slot < 2; slot++) {
      to.seen.packets[entry * 2 + slot] = from.seen.packets[(old - 1) * 2 + slot]!
      to.seen.bytes[entry * 2 + slot] = from.seen.bytes[(old - 1) * 2 + slot]!
    }
  }
}

/** As if nothing had been heard of it. */
export const clearDirection = (sums: OwnerSums, at: number): void => {
  const slots = [at * 2, at * 2 + 2] as const
  for (const column of [sums.owner, sums.window, sums.counted.packets, sums.counted.bytes]) column.fill(0, ...slots)
  for (const column of [sums.debt.packets, sums.debt.bytes, sums.head]) column[at] = 0
}

/** Slot 1 makes way for window `next`. */
const noteBehind = (sums: OwnerSums, direction: number, next: number, windowMs: number): void => {
  const before = direction * 2 + 1
  const near = next - sums.window[before]! <= windowMs
  for (let at = sums.head[direction]!; at !== 0; at = sums.next[at - 1]!) {
    sums.behind.packets[at - 1] = near ? sums.counted.packets[before]! - sums.seen.packets[at * 2 - 1]! : 0
    sums.behind.bytes[at - 1] = near ? sums.counted.bytes[before]! - sums.seen.bytes[at * 2 - 1]! : 0
  }
}

/** Makes slot 1 the window `start` of which nothing is known yet. */
export const clearBefore = (sums: OwnerSums, direction: number, start: number, windowMs: number): void => {
  noteBehind(sums, direction, start, windowMs)
  const before = direction * 2 + 1
  sums.window[before] = start
  sums.owner[before] = sums.owner[before - 1]!
  sums.counted.packets[before] = 0
  sums.counted.bytes[before] = 0
  for (let at = sums.head[direction]!; at !== 0; at = sums.next[at - 1]!) {
    sums.seen.packets[at * 2 - 1] = 0
    sums.seen.bytes[at * 2 - 1] = 0
  }
}

/** What is in slot 0 goes to slot 1. */
const shift = ({ bytes, packets }: Amounts, slot: number): void => {
  packets[slot + 1] = packets[slot]!
  packets[slot] = 0
  bytes[slot + 1] = bytes[slot]!
  bytes[slot] = 0
}

/** Makes slot 0 the window `start`, with the owner of the one before it, which goes to slot 1. */
export const beginWindow = (sums: OwnerSums, direction: number, start: number, windowMs: number): void => {
  const now = direction * 2
  noteBehind(sums, direction, sums.window[now]!, windowMs)
  sums.owner[now + 1] = sums.owner[now]!
  sums.window[now + 1] = sums.window[now]!
  sums.window[now] = start
  shift(sums.counted, now)
  for (let at = sums.head[direction]!; at !== 0; at = sums.next[at - 1]!) shift(sums.seen, (at - 1) * 2)
}
