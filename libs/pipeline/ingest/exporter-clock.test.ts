import { assert, describe, it } from "@effect/vitest"
import { seeded } from "../decode/encode.fixture.ts"
import { makeClockTrack, shiftClock, takeSample } from "./exporter-clock.ts"

/** A clock `off` ms behind ours that writes whole seconds, heard once every `everyMs` with `delay()` ms on the way. */
const hear = (track = makeClockTrack(), from = 0) => {
  let now = from
  return {
    track,
    now: () => now,
    run: (count: number, everyMs: number, off: number, delay: (i: number) => number = () => 0) => {
      let skew = 0
      for (let i = 0; i < count; i++) {
        now += everyMs
        const exported = Math.floor((now - off) / 1000) * 1000
        skew = takeSample(track, now + delay(i) - exported, now)
      }
      return skew
    }
  }
}

describe("an exporter's clock", () => {
  it("is measured within a tenth of a second although it writes whole seconds and datagrams are late", () => {
    const random = seeded(5)
    for (const off of [0, 7300, -45_000]) {
      const { run } = hear()
      const skew = run(2000, 37, off, () => random.below(400) * random.below(5))
      assert.isAtMost(Math.abs(skew - off), 100, `${off}`)
    }
  })

  it("is not moved by a stretch of late datagrams, nor by single ones that say anything", () => {
    const { run, track } = hear()
    const before = run(500, 50, 2000)
    run(60, 50, 2000, () => 9000)
    assert.isAtMost(Math.abs(track.skewMs - before), 20)
    const stray = takeSample(track, 3 * 365 * 86_400_000, 30_000)
    assert.strictEqual(stray, 3 * 365 * 86_400_000)
    assert.isAtMost(Math.abs(track.skewMs - before), 20)
    assert.strictEqual(track.jumps, 0)
  })

  it("that was set is followed: forward at once, backward within two spans, by hours within eight datagrams", () => {
    const { run, track } = hear()
    run(500, 50, 2000)
    run(21, 50, -18_000)
    assert.isAtMost(Math.abs(track.skewMs + 18_000), 100)
    run(250, 50, 25_000)
    assert.isAtMost(Math.abs(track.skewMs - 25_000), 100)
    assert.strictEqual(track.jumps, 0)
    run(40, 50, 7_200_000)
    assert.isAtMost(Math.abs(track.skewMs - 7_200_000), 100)
    assert.strictEqual(track.jumps, 1)
  })

  it("is not suspected when it was ours that was set", () => {
    const { now, run, track } = hear()
    run(500, 50, 2000)
    shiftClock(track, 3_600_000)
    assert.isAtMost(Math.abs(takeSample(track, 3_602_500, now() + 50) - 3_602_000), 100)
    assert.strictEqual(track.jumps, 0)
  })
})
