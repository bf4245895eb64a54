/**
 * Exporters that count a flow's octets since it began (IE 85, 86, 353) and tell it again at every active timeout: of each flow the last
 * totals are kept, and the row gets what came since. A flow is its exporter, its key and its start time, so a new flow between the same
 * ports is one of its own; totals that became smaller are a new flow, too. What is seen for the first time counts whole.
 *
 * Bounded: 64 Ki flows in sets of four. When one is pushed out by others its next record counts whole again, once; `forgotten` says how
 * often that may have happened. Memory is taken when the first such template is used.
 */
import { FAMILY_IPV6, type FlowBatch } from "./FlowBatch.ts"

const SETS_SHIFT = 14
const WAYS = 4
const SLOTS = WAYS << SETS_SHIFT
/** Octets, packets, and both of the reverse direction; bits of `which` in the same order. */
const VALUES = 4
/** What is kept of a flow: its totals and its start. */
const KEPT = VALUES + 1
/** Start times that come from an uptime differ by the export time's cut to seconds. */
const SAME_START_MS = 2000
/** Flows that say no start time are taken for new ones after so long. */
const NO_START_MS = 30 * 60_000

export interface RunningTotals {
  /** Turns the totals in rows `from` to `batch.length` into what came since the flows' last records; `which` columns are totals. */
  readonly apply: (batch: FlowBatch, from: number, which: number, domain: number, nowMs: number) => void
  readonly forgotten: () => number
}

/** `seed` keeps senders from choosing flows that push out others. */
export const makeRunningTotals = (seed: number): RunningTotals => {
  let keys: Uint32Array | undefined
  let seen = new Float64Array(0)
  let last = new Float64Array(0)
  let forgotten = 0
  let one = 0
  let two = 0

  const mix = (word: number): void => {
    one = Math.imul(one ^ word, 0x85ebca6b)
    one ^= one >>> 13
    two = Math.imul(two + word, 0xc2b2ae35)
    two ^= two >>> 16
  }

  const hash = (batch: FlowBatch, row: number, domain: number): void => {
    one = seed | 0
    two = ~seed
    mix(batch.exporter[row]!)
    mix(domain)
    if (batch.family[row] === FAMILY_IPV6) {
      const six = new DataView(batch.ipv6.buffer, batch.ipv6.byteOffset + row * 32, 32)
      for (let at = 0; at < 32; at += 4) mix(six.getInt32(at))
    } else {
      mix(batch.source[row]!)
      mix(batch.destination[row]!)
    }
    mix((batch.sourcePort[row]! << 16) | batch.destinationPort[row]!)
    mix(batch.protocol[row]!)
    mix(batch.inputInterface[row]!)
    mix(0)
  }

  const slotOf = (table: Uint32Array, start: number, nowMs: number): number => {
    const set = (one >>> (32 - SETS_SHIFT)) * WAYS
    let slot = set
    for (let way = set; way < set + WAYS; way++) {
      if (seen[way] !== 0 && table[way * 2] === one >>> 0 && table[way * 2 + 1] === two >>> 0) {
        const known = last[way * KEPT + VALUES]!
        const same = start === 0 && known === 0 ? nowMs - seen[way]! <= NO_START_MS : Math.abs(start - known) <= SAME_START_MS
        if (same) return way
        slot = way
        break
      }
      if (seen[way]! < seen[slot]!) slot = way
      if (way === set + WAYS - 1 && seen[slot] !== 0) forgotten++
    }
    table[slot * 2] = one
    table[slot * 2 + 1] = two
    last.fill(0, slot * KEPT, slot * KEPT + VALUES)
    last[slot * KEPT + VALUES] = start
    return slot
  }

  return {
    forgotten: () => forgotten,
    apply: (batch, from, which, domain, nowMs) => {
      if (keys === undefined) {
        keys = new Uint32Array(SLOTS * 2)
        seen = new Float64Array(SLOTS)
        last = new Float64Array(SLOTS * KEPT)
      }
      const columns = [batch.bytes, batch.packets, batch.reverseBytes, batch.reversePackets] as const
      for (let row = from; row < batch.length; row++) {
        hash(batch, row, domain)
        const slot = slotOf(keys, batch.start[row]!, nowMs)
        seen[slot] = nowMs
        const at = slot * KEPT
        let grew = true
        for (let i = 0; i < VALUES; i++) if ((which & (1 << i)) !== 0 && columns[i]![row]! < last[at + i]!) grew = false
        for (let i = 0; i < VALUES; i++) {
          if ((which & (1 << i)) === 0) continue
          const total = columns[i]![row]!
          if (grew) columns[i]![row] = total - last[at + i]!
          last[at + i] = total
        }
      }
    }
  }
}
