import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { randomFrom } from "../../test/rig/flow-records.ts"
import { confidence, confidenceParts, type Terms } from "./confidence.ts"

const little: Terms = { records: 1, windows: 1, bothDirections: false, exporters: 1, direction: 0, sampled: false }
const much: Terms = { records: 1000, windows: 100, bothDirections: true, exporters: 2, direction: 0.99, sampled: false }

describe("confidence", () => {
  it("is low for one record in one direction and near 1 for what was seen long and whole", () => {
    assert.closeTo(confidence(little), 0.16, 1e-9)
    assert.isAbove(confidence(much), 0.98)
  })

  it("is 0 when the evidence is certain that the direction is wrong", () => {
    assert.strictEqual(confidence({ ...much, direction: -1 }), 0)
  })

  it("never trusts sampled one-way traffic wholly", () => {
    assert.isAtMost(confidence({ ...much, bothDirections: false, sampled: true, records: 1e9, windows: 1e6, direction: 1 }), 0.9)
  })

  it.prop("lies in 0..1, is the product of its parts, and never falls when a term improves", [Schema.Int], ([seed]) => {
    const random = randomFrom(seed)
    const terms: Terms = {
      records: random(1000),
      windows: random(100),
      bothDirections: random(2) === 0,
      exporters: 1 + random(3),
      direction: random(2001) / 1000 - 1,
      sampled: random(2) === 0
    }
    const before = confidence(terms)
    const parts = confidenceParts(terms)
    assert.closeTo(parts.seen * parts.direction, before, 1e-12)
    assert.isTrue(before >= 0 && before <= 1)
    const better: ReadonlyArray<Partial<Terms>> = [
      { records: terms.records + 1 },
      { windows: terms.windows + 1 },
      { bothDirections: true },
      { exporters: terms.exporters + 1 },
      { direction: Math.min(1, terms.direction + 0.1) },
      { sampled: false }
    ]
    for (const change of better) assert.isAtLeast(confidence({ ...terms, ...change }), before - 1e-12, JSON.stringify(change))
  })
})
