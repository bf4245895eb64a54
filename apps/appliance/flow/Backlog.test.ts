import { assert, describe, it } from "vitest"
import type { SpooledSlice } from "#pipeline/window/Spool.ts"
import { randomFrom } from "../../../test/rig/flow-records.ts"
import { randomSlice } from "../../../test/rig/random-slice.ts"
import { makeBacklog, sliceBytes } from "./Backlog.ts"

const random = randomFrom(1)
const slice = (fields: Parameters<typeof randomSlice>[1] = {}) =>
  randomSlice(random, { worker: "worker-1", windowStart: 300_000, final: false, records: 5, ...fields })
const onDisk = {} as SpooledSlice
const backlog = (options: Partial<Parameters<typeof makeBacklog>[0]> = {}) =>
  makeBacklog({ memoryBytes: 1e9, mostWaitMs: 60_000, workers: 1, ...options })

describe("Backlog", () => {
  it("is due at once where writes are fast, and keeps them at one part in ten where they are slow", () => {
    const small = backlog()
    assert.strictEqual(small.dueIn(0), Number.POSITIVE_INFINITY)
    small.add(slice(), onDisk, 1000)
    assert.strictEqual(small.dueIn(1000), 0)
    for (const one of small.next(1000)) small.drop(one)
    small.wrote(1000, 10)
    small.add(slice(), onDisk, 1100)
    assert.strictEqual(small.dueIn(1100), 0)
    small.wrote(1100, 20)
    assert.strictEqual(small.dueIn(1150), 150)
    assert.strictEqual(small.dueIn(1300), 0)
  })

  it("lets no slice wait for longer than it may, however long writes take", () => {
    const large = backlog()
    large.wrote(0, 100_000)
    large.add(slice(), onDisk, 1000)
    assert.strictEqual(large.dueIn(1000), 60_000)
    large.add(slice(), onDisk, 30_000)
    assert.strictEqual(large.dueIn(61_000), 0)
  })

  it("is due when a window ended, with the last slices of all workers, or soon after the first of them", () => {
    const one = backlog()
    one.wrote(0, 100_000)
    one.add(slice({ final: true }), onDisk, 1000)
    assert.strictEqual(one.dueIn(1000), 0)
    const two = backlog({ workers: 2 })
    two.wrote(0, 100_000)
    two.add(slice({ final: true }), onDisk, 1000)
    assert.strictEqual(two.dueIn(1000), 2000)
    two.add(slice({ final: true, worker: "worker-2", windowStart: 600_000 }), onDisk, 1100)
    assert.strictEqual(two.dueIn(1100), 1900)
    two.add(slice({ final: true, worker: "worker-2" }), onDisk, 1200)
    assert.strictEqual(two.dueIn(1200), 0)
  })

  it("is due when an earlier start left something, and when the process ends", () => {
    const left = backlog()
    left.wrote(0, 100_000)
    const { exporters: _, ipv6: __, columns: ___, egress: ____, ...heading } = slice()
    left.replay({ heading: { ...heading, bootAt: 1 }, file: "x", bytes: 100, at: 5 })
    assert.strictEqual(left.dueIn(10), 0)
    for (const one of left.next(10)) left.drop(one)
    left.add(slice(), onDisk, 20)
    assert.isAbove(left.dueIn(20), 0)
    left.hurry()
    assert.strictEqual(left.dueIn(20), 0)
  })

  it("gives the slices of the oldest window in the order they came, and none that came after the round began", () => {
    const mixed = backlog()
    const later = mixed.add(slice({ windowStart: 600_000 }), onDisk, 1)
    const first = mixed.add(slice(), onDisk, 2)
    const second = mixed.add(slice(), onDisk, 3)
    mixed.add(slice(), onDisk, 9)
    assert.deepStrictEqual(mixed.next(5), [first, second])
    assert.deepStrictEqual(mixed.next(5, 1), [first])
    mixed.drop(first)
    mixed.drop(second)
    assert.deepStrictEqual(mixed.next(5), [later])
    mixed.drop(later)
    assert.deepStrictEqual(mixed.next(5), [])
    assert.strictEqual(mixed.reading().slices, 1)
  })

  it("keeps in memory what fits, and what is not on disk", () => {
    const big = slice({ ipv6: new Uint8Array(16 * 64) })
    const tight = backlog({ memoryBytes: sliceBytes(big) })
    const a = tight.add(big, onDisk, 1)
    const b = tight.add(big, onDisk, 2)
    const c = tight.add(big, undefined, 3)
    assert.deepStrictEqual([a.slice, b.slice, c.slice], [big, undefined, big])
    assert.deepStrictEqual(tight.unspooled(), [c])
    assert.strictEqual(tight.reading().memoryBytes, 2 * sliceBytes(big))
    tight.spooled(c, onDisk)
    assert.isUndefined(c.slice)
    tight.drop(a)
    tight.drop(a)
    assert.deepInclude(tight.reading(), { slices: 2, memoryBytes: 0, oldestAt: 2, unspooled: 0, records: 10 })
  })
})
