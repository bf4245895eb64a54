/**
 * A conversation seen by several exporters counts once. For each direction of an edge there is an owner whose volumes count; what the
 * others saw is kept as observations.
 *
 * The owner is the exporter that samples least, unless another one clearly saw more: twice as many packets, and more than three standard
 * deviations of the two estimates. A sampler of 1:N that saw n packets estimates n·N with a deviation of N·√n, so the largest estimate
 * is mostly the luckiest. Of exporters that sample alike it is the previous owner if it saw at least half of what the most complete
 * saw, else the most complete: a graph must not jump between two that see almost the same.
 *
 * Packets are added up over the window so far: exporters report one conversation at different times, often in different slices. When the
 * owner changes within a window, what was counted before is a debt that the new owner's volumes pay first, and what it saw before is
 * counted now: the window's sum is the new owner's own. An owner that fell silent gives way to one of its kind that has seen twice as
 * much, at the latest with the next window.
 */
import { makeTupleTable, type TupleTable } from "./tuple-table.ts"

/** What the exporters of a slice saw of one direction of an edge; reused from edge to edge. */
export interface Seen {
  /** How many of the entries count. */
  length: number
  /** Exporter as `nameOf` numbered it; packets and octets corrected for sampling; the rate they were sampled at (1: all). */
  readonly exporter: Array<number>
  readonly packets: Array<number>
  readonly bytes: Array<number>
  readonly sampling: Array<number>
}

export const makeSeen = (): Seen => ({ length: 0, exporter: [], packets: [], bytes: [], sampling: [] })

/** Sums of one window, by key. `rival`: the most complete other exporter of each slice. */
interface Sums {
  window: Float64Array
  owned: Float64Array
  rival: Float64Array
  ownedBytes: Float64Array
  rivalBytes: Float64Array
  /** Octets counted for an earlier owner that the present one saw as well; negative: what it saw and nobody counted. */
  debt: Float64Array
  /** Rate the owner samples at. */
  rate: Float64Array
}

interface Generation extends Sums {
  readonly keys: TupleTable
  /** Owner + 1 of each key; 0 none yet. */
  owner: Int32Array
}

const INITIAL = 1024
const sumNames = ["window", "owned", "rival", "ownedBytes", "rivalBytes", "debt", "rate"] as const satisfies ReadonlyArray<
  keyof Sums
>

const generation = (): Generation => ({
  keys: makeTupleTable(INITIAL),
  owner: new Int32Array(INITIAL),
  window: new Float64Array(INITIAL),
  owned: new Float64Array(INITIAL),
  rival: new Float64Array(INITIAL),
  ownedBytes: new Float64Array(INITIAL),
  rivalBytes: new Float64Array(INITIAL),
  debt: new Float64Array(INITIAL),
  rate: new Float64Array(INITIAL)
})

const widen = (from: Generation): void => {
  const length = from.owner.length * 2
  const owner = new Int32Array(length)
  owner.set(from.owner)
  from.owner = owner
  for (const name of sumNames) {
    const wider = new Float64Array(length)
    wider.set(from[name])
    from[name] = wider
  }
}

export interface Owners {
  /** Number of an exporter or an IPv6 address, to be asked once a slice. */
  readonly nameOf: (address: string) => number
  /**
   * Place of an edge, good until the next call. Addresses are IPv4 integers, or IPv6 by `nameOf`; `tail` is `port << 8 | protocol`.
   */
  readonly place: (family: number, client: number, server: number, tail: number) => number
  /**
   * Index in `seen` of the owner, or -1 when the owner is an exporter that is not among them (all of them are observations then).
   * `seen` is not empty. `direction`: 0 to the server, 1 to the client.
   */
  readonly choose: (place: number, direction: 0 | 1, windowStart: number, seen: Seen) => number
  /** What the volumes of the owner that was chosen last are to be multiplied by: 1, but for a debt. */
  readonly share: () => number
  /** Address of the owner that was chosen last for this direction; undefined before the first choice. */
  readonly ownerAt: (place: number, direction: 0 | 1) => string | undefined
  readonly size: () => number
}

/** Estimate `more` of an exporter that samples one of `moreRate` is beyond doubt larger than `less` of another. */
const clearlyMore = (more: number, moreRate: number, less: number, lessRate: number): boolean => {
  if (more <= less * 2) return false
  const variance = more * (moreRate - 1) + less * (lessRate - 1)
  return (more - less) ** 2 > 9 * variance
}

/** Whether `i` is to be owner rather than `j`; of equals the lower address, so that every run decides alike. */
const ahead = (seen: Seen, i: number, j: number, texts: ReadonlyArray<string>): boolean => {
  const rate = seen.sampling[i]!
  const other = seen.sampling[j]!
  const packets = seen.packets[i]!
  const others = seen.packets[j]!
  if (rate < other) return !clearlyMore(others, other, packets, rate)
  if (rate > other) return clearlyMore(packets, rate, others, other)
  return packets > others || (packets === others && texts[seen.exporter[i]!]! < texts[seen.exporter[j]!]!)
}

