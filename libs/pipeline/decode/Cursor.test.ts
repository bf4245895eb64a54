import { assert, describe, it } from "@effect/vitest"
import { makeCursor } from "./Cursor.ts"

const view = new DataView(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]).buffer)

describe("a cursor", () => {
  it("reads on from where it stands", () => {
    const cursor = makeCursor(view, 1, 12)
    assert.deepStrictEqual([cursor.u8(), cursor.u16(), cursor.u32()], [2, 0x0304, 0x05060708])
    cursor.skip(1)
    assert.deepStrictEqual([cursor.at, cursor.remaining, cursor.truncated], [9, 3, false])
  })

  it("reads 64 bits", () => {
    assert.strictEqual(makeCursor(view, 0, 8).u64(), 0x01020304 * 2 ** 32 + 0x05060708)
  })

  it("gives 0 past its end, though the bytes go on, and never recovers", () => {
    const cursor = makeCursor(view, 0, 3)
    assert.strictEqual(cursor.u16(), 0x0102)
    assert.strictEqual(cursor.u16(), 0)
    assert.isTrue(cursor.truncated)
    assert.strictEqual(cursor.u8(), 0)
  })

  it("does not move backwards or past the end", () => {
    for (const octets of [-1, 13, Number.POSITIVE_INFINITY]) {
      const cursor = makeCursor(view, 0, 12)
      cursor.skip(octets)
      assert.isTrue(cursor.truncated)
      assert.strictEqual(cursor.at, 0)
    }
  })
})
