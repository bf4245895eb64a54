import { assert, describe, it } from "@effect/vitest"
import { flow, foldedSlice, ranks } from "../../../../test/rig/folded-slice.ts"
import { collapseSlice } from "./collapse.ts"
import { makeEvidenceSampler } from "./EvidenceSampler.ts"

describe("conversations that are kept as evidence", () => {
  it("are those of edges between equal ports first, up to half of all that are kept", () => {
    const others = Array.from({ length: 400 }, (_, i) => flow({ source: 0x0a000100 + i }))
    const equals = Array.from({ length: 30 }, (_, i) =>
      flow({ source: 0x0a000800 + i, sourcePort: 123, destinationPort: 123, protocol: 17 })
    )
    const sampler = makeEvidenceSampler(40)
    const kept = () =>
      collapseSlice(foldedSlice([...others, ...equals]), { ranks, sampler }).samples!.filter((one) => one.aPort === one.bPort)
        .length
    assert.isAtLeast(kept(), 20)
    kept()
    assert.strictEqual(kept(), 0)
  })
})
