/**
 * An exporter that watches both the way in and the way out of a device reports every packet twice (Open vSwitch's IPFIX does, and so does
 * a router with monitors on both sides). Where one direction of a conversation has both kinds of records from one exporter, the smaller
 * sum is an echo of the larger and does not count. The flow direction alone (IE 61) does not tell: softflowd says egress for every answer.
 */
import type { ConversationColumns, WindowSlice } from "#domain/Window.ts"

/** Seen, and not counted because it was counted already. */
export interface Spared {
  records: number
  bytes: number
}

export const spare = (to: Map<number, Spared>, exporter: number, records: number, bytes: number): void => {
  const known = to.get(exporter)
  if (known === undefined) to.set(exporter, { records, bytes })
  else {
    known.records += records
    known.bytes += bytes
  }
}

export interface WithoutEchoes {
  readonly columns: ConversationColumns
  /** Records that were left out, with those that were before the window (window/repeats.ts). */
  readonly echoes: number
  /** What each exporter (by its index in the slice) said twice: records and octets. */
  readonly said: ReadonlyMap<number, Spared>
}

export const withoutEchoes = (slice: WindowSlice): WithoutEchoes => {
  const { columns, egress } = slice
  const said = new Map<number, Spared>()
  let echoes = 0
  slice.exporters.forEach(({ repeats }, exporter) => {
    if (repeats === undefined) return
    echoes += repeats.records
    spare(said, exporter, repeats.records, repeats.bytes)
  })
  if (egress === undefined) return { columns, echoes, said }
  const fresh = {
    ...columns,
    recordsAb: columns.recordsAb.slice(),
    recordsBa: columns.recordsBa.slice(),
    bytesAb: columns.bytesAb.slice(),
    bytesBa: columns.bytesBa.slice(),
    packetsAb: columns.packetsAb.slice(),
    packetsBa: columns.packetsBa.slice(),
    rawBytes: columns.rawBytes.slice(),
    rawPackets: columns.rawPackets.slice()
  }
  for (let i = 0; i < egress.row.length; i++) {
    const row = egress.row[i]!
    for (const direction of ["Ab", "Ba"] as const) {
      const octets = columns[`bytes${direction}`][row]!
      const packets = columns[`packets${direction}`][row]!
      const out = { octets: egress[`bytes${direction}`][i]!, packets: egress[`packets${direction}`][i]! }
      const into = { octets: octets - out.octets, packets: packets - out.packets }
      if (out.octets <= 0 || into.octets <= 0) continue
      const outIsEcho = out.octets <= into.octets
      const echo = outIsEcho ? out : into
      const records = egress[`records${direction}`][i]!
      const left = outIsEcho ? records : columns[`records${direction}`][row]! - records
      fresh[`bytes${direction}`][row] = octets - echo.octets
      fresh[`packets${direction}`][row] = packets - echo.packets
      fresh[`records${direction}`][row]! -= left
      echoes += left
      spare(said, columns.exporter[row]!, left, echo.octets)
    }
    scale(fresh.rawBytes, row, fresh.bytesAb[row]! + fresh.bytesBa[row]!, columns.bytesAb[row]! + columns.bytesBa[row]!)
    scale(fresh.rawPackets, row, fresh.packetsAb[row]! + fresh.packetsBa[row]!, columns.packetsAb[row]! + columns.packetsBa[row]!)
  }
  return { columns: fresh, echoes, said }
}

/** Raw figures are kept for both directions together: they shrink as the scaled ones did. */
const scale = (column: Float64Array, row: number, now: number, before: number): void => {
  if (now !== before) column[row] = Math.round((column[row]! * now) / before)
}
