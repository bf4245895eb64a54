import { DateTime } from "effect"
import { assert, describe, it } from "vitest"
import { middleCut } from "./identity.ts"
import { ageText, durationText, exactTime, millisOf, timeText, windowText, zoneName } from "./time.ts"

const now = Date.UTC(2026, 10, 21, 14, 5, 32)

describe("times", () => {
  it("says the clock today and the day before it otherwise", () => {
    assert.strictEqual(timeText(now, now, "utc"), "14:05:32")
    assert.strictEqual(timeText(now - 86_400_000, now, "utc"), "2026-11-20 14:05")
    assert.strictEqual(windowText(now - 32_000, now, "utc"), "14:05")
  })
  it("gives ages only under an hour, and none for what is to come", () => {
    assert.strictEqual(ageText(now - 8_000, now), "8 s ago")
    assert.strictEqual(ageText(now - 3_599_000, now), "59 min ago")
    assert.isUndefined(ageText(now - 3_600_000, now))
    assert.isUndefined(ageText(now + 5_000, now))
  })
  it("reads Effect instants, dates and milliseconds alike", () => {
    assert.strictEqual(millisOf(DateTime.makeUnsafe(now)), now)
    assert.strictEqual(exactTime(new Date(now)), "2026-11-21T14:05:32.000Z")
  })
  it("says lengths in their two largest units", () => {
    assert.deepStrictEqual([240, -340, 5_000, 725_000, 3_600_000, 2 * 86_400_000 + 3 * 3_600_000].map(durationText), [
      "240 ms",
      "−340 ms",
      "5 s",
      "12 min 5 s",
      "1 h",
      "2 d 3 h"
    ])
  })
  it("names the zone", () => assert.strictEqual(zoneName("utc", now), "UTC"))
  it("cuts the middle of an identity and keeps its end", () => {
    const cut = middleCut("2001:db8:85a3:8d3:1319:8a2e:370:7348", 20)
    assert.strictEqual(cut.length, 20)
    assert.isTrue(cut.startsWith("2001:db") && cut.endsWith("370:7348"))
    assert.strictEqual(middleCut("10.0.0.1", 20), "10.0.0.1")
  })
})
