import { createSocket } from "node:dgram"
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { setImmediate } from "node:timers/promises"
import { assert, describe, it } from "@effect/vitest"
import { readHeading } from "./dispatch.ts"
import { parseKernelTable } from "./kernel-table.ts"
import { makeUdpListener, type UdpListenerOptions } from "./UdpListener.ts"

const until = async (holds: () => boolean) => {
  while (!holds()) await setImmediate()
}

const listen = (options: Partial<UdpListenerOptions> = {}) => {
  const taken: Array<{ readonly text: string; readonly from: string; readonly fromPort: number }> = []
  const listener = makeUdpListener({
    address: "127.0.0.1",
    port: 0,
    receiveBufferBytes: 128 * 1024,
    reusePort: false,
    take: (datagram, from, fromPort) => taken.push({ text: Buffer.from(datagram).toString("latin1"), from, fromPort }),
    ...options
  })
  return { listener, taken }
}

/** One socket that sends one after the other, so that they arrive in order. */
const sender = (to: string, type: "udp4" | "udp6" = "udp4") => {
  const socket = createSocket(type)
  const send = (port: number, datagram: Uint8Array | string) =>
    new Promise<void>((done, failed) =>
      socket.send(datagram, port, to, (error) => {
        if (error === null) done()
        else failed(error)
      })
    )
  return { send, port: () => socket.address().port, close: () => new Promise<void>((done) => socket.close(done)) }
}

/** Open sockets of this process. */
const sockets = () =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:")
    } catch {
      return false
    }
  }).length

/** CAP_NET_ADMIN (capabilities(7)). */
const mayAdministerNetworks = () =>
  (BigInt(`0x${/CapEff:\s*(\w+)/.exec(readFileSync("/proc/self/status", "latin1"))![1]}`) & (1n << 12n)) !== 0n

const send = async (port: number, text: string) => {
  const one = sender("127.0.0.1")
  await one.send(port, text)
  await one.close()
}

for (const [how, receiver] of [
  ["in batches", {}],
  ["one datagram a call", { block: undefined }]
] as const) {
  describe(`UDP listener, ${how}`, () => {
    const open = async (options: Partial<UdpListenerOptions> = {}) => {
      const all = listen({ ...receiver, ...options })
      all.listener.open()
      await until(() => all.listener.read().state === "running")
      return all
    }

    it("hands over each datagram with its sender's address, and counts it", async () => {
      const { listener, taken } = await open()
      await send(listener.read().port, "hello")
      await until(() => taken.length === 1)
      assert.deepStrictEqual([taken[0]!.text, taken[0]!.from], ["hello", "127.0.0.1"])
      const { batches, bufferGranted, bufferHint, datagrams, octets } = listener.read()
      assert.deepStrictEqual([datagrams, octets, bufferGranted, bufferHint], [1, 5, 128 * 1024, ""])
      assert.strictEqual(batches, !("block" in receiver))
      await listener.close()
    })

    it("hands over datagrams of every length in their order, and wakes again after each silence", async () => {
      const { listener, taken } = await open({ receiveBufferBytes: 4 << 20 })
      const { port } = listener.read()
      const from = sender("127.0.0.1")
      const sent = [0, 1, 1400, 65_507, 3, 9000, 0, 1].map((size) => Buffer.alloc(size, "0123456789 of many"))
      for (let i = 0; i < 200; i++) sent.push(Buffer.alloc(i, i))
      for (const [n, datagram] of sent.entries()) {
        await from.send(port, datagram)
        // everything is read: for a moment nothing comes
        if (n % 20 === 0) await until(() => taken.length === n + 1)
      }
      await until(() => taken.length === sent.length)
      const expected = sent.map((datagram) => ({ text: datagram.toString("latin1"), from: "127.0.0.1", fromPort: from.port() }))
      assert.deepStrictEqual(taken, expected)
      await from.close()
      await listener.close()
    })

    it("writes the addresses of both families on a socket of both, IPv4 as IPv4", async () => {
      const { listener, taken } = await open({ address: "::" })
      const { port } = listener.read()
      const four = sender("127.0.0.1")
      const six = sender("::1", "udp6")
      for (const one of [four, six, six, four, four, six]) await one.send(port, "")
      await until(() => taken.length === 6)
      const count = (address: string) => taken.filter(({ from }) => from === address).length
      assert.deepStrictEqual([count("127.0.0.1"), count("::1")], [3, 3])
      await four.close()
      await six.close()
      await listener.close()
    })

    it("says who is in its way and what to do when the port is taken, and gets it once it is free", async () => {
      const other = createSocket("udp4")
      await new Promise<void>((done) => other.bind(0, "127.0.0.1", () => done()))
      const { port } = other.address()
      const { listener } = listen({ ...receiver, port })
      listener.open()
      await until(() => listener.read().state === "restarting")
      const { lastError } = listener.read()
      assert.strictEqual(lastError?.message, `UDP 127.0.0.1:${port} is in use by another process`)
      assert.include(lastError?.hint ?? "", `sport = :${port}`)
      other.close()
      await until(() => listener.read().state === "running")
      assert.strictEqual(listener.read().port, port)
      await listener.close()
    })

    it("opens the same port again after it failed, and keeps its counts", async () => {
      const { listener, taken } = await open()
      const { port } = listener.read()
      await send(port, "before")
      await until(() => taken.length === 1)
      listener.fail(new Error("network is down"))
      assert.match(listener.read().lastError?.message ?? "", /network is down/)
      await until(() => listener.read().state === "running")
      await send(port, "after")
      await until(() => taken.length === 2)
      const { datagrams, restarts } = listener.read()
      assert.deepStrictEqual([datagrams, restarts, listener.read().port], [2, 1, port])
      await listener.close()
    })

    it("names the sysctl when the kernel grants a smaller buffer than asked", async () => {
      const { listener } = await open({ receiveBufferBytes: 1 << 30, force: () => false })
      const { bufferGranted, bufferHint } = listener.read()
      if (bufferGranted < 1 << 30) assert.include(bufferHint, `net.core.rmem_max=${1 << 30}`)
      else assert.strictEqual(bufferHint, "")
      await listener.close()
    })

    it("takes more than anybody may have, where the system lets it", async () => {
      const asked = Number(readFileSync("/proc/sys/net/core/rmem_max", "latin1")) + 65_536
      const { listener } = await open({ receiveBufferBytes: asked })
      const { bufferGranted, bufferHint } = listener.read()
      if (mayAdministerNetworks()) assert.deepStrictEqual([bufferGranted, bufferHint], [asked, ""])
      else assert.include(bufferHint, "net.core.rmem_max")
      await listener.close()
    })

    it("counts what the kernel dropped while nobody read", async () => {
      const { listener } = await open({ receiveBufferBytes: 4096 })
      const { port } = listener.read()
      const socket = createSocket("udp4")
      await new Promise<void>((done) => socket.connect(port, "127.0.0.1", () => done()))
      // All sent from within one turn: the buffer holds a few of them.
      const sent = await new Promise<number>((done) => {
        let answers = 0
        for (let i = 0; i < 500; i++) socket.send(Buffer.alloc(1400), () => ++answers === 500 && done(answers))
      })
      socket.close()
      await until(() => {
        listener.poll()
        const { datagrams, kernelDropped } = listener.read()
        return datagrams + kernelDropped >= sent
      })
      const { datagrams, kernelDropped } = listener.read()
      assert.strictEqual(datagrams + kernelDropped, sent)
      assert.isAbove(kernelDropped, 0)
      await listener.close()
    })

    it("leaves no descriptor behind, closed or failed", async () => {
      const before = sockets()
      for (let i = 0; i < 20; i++) {
        const { listener, taken } = await open()
        await send(listener.read().port, "hello")
        await until(() => taken.length === 1)
        if (i % 2 === 0) listener.fail(new Error("network is down"))
        await listener.close()
      }
      await until(() => sockets() <= before)
    })
  })
}

