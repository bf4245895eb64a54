import { assert, describe, it, vi } from "vitest"
import { BATCH, type DatagramBlock } from "./mmsg.ts"
import { readBatches, restOf } from "./read-batches.ts"

/** A socket at which so many datagrams wait, or which fails; and what was done with it. */
const reading = () => {
  const socket = { waiting: 0, error: 0, taken: 0, calls: 0, dgramReads: true, failures: [] as Array<readonly [string, number]> }
  const block: DatagramBlock = {
    receive: () => {
      socket.calls++
      if (socket.error < 0) return socket.error
      const count = Math.min(BATCH, socket.waiting)
      socket.waiting -= count
      return count
    },
    datagram: () => new Uint8Array(1),
    from: () => "192.0.2.1",
    fromPort: () => 1
  }
  const handle = {
    fd: 3,
    recvStart: () => {
      socket.dgramReads = true
      return 0
    },
    recvStop: () => {
      socket.dgramReads = false
      return 0
    }
  }
  const reader = readBatches(
    block,
    handle,
    { ms: 5, crowd: 100 },
    () => socket.taken++,
    () => 0,
    (call, error) => socket.failures.push([call, error])
  )
  return { socket, reader }
}

describe("reading in batches", () => {
  it("rests as long as the buffer allows, and no longer", () => {
    assert.deepStrictEqual(
      [0, 212_992, 4 << 20, 16 << 20].map((octets) => restOf(octets).ms),
      [2, 2, 10, 30]
    )
  })

  it("reads all there is, rests, reads again, and hands the socket back after a rest in which nothing came", () => {
    vi.useFakeTimers()
    try {
      const { reader, socket } = reading()
      socket.waiting = 100
      reader.wake()
      assert.deepStrictEqual([socket.taken, socket.calls, socket.dgramReads], [100, 2, false])
      socket.waiting = 3
      vi.advanceTimersByTime(4)
      assert.strictEqual(socket.taken, 100)
      vi.advanceTimersByTime(1)
      assert.deepStrictEqual([socket.taken, socket.dgramReads], [103, false])
      vi.advanceTimersByTime(5)
      assert.deepStrictEqual([socket.calls, socket.dgramReads], [4, true])
      vi.advanceTimersByTime(1000)
      assert.strictEqual(socket.calls, 4)
    } finally {
      vi.useRealTimers()
    }
  })

  it("rests for a shorter time after a crowd", () => {
    vi.useFakeTimers()
    try {
      const { reader, socket } = reading()
      for (const [came, rest] of [
        [101, 4],
        [160, 3],
        [1000, 2],
        [100, 5]
      ] as const) {
        socket.taken = 0
        socket.waiting = came
        reader.wake()
        socket.waiting = 1
        vi.advanceTimersByTime(rest - 1)
        assert.strictEqual(socket.taken, came)
        vi.advanceTimersByTime(1)
        assert.strictEqual(socket.taken, came + 1)
      }
    } finally {
      vi.useRealTimers()
    }
  })

  it("lets others have their turn while there is more than a turn's worth", () => {
    vi.useFakeTimers()
    try {
      const { reader, socket } = reading()
      socket.waiting = 100 * BATCH
      reader.wake()
      const first = socket.taken
      assert.isBelow(first, 100 * BATCH)
      vi.advanceTimersByTime(0)
      assert.strictEqual(socket.taken, 2 * first)
      reader.stop()
      vi.advanceTimersByTime(1000)
      assert.strictEqual(socket.taken, 2 * first)
    } finally {
      vi.useRealTimers()
    }
  })

  it("says what the system refused, and reads no more", () => {
    vi.useFakeTimers()
    try {
      const { reader, socket } = reading()
      socket.error = -100
      reader.wake()
      vi.advanceTimersByTime(1000)
      assert.deepStrictEqual([socket.failures, socket.calls], [[["recvmmsg", -100]], 1])
    } finally {
      vi.useRealTimers()
    }
  })
})
