import { spawnSync } from "node:child_process"
import { closeSync, openSync } from "node:fs"
import { constants } from "node:os"
import { assert, describe, it } from "@effect/vitest"
import { makeDatagramBlock } from "./mmsg.ts"
import { makeSockaddrText } from "./sockaddr-text.ts"

const mmsg = new URL("./mmsg.ts", import.meta.url).href
const say = `import { makeDatagramBlock } from ${JSON.stringify(mmsg)}; console.log(makeDatagramBlock() === undefined ? "singly" : "batches")`
const node = (script: string, ...flags: ReadonlyArray<string>) =>
  spawnSync(process.execPath, [...flags, "--input-type=module", "-e", script], { encoding: "utf8" })

describe("recvmmsg", () => {
  it("answers with the number of the system's error, and with none where nothing waits", () => {
    const block = makeDatagramBlock()
    assert.isDefined(block)
    const file = openSync(import.meta.filename, "r")
    const { EBADF, ENOTSOCK } = constants.errno
    assert.deepStrictEqual([block.receive(-1), block.receive(file)], [-EBADF, -ENOTSOCK])
    closeSync(file)
  })

  it("is said to nobody as an experiment, and nothing else is kept from being said", () => {
    const quiet = node(say)
    assert.deepStrictEqual([quiet.stdout, quiet.stderr], ["batches\n", ""])
    assert.include(node(`${say}; process.emitWarning("heard")`).stderr, "heard")
  })

  it("is not there where the runtime was told not to have it, or may not", () => {
    assert.deepStrictEqual(
      [node(say, "--no-experimental-ffi").stdout, node(say, "--permission", "--allow-fs-read=*").stdout],
      ["singly\n", "singly\n"]
    )
  })
})

describe("the address in a sockaddr", () => {
  const memory = new ArrayBuffer(64)
  const bytes = new Uint8Array(memory)
  const textAt = makeSockaddrText(memory)
  const four = (...address: ReadonlyArray<number>) => bytes.set([2, 0, 8, 7, ...address, ...new Array<number>(8).fill(0)], 32)
  const six = (...address: ReadonlyArray<number>) => bytes.set([10, 0, 8, 7, 0, 0, 0, 1, ...address, 9, 0, 0, 0], 32)
  const zeros = (count: number) => new Array<number>(count).fill(0)

  it("is written as node:dgram writes it, mapped IPv4 as IPv4 and without a zone", () => {
    four(192, 0, 2, 255)
    assert.strictEqual(textAt(32), "192.0.2.255")
    six(...zeros(10), 255, 255, 192, 0, 2, 255)
    assert.strictEqual(textAt(32), "192.0.2.255")
    six(0x20, 1, 0x0d, 0xb8, ...zeros(11), 1)
    assert.strictEqual(textAt(32), "2001:db8::1")
    six(0xfe, 0x80, ...zeros(12), 1, 2)
    assert.strictEqual(textAt(32), "fe80::102")
    six(...zeros(16))
    assert.strictEqual(textAt(32), "::")
    four(0, 0, 0, 0)
    assert.strictEqual(textAt(32), "0.0.0.0")
  })

  it("is right for more senders than are remembered, however they come", () => {
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 20_000; i++) {
        const [a, b] = [i >> 8, i & 255]
        if (i % 3 === 0) six(0x20, 1, 0x0d, 0xb8, ...zeros(10), 1 + a, b)
        else four(10, 1, a, b)
        assert.strictEqual(textAt(32), i % 3 === 0 ? `2001:db8::${(((1 + a) << 8) | b).toString(16)}` : `10.1.${a}.${b}`)
      }
    }
  })
})
