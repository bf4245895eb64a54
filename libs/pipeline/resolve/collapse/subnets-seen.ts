/** Which exporter saw traffic of which of our networks: counted per slice over its columns, before anything is collapsed. */
import { ipv4Text, ipv6Text, type NetworkSet } from "#domain/Address.ts"
import type { WindowSlice } from "#domain/Window.ts"

export interface SubnetSeen {
  /** A /24 or a /64. */
  readonly subnet: string
  readonly exporter: string
  readonly records: number
}

/** Beyond so many pairs a slice's lightest are left out: addresses are easily invented. */
export const MOST_SUBNETS = 4096

export const subnetsSeen = (
  { columns, exporters, ipv6 }: Pick<WindowSlice, "columns" | "exporters" | "ipv6">,
  internal: NetworkSet
): ReadonlyArray<SubnetSeen> => {
  const { exporter, family, a, b, recordsAb, recordsBa } = columns
  // exporter index × 2^24 + the first three octets: whole numbers a double holds
  const v4 = new Map<number, number>()
  const v6 = new Map<string, { readonly exporter: number; readonly offset: number; records: number }>()
  const add4 = (by: number, address: number, records: number) => {
    const key = by * 0x1000000 + (address >>> 8)
    v4.set(key, (v4.get(key) ?? 0) + records)
  }
  const add6 = (by: number, index: number, records: number) => {
    const offset = index * 16
    let key = `${by} `
    for (let i = offset; i < offset + 8; i++) key += String.fromCharCode(ipv6[i]!)
    const known = v6.get(key)
    if (known === undefined) v6.set(key, { exporter: by, offset, records })
    else known.records += records
  }
  for (let row = 0; row < exporter.length; row++) {
    const by = exporter[row]!
    const records = recordsAb[row]! + recordsBa[row]!
    const add = family[row] === 4 ? add4 : add6
    add(by, a[row]!, records)
    add(by, b[row]!, records)
  }
  const seen: Array<SubnetSeen> = []
  for (const [key, records] of v4) {
    const net = (key % 0x1000000) * 256
    if (internal.hasV4(net)) {
      seen.push({ subnet: `${ipv4Text(net)}/24`, exporter: exporters[Math.floor(key / 0x1000000)]!.address, records })
    }
  }
  for (const { exporter: by, offset, records } of v6.values()) {
    if (!internal.hasV6(ipv6, offset)) continue
    const bytes = new Uint8Array(16)
    bytes.set(ipv6.subarray(offset, offset + 8))
    seen.push({ subnet: `${ipv6Text(bytes)}/64`, exporter: exporters[by]!.address, records })
  }
  return seen.length <= MOST_SUBNETS ? seen : seen.sort((x, y) => y.records - x.records).slice(0, MOST_SUBNETS)
}
