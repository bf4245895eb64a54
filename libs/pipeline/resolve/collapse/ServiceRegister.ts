/**
 * What is known of ends (address, protocol, port) beyond the slice at hand: how many peers each was met by, and in how many windows it
 * was seen serving. Bounded: two generations of columns, of which the older is forgotten at a time. Primed from the store at the start;
 * what is forgotten costs certainty, not correctness.
 *
 * Peers are counted in a sketch of 64 bits (linear counting: a peer sets one bit, -64·ln(zeros/64) is the estimate), exact enough for a
 * weight that is nearly full at ten. The same peer sets the same bit: a slice that is offered twice changes nothing.
 */

import { mostHistory } from "#domain/direction.ts"
import type { AddressKey } from "./address-key.ts"
import { makeSymmetricPairs, type SymmetricPairs } from "./SymmetricPairs.ts"
import { TupleTable } from "./TupleTable.ts"

interface Generation {
  readonly keys: TupleTable
  low: Int32Array
  high: Int32Array
  /** Windows it served in, saturated. */
  served: Uint8Array
  /** Start of the last window it served in, s since 1970. */
  window: Uint32Array
}

const INITIAL = 1024

const generation = (room = INITIAL): Generation => ({
  keys: new TupleTable(room),
  low: new Int32Array(room),
  high: new Int32Array(room),
  served: new Uint8Array(room),
  window: new Uint32Array(room)
})

const widen = (from: Generation): void => {
  const { low, high, served, window } = from
  const wider = generation(low.length * 2)
  wider.low.set(low)
  wider.high.set(high)
  wider.served.set(served)
  wider.window.set(window)
  Object.assign(from, { low: wider.low, high: wider.high, served: wider.served, window: wider.window })
}

const bits = (word: number): number => {
  word -= (word >>> 1) & 0x55555555
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333)
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** Peers behind so many bits of the sketch. */
const estimates = Uint16Array.from({ length: 65 }, (_, set) => Math.round(-64 * Math.log(Math.max(1, 64 - set) / 64)))

export interface ServiceRegister {
  /** Before each slice: places from before it are good no more. */
  readonly begin: () => void
  /** Place of an end, good until the next `begin`. */
  readonly place: (address: AddressKey, protocol: number, port: number) => number
  /** The same if it is known, else -1: an end that is only asked for is not remembered. */
  readonly find: (address: AddressKey, protocol: number, port: number) => number
  readonly meet: (place: number, peer: AddressKey) => void
  readonly fanIn: (place: number) => number
  readonly served: (place: number) => number
  /** It served in this window (ms since 1970); counts once a window. */
  readonly serve: (place: number, windowStart: number) => void
  /** What the store knows. */
  readonly prime: (address: AddressKey, protocol: number, port: number, peers: number, windows: number) => void
  /** A connection to `port` of `server`, which opens others, was seen in this window; and whether one was, then or an hour before. */
  readonly relate: (client: AddressKey, server: AddressKey, port: number, windowStart: number) => void
  readonly related: (client: AddressKey, server: AddressKey, port: number, windowStart: number) => boolean
  /** Whether any relation is known at all. */
  readonly relations: () => number
  readonly pairs: SymmetricPairs
  readonly size: () => number
}

const RELATED_SECONDS = 3600

export const makeServiceRegister = (capacity = 200_000): ServiceRegister => {
  let fresh = generation()
  let old = generation()
  let relations = generation()
  let oldRelations = generation()

  const placeOf = (high: number, low: number, tail: number): number => {
    const before = fresh.keys.size
    const at = fresh.keys.intern(high, low, tail, 0)
    if (at < before) return at
    if (at >= fresh.low.length) widen(fresh)
    const known = old.keys.size === 0 ? undefined : old.keys.find(high, low, tail, 0)
    if (known !== undefined) {
      fresh.low[at] = old.low[known]!
      fresh.high[at] = old.high[known]!
      fresh.served[at] = old.served[known]!
      fresh.window[at] = old.window[known]!
    }
    return at
  }
  const mark = (place: number, bit: number): void => {
    if (bit < 32) fresh.low[place]! |= 1 << bit
    else fresh.high[place]! |= 1 << (bit - 32)
  }
  const bitOf = (peer: AddressKey): number => {
    let hash = Math.imul(peer.low ^ peer.high, 0x9e3779b1)
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
    return (hash ^ (hash >>> 13)) & 63
  }
  const tailOf = (protocol: number, port: number) => (port << 8) | protocol
  const pair = (client: AddressKey, server: AddressKey) =>
    [client.low, server.low, Math.imul(client.high, 0x85ebca6b) ^ server.high] as const

  return {
    begin: () => {
      if (fresh.keys.size < capacity) return
      old = fresh
      fresh = generation()
    },
    find: (address, protocol, port) => {
      const tail = tailOf(protocol, port)
      const known = fresh.keys.find(address.high, address.low, tail, 0)
      if (known !== undefined) return known
      return old.keys.find(address.high, address.low, tail, 0) === undefined ? -1 : placeOf(address.high, address.low, tail)
    },
    place: (address, protocol, port) => placeOf(address.high, address.low, tailOf(protocol, port)),
    meet: (place, peer) => mark(place, bitOf(peer)),
    fanIn: (place) => estimates[bits(fresh.low[place]!) + bits(fresh.high[place]!)]!,
    served: (place) => fresh.served[place]!,
    serve: (place, windowStart) => {
      const seconds = Math.floor(windowStart / 1000)
      if (fresh.served[place]! >= mostHistory || fresh.window[place] === seconds) return
      fresh.served[place]! += 1
      fresh.window[place] = seconds
    },
    prime: (address, protocol, port, peers, windows) => {
      const place = placeOf(address.high, address.low, tailOf(protocol, port))
      // which peers nobody remembers: as many bits as they would have set
      const set = estimates.findIndex((estimate) => estimate >= peers)
      for (let bit = 0; bit < (set === -1 ? 63 : set); bit++) mark(place, bit)
      fresh.served[place] = Math.max(fresh.served[place]!, Math.min(mostHistory, windows))
    },
    relate: (client, server, port, windowStart) => {
      if (relations.keys.size >= capacity >> 2) {
        oldRelations = relations
        relations = generation()
      }
      const [w, x, y] = pair(client, server)
      const at = relations.keys.intern(w, x, y, port)
      if (at >= relations.window.length) widen(relations)
      relations.window[at] = Math.floor(windowStart / 1000)
    },
    related: (client, server, port, windowStart) => {
      const [w, x, y] = pair(client, server)
      const seconds = Math.floor(windowStart / 1000)
      for (const known of [relations, oldRelations]) {
        const at = known.keys.find(w, x, y, port)
        if (at !== undefined && Math.abs(seconds - known.window[at]!) <= RELATED_SECONDS) return true
      }
      return false
    },
    pairs: makeSymmetricPairs(capacity >> 1),
    relations: () => relations.keys.size + oldRelations.keys.size,
    size: () => fresh.keys.size + old.keys.size
  }
}
