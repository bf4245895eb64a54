import { assert, describe, it } from "@effect/vitest"
import { randomFrom } from "../../../../test/rig/flow-records.ts"
import { makeOwners, type Owners } from "./duplicate.ts"

const WINDOW = 300

/** Owner of one direction of one edge, by name, among exporters and the packets they saw. `s100` samples one of 100, `r1` all. */
const choose = (owners: Owners, windowStart: number, seen: Readonly<Record<string, number>>, client = 1): string | undefined => {
  const names = Object.keys(seen)
  const place = owners.place({ high: 0, low: client }, { high: 0, low: 2 }, (443 << 8) | 6)
  const chosen = owners.choose(place, 0, windowStart, WINDOW, {
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

  it("lets others take over from an owner that fell silent: when they saw twice as much, or it said nothing for a whole window", () => {
    const owners = makeOwners()
    choose(owners, 0, { r1: 100, r2: 90 })
    assert.strictEqual(choose(owners, 0, { r2: 100 }), undefined)
    assert.strictEqual(choose(owners, 0, { r2: 100 }), "r2")
    assert.strictEqual(choose(owners, 300, { r1: 200 }), undefined)
    assert.strictEqual(choose(owners, 600, { r1: 20 }), "r1")
    // with what waited, but for the 190 that only r2 had told of
    assert.strictEqual(20 * owners.share(), 30)
    assert.strictEqual(choose(owners, 3000, { r2: 5 }), "r2")
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

  it("of a window that is over is decided by its own late records, and that of the present one is not", () => {
    const owners = makeOwners()
    choose(owners, 0, { r1: 100, r2: 90 })
    choose(owners, 300, { r1: 100, r2: 90 })
    assert.strictEqual(choose(owners, 0, { r2: 500 }), "r2")
    assert.strictEqual(Math.round(500 * owners.share()), 490)
    assert.strictEqual(choose(owners, 300, { r1: 10, r2: 100 }), "r1")
    assert.strictEqual(choose(owners, 0, { r1: 7 }), undefined)
  })

  it("keeps its window, and the next, while it is late; what the early one saw does not count again", () => {
    const owners = makeOwners()
    let sum = 0
    const play = (window: number, seen: Readonly<Record<string, number>>) => {
      const owner = choose(owners, window, seen)
      if (owner !== undefined) sum += seen[owner]! * owners.share()
      return owner
    }
    // a sampler speaks at once, a flow cache when the next window has begun
    assert.strictEqual(play(0, { s50: 1000 }), "s50")
    assert.strictEqual(play(300, { s50: 1100 }), "s50")
    assert.strictEqual(play(0, { r1: 990 }), "r1")
    assert.strictEqual(play(300, { r1: 1010 }), "r1")
    for (let window = 600; window <= 1500; window += 300) {
      assert.strictEqual(play(window, { s50: 1200 }), undefined)
      assert.strictEqual(play(window, { r1: 1000 }), "r1")
    }
    assert.strictEqual(Math.round(sum), 990 + 1010 + 4000)
  })

  it("makes the sum of all windows that of one exporter, whatever the order in which several report", () => {
    const random = randomFrom(20)
    const seeded = () => random(1_000_000) / 1_000_000
    for (let round = 0; round < 300; round++) {
      const owners = makeOwners()
      let counted = 0
      let truth = 0
      const tell = (window: number, seen: Readonly<Record<string, number>>) => {
        const owner = choose(owners, window, seen)
        if (owner !== undefined) counted += seen[owner]! * owners.share()
      }
      // each exporter's pieces of a window come in its own order, at most one window late
      const queue: Array<{ readonly at: number; readonly window: number; readonly name: string; readonly packets: number }> = []
      const windows = 2 + Math.floor(seeded() * 6)
      for (let i = 0; i < windows; i++) {
        const packets = 20 + Math.floor(seeded() * 2000)
        truth += packets
        for (const name of ["r1", "r2", "s50"]) {
          let left = name === "s50" ? 50 * Math.round((packets / 50) * (0.5 + seeded())) : packets
          const late = seeded() * 0.9
          while (left > 0) {
            const piece = Math.min(left, 1 + Math.floor(seeded() * packets))
            left -= piece
            queue.push({ at: i + late + seeded() * 0.9, window: i * WINDOW, name, packets: piece })
          }
        }
      }
      queue.sort((a, b) => a.at - b.at)
      for (let at = 0; at < queue.length; ) {
        // what one slice has: pieces of one window, next to each other in time
        const { window } = queue[at]!
        const seen: Record<string, number> = {}
        for (let more = true; more && at < queue.length && queue[at]!.window === window; at++) {
          const { name, packets } = queue[at]!
          seen[name] = (seen[name] ?? 0) + packets
          more = seeded() < 0.5
        }
        tell(window, seen)
      }
      // windows that follow pay what is owed, and count what waited
      for (let i = 1; i <= 3; i++) {
        truth += 5000
        tell((windows + i) * WINDOW, { r1: 5000, r2: 5000 })
      }
      assert.approximately(counted, truth, 0.001, `round ${round}`)
    }
  })

  it("does not count again what two clocks put into neighbouring windows", () => {
    // r1's clock is behind: of the first connection it tells in the window before that of r2, whoever is heard first
    const first: ReadonlyArray<readonly [number, string]> = [
      [WINDOW, "r1"],
      [2 * WINDOW, "r2"]
    ]
    for (const order of [first, first.toReversed()]) {
      const owners = makeOwners()
      let sum = 0
      const tell = (window: number, seen: Readonly<Record<string, number>>) => {
        const owner = choose(owners, window, seen)
        if (owner !== undefined) sum += seen[owner]! * owners.packetShare()
      }
      for (const [window, name] of order) tell(window, { [name]: 300 })
      assert.strictEqual(sum, 300)
      for (let window = 3; window <= 6; window++) tell(window * WINDOW, { r1: 100, r2: 100 })
      assert.strictEqual(sum, 300 + 400, `${order[0]![1]} was heard first`)
    }
  })

  it("that falls silent is followed by another that saw the same, without a gap", () => {
    const owners = makeOwners()
    let sum = 0
    for (let window = 1; window <= 6; window++) {
      const seen: Readonly<Record<string, number>> = window < 3 ? { r1: 100, r2: 100 } : { r2: 100 }
      const owner = choose(owners, window * WINDOW, seen)
      if (owner !== undefined) sum += seen[owner]! * owners.packetShare()
    }
    assert.strictEqual(sum, 600)
  })

  it("that dies in the middle of a window is followed from there, whether it had told more of it or less", () => {
    for (const told of [10, 30, 60, 90]) {
      const owners = makeOwners()
      let sum = 0
      for (let window = 1; window <= 8; window++) {
        for (let slice = 0; slice < 10; slice++) {
          const alive = window < 3 || (window === 3 && slice * 10 < told)
          const seen: Readonly<Record<string, number>> = alive ? { r1: 10, r2: 10 } : { r2: 10 }
          const owner = choose(owners, window * WINDOW, seen)
          if (owner !== undefined) sum += seen[owner]! * owners.packetShare()
        }
      }
      assert.approximately(sum, 800, 1e-9, `r1 told ${told} of 100`)
    }
  })

  it("outlives a restart, within a window and between two, and whoever reports first after it", () => {
    const place = (owners: Owners) => owners.place({ high: 0, low: 1 }, { high: 0, low: 2 }, (443 << 8) | 6)
    for (const windowStart of [0, WINDOW]) {
      const owners = makeOwners()
      owners.prime(place(owners), 0, { address: "r1", sampling: 1, windowStart: 0, packets: 100, bytes: 10_000 })
      assert.strictEqual(owners.ownerAt(place(owners), 0), "r1 ")
      assert.strictEqual(choose(owners, windowStart, { "r2 ipfix": 90 }), undefined)
      assert.strictEqual(choose(owners, windowStart, { "r2 ipfix": 10, "r1 ipfix": 60 }), "r1 ipfix")
      assert.strictEqual(owners.share(), 1)
    }
  })

  it("that fell silent over a restart is followed by another, without a gap and without a double", () => {
    const owners = makeOwners()
    const place = owners.place({ high: 0, low: 1 }, { high: 0, low: 2 }, (443 << 8) | 6)
    owners.prime(place, 0, { address: "r1", sampling: 1, windowStart: 0, packets: 100, bytes: 10_000 })
    let sum = 100
    for (let window = 1; window <= 4; window++)
      for (let slice = 0; slice < 2; slice++)
        if (choose(owners, window * WINDOW, { "r2 ipfix": 50 }) !== undefined) sum += 50 * owners.packetShare()
    assert.strictEqual(sum, 100 + 4 * 100)
  })

  it("remembers within bounds", () => {
    const owners = makeOwners(100)
    for (let client = 0; client < 1000; client++) choose(owners, 0, { r1: 1, r2: 2 }, client)
    assert.isAtMost(owners.size(), 200)
    assert.strictEqual(choose(owners, 0, { r1: 10 }, 999), "r1")
  })
})
