import { assert, describe, it } from "@effect/vitest"
import type { SliceExporter, WindowSlice } from "#domain/Window.ts"
import type { TestRecord } from "../../../../test/rig/flow-records.ts"
import { flow, foldedSlice, ranks } from "../../../../test/rig/folded-slice.ts"
import { makeMerger } from "../../window/merge-slices.ts"
import { collapseSlice } from "./collapse.ts"
import { makeOwners } from "./duplicate.ts"

const rate = 100

/** One device, and what it sends: packet samples, and flows of every packet. */
const device: ReadonlyArray<SliceExporter> = [
  { address: "192.0.2.1", protocol: "sflow5" },
  { address: "192.0.2.1", protocol: "netflow9" }
]

const sliceOf = (worker: string, records: ReadonlyArray<TestRecord>): WindowSlice =>
  foldedSlice(records, { worker, exporter: (index) => device[index]! })
const record = (fields: Partial<TestRecord>) => flow({ exporter: 1, bytes: 1_000_000, packets: 1000, ...fields })
/** Eleven samples of a thousand packets: by chance more than there were. */
const samples = Array.from({ length: 11 }, () => record({ exporter: 0, packets: 1, bytes: 1000, sampling: rate, flags: 0x10 }))

describe("one device, two protocols", () => {
  const counted = (slices: ReadonlyArray<WindowSlice>) => {
    const owners = makeOwners()
    const collapsed = slices.map((slice) => collapseSlice(slice, { ranks, owners }))
    const sum = (of: (slice: (typeof collapsed)[number]) => number) => collapsed.reduce((total, one) => total + of(one), 0)
    return {
      edges: sum(({ edges }) => edges.length),
      bytes: sum(({ edges }) => edges.reduce((total, { bytesToServer }) => total + bytesToServer, 0)),
      packets: sum(({ edges }) => edges.reduce((total, { packets }) => total + packets, 0)),
      duplicates: sum(({ duplicates }) => duplicates),
      exporters: [...new Set(collapsed.flatMap(({ edges }) => edges.map(({ exporter }) => exporter)))]
    }
  }
  const once = { bytes: 1_000_000, packets: 1000, duplicates: 11, exporters: ["192.0.2.1"] }

  it("count once, by the one that does not sample", () => {
    assert.deepStrictEqual(counted([sliceOf("worker-1", [...samples, record({})])]), { edges: 1, ...once })
  })

  it("also when two workers heard them, merged or one after the other", () => {
    const slices = [sliceOf("worker-1", [record({})]), sliceOf("worker-2", samples)]
    const merger = makeMerger()
    for (const slice of slices) merger.add(slice)
    assert.deepStrictEqual(counted([merger.merged()!]), { edges: 1, ...once })
    assert.deepStrictEqual(counted(slices), { edges: 2, ...once })
  })

  it("say who was spared, by the address", () => {
    const { edges, savings } = collapseSlice(sliceOf("worker-1", [...samples, record({})]), { ranks })
    assert.deepStrictEqual(savings, [{ exporter: "192.0.2.1", records: 11, bytes: 11 * 1000 * rate }])
    assert.deepStrictEqual(edges[0]!.observers, [{ exporter: "192.0.2.1", records: 11, bytes: 1_100_000, packets: 1100 }])
  })
})
