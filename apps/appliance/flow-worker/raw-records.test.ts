import { assert, describe, it } from "vitest"
import type { RawChunk } from "#domain/RawChunk.ts"
import { makeFlowBatch } from "#pipeline/decode/FlowBatch.ts"
import { makeRawRecords } from "./raw-records.ts"

const gather = (maxRate: number) => {
  const chunks: Array<RawChunk> = []
  let leftOut = 0
  const raw = makeRawRecords(
    maxRate,
    (index) => `192.0.2.${index}`,
    (chunk, more) => {
      chunks.push(chunk)
      leftOut += more
    }
  )
  return { raw, chunks, leftOut: () => leftOut, rows: () => chunks.reduce((sum, { rows }) => sum + rows, 0) }
}

const filled = (rows: number, exporter = 3) => {
  const batch = makeFlowBatch()
  batch.length = rows
  batch.exporter.fill(exporter, 0, rows)
  batch.family.fill(4, 0, rows)
  for (let i = 0; i < rows; i++) batch.source[i] = i
  return batch
}

const skew = new Float64Array(8).fill(250)

describe("single flow records", () => {
  it("leave by the chunk and by the second, every one once, with the exporter's skew corrected", () => {
    const { chunks, leftOut, raw, rows } = gather(50_000)
    const batch = filled(6000)
    batch.start[0] = 1000
    batch.end[0] = 2000
    raw.take(batch, skew, 9999)
    assert.strictEqual(chunks.length, 1)
    raw.take(filled(10, 5), skew, 10_000)
    raw.tick()
    assert.strictEqual(rows(), 6010)
    assert.strictEqual(leftOut(), 0)
    const [first, second] = chunks
    assert.deepStrictEqual([first!.start[0], first!.end[0], first!.start[1], first!.received[1]], [1250, 2250, 9999, 9999])
    assert.deepStrictEqual(first!.exporters, ["192.0.2.3"])
    assert.deepStrictEqual(second!.exporters, ["192.0.2.3", "192.0.2.5"])
    assert.strictEqual(second!.source[0], 5000)
    assert.strictEqual(second!.exporter[1000], 1)
  })

  it("are at most so many a second; the rest is counted", () => {
    const { leftOut, raw, rows } = gather(100)
    raw.take(filled(70), skew, 1)
    raw.take(filled(70), skew, 1)
    raw.tick()
    assert.deepStrictEqual([rows(), leftOut()], [100, 40])
    raw.take(filled(70), skew, 1)
    raw.tick()
    assert.deepStrictEqual([rows(), leftOut()], [170, 40])
  })
})
