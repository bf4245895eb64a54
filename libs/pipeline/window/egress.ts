/**
 * What of a conversation was reported where it left (IE 61 flowDirection = 1), beside its sums in the slot: an exporter that watches the
 * way in and the way out says everything twice, and resolve/collapse/echoes.ts must be able to take one of the two away. Few exporters do, so a
 * conversation has an entry here only once such a record was folded; its slot then holds the number of the entry + 1.
 */
import type { EgressColumns } from "#domain/Window.ts"
import type { FlowBatch } from "../decode/FlowBatch.ts"

/** Doubles of an entry: records, octets and packets, each a→b and b→a; octets and packets scaled by sampling. */
const ENTRY = 6
const EGRESS_BYTES = 2
const EGRESS_PACKETS = 4
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
  /** Makes an entry for the conversation in that slot and returns its number + 1; `sums` may be another array afterwards. */
  readonly add: (slot: number) => number
  readonly sums: () => Float64Array
  /** Undefined when there is no entry. */
  readonly emit: (rowOf: (slot: number) => number) => EgressColumns | undefined
  readonly reset: () => void
  readonly bytesHeld: () => number
}

/** A row that was taken on the way out, once more into the entry of its conversation. `turn` 1: it goes from `b` to `a`. */
export const addEgress = (
  egress: EgressTable,
  entry: number,
  turn: number,
  records: number,
  columns: FlowBatch,
  row: number,
  rate: number
): void => {
  const sums = egress.sums()
  const at = entry * ENTRY
  sums[at + turn]! += records
  sums[at + EGRESS_BYTES + turn]! += columns.bytes[row]! * rate
  sums[at + EGRESS_PACKETS + turn]! += columns.packets[row]! * rate
  sums[at + EGRESS_BYTES + 1 - turn]! += columns.reverseBytes[row]! * rate
  sums[at + EGRESS_PACKETS + 1 - turn]! += columns.reversePackets[row]! * rate
}

export const makeEgressTable = (): EgressTable => {
  let sums = new Float64Array(0)
  let slots = new Uint32Array(0)
  let size = 0
  return {
    add: (slot) => {
      if (size === slots.length) {
        const wider = new Float64Array(Math.max(INITIAL, size * 2) * ENTRY)
        wider.set(sums)
        sums = wider
        const more = new Uint32Array(Math.max(INITIAL, size * 2))
        more.set(slots)
        slots = more
      }
      slots[size] = slot
      sums.fill(0, size * ENTRY, (size + 1) * ENTRY)
      return ++size
    },
    sums: () => sums,
    emit: (rowOf) => {
      if (size === 0) return undefined
      const column = (place: number) => Float64Array.from({ length: size }, (_, entry) => sums[entry * ENTRY + place]!)
      return {
        row: slots.slice(0, size).map(rowOf),
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
      if (slots.length > INITIAL) {
        sums = new Float64Array(0)
        slots = new Uint32Array(0)
      }
    },
    bytesHeld: () => sums.byteLength + slots.byteLength
  }
}
