/** Exporters that say things twice, and some that only seem to, for tests of repeats.ts. */
import { assert } from "@effect/vitest"
import { randomFrom, type TestRecord, toBatch } from "../../../test/rig/flow-records.ts"
import { copyRow } from "../decode/copy-row.ts"
import { DIRECTION_UNKNOWN, type FlowBatch, makeFlowBatch } from "../decode/FlowBatch.ts"
import { makeRepeats } from "./repeats.ts"

export const noon = Date.UTC(2023, 10, 14, 12)
export const seeds = Array.from({ length: 6 }, (_, seed) => seed + 1)

/** What a row is, but for when it came. */
const facts = (batch: FlowBatch, i: number): string =>
  [
    batch.exporter[i],
    batch.source[i],
    batch.destination[i],
    batch.family[i] === 6 ? batch.ipv6.subarray(i * 32, i * 32 + 32).join(".") : "",
    batch.sourcePort[i],
    batch.destinationPort[i],
    batch.start[i],
    batch.end[i],
    batch.packets[i],
    batch.bytes[i],
    batch.inputInterface[i],
    batch.outputInterface[i]
  ].join(" ")

/** Plays records in datagrams of one exporter, five milliseconds each, and gathers what is counted. */
export const making = (seed = 1) => {
  const counted: Array<string> = []
  let octets = 0
  let repeated = 0
  let repeatedOctets = 0
  let nowMs = 0
  const repeats = makeRepeats({
    seed,
    repeated: (batch, row) => {
      repeated++
      repeatedOctets += batch.bytes[row]!
    }
  })
  const count = (batch: FlowBatch) => {
    for (let i = 0; i < batch.length; i++) {
      counted.push(facts(batch, i))
      octets += batch.bytes[i]!
    }
  }
  const release = (all: boolean) => {
    const batch = makeFlowBatch(1024)
    repeats.release(batch, nowMs, all)
    count(batch)
  }
  return {
    repeats,
    play: (records: ReadonlyArray<TestRecord>, domain = 0) => {
      for (let from = 0; from < records.length; from += 24) {
        const datagram = toBatch(records.slice(from, from + 24))
        // rows of other datagrams lie before it
        const batch = makeFlowBatch(64)
        for (let i = 0; i < datagram.length; i++) copyRow(datagram, i, batch, i + 7)
        batch.length = datagram.length + 7
        repeats.sift(records[from]!.exporter, domain, batch, 7, nowMs)
        const left = makeFlowBatch(64)
        for (let i = 7; i < batch.length; i++) copyRow(batch, i, left, left.length++)
        count(left)
        nowMs += 5
      }
    },
    wait: (ms: number) => {
      nowMs += ms
      release(false)
    },
    end: () => {
      release(true)
      return { counted, octets, repeated, repeatedOctets }
    },
    soFar: () => ({ counted: counted.length, repeated })
  }
}

export const flowsOf = (
  seed: number,
  count: number,
  change: (i: number) => Partial<TestRecord> = () => ({})
): Array<TestRecord> => {
  const below = randomFrom(seed)
  return Array.from({ length: count }, (_, i) => {
    const start = noon + i * 7 + below(5)
    const packets = below(3) === 0 ? 1 + below(2) : 3 + below(2000)
    return {
      exporter: 3,
      family: below(5) === 0 ? (6 as const) : (4 as const),
      source: 0x0a00_0000 + below(500),
      destination: 0x0a01_0000 + below(20),
      sourcePort: 32_768 + below(28_000),
      destinationPort: [443, 53, 5432, 22][below(4)]!,
      protocol: below(4) === 0 ? 17 : 6,
      flags: 0x1b,
      bytes: packets * (60 + below(1400)),
      packets,
      start,
      end: packets === 1 ? start : start + below(50_000),
      sampling: 1,
      direction: DIRECTION_UNKNOWN,
      input: 1,
      output: 2,
      ...change(i)
    }
  })
}
export const octetsOf = (records: ReadonlyArray<TestRecord>) => records.reduce((sum, { bytes }) => sum + bytes, 0)

/** Each record once more from other interfaces, some records later and some milliseconds apart. */
export const twice = (records: ReadonlyArray<TestRecord>, seed: number, places: Partial<TestRecord> = { input: 3, output: 4 }) => {
  const below = randomFrom(seed + 77)
  return records
    .flatMap((record, i) => [
      { at: i, record },
      {
        at: i + 0.5 + below(40),
        record: { ...record, ...places, start: record.start + below(3), end: record.end + 2 + below(3) }
      }
    ])
    .sort((a, b) => a.at - b.at)
    .map(({ record }) => record)
}

/** Nothing is taken and nothing is lost; held rows may come later than the others. */
export const leftAlone = (records: ReadonlyArray<TestRecord>, seed = 1) => {
  const played = making(seed)
  played.play(records)
  const { counted, octets, repeated } = played.end()
  assert.strictEqual(repeated, 0)
  assert.strictEqual(octets, octetsOf(records))
  const batch = toBatch(records)
  assert.deepStrictEqual([...counted].sort(), records.map((_, i) => facts(batch, i)).sort())
}
