/** Slots → the columns of a slice (libs/domain/Window.ts). Runs once a flush. */
import type { ConversationColumns } from "#domain/Window.ts"
import * as Slot from "./slot.ts"

type Kind<A> = { readonly BYTES_PER_ELEMENT: number; new (buffer: ArrayBuffer, at: number, length: number): A }

const ROW_BYTES = 125
const COLUMNS = 28

/**
 * Columns of zeros in one buffer. Large ones then go back to the system whole when they are let go; thirty buffers of as many sizes leave
 * holes in the allocator's heap, and the process grows with every flush.
 */
export const emptyColumns = (rows: number): ConversationColumns => {
  const buffer = new ArrayBuffer(rows * ROW_BYTES + COLUMNS * 8)
  let at = 0
  const column = <A extends { readonly byteLength: number }>(Kind: Kind<A>): A => {
    const made = new Kind(buffer, at, rows)
    at += (made.byteLength + 7) & ~7
    return made
  }
  return {
    exporter: column(Uint32Array),
    family: column(Uint8Array),
    protocol: column(Uint8Array),
    folded: column(Uint8Array),
    a: column(Uint32Array),
    b: column(Uint32Array),
    aPort: column(Uint16Array),
    bPort: column(Uint16Array),
    aPorts: column(Uint32Array),
    recordsAb: column(Uint32Array),
    recordsBa: column(Uint32Array),
    bytesAb: column(Float64Array),
    bytesBa: column(Float64Array),
    packetsAb: column(Float64Array),
    packetsBa: column(Float64Array),
    rawBytes: column(Float64Array),
    rawPackets: column(Float64Array),
    sampling: column(Uint32Array),
    flagsAb: column(Uint8Array),
    flagsBa: column(Uint8Array),
    synAb: column(Uint32Array),
    synBa: column(Uint32Array),
    synAckAb: column(Uint32Array),
    synAckBa: column(Uint32Array),
    beganA: column(Uint32Array),
    beganB: column(Uint32Array),
    first: column(Float64Array),
    last: column(Float64Array)
  }
}

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