describe("kernel table", () => {
  const text = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  257: 00000000:0807 00000000:0000 07 00000000:00000300 00:00000000 00000000     0        0 4711 2 0000000000000000 12
  257: 00000000:0807 00000000:0000 07 00000000:00000100 00:00000000 00000000     0        0 4712 2 0000000000000000 5
  300: 0100007F:18C7 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4713 2 0000000000000000 0
`
  it("finds a socket among those that share its port, or adds the port up", () => {
    assert.deepStrictEqual(parseKernelTable(text, 2055, "4712"), { queued: 256, drops: 5 })
    assert.deepStrictEqual(parseKernelTable(text, 2055, undefined), { queued: 1024, drops: 17 })
    assert.strictEqual(parseKernelTable(text, 4739, undefined), undefined)
  })
})

describe("dispatch", () => {
  const heading = () => ({ protocol: undefined, exportMs: 0, domain: 0, agent: "" })
  const words = (...values: ReadonlyArray<number>) => {
    const bytes = new Uint8Array(values.length * 4)
    const view = new DataView(bytes.buffer)
    values.forEach((value, i) => {
      view.setUint32(i * 4, value)
    })
    return bytes
  }
  const read = (bytes: Uint8Array) => readHeading(bytes, bytes.length, heading())

  it("tells the protocol, the clock and the agent by the first bytes, whatever the port", () => {
    assert.deepStrictEqual(read(words(0x00050001, 1, 1_700_000_000, 0)), {
      protocol: "netflow5",
      exportMs: 1.7e12,
      domain: 0,
      agent: ""
    })
    assert.deepStrictEqual(read(words(0x00090001, 1, 4_000_000_000, 0, 9)), {
      protocol: "netflow9",
      exportMs: 4e12,
      domain: 9,
      agent: ""
    })
    assert.deepStrictEqual(read(words(0x000a0010, 1_700_000_000, 0, 7)), {
      protocol: "ipfix",
      exportMs: 1.7e12,
      domain: 7,
      agent: ""
    })
    assert.deepStrictEqual(read(words(5, 1, 0xc0000201, 0)), { protocol: "sflow5", exportMs: 0, domain: 0, agent: "192.0.2.1" })
    assert.strictEqual(read(words(5, 2, 0x20010db8, 0, 0, 1)).agent, "2001:db8::1")
    assert.strictEqual(read(words(5, 1, 0, 0)).agent, "")
  })

  it("knows nothing of other datagrams, empty and short ones included", () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(7), words(4, 1), words(0x00010001, 2), words(0xffffffff, 0)]) {
      assert.strictEqual(read(bytes).protocol, undefined)
    }
  })
})
