/**
 * What of a conversation was reported where it left (IE 61 flowDirection = 1), beside its sums in the slot: an exporter that watches the
 * way in and the way out says everything twice, and resolve/echoes.ts must be able to take one of the two away. Few exporters do, so a
 * conversation has an entry here only once such a record was folded; its slot then holds the number of the entry + 1.
 */
import type { EgressColumns } from "#domain/Window.ts"

/** Doubles of an entry: records, octets and packets, each a→b and b→a; octets and packets scaled by sampling. */
const ENTRY = 6
export const EGRESS_BYTES = 2
export const EGRESS_PACKETS = 4
const INITIAL = 64

export const emptyEgress = (entries: number): EgressColumns => ({
  row: new Uint32Array(entries),
  recordsAb: new Float64Array(entries),
  recordsBa: new Float64Array(entries),
  bytesAb: new Float64Array(entries),
  bytesBa: new Float64Array(entries),
  packetsAb: new Float64Array(entries),
  packetsBa: new Float64Array(entries)
})

export interface EgressTable {
  /** Offset of a fresh entry for the conversation in that row; `sums` may be another array afterwards. */
  readonly add: (row: number) => number
  readonly sums: () => Float64Array
  readonly size: () => number
  /** Undefined when there is no entry. */
  readonly emit: () => EgressColumns | undefined
  readonly reset: () => void
  readonly bytesHeld: () => number
}

/** Offset of an entry from its number. */
export const entryAt = (number: number): number => number * ENTRY

export const makeEgressTable = (): EgressTable => {
  let sums = new Float64Array(0)
  let rows = new Uint32Array(0)
  let size = 0
  return {
    add: (row) => {
      if (size === rows.length) {
        const wider = new Float64Array(Math.max(INITIAL, size * 2) * ENTRY)
        wider.set(sums)
        sums = wider
        const more = new Uint32Array(Math.max(INITIAL, size * 2))
        more.set(rows)
        rows = more
      }
      rows[size] = row
      sums.fill(0, size * ENTRY, (size + 1) * ENTRY)
      return size++ * ENTRY
    },
    sums: () => sums,
    size: () => size,
    emit: () => {
      if (size === 0) return undefined
      const column = (place: number) => Float64Array.from({ length: size }, (_, entry) => sums[entry * ENTRY + place]!)
      return {
        row: rows.slice(0, size),
        recordsAb: column(0),
        recordsBa: column(1),
        bytesAb: column(EGRESS_BYTES),
        bytesBa: column(EGRESS_BYTES + 1),
        packetsAb: column(EGRESS_PACKETS),
        packetsBa: column(EGRESS_PACKETS + 1)
      }
    },
    reset: () => {
      size = 0
      if (rows.length > INITIAL) {
        sums = new Float64Array(0)
        rows = new Uint32Array(0)
      }
    },
    bytesHeld: () => sums.byteLength + rows.byteLength
  }
}
