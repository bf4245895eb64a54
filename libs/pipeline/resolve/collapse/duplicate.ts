/**
 * A conversation seen by several exporters counts once. For each direction of an edge there is an owner whose volumes count; what the
 * others saw is kept as observations.
 *
 * The owner is the exporter that samples least, unless another one clearly saw more: twice as many packets, and more than three standard
 * deviations of the two estimates. A sampler of 1:N that saw n packets estimates n·N with a deviation of N·√n, so the largest estimate
 * is mostly the luckiest. Of exporters that sample alike it is the previous owner if it saw at least half of what the most complete
 * saw, else the most complete: a graph must not jump between two that see almost the same.
 *
 * Exporters report one conversation at different times: a sampler at once, a flow cache up to its active timeout later, often when the next
 * window has begun. So sums are kept by exporter for the latest window of a direction and for the one before it, and what is counted of a
 * window is its owner's sum, whatever the order: a new owner's volumes first pay for what was counted for the one before, and what it saw
 * earlier is counted with what it sees now. Where a window ends with too much counted, the next one pays.
 *
 * An owner that spoke in the window before keeps the present one while it is silent: it may be late. When it was silent in a whole window,
 * the next to speak takes over, and what it saw of that window is counted then.
 */

import type { AddressKey } from "./address-key.ts"
import { makeOwnerLog } from "./owner-log.ts"
import {
  beginWindow,
  clearBefore,
  clearDirection,
  copyDirection,
  entryOf,
  findEntry,
  makeOwnerSums,
  reserve
} from "./owner-sums.ts"

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

export interface Owners {
  /** Before each slice. What is answered takes back all that was chosen since, once, and until the next slice. */
  readonly begin: () => () => void
  /** Number of an exporter's name (`address protocol`), to be asked once a slice. */
  readonly nameOf: (name: string) => number
  /** Place of an edge, good until the next call. `tail` is `port << 8 | protocol`. */
  readonly place: (client: AddressKey, server: AddressKey, tail: number) => number
  /** What is known of `server` → `client` is from now on that of `client` → `server`, each direction the other one. */
  readonly turn: (client: AddressKey, server: AddressKey, tail: number) => void
  /** What the store knows of a direction that nobody chose an owner for yet. */
  readonly prime: (place: number, direction: 0 | 1, known: KnownOwner) => void
  /**
   * Index in `seen` of the owner, or -1 when the owner is an exporter that is not among them (all of them are observations then).
   * `seen` is not empty. `direction`: 0 to the server, 1 to the client.
   */
  readonly choose: (place: number, direction: 0 | 1, windowStart: number, windowMs: number, seen: Seen) => number
  /** What octets and packets of the owner that was chosen last are to be multiplied by: 1, but for a debt. */
  readonly share: () => number
  readonly packetShare: () => number
  /** Name of the owner that was chosen last for this direction; undefined before the first choice. */
  readonly ownerAt: (place: number, direction: 0 | 1) => string | undefined
  readonly size: () => number
}

/** An owner from before a restart, and what was counted for it in its latest window. The store tells addresses, not protocols. */
export interface KnownOwner {
  readonly address: string
  readonly sampling: number
  /** ms since 1970. */
  readonly windowStart: number
  readonly packets: number
  readonly bytes: number
}

/** Estimate `more` of an exporter that samples one of `moreRate` is beyond doubt larger than `less` of another. */
const clearlyMore = (more: number, moreRate: number, less: number, lessRate: number): boolean => {
  if (more <= less * 2) return false
  const variance = more * (moreRate - 1) + less * (lessRate - 1)
  return (more - less) ** 2 > 9 * variance
}

/**
 * Remembers owners of up to twice `capacity` directions; the older half is forgotten at a time, which costs stability, not correctness.
 * Kept in memory only; prime-owners.ts tells after a restart what the store knows.
 */
