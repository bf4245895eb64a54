import { assert, describe, it } from "@effect/vitest"
import { randomFrom } from "../../../test/rig/flow-records.ts"
import { flowsOf, making, noon, octetsOf, seeds, twice } from "./repeats.fixture.ts"

describe("records that say again", () => {
  it("are counted once, to the octet, from the first one on, whatever the traffic", () => {
    for (const seed of seeds) {
      const flows = flowsOf(seed, 1500)
      const played = making(seed)
      played.play(twice(flows, seed))
      assert.strictEqual(played.repeats.where(3), "interfaces 1 → 2 and again on 3 → 4")
      const { counted, octets, repeated, repeatedOctets } = played.end()
      assert.deepStrictEqual([counted.length, repeated], [flows.length, flows.length])
      assert.deepStrictEqual([octets, repeatedOctets], [octetsOf(flows), octetsOf(flows)])
    }
  })

  it("are counted once where each direction has its own interfaces, a third place says it too, or half of the traffic is said once", () => {
    for (const seed of seeds) {
      const flows = flowsOf(seed, 1500, (i) => (i % 2 === 0 ? {} : { input: 2, output: 1 }))
      const there = flows.filter((_, i) => i % 2 === 0)
      const back = flows.filter((_, i) => i % 2 === 1)
      const played = making(seed)
      played.play([
        ...twice(there, seed).flatMap((one) => (one.input === 3 ? [one, { ...one, input: 5, output: 6 }] : [one])),
        ...twice(back, seed, { input: 4, output: 3 }),
        ...flowsOf(seed + 1000, 500, () => ({ input: 1, output: 9 }))
      ])
      const { counted, repeated } = played.end()
      assert.deepStrictEqual([counted.length, repeated], [flows.length + 500, 2 * there.length + back.length])
    }
  })

  it("are told by the observation domain where the interfaces are the same: line cards that meter the way in and the way out", () => {
    const flows = flowsOf(5, 1000)
    const played = making()
    for (let from = 0; from < flows.length; from += 24) {
      played.play(flows.slice(from, from + 24), 1)
      played.play(flows.slice(from, from + 24), 2)
    }
    assert.strictEqual(
      played.repeats.where(3),
      "interfaces 1 → 2 of observation domain 1 and again on 1 → 2 of observation domain 2"
    )
    assert.strictEqual(played.end().octets, octetsOf(flows))
  })

  it("are known in slices of long flows, too, when two meters cut them at other times", () => {
    const known = flowsOf(6, 600)
    const long = flowsOf(7, 200, (i) => ({ start: noon + i, end: noon + i + 60_000, packets: 4000, bytes: 4_000_000, family: 4 }))
    const played = making()
    played.play(twice(known, 6))
    const shifted = long.map((one) => ({
      ...one,
      input: 3,
      output: 4,
      start: one.start,
      end: one.end + 3000,
      packets: 4200,
      bytes: 4_200_000
    }))
    played.play(long.flatMap((one, i) => [one, shifted[i]!]))
    assert.strictEqual(played.end().octets, octetsOf(known) + octetsOf(long))
  })

  it("that begin later cost some hundred flows, and then none", () => {
    for (const seed of seeds) {
      const before = flowsOf(seed, 6000)
      const flows = flowsOf(seed + 500, 4000)
      const played = making(seed)
      played.play(before)
      played.play(twice(flows, seed))
      const { counted } = played.end()
      assert.isBelow(counted.length - before.length - flows.length, 3000)
    }
    const costs = seeds.map((seed) => {
      const played = making(seed * 31)
      played.play(flowsOf(1, 6000))
      played.play(twice(flowsOf(seed, 4000), seed))
      return played.end().counted.length - 10_000
    })
    assert.isBelow(costs.reduce((sum, one) => sum + one, 0) / costs.length, 800)
  })

  it("that have ended leave an exporter as every other, whose equal halves are not taken any more", () => {
    const flows = flowsOf(8, 1000)
    const after = flowsOf(9, 18_000)
    const played = making()
    played.play(twice(flows, 8))
    played.play(after)
    assert.strictEqual(played.repeats.where(3), "")
    const two = flowsOf(10, 8)
    played.play(two.flatMap((one) => [one, { ...one, input: 3, output: 4 }]))
    assert.strictEqual(played.end().counted.length, flows.length + after.length + 2 * two.length)
  })
})

describe("what is held until it is known", () => {
  it("comes back within twenty seconds, also from an exporter that falls silent", () => {
    const flows = flowsOf(1, 5)
    const played = making()
    played.play(flows.flatMap((one) => [one, { ...one, input: 3, output: 4 }]))
    assert.deepStrictEqual([played.soFar(), played.repeats.held()], [{ counted: 5, repeated: 0 }, 5])
    played.wait(19_000)
    assert.strictEqual(played.repeats.held(), 5)
    played.wait(1000)
    assert.deepStrictEqual([played.soFar(), played.repeats.held()], [{ counted: 10, repeated: 0 }, 0])
    // and is evidence all the same
    played.play(flowsOf(2, 400).flatMap((one) => [one, { ...one, input: 3, output: 4 }]))
    assert.strictEqual(played.end().counted.length, 410)
  })

  it("is bounded, as is what is remembered, under a flood of flows that are all different", () => {
    const played = making()
    const below = randomFrom(9)
    const honest = flowsOf(2, 4000)
    let next = 0
    for (let round = 0; round < 100; round++) {
      const flood = Array.from({ length: 2400 }, (_, i) => ({
        ...honest[i % 1000]!,
        exporter: 5,
        family: 4 as const,
        source: below(0x7fff_ffff),
        destination: below(0x7fff_ffff),
        input: below(0x7fff_ffff),
        output: below(0x7fff_ffff)
      }))
      played.play(flood)
      played.play(honest.slice(next, next + 40).flatMap((one) => [one, { ...one, input: 3, output: 4 }]))
      next += 40
      assert.isAtMost(played.repeats.held(), 128)
    }
    assert.isAtMost(played.repeats.bytesHeld(), 9 * 1024 * 1024)
    const { counted, repeated } = played.end()
    assert.deepStrictEqual([counted.length, repeated], [240_000 + 4000, 4000])
  })

  it("is bounded where every record names other interfaces", () => {
    const played = making()
    const flows = flowsOf(3, 12_000)
    played.play(
      flows.flatMap((one, i) => [
        { ...one, input: i * 2 + 1 },
        { ...one, input: i * 2 + 2, output: 9 }
      ])
    )
    assert.isAtMost(played.repeats.held(), 64)
    assert.strictEqual(played.end().counted.length + played.end().repeated, 24_000)
  })
})
