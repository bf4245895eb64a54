import { assert, describe, it } from "@effect/vitest"
import { makeDecodeOutcome } from "../decode/DecodeOutcome.ts"
import { makeFlowBatch } from "../decode/FlowBatch.ts"
import { makeMeasurer } from "./measure.ts"

const outcome = { ...makeDecodeOutcome(), version: 9 as const, records: 20 }
const batchOf = (rows: number) => {
  const batch = makeFlowBatch()
  batch.length = rows
  return batch
}

describe("measures of an exporter", () => {
  it("forget within ten minutes what is not so any more", () => {
    const measurer = makeMeasurer()
    const at = (ms: number, octets: number) => measurer.datagram(0, outcome, octets, batchOf(20), 0, 0, ms)
    at(0, 4000)
    for (let second = 1; second <= 660; second++) {
      at(second * 1000, 1400)
      measurer.tick(second * 1000, 0)
    }
    const { datagrams, largestDatagram, oversized, spanMs } = measurer.read(0, 0, 660_000)
    assert.deepStrictEqual([largestDatagram, oversized], [1400, 0])
    assert.deepStrictEqual([spanMs, datagrams], [360_000, 360])
  })

  it("look into so many datagrams a second and no more", () => {
    const measurer = makeMeasurer()
    for (let i = 0; i < 1000; i++) measurer.datagram(0, outcome, 1400, batchOf(20), 0, 0, 0)
    assert.strictEqual(measurer.read(0, 0, 0).looked, 50 * 20)
    measurer.tick(1000, 0)
    measurer.datagram(0, outcome, 1400, batchOf(20), 0, 0, 1000)
    assert.strictEqual(measurer.read(0, 0, 1000).looked, 51 * 20)
  })

  it("have what our kernel dropped, and of the exporter's own losses those of this run", () => {
    const measurer = makeMeasurer()
    measurer.datagram(0, outcome, 1400, batchOf(0), 0, 0, 0)
    measurer.tick(1000, 3)
    measurer.tick(2000, 7)
    assert.strictEqual(measurer.read(0, 500, 2000).lost, 0)
    const { kernelDropped, lost } = measurer.read(0, 512, 3000)
    assert.deepStrictEqual([kernelDropped, lost], [7, 12])
    // one datagram was only late
    assert.strictEqual(measurer.read(0, 511, 4000).lost, 11)
  })

  it("begin anew with another owner of the place", () => {
    const measurer = makeMeasurer()
    measurer.datagram(0, outcome, 1400, batchOf(20), 0, 0, 0)
    measurer.forget(0)
    assert.strictEqual(measurer.read(0, 0, 0).datagrams, 0)
  })
})
