import { createSocket } from "node:dgram"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it, vi } from "vitest"
import { clearAddress, parseReplay, runReplay, splitLengthPrefixed } from "./replay.ts"

const lengthPrefixed = (datagrams: ReadonlyArray<Uint8Array>) =>
  Buffer.concat(
    datagrams.flatMap((datagram) => {
      const length = Buffer.alloc(4)
      length.writeUInt32LE(datagram.length)
      return [length, datagram]
    })
  )

/** A capture of raw IP packets (link type 101), each from 192.0.2.N. */
const pcap = (datagrams: ReadonlyArray<Uint8Array>) => {
  const header = Buffer.alloc(24)
  header.writeUInt32BE(0xa1b2c3d4, 0)
  header.writeUInt32BE(101, 20)
  return Buffer.concat([
    header,
    ...datagrams.flatMap((payload, i) => {
      const packet = Buffer.alloc(44)
      packet.writeUInt32BE(payload.length + 28, 8)
      packet.writeUInt32BE(payload.length + 28, 12)
      packet[16] = 0x45
      packet.writeUInt16BE(payload.length + 28, 18)
      packet[25] = 17
      packet.set([192, 0, 2, i + 1], 28)
      packet.writeUInt16BE(payload.length + 8, 40)
      return [packet, payload]
    })
  ])
}

const netflow5 = (n: number) => Uint8Array.from([0, 5, 0, 0, n, ...new Uint8Array(19)])

const inFolder = async (body: (folder: string) => Promise<void>) => {
  const folder = mkdtempSync(join(tmpdir(), "flowlens-replay-"))
  try {
    await body(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe("flowlens replay", () => {
  it("refuses to be called without a file, a target, or with a rate it cannot keep", () => {
    for (const argv of [
      [],
      ["--to", "127.0.0.1:2055"],
      ["a.pcap"],
      ["a.pcap", "--to", "127.0.0.1"],
      ["a.pcap", "--to", "127.0.0.1:0"],
      ["a.pcap", "--to", "127.0.0.1:70000"],
      ["a.pcap", "--to", "::1:2055"],
      ["a.pcap", "--to", "h:2055", "--rate", "0"],
      ["a.pcap", "--to", "h:2055", "--rate", "fast"],
      ["a.pcap", "--to", "h:2055", "--loop", "-1"],
      ["a.pcap", "--to", "h:2055", "--as", "tape"],
      ["a.pcap", "--to", "h:2055", "--forever"]
    ]) {
      assert.isString(parseReplay(argv), argv.join(" "))
    }
    assert.deepInclude(parseReplay(["a", "b", "--to", "[::1]:9", "--rate", "5", "--loop", "2"]), {
      files: ["a", "b"],
      target: { host: "::1", port: 9 },
      rate: 5,
      loops: 2
    })
  })

  it("sends to one machine only: no multicast, no broadcast, not to any address", async () => {
    for (const host of ["224.0.0.1", "255.255.255.255", "0.0.0.0", "ff02::1", "::"]) assert.isString(await clearAddress(host), host)
    assert.deepStrictEqual(await clearAddress("127.0.0.1"), { address: "127.0.0.1", six: false })
    assert.deepStrictEqual(await clearAddress("::1"), { address: "::1", six: true })
  })

  it("stops at what is not a whole datagram", () => {
    const bytes = lengthPrefixed([netflow5(1), netflow5(2)])
    assert.strictEqual(splitLengthPrefixed(bytes).length, 2)
    assert.strictEqual(splitLengthPrefixed(bytes.subarray(0, -1)).length, 1)
    assert.strictEqual(splitLengthPrefixed(Uint8Array.from([255, 255, 255, 255, 1])).length, 0)
    assert.strictEqual(splitLengthPrefixed(new Uint8Array(8)).length, 0)
  })

  it("sends every flow datagram of a capture as often as asked, each sender from its own address, and no other traffic", () =>
    inFolder(async (folder) => {
      const file = join(folder, "flows.pcap")
      writeFileSync(file, pcap([netflow5(1), Uint8Array.from([1, 2, 3, 4, 5]), netflow5(2)]))
      const heard: Array<number> = []
      const senders = new Set<string>()
      const socket = createSocket("udp4")
      const all = new Promise<void>((resolve) => {
        socket.on("message", (datagram, from) => {
          heard.push(datagram[4]!)
          senders.add(from.address)
          if (heard.length === 6) resolve()
        })
      })
      await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve))
      const printed = vi.spyOn(console, "log").mockImplementation(() => undefined)
      const progress = vi.spyOn(console, "error").mockImplementation(() => undefined)
      try {
        const to = `127.0.0.1:${socket.address().port}`
        assert.strictEqual(await runReplay([file, "--to", to, "--loop", "3", "--json"]), 0)
        await all
        // Two sockets keep no order between them
        assert.deepStrictEqual(heard.toSorted(), [1, 1, 1, 2, 2, 2])
        assert.strictEqual(senders.size, 2)
        const summary = JSON.parse(String(printed.mock.calls[0]![0]))
        assert.deepInclude(summary, { to, datagrams: 6, bytes: 144, skipped: 1, refused: 0, loops: 3, interrupted: false })
        assert.isAbove(progress.mock.calls.length, 0)
      } finally {
        printed.mockRestore()
        progress.mockRestore()
        socket.close()
      }
    }))

  it("answers 2 to a wrong call and 1 to a file it cannot read", async () => {
    const said = vi.spyOn(console, "error").mockImplementation(() => undefined)
    try {
      assert.strictEqual(await runReplay(["x"]), 2)
      assert.strictEqual(await runReplay(["x", "--to", "224.0.0.1:2055"]), 2)
      assert.strictEqual(await runReplay(["/nonexistent/capture.pcap", "--to", "127.0.0.1:2055"]), 1)
    } finally {
      said.mockRestore()
    }
  })
})
