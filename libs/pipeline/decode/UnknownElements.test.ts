import { assert, describe, it } from "@effect/vitest"
import { makeUnknownElements } from "./UnknownElements.ts"

describe("elements nobody has a name for", () => {
  it("are counted by exporter and protocol, and in all", () => {
    const unknown = makeUnknownElements()
    for (const [exporter, version, records] of [
      ["a", 10, 5],
      ["b", 10, 7],
      ["a", 9, 1]
    ] as const) {
      const counters = unknown.counters(exporter, version, [
        [0, 8, 4],
        [9, 12_232, 4]
      ])
      assert.strictEqual(counters.length, 1)
      counters[0]!.records += records
    }
    assert.deepStrictEqual(unknown.ofExporter("a", 10), [{ enterprise: 9, element: 12_232, records: 5 }])
    assert.deepStrictEqual(unknown.ofExporter("c", 10), [])
    assert.deepStrictEqual(unknown.report(), [{ enterprise: 9, element: 12_232, records: 13 }])
  })

  it("stay bounded when an exporter invents them, and so do exporters", () => {
    const unknown = makeUnknownElements()
    for (let element = 0; element < 2000; element++) {
      for (const counter of unknown.counters("a", 10, [[9, element, 4]])) counter.records++
    }
    const counted = unknown.ofExporter("a", 10)
    assert.isAtMost(counted.length, 513)
    assert.deepStrictEqual(counted[0], { enterprise: -1, element: -1, records: 2000 - 512 })
    for (let i = 0; i < 5000; i++) for (const counter of unknown.counters(`x${i}`, 10, [[9, 1, 4]])) counter.records++
    assert.deepStrictEqual(unknown.ofExporter("x4999", 10), [])
    assert.strictEqual(
      unknown.report().reduce((sum, one) => sum + one.records, 0),
      7000
    )
  })
})
