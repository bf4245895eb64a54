import { assert, describe, it } from "@effect/vitest"
import { makeOwners, type Owners } from "./duplicate.ts"

/** Owner of one direction of one edge, by name, among exporters and the packets they saw. `s100` samples one of 100, `r1` all. */
const choose = (owners: Owners, windowStart: number, seen: Readonly<Record<string, number>>, client = 1): string | undefined => {
  const names = Object.keys(seen)
  const place = owners.place(4, client, 2, (443 << 8) | 6)
  const chosen = owners.choose(place, 0, windowStart, {
    length: names.length,
    exporter: names.map(owners.nameOf),
    packets: Object.values(seen),
    bytes: Object.values(seen).map((packets) => packets * 100),
    sampling: names.map((name) => (name.startsWith("s") ? Number(name.slice(1)) : 1))
  })
  return chosen < 0 ? undefined : names[chosen]
}

describe("owner of a conversation", () => {
  it("is the most complete exporter at first, and of equals always the same", () => {
    assert.strictEqual(choose(makeOwners(), 0, { r1: 10, r2: 11 }), "r2")
    assert.strictEqual(choose(makeOwners(), 0, { r2: 10, r1: 10 }), "r1")
  })

  it("stays the previous one while it sees at least half of the most complete", () => {
    const owners = makeOwners()
    assert.strictEqual(choose(owners, 0, { r1: 10, r2: 9 }), "r1")
    assert.strictEqual(choose(owners, 300, { r1: 50, r2: 100 }), "r1")
    assert.strictEqual(choose(owners, 600, { r1: 49, r2: 100 }), "r2")
    assert.strictEqual(choose(owners, 900, { r1: 100, r2: 51 }), "r2")
  })

  it("does not count again from another exporter what an earlier slice of the window counted", () => {
    const owners = makeOwners()
    assert.strictEqual(choose(owners, 0, { r1: 100 }), "r1")
    assert.strictEqual(choose(owners, 0, { r2: 100 }), undefined)
  })

  it("lets others take over from an owner that fell silent: in the next window at once, within one when they saw twice as much", () => {
    const owners = makeOwners()
    choose(owners, 0, { r1: 100, r2: 90 })
    assert.strictEqual(choose(owners, 0, { r2: 100 }), undefined)
    assert.strictEqual(choose(owners, 0, { r2: 100 }), "r2")
    assert.strictEqual(choose(owners, 300, { r1: 10 }), "r1")
  })

  it("is who samples least, however lucky another one's estimate is, before and after", () => {
    const owners = makeOwners()
    assert.strictEqual(choose(owners, 0, { s100: 300, r1: 100 }), "r1")
    assert.strictEqual(choose(owners, 300, { s100: 800, r1: 100 }), "r1")
    assert.strictEqual(choose(makeOwners(), 0, { s100: 300, s50: 50, s200: 1000 }), "s50")
  })

  it("is a sampler after all when its estimate is larger beyond doubt", () => {
    const owners = makeOwners()
    assert.strictEqual(choose(owners, 0, { r1: 100, s100: 5000 }), "s100")
    assert.strictEqual(choose(owners, 300, { r1: 4000, s100: 5000 }), "r1")
  })

  it("makes the window's sum that of an exact exporter that reported after a sampler, and pays what the sampler counted too much", () => {
    const owners = makeOwners()
    let sum = 0
    for (const seen of [{ s50: 150 }, { s50: 50, r1: 100 }, { s50: 100, r1: 150 }, { r1: 20 }] as ReadonlyArray<
      Readonly<Record<string, number>>
    >) {
      const owner = choose(owners, 0, seen)
      if (owner !== undefined) sum += seen[owner]! * owners.share()
    }
    assert.strictEqual(sum, 100 + 150 + 20)
    assert.strictEqual(choose(owners, 300, { s50: 400, r1: 10 }), "r1")
    assert.strictEqual(owners.share(), 1)
  })

  it("is not changed by late records of the window before", () => {
    const owners = makeOwners()
    choose(owners, 0, { r1: 100, r2: 90 })
    choose(owners, 300, { r1: 100, r2: 90 })
    assert.strictEqual(choose(owners, 0, { r2: 500 }), undefined)
    assert.strictEqual(choose(owners, 300, { r1: 10, r2: 100 }), "r1")
  })

  it("remembers within bounds", () => {
    const owners = makeOwners(100)
    for (let client = 0; client < 1000; client++) choose(owners, 0, { r1: 1, r2: 2 }, client)
    assert.isAtMost(owners.size(), 200)
    assert.strictEqual(choose(owners, 0, { r1: 10 }, 999), "r1")
  })
})
