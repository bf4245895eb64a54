/** Which exporter saw which of our networks since it was last asked: sums over slices, handed to the store and begun anew. */
import type { NetworkSet } from "#domain/Address.ts"
import type { WindowSlice } from "#domain/Window.ts"
import { subnetsSeen } from "#pipeline/resolve/collapse/subnets-seen.ts"
import type { SubnetCount } from "#pipeline/store/CoverageStore.ts"

/** Pairs that wait for a database that is away; addresses are easily invented. */
const MOST_PAIRS = 20_000

export const makeSubnetBook = (internal: NetworkSet) => {
  /** The newest window each pair was counted in. */
  let counted = new Map<string, number>()
  let sums = new Map<string, { subnet: string; exporter: string; records: number; windows: number; at: number }>()
  return {
    add: (slice: Pick<WindowSlice, "columns" | "exporters" | "ipv6" | "windowStart">, now: number): void => {
      for (const { subnet, exporter, records } of subnetsSeen(slice, internal)) {
        const key = `${subnet} ${exporter}`
        const fresh = (counted.get(key) ?? Number.NEGATIVE_INFINITY) < slice.windowStart
        if (fresh) {
          if (counted.size >= MOST_PAIRS) counted = new Map()
          counted.set(key, slice.windowStart)
        }
        const sum = sums.get(key)
        if (sum !== undefined) {
          sum.records += records
          sum.windows += fresh ? 1 : 0
          sum.at = now
        } else if (sums.size < MOST_PAIRS) sums.set(key, { subnet, exporter, records, windows: fresh ? 1 : 0, at: now })
      }
    },
    take: (): ReadonlyArray<SubnetCount> => {
      const taken = [...sums.values()]
      sums = new Map()
      return taken
    },
    /** They could not be stored. */
    putBack: (counts: ReadonlyArray<SubnetCount>): void => {
      for (const { subnet, exporter, records, windows, at } of counts) {
        const key = `${subnet} ${exporter}`
        const sum = sums.get(key)
        if (sum === undefined) sums.set(key, { subnet, exporter, records, windows, at })
        else {
          sum.records += records
          sum.windows += windows
        }
      }
    }
  }
}

export type SubnetBook = ReturnType<typeof makeSubnetBook>
