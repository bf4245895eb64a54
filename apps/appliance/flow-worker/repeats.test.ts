import { assert, describe, it } from "@effect/vitest"
import { makePortRanks } from "#domain/PortRank.ts"
import type { WindowSlice } from "#domain/Window.ts"
import { dataSet, type Field, ipfix, template10, uint } from "#pipeline/decode/encode.fixture.ts"
import { services } from "#pipeline/enrich/services.ts"
import { collapseSlice } from "#pipeline/resolve/collapse/collapse.ts"
import { makeMerger } from "#pipeline/window/merge-slices.ts"
import { accounted, makeTestPlane, tuesday } from "./FlowPlane.fixture.ts"

const fields: ReadonlyArray<Field> = [
  [0, 8, 4],
  [0, 12, 4],
  [0, 7, 2],
  [0, 11, 2],
  [0, 4, 1],
  [0, 2, 8],
  [0, 1, 8],
  [0, 10, 4],
  [0, 14, 4],
  [0, 152, 8],
  [0, 153, 8]
]
const making = () => {
  let sequence = 0
  // a minute into a window
  const { accept, now, plane, wait } = makeTestPlane({ flushIntervalSeconds: 10 }, tuesday + 60_000)
  const slices: Array<WindowSlice> = []
  const heading = () => ({ seconds: Math.floor(now() / 1000), sequence })
  plane.take(ipfix(heading(), template10(300, fields)), "192.0.2.1")
  return {
    plane,
    /** `places`: where each of the flows is metered. */
    send: (flows: number, places: ReadonlyArray<readonly [input: number, output: number]>, bytes = 5000) => {
      for (let n = 0; n < flows; n++) {
        const flow = sequence
        const rows = places.map(([input, output]) =>
          [
            0x0a000001 + (flow % 50),
            0x0a000101,
            30_000 + (flow % 20_000),
            443,
            6,
            9,
            bytes,
            input,
            output,
            now() - 900,
            now() - 100
          ].flatMap((value, i) => uint(value, fields[i]![2]))
        )
        plane.take(ipfix(heading(), dataSet(300, ...rows)), "192.0.2.1")
        sequence += rows.length
        wait(2)
      }
    },
    tick: (ms: number) => {
      wait(ms)
      plane.tick()
      slices.push(...accept())
    },
    stop: async () => {
      await plane.stop()
      slices.push(...accept())
    },
    slices,
    account: () => {
      const report = plane.report()
      accounted(report)
      return { folded: report.windows.folded, repeated: report.windows.repeated }
    }
  }
}

const total = (slices: ReadonlyArray<WindowSlice>) => {
  const merger = makeMerger()
  for (const slice of slices) merger.add(slice)
  const whole = merger.merged()!
  const collapsed = collapseSlice(whole, { ranks: makePortRanks(services) })
  return {
    records: whole.records,
    counted: collapsed.counted,
    duplicates: collapsed.duplicates,
    savings: collapsed.savings,
    bytes: [...collapsed.edges, ...collapsed.attempts].reduce((sum, one) => sum + one.bytesToServer + one.bytesToClient, 0)
  }
}

describe("an exporter that meters on two interfaces", () => {
  it("is counted once over slices, every record is in the account, and what was spared is told", async () => {
    const { account, plane, send, slices, stop, tick } = making()
    const places = [
      [1, 2],
      [3, 4]
    ] as const
    for (let second = 0; second < 30; second++) {
      send(20, places)
      tick(960)
    }
    assert.deepStrictEqual(account(), { folded: 1200, repeated: 600 })
    await stop()
    assert.isAbove(slices.length, 2)
    assert.deepStrictEqual(total(slices), {
      records: 1200,
      counted: 600,
      duplicates: 600,
      savings: [{ exporter: "192.0.2.1", records: 600, bytes: 600 * 5000 }],
      bytes: 600 * 5000
    })
    assert.strictEqual(plane.report().exporters[0]!.measures.repeats, 600)
    assert.strictEqual(plane.report().exporters[0]!.measures.repeatedOn, "interfaces 1 → 2 and again on 3 → 4")
  })

  it("of a few records loses none of them: what nobody confirmed is folded after twenty seconds, or when the worker stops", async () => {
    const { account, send, slices, stop, tick } = making()
    send(
      5,
      [
        [1, 2],
        [3, 4]
      ],
      700
    )
    tick(1000)
    assert.deepStrictEqual(account(), { folded: 5, repeated: 0 })
    tick(20_000)
    assert.deepStrictEqual(account(), { folded: 10, repeated: 0 })
    send(
      2,
      [
        [1, 2],
        [3, 4]
      ],
      700
    )
    await stop()
    assert.deepStrictEqual(account(), { folded: 14, repeated: 0 })
    assert.strictEqual(total(slices).bytes, 14 * 700)
  })
})
