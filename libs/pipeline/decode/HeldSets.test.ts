import { assert, describe, it } from "@effect/vitest"
import { type HeldSet, makeHeldSets } from "./HeldSets.ts"

const set = (exporterAddress: string, templateId: number, size: number, arrivalMs = 0): HeldSet => ({
  exporterAddress,
  exporterIndex: 0,
  version: 9,
  domain: 1,
  templateId,
  exportMs: 0,
  uptime: 0,
  arrivalMs,
  bytes: new Uint8Array(size)
})

describe("data sets that wait for their template", () => {
  it("come out oldest first, only those of that template, and once", () => {
    const held = makeHeldSets({ bytesPerExporter: 10_000, bytes: 10_000, sets: 10 })
    for (const [id, at] of [
      [256, 1],
      [257, 2],
      [256, 3]
    ] as const) {
      assert.isTrue(held.offer(set("a", id, 10, at)))
    }
    assert.deepStrictEqual(
      held.take("a", 9, 1, 256).map((one) => one.arrivalMs),
      [1, 3]
    )
    assert.deepStrictEqual(held.take("a", 9, 1, 256), [])
    assert.deepStrictEqual(held.take("a", 10, 1, 257), [])
    assert.strictEqual(held.sets, 1)
  })

  it("are bounded by number, by octets in all and by octets of one exporter", () => {
    const few = makeHeldSets({ bytesPerExporter: 10_000, bytes: 10_000, sets: 2 })
    assert.deepStrictEqual(
      [1, 2, 3].map((id) => few.offer(set("a", id, 1))),
      [true, true, false]
    )
    const held = makeHeldSets({ bytesPerExporter: 1000, bytes: 1500, sets: 100 })
    assert.isTrue(held.offer(set("a", 256, 600)))
    assert.isFalse(held.offer(set("a", 256, 600)))
    assert.isFalse(held.offer(set("b", 256, 900)))
    assert.isTrue(held.offer(set("b", 256, 600)))
  })

  it("are given up with their exporter, whoever else waits", () => {
    const held = makeHeldSets({ bytesPerExporter: 1000, bytes: 10_000, sets: 10 })
    for (const [exporter, id] of [
      ["a", 256],
      ["a", 257],
      ["b", 256]
    ] as const) {
      held.offer(set(exporter, id, 10))
    }
    assert.strictEqual(held.forget("a"), 2)
    assert.strictEqual(held.forget("a"), 0)
    assert.deepStrictEqual([held.sets, held.byExporter("a").sets, held.byExporter("b").sets], [1, 0, 1])
    assert.deepStrictEqual(held.take("a", 9, 1, 256), [])
  })

  it("cost something even when they are empty", () => {
    const held = makeHeldSets({ bytesPerExporter: 1000, bytes: 1000, sets: 1_000_000 })
    let accepted = 0
    while (accepted < 1000 && held.offer(set("a", accepted, 0))) accepted++
    assert.isBelow(accepted, 20)
  })

  it("leave nothing behind in the accounts", () => {
    const held = makeHeldSets({ bytesPerExporter: 10_000, bytes: 10_000, sets: 10 })
    held.offer(set("a", 256, 10, 1))
    held.offer(set("b", 256, 10, 5))
    assert.strictEqual(held.expire(10, 7), 1)
    assert.deepStrictEqual(held.byExporter("a"), { sets: 0, bytes: 0 })
    assert.strictEqual(held.byExporter("b").sets, 1)
    held.take("b", 9, 1, 256)
    assert.deepStrictEqual([held.sets, held.bytes], [0, 0])
  })
})
