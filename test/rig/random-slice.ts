/** Window slices of any content, for what carries them and does not look inside. */
import type { WindowSlice } from "#domain/Window.ts"
import { emptyEgress } from "#pipeline/window/egress.ts"
import { emptyColumns } from "#pipeline/window/emit-columns.ts"

export const sliceBoot = "00000000-0000-4000-8000-000000000001"

type Columns = Record<string, Uint8Array | Uint16Array | Uint32Array | Float64Array>

const fill = <A extends object>(columns: A, random: (below: number) => number): A => {
  for (const column of Object.values(columns as Columns)) {
    for (let i = 0; i < column.length; i++) column[i] = column instanceof Float64Array ? random(2 ** 31) * 1024 : random(2 ** 31)
  }
  return columns
}

export const randomSlice = (random: (below: number) => number, fields: Partial<WindowSlice> = {}): WindowSlice => {
  const rows = random(50)
  const out = random(2) === 0 ? 0 : Math.min(rows, 1 + random(5))
  return {
    boot: sliceBoot,
    worker: `worker-${1 + random(3)}`,
    sequence: random(1_000_000),
    windowStart: (1_700_000_100 + random(1000) * 300) * 1000,
    windowSeconds: 300,
    final: random(2) === 0,
    pressureSampling: 1 + random(10),
    records: random(1_000_000),
    rows,
    exporters: Array.from({ length: random(5) }, (_, i) => ({
      address: `192.0.2.${i}`,
      ...(random(3) === 0 ? {} : { protocol: "ipfix" as const })
    })),
    ipv6: Uint8Array.from({ length: random(4) * 16 }, () => random(256)),
    columns: fill(emptyColumns(rows), random),
    ...(out === 0 ? {} : { egress: fill(emptyEgress(out), random) }),
    ...fields
  }
}
