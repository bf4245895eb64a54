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

/** One exporter's share of one direction of an edge in a slice. */
export interface Seen {
  /** Address of the exporter. */
  readonly exporter: string
  readonly packets: number
}

interface Generation {
  readonly keys: TupleTable
  readonly owner: Array<string>
  readonly window: Array<number>
  readonly owned: Array<number>
  readonly rival: Array<number>
}

const generation = (): Generation => ({ keys: makeTupleTable(1024), owner: [], window: [], owned: [], rival: [] })

export interface Owners {
  /**
   * Index in `seen` of the owner, or -1 when the owner is an exporter that is not among them (all of them are observations then).
   * `seen` is not empty. `direction`: 0 to the server, 1 to the client.
   */
  readonly choose: (
    client: string,
    server: string,
    port: number,
    protocol: number,
    direction: 0 | 1,
    windowStart: number,
    seen: ReadonlyArray<Seen>
  ) => number
  readonly size: () => number
}

/**
 * Remembers owners of up to twice `capacity` directions; older ones are forgotten by halves, which costs stability, not correctness.
 * Kept in memory only: after a restart the first slices choose anew.
 */
export const makeOwners = (capacity = 500_000): Owners => {
  let fresh = generation()
  let old = generation()
  let ids = new Map<string, number>()
  let oldIds = new Map<string, number>()

  const idOf = (names: Map<string, number>, address: string): number => {
    let id = names.get(address)
    if (id === undefined) {
      id = names.size
      names.set(address, id)
    }
    return id
  }

  const most = (seen: ReadonlyArray<Seen>): number => {
    let best = 0
    for (let i = 1; i < seen.length; i++) {
      const one = seen[i]!
      const other = seen[best]!
      // Equal: the lower address, so that every run decides alike.
      if (one.packets > other.packets || (one.packets === other.packets && one.exporter < other.exporter)) best = i
    }
    return best
  }

  const choose: Owners["choose"] = (client, server, port, protocol, direction, windowStart, seen) => {
    const tail = (port << 8) | protocol
    if (fresh.keys.size >= capacity) {
      old = fresh
      oldIds = ids
      fresh = generation()
      ids = new Map()
    }
    const key = fresh.keys.intern(idOf(ids, client), idOf(ids, server), tail, direction)
    if (fresh.owner[key] === undefined) {
      const oldClient = oldIds.get(client)
      const oldServer = oldIds.get(server)
      const before =
        oldClient === undefined || oldServer === undefined ? undefined : old.keys.find(oldClient, oldServer, tail, direction)
      fresh.owner[key] = before === undefined ? "" : old.owner[before]!
      fresh.window[key] = before === undefined ? Number.NaN : old.window[before]!
      fresh.owned[key] = before === undefined ? 0 : old.owned[before]!
      fresh.rival[key] = before === undefined ? 0 : old.rival[before]!
    }
    const previous = fresh.owner[key]!
    const sameWindow = fresh.window[key] === windowStart
    const ownedBefore = sameWindow ? fresh.owned[key]! : 0
    const rivalBefore = sameWindow ? fresh.rival[key]! : 0
    const best = most(seen)
    let mine = -1
    let rival = 0
    for (let i = 0; i < seen.length; i++) {
      const one = seen[i]!
      if (one.exporter === previous && (mine < 0 || one.packets > seen[mine]!.packets)) mine = i
      if (one.exporter !== previous && one.packets > rival) rival = one.packets
    }
    const owned = ownedBefore + (mine < 0 ? 0 : seen[mine]!.packets)
    const rivals = rivalBefore + rival
    const stays = previous !== "" && (owned > 0 || mine >= 0) && owned * 2 >= rivals
    fresh.window[key] = windowStart
    if (stays) {
      fresh.owned[key] = owned
      fresh.rival[key] = rivals
      return mine
    }
    fresh.owner[key] = seen[best]!.exporter
    fresh.owned[key] = (sameWindow ? rivalBefore : 0) + seen[best]!.packets
    fresh.rival[key] = owned
    return best
  }

  return { choose, size: () => fresh.keys.size + old.keys.size }
}
