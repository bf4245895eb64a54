/**
 * Which real conversations are kept as evidence of an edge: one when it is first seen, then at most one an hour, and one whenever another
 * exporter sees it. Few a slice, and not the same ones first each time, so that a flood of new edges costs no more than any slice;
 * what waits is asked again with the next one. store/EvidenceStore.ts gives each its slot.
 */
import type { AddressKey } from "./address-key.ts"
import { TupleTable } from "./TupleTable.ts"

/** A conversation as a window row has it: ends in no order, volumes scaled by sampling. */
export interface EvidenceSample {
  /** The edge it belongs to. */
  readonly client: string
  readonly server: string
  readonly port: number
  readonly protocol: number
  readonly a: string
  readonly b: string
  readonly aPort: number
  readonly bPort: number
  /** Ports end `a` used: 1 when this is one connection. */
  readonly ports: number
  readonly recordsAb: number
  readonly recordsBa: number
  readonly bytesAb: number
  readonly bytesBa: number
  readonly packetsAb: number
  readonly packetsBa: number
  readonly flagsAb: number
  readonly flagsBa: number
  readonly sampling: number
  readonly exporter: string
  /** ms since 1970. */
  readonly first: number
  readonly last: number
}

interface Generation {
  readonly keys: TupleTable
  /** Hour + 1 of the last sample; 0: none yet. */
  hour: Uint32Array
  /** Exporters that were sampled, by hash. */
  exporters: Int32Array
}

const INITIAL = 1024
const generation = (): Generation => ({
  keys: new TupleTable(INITIAL),
  hour: new Uint32Array(INITIAL),
  exporters: new Int32Array(INITIAL)
})

export interface EvidenceSampler {
  /** Samples of one slice. */
  readonly most: number
  /** Before each slice: where to begin among its `count` edges, another place each time. */
  readonly start: (count: number) => number
  /** The slice was not written: what was kept of it is wanted again. Until the next `start`. */
  readonly undo: () => void
  /** Whether a conversation of this edge, seen by this exporter in this window, is to be kept; then it is remembered as kept. */
  readonly take: (client: AddressKey, server: AddressKey, tail: number, exporter: string, windowStart: number) => boolean
}

const HOUR_MS = 3_600_000

export const makeEvidenceSampler = (most = 2000, capacity = 300_000): EvidenceSampler => {
  let fresh = generation()
  let old = generation()
  let turn = 0
  let taken: Array<{ readonly of: Generation; readonly at: number; readonly hour: number; readonly exporters: number }> = []

  const bitOf = (exporter: string): number => {
    let hash = 0
    for (let i = 0; i < exporter.length; i++) hash = Math.imul(hash ^ exporter.charCodeAt(i), 0x01000193)
    return 1 << ((hash ^ (hash >>> 15)) & 31)
  }
  return {
    most,
    start: (count) => {
      turn = (turn + 0x9e3779b1) >>> 0
      taken = []
      return count === 0 ? 0 : turn % count
    },
    undo: () => {
      for (const { at, exporters, hour, of } of taken) {
        of.hour[at] = hour
        of.exporters[at] = exporters
      }
      taken = []
      turn = (turn - 0x9e3779b1) >>> 0
    },
    take: (client, server, tail, exporter, windowStart) => {
      const high = Math.imul(client.high, 0x85ebca6b) ^ server.high
      const known = fresh.keys.find(client.low, server.low, high, tail)
      const hour = Math.floor(windowStart / HOUR_MS) + 1
      const bit = bitOf(exporter)
      if (known !== undefined && fresh.hour[known]! >= hour && (fresh.exporters[known]! & bit) !== 0) return false
      const before = known === undefined ? old.keys.find(client.low, server.low, high, tail) : undefined
      const seen = known !== undefined ? fresh.exporters[known]! : before === undefined ? 0 : old.exporters[before]!
      if (known === undefined && fresh.keys.size >= capacity) {
        old = fresh
        fresh = generation()
      }
      const at = fresh.keys.intern(client.low, server.low, high, tail)
      if (at >= fresh.hour.length) {
        const hours = new Uint32Array(fresh.hour.length * 2)
        hours.set(fresh.hour)
        const exporters = new Int32Array(hours.length)
        exporters.set(fresh.exporters)
        fresh.hour = hours
        fresh.exporters = exporters
      }
      const last = known !== undefined ? fresh.hour[at]! : before === undefined ? 0 : old.hour[before]!
      fresh.exporters[at] = seen | bit
      fresh.hour[at] = Math.max(last, hour)
      if (last >= hour && (seen & bit) !== 0) return false
      taken.push({ of: fresh, at, hour: last, exporters: seen })
      return true
    }
  }
}
