import { crc32 } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { randomFrom } from "../../../test/rig/flow-records.ts"
import { randomSlice } from "../../../test/rig/random-slice.ts"
import { decodeSlice, type EncodedSlice, encodeSlice, PREFIX, readHeading, readHeadingOnly } from "./slice-file.ts"

const together = ({ parts, bytes }: EncodedSlice): Uint8Array => {
  const all = new Uint8Array(bytes)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  assert.strictEqual(at, bytes)
  return all
}

describe("slice-file", () => {
  it.prop("decode ∘ encode is identity, whatever the slice", [Schema.Int], ([seed]) => {
    const slice = randomSlice(randomFrom(seed))
    const file = together(encodeSlice(slice, 1_700_000_000_000, crc32))
    assert.deepStrictEqual(Result.getOrThrow(decodeSlice(file, crc32)), slice)
    const heading = Result.getOrThrow(readHeading(file.subarray(0, 65_600), file.length, crc32))
    assert.deepInclude(heading, { bootAt: 1_700_000_000_000, sequence: slice.sequence, records: slice.records, rows: slice.rows })
  })

  it.prop("a damaged file is refused, never read as another slice, and never throws", [Schema.Int], ([seed]) => {
    const random = randomFrom(seed)
    const slice = randomSlice(random)
    const file = together(encodeSlice(slice, 1, crc32))
    for (let round = 0; round < 20; round++) {
      let bytes = file.slice()
      const kind = random(4)
      if (kind === 0) bytes = bytes.slice(0, random(bytes.length))
      else if (kind === 1) for (let i = 0; i <= random(4); i++) bytes[random(bytes.length)]! ^= 1 + random(255)
      else if (kind === 2) bytes.fill(random(256), random(bytes.length))
      else bytes = Uint8Array.from({ length: random(200) }, () => random(256))
      const read = decodeSlice(bytes, crc32)
      // a change that changes nothing is no damage
      if (Result.isSuccess(read)) assert.deepStrictEqual(bytes, file)
      readHeadingOnly(bytes, crc32)
      readHeading(bytes, bytes.length, crc32)
    }
  })

  it("says of a torn file whose records are lost", () => {
    const slice = randomSlice(randomFrom(3))
    const file = together(encodeSlice(slice, 1, crc32))
    const torn = file.slice(0, file.length - 1)
    assert.deepStrictEqual(decodeSlice(torn, crc32), Result.fail("torn"))
    assert.deepStrictEqual(readHeading(torn, torn.length, crc32), Result.fail("torn"))
    assert.strictEqual(Result.getOrThrow(readHeadingOnly(torn, crc32)).records, slice.records)
  })

  it("refuses a heading that promises columns of more octets than 32 bits can say, though its sum is right (fuzz)", () => {
    const file = together(encodeSlice(randomSlice(randomFrom(3)), 1, crc32))
    const view = new DataView(file.buffer)
    const length = view.getUint32(12, true)
    const text = new TextDecoder().decode(file.subarray(PREFIX, PREFIX + length)).trimEnd()
    const lying = text.replace(/("name":"columns.bytesAb","type":"f64","length":)\d+/, "$1536870912")
    assert.notStrictEqual(lying, text)
    const heading = new TextEncoder().encode(lying.padEnd((lying.length + 7) & ~7))
    const changed = new Uint8Array(file.length - length + heading.length)
    changed.set(file.subarray(0, PREFIX))
    changed.set(heading, PREFIX)
    changed.set(file.subarray(PREFIX + length), PREFIX + heading.length)
    new DataView(changed.buffer).setUint32(12, heading.length, true)
    new DataView(changed.buffer).setUint32(16, crc32(heading), true)
    assert.deepStrictEqual(decodeSlice(changed, crc32), Result.fail("torn"))
  })

  it("reads a file of an earlier version: a column it does not have is 0, one it has too many is passed over", () => {
    const slice = randomSlice(randomFrom(4))
    const { beganA: _, first, ...rest } = slice.columns
    const earlier = { ...slice, columns: { ...rest, first: Uint32Array.from(first), former: new Uint8Array(slice.rows) } }
    const read = Result.getOrThrow(decodeSlice(together(encodeSlice(earlier as never, 1, crc32)), crc32))
    assert.deepStrictEqual(read.columns.beganA, new Uint32Array(slice.rows))
    assert.deepStrictEqual(read.columns.first, Float64Array.from(Uint32Array.from(first)))
    assert.notProperty(read.columns, "former")
  })
})
