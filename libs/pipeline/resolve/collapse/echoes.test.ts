import { assert, describe, it } from "@effect/vitest"
import { flow, foldedSlice, ranks, reply } from "../../../../test/rig/folded-slice.ts"
import { collapseSlice } from "./collapse.ts"
import { makeOwners } from "./duplicate.ts"

describe("echoes", () => {
  it("counts once what an exporter reports where it comes in and where it goes out", () => {
    const request = flow({ sampling: 10 })
    const answer = reply(request, { bytes: 5000, packets: 20 })
    const out = { direction: 1 }
    const twice = collapseSlice(
      foldedSlice([request, answer, { ...request, ...out }, { ...answer, ...out, bytes: 4900, packets: 19 }]),
      { ranks }
    )
    assert.deepStrictEqual([twice.counted, twice.duplicates], [2, 2])
    const [edge] = twice.edges
    assert.deepStrictEqual([edge!.flows, edge!.bytesToServer, edge!.bytesToClient, edge!.packets], [2, 10_000, 50_000, 300])
    assert.deepStrictEqual([edge!.rawBytes, edge!.rawPackets, edge!.observers], [6000, 30, []])
  })

  it("counts it once as well where the two ways come in slices of their own, or in the next window, whichever is first", () => {
    const ways = [0, 1] as const
    for (const [first, second] of [ways, ways.toReversed()]) {
      for (const window of [0, 1]) {
        const owners = makeOwners()
        const told = [
          [first!, 0],
          [second!, window],
          [first!, 2],
          [second!, 2],
          [first!, 3],
          [second!, 3]
        ] as const
        const slices = told.map(([direction, at]) =>
          collapseSlice(foldedSlice([flow({ direction, bytes: at < 2 ? 1000 : 1000 + at })], { window: at }), { ranks, owners })
        )
        const octets = slices.flatMap(({ edges }) => edges.map((edge) => edge.bytesToServer)).reduce((sum, one) => sum + one, 0)
        assert.strictEqual(octets, 1000 + 1002 + 1003, `${first} first, the other ${window} later`)
        assert.strictEqual(
          slices.reduce((sum, { counted, duplicates }) => sum + counted + duplicates, 0),
          6
        )
      }
    }
  })

  it("counts what was reported on the way out only, as softflowd does with every answer", () => {
    const request = flow({})
    const { edges, duplicates } = collapseSlice(foldedSlice([request, reply(request, { bytes: 5000, direction: 1 })]), { ranks })
    assert.deepStrictEqual([edges[0]!.bytesToServer, edges[0]!.bytesToClient, duplicates], [1000, 5000, 0])
    const elsewhere = collapseSlice(
      foldedSlice([flow({}), flow({ direction: 1, exporter: 1 }), flow({ destination: 0x0a000003, direction: 1 })]),
      { ranks }
    )
    assert.deepStrictEqual(elsewhere.edges.map((edge) => edge.bytesToServer).sort(), [1000, 1000])
  })
})
