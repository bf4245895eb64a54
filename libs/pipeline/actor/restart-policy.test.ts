import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { actorPolicy, admit, pauseMillis, type RestartPolicy } from "./restart-policy.ts"

describe("restart policy", () => {
  const Chance = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 0.999_999 }))
  const Attempt = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 }))

  it.prop(
    "pauses grow until the cap, whatever the jitter, and never pass it",
    { n: Attempt, a: Chance, b: Chance },
    ({ n, a, b }) => {
      const policy: RestartPolicy = { ...actorPolicy, base: 100, cap: 60_000 }
      const [first, second] = [pauseMillis(policy, n, a), pauseMillis(policy, n + 1, b)]
      assert.isAtMost(second, 60_000)
      assert.isAbove(first, 0)
      if (100 * 2 ** (n + 1) <= 60_000) assert.isAbove(second, first)
      else assert.isAtLeast(second, 45_000)
    }
  )

  it("admits as many restarts in the window as the policy says, and forgets those before it", () => {
    const policy: RestartPolicy = { ...actorPolicy, maxRestarts: 2, within: 1000 }
    assert.deepStrictEqual(admit(policy, [], 5000), [5000])
    assert.deepStrictEqual(admit(policy, [4500, 4900], 5000), undefined)
    assert.deepStrictEqual(admit(policy, [4000, 4900], 5000), [4900, 5000])
  })

  it("does not count restarts from before the clock was set back", () => {
    const policy: RestartPolicy = { ...actorPolicy, maxRestarts: 1, within: 1000 }
    assert.deepStrictEqual(admit(policy, [900_000], 5000), [5000])
  })
})
