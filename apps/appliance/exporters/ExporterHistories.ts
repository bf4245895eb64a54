/** The last hour of each exporter, a minute at a time: what the table's sparklines and the sheet's gaps are drawn from. In memory only. */
import { DateTime } from "effect"
import { type Exporter, ExporterHistory } from "#domain/Exporter.ts"
import type { ExporterId } from "#domain/ids.ts"

const MINUTES = 60
const MINUTE_MS = 60_000

interface Ring {
  records: number
  lost: number
  malformed: number
  /** minute → what came in it */
  readonly minutes: Map<number, readonly [records: number, lost: number, malformed: number]>
}

const atLeast0 = (value: number) => Math.max(0, value)

export const makeExporterHistories = () => {
  const rings = new Map<ExporterId, Ring>()
  return {
    /** Takes a reading of all exporters; at least once a minute. */
    note: (now: number, exporters: ReadonlyArray<Exporter>): void => {
      const minute = Math.floor(now / MINUTE_MS)
      const known = new Set<ExporterId>()
      for (const one of exporters) {
        known.add(one.id)
        const [records, lost, malformed] = [Number(one.records), Number(one.sequenceLost), Number(one.malformed)]
        const ring = rings.get(one.id)
        if (ring === undefined) {
          // what came before this reading is not this minute's
          rings.set(one.id, { records, lost, malformed, minutes: new Map() })
          continue
        }
        const [a = 0, b = 0, c = 0] = ring.minutes.get(minute) ?? []
        // a counter that fell began anew, or a loss turned out to be a late datagram
        const grown = records < ring.records ? records : records - ring.records
        if (one.state !== "silent" && one.state !== "expected") {
          ring.minutes.set(minute, [a + grown, atLeast0(b + lost - ring.lost), c + atLeast0(malformed - ring.malformed)])
        }
        Object.assign(ring, { records, lost, malformed })
        for (const old of ring.minutes.keys()) if (old <= minute - MINUTES) ring.minutes.delete(old)
      }
      for (const id of rings.keys()) if (!known.has(id)) rings.delete(id)
    },
    read: (now: number): ReadonlyArray<ExporterHistory> => {
      const first = Math.floor(now / MINUTE_MS) - MINUTES + 1
      return [...rings].map(([id, ring]) => {
        const column = (place: 0 | 1 | 2) => Array.from({ length: MINUTES }, (_, i) => ring.minutes.get(first + i)?.[place] ?? null)
        return new ExporterHistory({
          id,
          from: DateTime.makeUnsafe(first * MINUTE_MS),
          records: column(0),
          lost: column(1),
          malformed: column(2)
        })
      })
    }
  }
}
