/**
 * What it costs to look for records that say again (pipeline/window/repeats.ts), beside what decoding and folding them costs: of an exporter
 * that never does, and of one that says everything twice.
 */
import { copyRow } from "#pipeline/decode/copy-row.ts"
import { type FlowBatch, makeFlowBatch } from "#pipeline/decode/FlowBatch.ts"
import { makeRepeats } from "#pipeline/window/repeats.ts"
import { randomFrom, toBatch } from "../rig/flow-records.ts"
import type { Benchmark } from "./main.ts"

const DATAGRAMS = 4096
const RECORDS = 24
const noon = Date.UTC(2023, 10, 14, 12)

const datagrams = (twice: boolean): ReadonlyArray<FlowBatch> => {
  const below = randomFrom(5)
  return Array.from({ length: DATAGRAMS }, (_, n) =>
    toBatch(
      Array.from({ length: RECORDS / 2 }, () => {
        const start = noon + n * 3 + below(1000)
        const flow = {
          exporter: 0,
          family: 4 as const,
          source: 0x0a00_0000 + below(65_536),
          destination: 0x0a40_0000 + below(2000),
          sourcePort: 32_768 + below(28_000),
          destinationPort: 443,
          protocol: 6,
          flags: 0x1b,
          bytes: 64 + below(90_000),
          packets: 1 + below(60),
          start,
          end: start + below(20_000),
          sampling: 1,
          input: 1,
          output: 2
        }
        return [flow, twice ? { ...flow, input: 3, output: 4 } : { ...flow, sourcePort: 32_768 + below(28_000) }]
      }).flat()
    )
  )
}

/** Nanoseconds of CPU a record; the copying of rows into the batch is measured alone and taken off. */
const costOf = (twice: boolean, seconds: number): number => {
  const all = datagrams(twice)
  const batch = makeFlowBatch()
  const repeats = makeRepeats({ seed: 1, repeated: () => undefined })
  let nowMs = 0
  const round = (sift: boolean): number => {
    const began = process.threadCpuUsage()
    for (let times = 0; times < 4; times++) {
      for (const datagram of all) {
        batch.length = 0
        for (let i = 0; i < RECORDS; i++) copyRow(datagram, i, batch, batch.length++)
        if (sift) repeats.sift(0, 0, batch, 0, nowMs++)
      }
    }
    const { system, user } = process.threadCpuUsage(began)
    return ((user + system) * 1000) / (4 * DATAGRAMS * RECORDS)
  }
  const until = performance.now() + seconds * 1000
  let [bare, sifted] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  do {
    bare = Math.min(bare, round(false))
    sifted = Math.min(sifted, round(true))
  } while (performance.now() < until)
  return Math.round((sifted - bare) * 100) / 100
}

export const repeatsBenchmarks = (): ReadonlyArray<Benchmark> => [
  { name: "repeats.never", unit: "ns/record", run: (seconds = 4) => costOf(false, seconds) },
  { name: "repeats.always", unit: "ns/record", run: (seconds = 4) => costOf(true, seconds) }
]
