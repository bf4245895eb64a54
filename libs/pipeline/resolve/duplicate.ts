/**
 * A conversation seen by several exporters counts once. For each direction of an edge there is an owner whose volumes count; what the
 * others saw is kept as observations.
 *
 * The owner is the previous one if it saw at least half of what the most complete exporter saw, else the most complete: complete enough
 * and stable, so that a graph does not jump between two exporters that see almost the same. Completeness is counted in packets
 * (corrected for sampling) over the window so far: exporters report one conversation at different times, often in different slices, and
 * one that was counted in an earlier slice must not be counted again from another exporter. When an owner falls silent in the middle of
 * a window, the others are counted once they have seen twice as much, at the latest with the next window.
 */
import { makeTupleTable, type TupleTable } from "./tuple-table.ts"

/** What the exporters of a slice saw of one direction of an edge; reused from edge to edge. */
export interface Seen {
  /** How many of the entries count. */
  length: number
  /** Exporter as `nameOf` numbered it, and packets. */
  readonly exporter: Array<number>
  readonly packets: Array<number>
}

export const makeSeen = (): Seen => ({ length: 0, exporter: [], packets: [] })

interface Generation {
  readonly keys: TupleTable
  /** Owner + 1 of each key; 0 none yet. */
  owner: Int32Array
  window: Float64Array
  /** Packets of the owner and of the most complete other one in that window. */
  owned: Float64Array
  rival: Float64Array
}

const INITIAL = 1024

const generation = (): Generation => ({
  keys: makeTupleTable(INITIAL),
  owner: new Int32Array(INITIAL),
  window: new Float64Array(INITIAL),
  owned: new Float64Array(INITIAL),
  rival: new Float64Array(INITIAL)
})

const widen = (from: Generation): void => {
  const length = from.owner.length * 2
  const grow = <A extends Int32Array | Float64Array>(old: A, wider: A): A => {
    wider.set(old)
    return wider
  }
  from.owner = grow(from.owner, new Int32Array(length))
  from.window = grow(from.window, new Float64Array(length))
  from.owned = grow(from.owned, new Float64Array(length))
  from.rival = grow(from.rival, new Float64Array(length))
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
  /** Address of the owner that was chosen last for this direction; undefined before the first choice. */
  readonly ownerAt: (place: number, direction: 0 | 1) => string | undefined
  readonly size: () => number
}

/** The most complete; of equals the lowest address, so that every run decides alike. */
const mostComplete = (seen: Seen, texts: ReadonlyArray<string>): number => {
  let best = 0
  for (let i = 1; i < seen.length; i++) {
    const more = seen.packets[i]! - seen.packets[best]!
    if (more > 0 || (more === 0 && texts[seen.exporter[i]!]! < texts[seen.exporter[best]!]!)) best = i
  }
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
      fresh.window[to] = old.window[from]!
      fresh.owned[to] = old.owned[from]!
      fresh.rival[to] = old.rival[from]!
    }
    return edge
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
    choose: (edge, direction, windowStart, seen) => {
      const key = edge * 2 + direction
      const previous = fresh.owner[key]! - 1
      const sameWindow = fresh.window[key] === windowStart
      let mine = -1
      let rival = 0
      for (let i = 0; i < seen.length; i++) {
        const packets = seen.packets[i]!
        if (seen.exporter[i] !== previous) rival = Math.max(rival, packets)
        else if (mine < 0 || packets > seen.packets[mine]!) mine = i
      }
      const owned = (sameWindow ? fresh.owned[key]! : 0) + (mine < 0 ? 0 : seen.packets[mine]!)
      const rivals = (sameWindow ? fresh.rival[key]! : 0) + rival
      fresh.window[key] = windowStart
      if (previous >= 0 && (owned > 0 || mine >= 0) && owned * 2 >= rivals) {
        fresh.owned[key] = owned
        fresh.rival[key] = rivals
        return mine
      }
      const best = seen.length === 1 ? 0 : mostComplete(seen, texts)
      fresh.owner[key] = seen.exporter[best]! + 1
      fresh.owned[key] = (sameWindow ? rivals - rival : 0) + seen.packets[best]!
      let second = owned
      for (let i = 0; i < seen.length; i++) if (i !== best && seen.packets[i]! > second) second = seen.packets[i]!
      fresh.rival[key] = second
      return best
    },
    size: () => (fresh.keys.size + old.keys.size) * 2
  }
}
