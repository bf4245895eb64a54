import { assert, describe, it } from "@effect/vitest"
import { makeChunks } from "./chunks.ts"
import { balanced, flow, fold, makeTestWindows, noon, totals } from "./windows.fixture.ts"

const flood = (count: number, from = 0) => Array.from({ length: count }, (_, n) => ({ ...flow, source: from + n + 1 }))

describe("chunks", () => {
  it("are given lowest first, and what a flood took goes back once two flushes have not needed it", () => {
    const gone: Array<number> = []
    const chunks = makeChunks(1000, (chunk) => gone.push(chunk) > 0)
    const flooded = Array.from({ length: 400 }, () => chunks.take()!)
    assert.deepStrictEqual([flooded[0], flooded.at(-1), chunks.written()], [1, 400, 401])
    chunks.free(flooded)
    chunks.relieve()
    const few = [chunks.take()!, chunks.take()!]
    assert.deepStrictEqual([few, gone.length], [[1, 2], 0])
    chunks.relieve()
    assert.strictEqual(gone.length, 0)
    chunks.relieve()
    assert.deepStrictEqual([gone.length, gone[0], chunks.written()], [256, 400, 145])
    chunks.relieve()
    // twice the two and the first stay
    assert.deepStrictEqual([gone.at(-1), chunks.written()], [6, 6])
  })

  it("stay where the system does not take them", () => {
    const chunks = makeChunks(1000, () => false)
    chunks.free(Array.from({ length: 400 }, () => chunks.take()!))
    for (let flush = 0; flush < 4; flush++) chunks.relieve()
    assert.strictEqual(chunks.written(), 401)
  })
})

describe("a window after a flood", () => {
  it("holds little memory again, whatever is in what it gave back, and loses nothing", () => {
    const windows = makeTestWindows({
      maxConversations: 200_000,
      giveBack: (memory, from, to) => new Uint8Array(memory, from, to - from).fill(0xff).length > 0
    })
    fold(windows, flood(1000), noon)
    const before = windows.bytesHeld()
    fold(windows, flood(100_000), noon)
    const flooded = windows.bytesHeld()
    assert.isAbove(flooded, before + 100_000 * 128)
    const slices = [...windows.flush(noon + 1, 9)]
    for (let n = 0; n < 12; n++) {
      fold(windows, flood(1000), noon + 2)
      slices.push(...windows.flush(noon + 2, 9))
    }
    assert.isBelow(windows.bytesHeld(), before * 4)
    fold(windows, flood(100_000, 7), noon + 3)
    slices.push(...windows.flush(noon + 3, 9))
    const records = 213_000
    assert.deepStrictEqual(totals(slices), {
      records,
      rowRecords: records,
      bytes: records * 1000,
      packets: records * 10,
      rawBytes: records * 1000
    })
    balanced(windows)
  })
})
