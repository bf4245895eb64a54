import { assert, describe, it } from "vitest"
import { gaps, linear, niceTicks, pointAt, stepArea, stepPath, timeTicks } from "./scale.ts"

const points = [
  { at: 0, value: 10 },
  { at: 5, value: 20 },
  { at: 15, value: 5 }
]
const same = (value: number) => value

describe("scales", () => {
  it("maps a domain on a range, and an empty one on its start", () => {
    assert.strictEqual(linear(0, 10, 100, 0)(5), 50)
    assert.strictEqual(linear(3, 3, 7, 9)(3), 7)
  })
  it("starts at zero with three to five round ticks that hold the largest", () => {
    for (const largest of [0.004, 0.9, 1, 7, 14.6, 99, 1234, 8e11]) {
      const ticks = niceTicks(largest)
      assert.strictEqual(ticks[0], 0)
      assert.isAtLeast(ticks.at(-1)!, largest)
      assert.isTrue(ticks.length >= 3 && ticks.length <= 6, `${largest}: ${ticks.length}`)
    }
    assert.deepStrictEqual(niceTicks(14.6), [0, 5, 10, 15])
    assert.deepStrictEqual(niceTicks(0), [0, 1])
  })
  it("puts time ticks on round local times", () => {
    const day = Date.UTC(2026, 10, 21)
    assert.deepStrictEqual(
      timeTicks(day + 60_000, day + 3 * 3_600_000, 4),
      [1, 2, 3].map((h) => day + h * 3_600_000)
    )
    // two hours ahead of UTC: midnight there is 22:00 UTC
    assert.include(timeTicks(day - 6 * 3_600_000, day, 2, 2 * 3_600_000), day - 2 * 3_600_000)
    assert.deepStrictEqual(timeTicks(5, 5, 4), [])
  })
})

describe("gaps", () => {
  it("finds what is missing inside and at both ends", () => {
    assert.deepStrictEqual(gaps(points, 5, -10, 25), [
      { from: -10, until: 0 },
      { from: 10, until: 15 },
      { from: 20, until: 25 }
    ])
    assert.deepStrictEqual(gaps([], 5, 0, 10), [{ from: 0, until: 10 }])
  })
  it("never joins across one", () => {
    assert.strictEqual(stepPath(points, 5, same, same), "M0 10H5V20H10M15 5H20")
    assert.strictEqual(stepArea(points, 5, same, same, 0), "M0 0V10H5V20H10V0ZM15 0V5H20V0Z")
  })
  it("finds the window under the pointer, and none in a gap", () => {
    assert.strictEqual(pointAt(points, 7, 5)?.value, 20)
    assert.isUndefined(pointAt(points, 12, 5))
    assert.isUndefined(pointAt([], 0, 5))
  })
})
