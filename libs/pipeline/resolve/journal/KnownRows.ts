/**
 * What a slice has of dependencies that are known, as columns by dependency: no address, no text. The same columns are added up from
 * slice to slice until they are folded into the tables, and travel as an entry of the journal (journal-entry.ts).
 */

/** Columns, in the order of an entry. */
export const column = {
  /** Dependency id × 2 + whether it had been turned an odd number of times. */
  key: 0,
  /** 0-based number in `exporters`: the owner. */
  exporter: 1,
  flows: 2,
  toServer: 3,
  toClient: 4,
  packets: 5,
  rawBytes: 6,
  rawPackets: 7,
  sampling: 8,
  first: 9,
  last: 10,
  /** See `bit` of edge-fields.ts. */
  bits: 11,
  fanIn: 12,
  fanInAgainst: 13,
  clientPorts: 14,
  synForward: 15,
  synReverse: 16,
  synAckForward: 17,
  synAckReverse: 18,
  beganForward: 19,
  beganReverse: 20
} as const
export const columnCount = 21

/** Of `observers`: what others than the owner saw, or the owner of the other direction. */
export const seenColumn = { row: 0, exporter: 1, owner: 2, records: 3, bytes: 4, packets: 5 } as const
export const seenColumnCount = 6

/** Columns that grow. */
export interface Columns {
  length: number
  columns: Array<Float64Array>
}

export interface KnownRows {
  readonly edges: Columns
  readonly observers: Columns
  readonly exporters: Array<string>
}

const makeColumns = (count: number, capacity: number): Columns => ({
  length: 0,
  columns: Array.from({ length: count }, () => new Float64Array(capacity))
})

export const makeKnownRows = (capacity = 64): KnownRows => ({
  edges: makeColumns(columnCount, capacity),
  observers: makeColumns(seenColumnCount, 0),
  exporters: []
})

/** Place for one more row; answers its number. */
export const addRow = (to: Columns): number => {
  const capacity = to.columns[0]!.length
  if (to.length === capacity) {
    const wider = Math.max(64, capacity * 2)
    to.columns = to.columns.map((from) => {
      const values = new Float64Array(wider)
      values.set(from)
      return values
    })
  }
  return to.length++
}
