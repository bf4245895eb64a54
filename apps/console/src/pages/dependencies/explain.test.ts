import { assert, describe, it } from "vitest"
import { confidenceParts } from "#domain/confidence.ts"
import { ConfidenceTerms, DirectionEvidence } from "#domain/Dependency.ts"
import { directionMargin } from "#domain/direction.ts"
import { whyConfidence, whyDirection } from "./explain.ts"

/** Small, repeatable; enough to meet every branch. */
const numbers = (seed: number) => () => {
  seed = (seed * 1_664_525 + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}
const random = numbers(7)
const count = (most: number) => (random() < 0.3 ? 0 : Math.floor(random() * most))

const evidence = () =>
  new DirectionEvidence({
    synForward: count(50),
    synReverse: count(5),
    synAckForward: count(50),
    synAckReverse: count(5),
    beganForward: count(50),
    beganReverse: count(50),
    portRank: count(5) - 2,
    fanIn: count(40),
    fanInAgainst: count(4),
    history: count(31) - 15,
    companion: count(4) === 0,
    clientPorts: count(300),
    declared: random() < 0.1
  })

const terms = () =>
  new ConfidenceTerms({
    records: count(200),
    windows: count(30),
    bothDirections: random() < 0.5,
    exporters: 1 + count(3),
    direction: random() * 2 - 1,
    sampled: random() < 0.5
  })

describe("the explanation", () => {
  it("comes to the margin that the appliance computes", () => {
    for (let i = 0; i < 300; i++) {
      const one = evidence()
      assert.closeTo(whyDirection(one).margin, directionMargin(one), 1e-9)
    }
  })
  it("comes to the confidence that the appliance computes, and its terms add up", () => {
    for (let i = 0; i < 300; i++) {
      const one = terms()
      const why = whyConfidence(one)
      assert.closeTo(why.confidence, confidenceParts(one).confidence, 1e-9)
      assert.closeTo(
        why.terms.reduce((sum, term) => sum + term.weight, 0),
        why.seen,
        1e-9
      )
    }
  })
  it("says so when an operator declared it", () => {
    const why = whyDirection(new DirectionEvidence({ ...evidence(), declared: true }))
    assert.strictEqual(why.margin, 1)
    assert.strictEqual(why.terms[0]!.weight, Number.POSITIVE_INFINITY)
    assert.isAbove(why.terms.length, 5, "the evidence stays, for and against")
  })
})