const preferred = (seen: Seen, texts: ReadonlyArray<string>): number => {
  let best = 0
  for (let i = 1; i < seen.length; i++) if (ahead(seen, i, best, texts)) best = i
  return best
}

/**
 * Remembers owners of up to twice `capacity` directions; the older half is forgotten at a time, which costs stability, not correctness.
 * Kept in memory only: after a restart the first slices choose anew.
 */
export const makeOwners = (capacity = 500_000): Owners => {
  const names = new Map<string, number>()
  const texts: Array<string> = []
  let fresh = generation()
  let old = generation()

  /** Place of the edge in the fresh generation, with what the old one knew of it. Two entries an edge, one a direction. */
  const place: Owners["place"] = (family, client, server, tail) => {
    if (fresh.keys.size * 2 >= capacity) {
      old = fresh
      fresh = generation()
    }
    const before = fresh.keys.size
    const edge = fresh.keys.intern(client, server, tail, family)
    if (edge < before) return edge
    if (edge * 2 + 1 >= fresh.owner.length) widen(fresh)
    const known = old.keys.size === 0 ? undefined : old.keys.find(client, server, tail, family)
    if (known === undefined) return edge
    for (let direction = 0; direction < 2; direction++) {
      const to = edge * 2 + direction
      const from = known * 2 + direction
      fresh.owner[to] = old.owner[from]!
      for (const name of sumNames) fresh[name][to] = old[name][from]!
    }
    return edge
  }

  let share = 1

  /** Counts an owner's octets, less what they owe. */
  const count = (key: number, bytes: number): void => {
    const debt = fresh.debt[key]!
    fresh.ownedBytes[key]! += bytes
    if (debt === 0 || bytes <= 0) return
    const counted = Math.max(0, bytes - debt)
    share = counted / bytes
    fresh.debt[key] = Math.max(0, debt - bytes)
  }

  /** Of the window so far: whether one that samples at `rate` and saw `seen` packets takes over from the owner. */
  const overtakes = (rate: number, seen: number, ownRate: number, owned: number): boolean => {
    if (rate === ownRate) return seen > owned * 2
    return rate < ownRate ? !clearlyMore(owned, ownRate, seen, rate) : clearlyMore(seen, rate, owned, ownRate)
  }

  return {
    nameOf: (address) => {
      let name = names.get(address)
      if (name === undefined) {
        name = names.size
        names.set(address, name)
        texts.push(address)
      }
      return name
    },
    place,
    ownerAt: (edge, direction) => texts[fresh.owner[edge * 2 + direction]! - 1],
    share: () => share,
    choose: (edge, direction, windowStart, seen) => {
      const key = edge * 2 + direction
      const previous = fresh.owner[key]! - 1
      share = 1
      let mine = -1
      for (let i = 0; i < seen.length; i++) if (seen.exporter[i] === previous) mine = i
      // Late records of a window that is over for this edge decide nothing.
      if (previous >= 0 && windowStart < fresh.window[key]!) return mine
      if (fresh.window[key] !== windowStart) {
        fresh.window[key] = windowStart
        fresh.owned[key] = 0
        fresh.rival[key] = 0
        fresh.ownedBytes[key] = 0
        fresh.rivalBytes[key] = 0
        fresh.debt[key] = 0
      }
      if (mine >= 0) fresh.rate[key] = seen.sampling[mine]!
      const best = preferred(seen, texts)
      let other = best === mine ? -1 : best
      if (other < 0) {
        for (let i = 0; i < seen.length; i++) {
          if (i !== mine && (other < 0 || seen.packets[i]! > seen.packets[other]!)) other = i
        }
      }
      const rival = other < 0 ? 0 : seen.packets[other]!
      const owned = fresh.owned[key]! + (mine < 0 ? 0 : seen.packets[mine]!)
      const rivals = fresh.rival[key]! + rival
      const known = previous >= 0 && (owned > 0 || mine >= 0)
      if (known && (best === mine || !overtakes(seen.sampling[best]!, rivals, fresh.rate[key]!, owned))) {
        if (mine >= 0) count(key, seen.bytes[mine]!)
        fresh.owned[key] = owned
        fresh.rival[key] = rivals
        if (other >= 0) fresh.rivalBytes[key]! += seen.bytes[other]!
        return mine
      }
      const packets = seen.packets[best]!
      const before = known ? fresh.rival[key]! : 0
      const beforeBytes = known ? fresh.rivalBytes[key]! : 0
      fresh.debt[key] = fresh.ownedBytes[key]! - beforeBytes
      fresh.rivalBytes[key] = fresh.ownedBytes[key]! + (mine < 0 ? 0 : seen.bytes[mine]!)
      fresh.ownedBytes[key] = beforeBytes
      fresh.owner[key] = seen.exporter[best]! + 1
      fresh.rate[key] = seen.sampling[best]!
      fresh.owned[key] = before + packets
      let second = owned
      for (let i = 0; i < seen.length; i++) if (i !== best && seen.packets[i]! > second) second = seen.packets[i]!
      fresh.rival[key] = second
      count(key, seen.bytes[best]!)
      return best
    },
    size: () => (fresh.keys.size + old.keys.size) * 2
  }
}
