/**
 * Flow records seen lately, by a fingerprint of their exporter and exact 5-tuple: buckets of four, of which each in turn makes room. Nothing
 * here grows with traffic; a flow that was pushed out is only not recognised. A flow that is not there costs one line of the tags.
 */

const WAYS = 4
const ENTRY_BYTES = 64
const WORDS = ENTRY_BYTES / 4
const DOUBLES = ENTRY_BYTES / 8
// Words of an entry, then its doubles.
const HIGH = 0
const EXPORTER = 1
const DOMAIN = 2
const INPUT = 3
const OUTPUT = 4
const START = 3
const END = 4
const PACKETS = 5
const OCTETS = 6

export interface RecentFlows {
  /** How many entries have that fingerprint; `at(0)` and so on say where. Good until the next call. */
  readonly find: (low: number, high: number, exporter: number) => number
  readonly at: (n: number) => number
  readonly domain: (at: number) => number
  readonly input: (at: number) => number
  readonly output: (at: number) => number
  readonly start: (at: number) => number
  readonly end: (at: number) => number
  readonly packets: (at: number) => number
  readonly octets: (at: number) => number
  /** Returns where the new entry is, to be filled by `place` and `measure`. */
  readonly add: (low: number, high: number, exporter: number) => number
  readonly place: (at: number, domain: number, input: number, output: number) => void
  readonly measure: (at: number, start: number, end: number, packets: number, octets: number) => void
  /** Uses the whole table, into which what is known moves, or the small part of it that stays in a cache. */
  readonly widen: (whole: boolean) => void
  readonly bytesHeld: () => number
}

/** `few` and `most`: entries, powers of two. Memory that was never touched costs nothing. */
export const makeRecentFlows = (few: number, most: number): RecentFlows => {
  const memory = new ArrayBuffer(most * ENTRY_BYTES)
  const words = new Uint32Array(memory)
  const doubles = new Float64Array(memory)
  const tags = new Int32Array(most)
  const turns = new Uint8Array(most / WAYS)
  const found = new Int32Array(WAYS)
  let buckets = few / WAYS
  let touched = few

  return {
    find: (low, high, exporter) => {
      const first = (low & (buckets - 1)) * WAYS
      let count = 0
      for (let at = first; at < first + WAYS; at++) {
        if (tags[at] !== low) continue
        const word = at * WORDS
        if (words[word + HIGH] === high >>> 0 && words[word + EXPORTER] === exporter + 1) found[count++] = at
      }
      return count
    },
    at: (n) => found[n]!,
    domain: (at) => words[at * WORDS + DOMAIN]!,
    input: (at) => words[at * WORDS + INPUT]!,
    output: (at) => words[at * WORDS + OUTPUT]!,
    start: (at) => doubles[at * DOUBLES + START]!,
    end: (at) => doubles[at * DOUBLES + END]!,
    packets: (at) => doubles[at * DOUBLES + PACKETS]!,
    octets: (at) => doubles[at * DOUBLES + OCTETS]!,
    add: (low, high, exporter) => {
      const bucket = low & (buckets - 1)
      const at = bucket * WAYS + (turns[bucket]!++ & (WAYS - 1))
      tags[at] = low
      words[at * WORDS + HIGH] = high
      words[at * WORDS + EXPORTER] = exporter + 1
      return at
    },
    place: (at, domain, input, output) => {
      const word = at * WORDS
      words[word + DOMAIN] = domain
      words[word + INPUT] = input
      words[word + OUTPUT] = output
    },
    measure: (at, start, end, packets, octets) => {
      const double = at * DOUBLES
      doubles[double + START] = start
      doubles[double + END] = end
      doubles[double + PACKETS] = packets
      doubles[double + OCTETS] = octets
    },
    widen: (whole) => {
      const before = buckets
      buckets = (whole ? most : few) / WAYS
      touched = Math.max(touched, buckets * WAYS)
      if (buckets <= before) return
      for (let at = 0; at < few; at++) {
        const bucket = tags[at]! & (buckets - 1)
        if (bucket < before) continue
        const to = bucket * WAYS + (turns[bucket]!++ & (WAYS - 1))
        tags[to] = tags[at]!
        words.copyWithin(to * WORDS, at * WORDS, (at + 1) * WORDS)
      }
    },
    bytesHeld: () => touched * (ENTRY_BYTES + 4)
  }
}
