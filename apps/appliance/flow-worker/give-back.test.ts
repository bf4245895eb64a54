import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { giveBack } from "./give-back.ts"

const MIB = 1 << 20
const residentMib = () => Number(/RssAnon:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024

describe.runIf(process.platform === "linux")("giving memory back", () => {
  it("makes the process smaller, and what stays is as it was", () => {
    const { buffer } = new WebAssembly.Memory({ initial: 4096, maximum: 4096 })
    const octets = new Uint8Array(buffer).fill(7)
    const before = residentMib()
    assert.isTrue(giveBack(buffer, MIB, 255 * MIB))
    assert.isAbove(before - residentMib(), 200)
    assert.deepStrictEqual([octets[MIB - 1], octets[MIB], octets[255 * MIB - 1], octets[255 * MIB]], [7, 0, 0, 7])
    octets[MIB] = 8
    assert.strictEqual(octets[MIB], 8)
  })
})
