import { assert, describe, it } from "@effect/vitest"
import { FLOWS, makeRecent, type Recent, TEMPLATES, TROUBLE } from "./recent.ts"

/** A datagram whose first octet tells it apart. */
const datagram = (mark: number, octets = 1400) => new Uint8Array(octets).fill(mark)
const keep = (recent: Recent, exporter: number, mark: number, kind: typeof FLOWS | typeof TEMPLATES | typeof TROUBLE = FLOWS) =>
  recent.keep(exporter, kind, datagram(mark), `192.0.2.${exporter}`, 2055, 9995)
const marks = (recent: Recent, exporter: number, most = 1000) => recent.last(exporter, most).map(({ payload }) => payload[0])

describe("the last datagrams of an exporter", () => {
  it("are copies in the order they came, with where from and where to", () => {
    const recent = makeRecent()
    const memory = datagram(1)
    recent.keep(3, FLOWS, memory, "192.0.2.3", 4000, 2055)
    memory.fill(2)
    recent.keep(3, FLOWS, memory.subarray(0, 100), "192.0.2.3", 4000, 4739)
    memory.fill(9)
    const [first, second] = recent.last(3, 10)
    assert.deepInclude(first, { from: "192.0.2.3", fromPort: 4000, toPort: 2055, payload: datagram(1) })
    assert.deepInclude(second, { toPort: 4739, payload: datagram(2, 100) })
    assert.isAtLeast(second!.at, first!.at)
    assert.closeTo(first!.at / 1000, Date.now(), 60_000)
    assert.deepStrictEqual(recent.last(4, 10), [])
  })

  it("are the first few of each second of a busy one, and those with templates or trouble beside them", () => {
    const recent = makeRecent()
    for (let i = 0; i < 5000; i++) keep(recent, 1, 1)
    keep(recent, 1, 2, TEMPLATES)
    for (let i = 0; i < 5000; i++) keep(recent, 1, 3, TROUBLE)
    assert.deepStrictEqual(marks(recent, 1), [...Array(20).fill(1), 2, ...Array(20).fill(3)])
    recent.tick()
    keep(recent, 1, 4)
    assert.strictEqual(marks(recent, 1).at(-1), 4)
  })

  it("are as many as are asked for, up to a quarter of them older ones of a rare kind", () => {
    const recent = makeRecent()
    keep(recent, 1, 7, TEMPLATES)
    keep(recent, 1, 8, TROUBLE)
    for (let second = 0; second < 10; second++) {
      recent.tick()
      for (let i = 0; i < 20; i++) keep(recent, 1, 1)
    }
    assert.deepStrictEqual(marks(recent, 1, 8), [7, 8, 1, 1, 1, 1, 1, 1])
    assert.deepStrictEqual(marks(recent, 1, 1).length, 1)
    assert.strictEqual(marks(recent, 1, 100).length, 100)
  })

  it("stay while busy ones fill the room, which is never exceeded", () => {
    const recent = makeRecent(200_000)
    for (let i = 0; i < 5; i++) keep(recent, 9, 100 + i)
    for (let second = 0; second < 50; second++) {
      recent.tick()
      for (const busy of [1, 2, 3]) for (let i = 0; i < 20; i++) keep(recent, busy, second % 50)
      const held = [1, 2, 3, 9].flatMap((one) => recent.last(one, 1000)).reduce((sum, { payload }) => sum + payload.length + 256, 0)
      assert.isAtMost(held, 200_000)
    }
    assert.deepStrictEqual(marks(recent, 9), [100, 101, 102, 103, 104])
    for (const busy of [1, 2, 3]) assert.isAbove(marks(recent, busy).length, 25)
    assert.strictEqual(marks(recent, 2).at(-1), 49)
  })

  it("give up only what there is more of: a flood of malformed ones leaves the others", () => {
    const recent = makeRecent(60_000)
    for (let i = 0; i < 15; i++) keep(recent, 1, 1)
    for (let second = 0; second < 20; second++) {
      recent.tick()
      for (let i = 0; i < 20; i++) keep(recent, 1, 2, TROUBLE)
    }
    assert.isAbove(marks(recent, 1).filter((mark) => mark === 1).length, 10)
  })

  it("leave room to those that come while more send than there is room for", () => {
    const recent = makeRecent(100_000)
    for (let exporter = 0; exporter < 1000; exporter++) keep(recent, exporter, exporter % 250)
    assert.deepStrictEqual(marks(recent, 999), [249])
    recent.tick()
    for (let exporter = 0; exporter < 1000; exporter++) recent.forget(exporter)
    for (let i = 0; i < 60; i++) keep(recent, 5, i)
    assert.strictEqual(marks(recent, 5).length, 2, "when so many send, two copies of each in a second")
    recent.tick()
    for (let i = 0; i < 60; i++) keep(recent, 5, i)
    assert.strictEqual(marks(recent, 5).length, 22)
  })

  it("come with what could not be told apart from the same sender, of few senders", () => {
    const recent = makeRecent()
    recent.keepStrange(datagram(5), "192.0.2.1", 4000, 2055)
    keep(recent, 1, 1)
    recent.keepStrange(datagram(6), "192.0.2.77", 4000, 2055)
    assert.deepStrictEqual(marks(recent, 1), [5, 1])
    for (let i = 0; i < 64; i++) recent.keepStrange(datagram(6), `203.0.113.${i}`, 4000, 2055)
    assert.deepStrictEqual(marks(recent, 1), [1])
  })
})
