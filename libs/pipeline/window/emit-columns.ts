/** Slots → the columns of a slice (libs/domain/Window.ts). Runs once a flush. */
import type { ConversationColumns } from "#domain/Window.ts"
import * as Slot from "./slot.ts"

export const emptyColumns = (rows: number): ConversationColumns => ({
  exporter: new Uint32Array(rows),
  family: new Uint8Array(rows),
  protocol: new Uint8Array(rows),
  folded: new Uint8Array(rows),
  a: new Uint32Array(rows),
  b: new Uint32Array(rows),
  aPort: new Uint16Array(rows),
  bPort: new Uint16Array(rows),
  aPorts: new Uint32Array(rows),
  recordsAb: new Uint32Array(rows),
  recordsBa: new Uint32Array(rows),
  bytesAb: new Float64Array(rows),
  bytesBa: new Float64Array(rows),
  packetsAb: new Float64Array(rows),
  packetsBa: new Float64Array(rows),
  rawBytes: new Float64Array(rows),
  rawPackets: new Float64Array(rows),
  sampling: new Uint32Array(rows),
  flagsAb: new Uint8Array(rows),
  flagsBa: new Uint8Array(rows),
  synAb: new Uint32Array(rows),
  synBa: new Uint32Array(rows),
  synAckAb: new Uint32Array(rows),
  synAckBa: new Uint32Array(rows),
  beganA: new Uint32Array(rows),
  beganB: new Uint32Array(rows),
  first: new Float64Array(rows),
  last: new Float64Array(rows)
})

/** Buffers of the columns, for a transfer list. */
export const columnBuffers = (columns: ConversationColumns): Array<ArrayBuffer> =>
  Object.values(columns).map((column: ConversationColumns[keyof ConversationColumns]) => column.buffer as ArrayBuffer)

export const emitColumns = (
  words: Int32Array,
  doubles: Float64Array,
  chunks: ReadonlyArray<number>,
  chunkShift: number,
  rows: number,
  base: number,
  rename: (exporter: number) => number
): ConversationColumns => {
  const out = emptyColumns(rows)
  for (let row = 0; row < rows; row++) {
    const slot = (chunks[row >> chunkShift]! << chunkShift) | (row & ((1 << chunkShift) - 1))
    const o = slot << Slot.SLOT_WORDS_SHIFT
    const wide = o >> 1
    const meta = words[o + Slot.META]!
    out.exporter[row] = rename((meta >>> Slot.EXPORTER_SHIFT) & Slot.EXPORTER_MASK)
    out.family[row] = (meta & Slot.FAMILY6_BIT) !== 0 ? 6 : 4
    out.protocol[row] = (meta >>> Slot.PROTOCOL_SHIFT) & 0xff
    out.folded[row] = meta & 1
    out.a[row] = words[o + Slot.A]!
    out.b[row] = words[o + Slot.B]!
    out.aPort[row] = words[o + Slot.PORTS_SEEN]! & 0xffff
    out.bPort[row] = words[o + Slot.PORTS]! & 0xffff
    out.aPorts[row] = words[o + Slot.A_PORTS]!
    out.recordsAb[row] = words[o + Slot.RECORDS]!
    out.recordsBa[row] = words[o + Slot.RECORDS + 1]!
    const bytesAb = doubles[wide + Slot.BYTES]!
    const bytesBa = doubles[wide + Slot.BYTES + Slot.BACK]!
    const packetsAb = doubles[wide + Slot.PACKETS]!
    const packetsBa = doubles[wide + Slot.PACKETS + Slot.BACK]!
    out.bytesAb[row] = bytesAb
    out.bytesBa[row] = bytesBa
    out.packetsAb[row] = packetsAb
    out.packetsBa[row] = packetsBa
    out.rawBytes[row] = bytesAb + bytesBa - doubles[wide + Slot.EXCESS_BYTES]!
    out.rawPackets[row] = packetsAb + packetsBa - doubles[wide + Slot.EXCESS_PACKETS]!
    out.sampling[row] = words[o + Slot.SAMPLING]!
    const flags = words[o + Slot.FLAGS]!
    out.flagsAb[row] = flags & 0xff
    out.flagsBa[row] = (flags >>> 8) & 0xff
    out.synAb[row] = words[o + Slot.SYN]!
    out.synBa[row] = words[o + Slot.SYN + 1]!
    out.synAckAb[row] = words[o + Slot.SYN_ACK]!
    out.synAckBa[row] = words[o + Slot.SYN_ACK + 1]!
    out.beganA[row] = words[o + Slot.BEGAN]!
    out.beganB[row] = words[o + Slot.BEGAN + 1]!
    out.first[row] = base + words[o + Slot.FIRST]!
    out.last[row] = base + words[o + Slot.LAST]!
  }
  return out
}
