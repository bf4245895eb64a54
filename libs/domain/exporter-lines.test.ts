import { assert, describe, it } from "@effect/vitest"
import { exporterAdvice } from "./exporter-advice.ts"
import { linesFor, vendors } from "./exporter-lines.ts"

describe("advice", () => {
  it("has lines of several systems for every finding", () => {
    for (const [code, { topic }] of Object.entries(exporterAdvice)) {
      const systems = vendors.filter(({ key }) => linesFor(key, topic) !== undefined)
      assert.isAbove(systems.length, topic === "datagram-size" ? 1 : 3, code)
    }
  })

  it("names fourteen systems once each, and none without the common topics", () => {
    assert.strictEqual(new Set(vendors.map(({ key }) => key)).size, 14)
    for (const { key } of vendors) {
      assert.isDefined(linesFor(key, "ntp"), key)
      assert.isDefined(linesFor(key, "directions"), key)
    }
  })

  it("has no line that another address than those of documentation could be copied from", () => {
    for (const { lines } of vendors) {
      for (const text of Object.values(lines)) {
        for (const [address] of text.matchAll(/\d+\.\d+\.\d+\.\d+/g)) assert.match(address, /^192\.0\.2\.(10|123)$/)
      }
    }
  })
})
