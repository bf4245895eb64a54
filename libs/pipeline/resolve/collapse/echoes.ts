/**
 * An exporter that watches both the way in and the way out of a device reports every packet twice (Open vSwitch's IPFIX does, and so does
 * a router with monitors on both sides). What it says of the way out (IE 61) is taken for another exporter's: then duplicate.ts counts one of
 * the two, in whatever slice or window each of them comes. The flow direction alone does not tell which: softflowd says egress for every
 * answer, and what is said once counts.
 */
import type { ConversationColumns, EgressColumns, SliceExporter, WindowSlice } from "#domain/Window.ts"

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

/** What each exporter (by its index in the slice) was found to repeat before the window (window/repeats.ts). */
export const repeated = ({ exporters }: WindowSlice): Map<number, Spared> => {
  const said = new Map<number, Spared>()
  exporters.forEach(({ repeats }, exporter) => {
    if (repeats !== undefined) spare(said, exporter, repeats.records, repeats.bytes)
  })
  return said
}

/** Whether both are one device's word by one protocol, whichever way it watched. */
export const isOneWord = (one: SliceExporter, other: SliceExporter): boolean =>
  one.address === other.address && one.protocol === other.protocol

const amounts = ["recordsAb", "recordsBa", "bytesAb", "bytesBa", "packetsAb", "packetsBa"] as const
const evidence = ["aPorts", "synAb", "synBa", "synAckAb", "synAckBa", "beganA", "beganB"] as const

/** The slice with rows of their own for what was reported on the way out, by exporters of their own behind the others. */
export const waysApart = (slice: WindowSlice): WindowSlice => {
  const { columns, egress, exporters, rows } = slice
  if (egress === undefined) return slice
  const apart = longer(columns, rows + egress.row.length)
  for (let i = 0; i < egress.row.length; i++) {
    const from = egress.row[i]!
    const to = rows + i
    for (const column of Object.values(apart)) column[to] = column[from]!
    // each start and SYN counts once
    for (const name of evidence) apart[name][to] = 0
    apart.exporter[to] = exporters.length + columns.exporter[from]!
    const { bytes, packets } = shareOf(columns, egress, i)
    apart.rawBytes[to] = Math.round(columns.rawBytes[from]! * bytes)
    apart.rawBytes[from]! -= apart.rawBytes[to]!
    apart.rawPackets[to] = Math.round(columns.rawPackets[from]! * packets)
    apart.rawPackets[from]! -= apart.rawPackets[to]!
    for (const name of amounts) {
      apart[name][to] = egress[name][i]!
      apart[name][from]! -= egress[name][i]!
    }
  }
  return {
    ...slice,
    rows: rows + egress.row.length,
    columns: apart,
    exporters: [
      ...exporters,
      ...exporters.map(({ address, protocol }) => ({ address, ...(protocol === undefined ? {} : { protocol }), egress: true }))
    ]
  }
}

/** Raw figures are kept for both directions and ways together: they are shared as the scaled ones are. */
const shareOf = (columns: ConversationColumns, egress: EgressColumns, i: number) => {
  const row = egress.row[i]!
  const share = (out: number, all: number) => (all > 0 ? out / all : 0)
  return {
    bytes: share(egress.bytesAb[i]! + egress.bytesBa[i]!, columns.bytesAb[row]! + columns.bytesBa[row]!),
    packets: share(egress.packetsAb[i]! + egress.packetsBa[i]!, columns.packetsAb[row]! + columns.packetsBa[row]!)
  }
}

const longer = (columns: ConversationColumns, rows: number): ConversationColumns => {
  const made: Record<string, unknown> = {}
  for (const [name, column] of Object.entries(columns)) {
    const wider = new (column.constructor as new (length: number) => typeof column)(rows)
    wider.set(column)
    made[name] = wider
  }
  return made as unknown as ConversationColumns
}
