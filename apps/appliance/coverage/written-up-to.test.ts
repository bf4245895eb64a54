import { assert, describe, it } from "vitest"
import { makeWrittenUpTo } from "./written-up-to.ts"

describe("written up to", () => {
  it("waits for what was folded and is not written, and moves on while nothing comes in", () => {
    const writing = makeWrittenUpTo()
    assert.strictEqual(writing.take(1, { folded: 0, written: 0, lost: 0 }), 1)
    assert.strictEqual(writing.take(2, { folded: 10, written: 0, lost: 0 }), 1)
    assert.strictEqual(writing.take(3, { folded: 25, written: 10, lost: 0 }), 2)
    assert.strictEqual(writing.take(4, { folded: 25, written: 10, lost: 0 }), 2)
    assert.strictEqual(writing.take(5, { folded: 25, written: 10, lost: 14 }), 2)
    assert.strictEqual(writing.take(6, { folded: 25, written: 11, lost: 14 }), 6)
    assert.strictEqual(writing.take(900, { folded: 25, written: 11, lost: 14 }), 900)
    assert.strictEqual(writing.take(901, { folded: 26, written: 11, lost: 14 }), 900)
  })
})
