import { assert, describe, it } from "@effect/vitest"
import type { TestRecord } from "../../../../test/rig/flow-records.ts"
import { flow, foldedSlice, noon, ranks, reply } from "../../../../test/rig/folded-slice.ts"
import { collapseSlice } from "./collapse.ts"
import { makeOwners } from "./duplicate.ts"
import { makeServiceRegister } from "./ServiceRegister.ts"
import { makeSymmetricPairs } from "./SymmetricPairs.ts"

const known = () => ({ ranks, owners: makeOwners(), register: makeServiceRegister() })

/** So many polls between two hosts, all of one exporter; `from` speaks first. */
const polls = (ends: Partial<TestRecord>, times: number): ReadonlyArray<TestRecord> =>
  Array.from({ length: times }, (_, i) => {
    const at = noon + 1000 + i * 2000
    const question = flow({
      protocol: 17,
      sourcePort: 123,
      destinationPort: 123,
      packets: 1,
      bytes: 76,
      start: at,
      end: at,
      ...ends
    })
    return [question, reply(question, { start: at + 5, end: at + 5 })]
  }).flat()
const A = { source: 0x0a000001, destination: 0x0a000002 }
const B = { source: A.destination, destination: A.source }

const arrows = (slices: ReadonlyArray<ReturnType<typeof collapseSlice>>) =>
  slices.map(({ edges }) => edges.map(({ client, server }) => `${client}>${server}`).join(" "))
const octets = (slices: ReadonlyArray<ReturnType<typeof collapseSlice>>) =>
  slices.reduce((sum, { edges }) => sum + edges.reduce((all, one) => all + one.bytesToServer + one.bytesToClient, 0), 0)

describe("a conversation from a port to the same port", () => {
  it("is one arrow between equals, whoever is seen to begin in which slice, and counts once", () => {
    for (const family of [4, 6] as const) {
      const memory = known()
      // each end begins now and then, and two exporters do not agree; IPv6 addresses are numbered anew in every slice
      const slices = [A, B, B, A, A, B, A, B].map((first, i) => {
        const said = [
          ...polls({ ...first, family, exporter: 0 }, 1),
          ...polls({ ...(i % 2 === 0 ? first : first === A ? B : A), family, exporter: 1 }, 1)
        ]
        return collapseSlice(foldedSlice(said, { window: i >> 1 }), memory)
      })
      assert.lengthOf(new Set(arrows(slices)), 1, arrows(slices).join(", "))
      assert.isTrue(slices.every(({ edges }) => edges.every(({ direction, symmetric }) => symmetric && Math.abs(direction) < 0.7)))
      assert.strictEqual(octets(slices), 8 * 2 * 76)
    }
  })

  it("counts once where each exporter is heard in a slice of its own, and they disagree", () => {
    const memory = known()
    const slices = Array.from({ length: 12 }, (_, i) =>
      collapseSlice(foldedSlice(polls({ ...(i % 2 === 0 ? A : B), exporter: i % 2 }, 3), { window: i >> 1 }), memory)
    )
    assert.lengthOf(new Set(arrows(slices)), 1, arrows(slices).join(", "))
    assert.strictEqual(octets(slices), 6 * 3 * 2 * 76)
  })

  it("goes to the end that many speak to, and turns once when that is seen, with what was counted", () => {
    const memory = known()
    // a client that the first slice takes for the server
    const first = collapseSlice(foldedSlice(polls({ ...B, exporter: 0 }, 2)), memory)
    assert.deepStrictEqual(arrows([first]), ["10.0.0.2>10.0.0.1"])
    const later = Array.from({ length: 6 }, (_, i) => {
      const many = Array.from({ length: 12 }, (_, n) =>
        polls({ source: 0x0a000100 + n, destination: A.destination, exporter: 0 }, 2)
      )
      return collapseSlice(foldedSlice([...many.flat(), ...polls({ ...A, exporter: 0 }, 2)], { window: i >> 1 }), memory)
    })
    const toServer = later.flatMap(({ edges }) =>
      edges.filter(({ client, server }) => client === "10.0.0.1" || server === "10.0.0.1")
    )
    assert.deepStrictEqual(
      toServer.map(({ client, server }) => `${client}>${server}`),
      Array.from({ length: 6 }, () => "10.0.0.1>10.0.0.2")
    )
    // another exporter tells of the first window what was told before it turned: it is not counted again
    const again = collapseSlice(foldedSlice(polls({ ...A, exporter: 1 }, 2)), memory)
    assert.deepStrictEqual([octets([again]), again.duplicates], [0, 4])
  })

  it("stays what it was when the slice is not written, and is remembered within bounds", () => {
    const pairs = makeSymmetricPairs(4)
    const [low, high] = [
      { high: 0, low: 1 },
      { high: 0, low: 2 }
    ]
    const began = (lower: number, upper: number) => {
      const place = pairs.place(low, high, 123)
      return pairs.add(place, { syn: [0, 0], began: [lower, upper] }).began
    }
    pairs.begin()
    assert.deepStrictEqual(began(2, 1), [2, 1])
    assert.isTrue(pairs.decide(pairs.place(low, high, 123), 1, 0).upperServes)
    const undo = pairs.begin()
    assert.deepStrictEqual(began(3, 5), [5, 6])
    assert.deepStrictEqual(pairs.decide(pairs.place(low, high, 123), -2, -2), { upperServes: false, turned: true })
    undo()
    assert.deepStrictEqual(began(0, 0), [2, 1])
    assert.deepStrictEqual(pairs.decide(pairs.place(low, high, 123), -2, -0.4), { upperServes: true, turned: false })
    for (let i = 0; i < 20; i++) {
      pairs.begin()
      pairs.place(low, { high: 0, low: 10 + i }, 123)
      pairs.place(low, high, 123)
    }
    pairs.begin()
    assert.deepStrictEqual(began(0, 0), [2, 1])
  })
})
