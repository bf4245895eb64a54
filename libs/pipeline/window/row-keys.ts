/**
 * First pass over a piece of a batch: rows → keys and hashes, by the folding rule (fold.ts). It reads columns in order and waits for no
 * memory; the second pass (conversation-table.ts) then finds slots with many cache misses under way at once.
 */
import { type PortRanks, portClass } from "#domain/PortRank.ts"
import type { FlowBatch } from "../decode/FlowBatch.ts"
import type { Ipv6Interner } from "./ipv6-interner.ts"
import { EXPORTER_SHIFT, FAMILY6_BIT, PROTOCOL_SHIFT } from "./slot.ts"

/** Rows of one piece: their slots of 128 bytes fit a first-level cache. */
export const PIECE = 256

export const TURNED = 1
export const PORTED = 2
/** Why a row has no key. */
export const NO_ADDRESS = -2
export const NO_ROOM = -1

export interface RowKeys {
  readonly a: Int32Array
  readonly b: Int32Array
  readonly ports: Int32Array
  readonly meta: Int32Array
  readonly hash: Int32Array
  readonly aPort: Uint16Array
  /**
   * NO_ADDRESS, NO_ROOM, or bits: TURNED (the source is end `b`), PORTED (the protocol has ports); the second pass adds the word offset of
   * the slot, whose low bits are free.
   */
  readonly slot: Int32Array
}

export const makeRowKeys = (): RowKeys => ({
  a: new Int32Array(PIECE),
  b: new Int32Array(PIECE),
  ports: new Int32Array(PIECE),
  meta: new Int32Array(PIECE),
  hash: new Int32Array(PIECE),
  aPort: new Uint16Array(PIECE),
  slot: new Int32Array(PIECE)
})

/** Class of each protocol's ports; 0 has none. */
export const portClasses = Uint8Array.from({ length: 256 }, (_, protocol) => portClass(protocol))

/** Hash of a key. `seed` keeps senders from choosing addresses that collide. */
export const hashKey = (seed: number, a: number, b: number, ports: number, meta: number): number => {
  let hash = Math.imul(a ^ seed, 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 15) ^ b, 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13) ^ ports, 0xc2b2ae35)
  hash = Math.imul(hash ^ (hash >>> 16) ^ meta, 0x27d4eb2f)
  return hash ^ (hash >>> 15)
}

/** Writes the keys of at most PIECE rows, `from` to `to`, into `keys` from 0. */
export const readKeys = (
  keys: RowKeys,
  batch: FlowBatch,
  from: number,
  to: number,
  ranks: PortRanks,
  ipv6: Ipv6Interner,
  seed: number
): void => {
  const { destination, destinationPort, exporter, family, protocol, source, sourcePort } = batch
  const { a, aPort, b, hash, meta, ports, slot } = keys
  for (let i = from; i < to; i++) {
    const k = i - from
    let src = 0
    let dst = 0
    let bits = 0
    const kindOfAddress = family[i]!
    if (kindOfAddress === 4) {
      src = source[i]! | 0
      dst = destination[i]! | 0
    } else if (kindOfAddress === 6) {
      src = ipv6.intern(batch.ipv6, i << 5)
      dst = ipv6.intern(batch.ipv6, (i << 5) + 16)
      if (src < 0 || dst < 0) {
        slot[k] = NO_ROOM
        continue
      }
      bits = FAMILY6_BIT
    } else {
      slot[k] = NO_ADDRESS
      continue
    }
    const proto = protocol[i]!
    const kind = portClasses[proto]!
    let srcPort = 0
    let dstPort = 0
    // 0 or -1. Directions come as they like, so the ends change places by masks: a branch would be guessed wrong half the time.
    let turned = 0
    if (kind !== 0) {
      srcPort = sourcePort[i]!
      dstPort = destinationPort[i]!
      const ahead = ranks[(kind << 16) | srcPort]! - ranks[(kind << 16) | dstPort]!
      if (ahead !== 0) {
        bits |= 1
        turned = -ahead >> 31
      } else if (src === dst ? srcPort > dstPort : src > dst) {
        turned = -1
      }
    } else if (src > dst) {
      turned = -1
    }
    const swapped = (src ^ dst) & turned
    const swappedPorts = (srcPort ^ dstPort) & turned
    const endA = src ^ swapped
    const endB = dst ^ swapped
    const portA = srcPort ^ swappedPorts
    const portB = dstPort ^ swappedPorts
    const both = (bits & 1) !== 0 ? portB : (portA << 16) | portB
    const what = (exporter[i]! << EXPORTER_SHIFT) | (proto << PROTOCOL_SHIFT) | bits
    a[k] = endA
    b[k] = endB
    ports[k] = both
    meta[k] = what
    aPort[k] = portA
    hash[k] = hashKey(seed, endA, endB, both, what)
    slot[k] = kind !== 0 ? (turned & TURNED) | PORTED : turned & TURNED
  }
}
