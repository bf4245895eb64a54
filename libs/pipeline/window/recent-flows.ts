/**
 * Flow records seen lately, by a fingerprint of their exporter and exact 5-tuple: buckets of four, of which the oldest makes room. Nothing
 * here grows with traffic; a flow that was pushed out is only not recognised.
 */

const WAYS = 4
const ENTRY_BYTES = 64
const WORDS = ENTRY_BYTES / 4
const DOUBLES = ENTRY_BYTES / 8
// Words of an entry: two of the fingerprint, exporter + 1, metering point; then doubles from the third on.
const LOW = 0
const HIGH = 1
const EXPORTER = 2
const POINT = 3
const START = 2
const END = 3
const PACKETS = 4
const OCTETS = 5
const SERIAL = 6

export interface RecentFlows {
  /** How many entries have that fingerprint; `at(0)` and so on say where. Good until the next call. */
  readonly find: (low: number, high: number, exporter: number) => number
  readonly at: (n: number) => number
  readonly point: (at: number) => number
  readonly start: (at: number) => number
  readonly end: (at: number) => number
  readonly packets: (at: number) => number
  readonly octets: (at: number) => number
  readonly add: (
    low: number,
    high: number,
    exporter: number,
    point: number,
    start: number,
    end: number,
    packets: number,
    octets: number
  ) => void
  /** Uses the whole table, into which what is known moves, or the small part of it that stays in a cache. */
  readonly widen: (whole: boolean) => void
  readonly bytesHeld: () => number
}

/** `few` and `most`: entries, powers of two. Memory that was never touched costs nothing. */
export const makeRecentFlows = (few: number, most: number): RecentFlows => {
  const memory = new ArrayBuffer(most * ENTRY_BYTES)
  const words = new Int32Array(memory)
  const doubles = new Float64Array(memory)
  const found = new Int32Array(WAYS)
  let buckets = few / WAYS
  let touched = buckets
  let serial = 0
  const bucketOf = (low: number): number => (low & (buckets - 1)) * WAYS

  return {
    find: (low, high, exporter) => {
      const first = bucketOf(low)
      let count = 0
      for (let at = first; at < first + WAYS; at++) {
        const word = at * WORDS
        if (words[word + LOW] === low && words[word + HIGH] === high && words[word + EXPORTER] === exporter + 1) found[count++] = at
      }
      return count
    },
    at: (n) => found[n]!,
    point: (at) => words[at * WORDS + POINT]!,
    start: (at) => doubles[at * DOUBLES + START]!,
    end: (at) => doubles[at * DOUBLES + END]!,
    packets: (at) => doubles[at * DOUBLES + PACKETS]!,
    octets: (at) => doubles[at * DOUBLES + OCTETS]!,
    add: (low, high, exporter, point, start, end, packets, octets) => {
      const first = bucketOf(low)
      let oldest = first
      for (let at = first + 1; at < first + WAYS; at++) {
        if (doubles[at * DOUBLES + SERIAL]! < doubles[oldest * DOUBLES + SERIAL]!) oldest = at
      }
      const word = oldest * WORDS
      const double = oldest * DOUBLES
      words[word + LOW] = low
      words[word + HIGH] = high
      words[word + EXPORTER] = exporter + 1
      words[word + POINT] = point
      doubles[double + START] = start
      doubles[double + END] = end
      doubles[double + PACKETS] = packets
      doubles[double + OCTETS] = octets
      doubles[double + SERIAL] = ++serial
    },
    widen: (whole) => {
      const before = buckets
      buckets = (whole ? most : few) / WAYS
      touched = Math.max(touched, buckets)
      if (buckets <= before) return
      for (let at = 0; at < few; at++) {
        const to = bucketOf(words[at * WORDS + LOW]!) + (at % WAYS)
        if (to !== at) words.copyWithin(to * WORDS, at * WORDS, (at + 1) * WORDS)
      }
    },
    bytesHeld: () => touched * WAYS * ENTRY_BYTES
  }
}
