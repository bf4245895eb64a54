import { assert, describe, it } from "@effect/vitest"
import { fairLevel, makeAdmission, makeShare } from "./admission.ts"

describe("who may send how much", () => {
  it("is cut where the capacity ends, from the biggest down, and never below the average", () => {
    assert.strictEqual(fairLevel([10, 20, 30], 60), Number.POSITIVE_INFINITY)
    assert.strictEqual(fairLevel([100, 100, 10_000], 4200), 4000)
    assert.strictEqual(fairLevel([50, 50, 50], 30), 50)
    assert.strictEqual(fairLevel([9000], 10), Number.POSITIVE_INFINITY)
    const level = fairLevel([5, 5, 5, 5, 500, 700], 620)
    assert.strictEqual(20 + level + level, 620)
  })

  it("is the operator's limit, with a second's worth at once", () => {
    const admission = makeAdmission(100)
    const share = makeShare()
    let taken = 0
    for (let i = 0; i < 500; i++) if (admission.admit(share, 0)) taken++
    assert.strictEqual(taken, 100)
    for (let ms = 1; ms <= 10_000; ms++) if (admission.admit(share, ms)) taken++
    assert.closeTo(taken, 1100, 1)
    const free = makeAdmission(0)
    for (let i = 0; i < 5000; i++) assert.isTrue(free.admit(share, 0))
  })

  it("holds the one that floods while the kernel drops, nobody else, and lets go when it has stopped", () => {
    const admission = makeAdmission(0)
    const shares = [makeShare(), makeShare(), makeShare(), makeShare()]
    const sends = [200, 200, 200, 20_000]
    const second = (s: number) => {
      const taken = shares.map(() => 0)
      shares.forEach((share, who) => {
        for (let i = 0; i < sends[who]!; i++) if (admission.admit(share, s * 1000 + (i * 1000) / sends[who]!)) taken[who]!++
      })
      return taken
    }
    second(0)
    for (let s = 1; s < 6; s++) {
      admission.balance(shares, true, s * 1000)
      const taken = second(s)
      assert.deepStrictEqual(taken.slice(0, 3), [200, 200, 200])
      assert.isBelow(taken[3]!, 19_800)
    }
    assert.isBelow(admission.limit(), 13_000)
    assert.isAtLeast(admission.limit(), 5150)
    sends[3] = 300
    let seconds = 6
    for (; admission.limit() !== Number.POSITIVE_INFINITY && seconds < 60; seconds++) {
      admission.balance(shares, false, seconds * 1000)
      assert.strictEqual(second(seconds)[3], 300)
    }
    assert.strictEqual(admission.limit(), Number.POSITIVE_INFINITY)
  })
})