export const makeOwners = (capacity = 500_000): Owners => {
  const names = new Map<string, number>()
  const texts: Array<string> = []
  const addressesOnly = new Set<number>()
  const log = makeOwnerLog()
  let fresh = makeOwnerSums()
  let old = makeOwnerSums()
  let share = 1
  let packetShare = 1

  /** Place of the edge in the fresh generation, with what the old one knew of it. Two directions an edge. */
  const place: Owners["place"] = (client, server, tail) => {
    const high = client.high === 0 && server.high === 0 ? 0 : Math.imul(client.high, 0x85ebca6b) ^ server.high
    // most directions have one entry
    if (fresh.keys.size * 2 >= capacity || fresh.entries >= capacity * 2) {
      old = fresh
      fresh = makeOwnerSums()
    }
    const before = fresh.keys.size
    const edge = fresh.keys.intern(client.low, server.low, tail, high)
    if (edge < before) return edge
    reserve(fresh, edge * 2 + 1)
    const known = old.keys.size === 0 ? undefined : old.keys.find(client.low, server.low, tail, high)
    if (known === undefined) return edge
    for (let direction = 0; direction < 2; direction++) copyDirection(old, known * 2 + direction, fresh, edge * 2 + direction)
    return edge
  }

  /** Whether entry `i` is to be owner rather than `j`; of equals the lower name, so that every run decides alike. */
  const ahead = (i: number, j: number, slot: number): boolean => {
    const rate = fresh.rate[i]!
    const other = fresh.rate[j]!
    const packets = fresh.seen.packets[i * 2 + slot]!
    const others = fresh.seen.packets[j * 2 + slot]!
    if (rate < other) return !clearlyMore(others, other, packets, rate)
    if (rate > other) return clearlyMore(packets, rate, others, other)
    return packets > others || (packets === others && texts[fresh.exporter[i]!]! < texts[fresh.exporter[j]!]!)
  }

  /** Whether entry `i` takes a window over from its owner `j` (-1: not heard of this direction). */
  const overtakes = (i: number, j: number, key: number, slot: number, windowMs: number): boolean => {
    const { packets } = fresh.seen
    const now = packets[i * 2 + slot]!
    const own = j < 0 ? 0 : packets[j * 2 + slot]!
    const rate = fresh.rate[i]!
    const ownRate = j < 0 ? rate : fresh.rate[j]!
    if (rate < ownRate) return !clearlyMore(own, ownRate, now, rate)
    // who is late may not be dead; of the window before, the end decides
    if (own === 0) return slot === 0 && !spokeBefore(j, key, windowMs)
    const more = (a: number, b: number) => (rate === ownRate ? a > b * 2 : clearlyMore(a, rate, b, ownRate))
    const earlier = slot === 0 ? 1 : 0
    return more(now, own) && (earlier === 0 || more(now + packets[i * 2 + 1]!, own + packets[j * 2 + 1]!))
  }
  const spokeBefore = (entry: number, key: number, windowMs: number): boolean =>
    entry >= 0 && fresh.seen.packets[entry * 2 + 1]! > 0 && fresh.window[key * 2]! - fresh.window[key * 2 + 1]! <= windowMs

  /**
   * Closes the window before: what was counted for it beyond its owner's sum is owed, what was not counted is due. Where its owner said
   * nothing, what another one saw is due, with what it saw beyond the owner in the window before that, in which the owner may have died;
   * but not what the owner, by its own clock, told of in the window before or after.
   */
  const settle = (key: number, windowMs: number): void => {
    const before = key * 2 + 1
    const { behind, counted, debt, seen, window } = fresh
    const owner = findEntry(fresh, key, fresh.owner[before]! - 1)
    let entry = owner
    if (entry < 0 || seen.packets[entry * 2 + 1] === 0) {
      for (let at = fresh.head[key]!; at !== 0; at = fresh.next[at - 1]!) {
        if (seen.packets[at * 2 - 1]! > 0 && (entry === owner || ahead(at - 1, entry, 1))) entry = at - 1
      }
      if (entry === owner) return
    }
    // after a restart it is not known what the others saw
    const elsewhere = entry !== owner && owner >= 0 && !addressesOnly.has(fresh.exporter[owner]!)
    const near = window[key * 2]! - window[before]! <= windowMs
    for (const what of ["packets", "bytes"] as const) {
      let sum = seen[what][entry * 2 + 1]!
      if (elsewhere) {
        const later = near ? Math.max(0, seen[what][owner * 2]! - seen[what][entry * 2]!) : 0
        // an estimate may be more by chance
        const earlier = fresh.rate[entry]! > fresh.rate[owner]! ? Math.max(0, behind[what][entry]!) : behind[what][entry]!
        sum = Math.max(0, sum - earlier - later)
      }
      debt[what][key]! += counted[what][before]! - sum
      counted[what][before] = sum
    }
  }

  /** Slot of a window, or -1 for one that is long over. */
  const slotOf = (key: number, windowStart: number, windowMs: number): number => {
    const { window } = fresh
    const latest = window[key * 2]!
    if (windowStart === latest) return 0
    if (windowStart > latest) {
      settle(key, windowMs)
      beginWindow(fresh, key, windowStart, windowMs)
      return 0
    }
    const before = window[key * 2 + 1]!
    if (windowStart < before) return -1
    if (windowStart > before) {
      settle(key, windowMs)
      clearBefore(fresh, key, windowStart, windowMs)
    }
    return 1
  }

  /** Accounts for all of the owner's sum; answers by what its last `amount` is to be multiplied. */
  const count = (
    counted: Float64Array,
    debt: Float64Array,
    seen: Float64Array,
    key: number,
    slot: number,
    entry: number,
    amount: number
  ): number => {
    const at = key * 2 + slot
    const sum = seen[entry * 2 + slot]!
    const open = sum - counted[at]!
    if (amount <= 0) return 1
    if (open <= 0) return 0
    counted[at] = sum
    const owed = debt[key]!
    if (owed === 0) return open === amount ? 1 : open / amount
    debt[key] = Math.max(0, owed - open)
    return Math.max(0, open - owed) / amount
  }

  const nameOf = (text: string): number => {
    let name = names.get(text)
    if (name === undefined) {
      name = names.size
      names.set(text, name)
      texts.push(text)
    }
    return name
  }

  /** The store knows an owner's address only: the first exporter of that address that is heard is meant. */
  const recognise = (key: number, seen: Seen): void => {
    const owner = fresh.owner[key * 2]! - 1
    if (!addressesOnly.has(owner)) return
    const entry = findEntry(fresh, key, owner)
    for (let i = 0; i < seen.length; i++) {
      const name = seen.exporter[i]!
      if (!texts[name]!.startsWith(texts[owner]!)) continue
      for (const slot of [0, 1]) if (fresh.owner[key * 2 + slot] === owner + 1) fresh.owner[key * 2 + slot] = name + 1
      if (entry >= 0 && findEntry(fresh, key, name) < 0) fresh.exporter[entry] = name
      return
    }
  }

  return {
    begin: () => {
      log.begin()
      return log.undo
    },
    nameOf,
    place,
    turn: (client, server, tail) => {
      // a new generation may begin at either of the first two, and not at both of the others
      place(server, client, tail)
      place(client, server, tail)
      const from = place(server, client, tail)
      const to = place(client, server, tail)
      for (const direction of [0, 1]) {
        const [old, now] = [from * 2 + direction, to * 2 + 1 - direction]
        log.note(fresh, old)
        log.note(fresh, now)
        clearDirection(fresh, now)
        copyDirection(fresh, old, fresh, now)
        clearDirection(fresh, old)
      }
    },
    prime: (edge, direction, { address, bytes, packets, sampling, windowStart }) => {
      const key = edge * 2 + direction
      if (fresh.owner[key * 2] !== 0) return
      const name = nameOf(`${address} `)
      addressesOnly.add(name)
      const entry = entryOf(fresh, key, name)
      fresh.owner[key * 2] = name + 1
      fresh.window[key * 2] = windowStart
      fresh.rate[entry] = sampling
      // it spoke, however little is known of it
      fresh.seen.packets[entry * 2] = fresh.counted.packets[key * 2] = Math.max(1, packets)
      fresh.seen.bytes[entry * 2] = fresh.counted.bytes[key * 2] = bytes
    },
    ownerAt: (edge, direction) => texts[fresh.owner[(edge * 2 + direction) * 2]! - 1],
    share: () => share,
    packetShare: () => packetShare,
    choose: (edge, direction, windowStart, windowMs, seen) => {
      const key = edge * 2 + direction
      share = 1
      packetShare = 1
      if (addressesOnly.size > 0) recognise(key, seen)
      log.note(fresh, key)
      const slot = slotOf(key, windowStart, windowMs)
      let mine = -1
      let best = -1
      let bestEntry = -1
      let mineEntry = -1
      const owner = fresh.owner[key * 2 + Math.max(0, slot)]! - 1
      for (let i = 0; i < seen.length; i++) {
        if (seen.exporter[i] === owner) mine = i
        if (slot < 0) continue
        const entry = entryOf(fresh, key, seen.exporter[i]!)
        fresh.seen.packets[entry * 2 + slot]! += seen.packets[i]!
        fresh.seen.bytes[entry * 2 + slot]! += seen.bytes[i]!
        fresh.rate[entry] = seen.sampling[i]!
        if (mine === i) mineEntry = entry
        if (best < 0 || ahead(entry, bestEntry, slot)) {
          best = i
          bestEntry = entry
        }
      }
      // late records of a window that is long over decide nothing
      if (slot < 0) return mine
      if (
        owner < 0 ||
        (best !== mine && overtakes(bestEntry, mine < 0 ? findEntry(fresh, key, owner) : mineEntry, key, slot, windowMs))
      ) {
        fresh.owner[key * 2 + slot] = seen.exporter[best]! + 1
        mine = best
        mineEntry = bestEntry
        // nothing was said by the owner since the window before: whatever waited is counted with this
        if (slot === 0) settle(key, windowMs)
      }
      if (mine < 0) return -1
      share = count(fresh.counted.bytes, fresh.debt.bytes, fresh.seen.bytes, key, slot, mineEntry, seen.bytes[mine]!)
      packetShare = count(fresh.counted.packets, fresh.debt.packets, fresh.seen.packets, key, slot, mineEntry, seen.packets[mine]!)
      return mine
    },
    size: () => (fresh.keys.size + old.keys.size) * 2
  }
}
