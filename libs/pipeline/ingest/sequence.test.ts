import { assert, describe, it } from "@effect/vitest"
import { followSequence, makeSequenceTrack } from "./sequence.ts"

const follower = (counts: "datagrams" | "records" = "datagrams") => {
  const track = makeSequenceTrack()
  let now = 0
  let lost = 0
  let resets = 0
  return {
    hear: (
      sequence: number,
      step = 1,
      options: { readonly uptime?: number; readonly wait?: number; readonly other?: number } = {}
    ) => {
      now += options.wait ?? 10
      const verdict = followSequence(
        track,
        sequence,
        step,
        counts,
        options.uptime ?? 0,
        now,
        { lost: 0, reset: false },
        options.other
      )
      lost += verdict.lost
      if (verdict.reset) resets++
    },
    get figures() {
      return [lost, resets]
    }
  }
}

describe("sequence numbers", () => {
  it("count what is missing, in the protocol's own unit", () => {
    const v9 = follower()
    for (const sequence of [10, 11, 14, 15]) v9.hear(sequence)
    assert.deepStrictEqual(v9.figures, [2, 0])
    const ipfix = follower("records")
    ipfix.hear(0, 30)
    ipfix.hear(30, 20)
    ipfix.hear(80, 20)
    assert.deepStrictEqual(ipfix.figures, [30, 0])
  })

  it("wrap", () => {
    const track = follower()
    for (const sequence of [0xfffffffe, 0xffffffff, 0, 1]) track.hear(sequence)
    assert.deepStrictEqual(track.figures, [0, 0])
  })

  it("close a gap again when a datagram was only overtaken", () => {
    const track = follower()
    for (const sequence of [1, 2, 4, 3, 5, 6]) track.hear(sequence)
    assert.deepStrictEqual(track.figures, [0, 0])
  })

  it("do not go below nothing when a datagram comes twice", () => {
    const track = follower()
    for (const sequence of [1, 2, 2, 3]) track.hear(sequence)
    assert.deepStrictEqual(track.figures, [0, 0])
  })

  it("begin anew with a restarted exporter, by number or by uptime", () => {
    const track = follower()
    track.hear(5_000_000)
    track.hear(0)
    track.hear(1)
    assert.deepStrictEqual(track.figures, [0, 1])
    const early = follower()
    early.hear(100, 1, { uptime: 9_000_000 })
    early.hear(900, 1, { uptime: 1000 })
    assert.deepStrictEqual(early.figures, [0, 1])
  })

  it("go on when the uptime's 32 bits wrap, and begin anew when the exporter really did just before", () => {
    const day = 86_400_000
    const track = follower()
    track.hear(100, 1, { uptime: 0xffffff00 })
    track.hear(101, 1, { uptime: 0x100, wait: 0x200 })
    track.hear(104, 1, { uptime: 0x1100, wait: 0x1000 })
    assert.deepStrictEqual(track.figures, [2, 0])
    const restarted = follower()
    restarted.hear(100, 1, { uptime: 48 * day })
    restarted.hear(101, 1, { uptime: 5000, wait: 3_600_000 })
    assert.deepStrictEqual(restarted.figures, [0, 1])
  })

  it("take an impossible jump for a new beginning, a long outage for loss", () => {
    const jump = follower()
    jump.hear(1)
    jump.hear(900_000_000)
    assert.deepStrictEqual(jump.figures, [0, 1])
    const outage = follower()
    outage.hear(1)
    outage.hear(100_002, 1, { wait: 3_600_000 })
    assert.deepStrictEqual(outage.figures, [100_000, 0])
  })

  it("that count flows in NetFlow v9, or datagrams in v5 and IPFIX, are followed as they are", () => {
    const flows = follower()
    let sequence = 0
    for (let i = 0; i < 40; i++) {
      const records = 10 + (i % 20)
      flows.hear(sequence, 1, { other: records })
      assert.deepStrictEqual(flows.figures, [0, 0])
      sequence += records
    }
    flows.hear(sequence + 7, 1, { other: 10 })
    assert.deepStrictEqual(flows.figures, [7, 0])
    const datagrams = follower("records")
    for (let i = 0; i < 200; i++) datagrams.hear(i, 30, { other: 1 })
    assert.deepStrictEqual(datagrams.figures, [0, 0])
    datagrams.hear(202, 30, { other: 1 })
    assert.deepStrictEqual(datagrams.figures, [2, 0])
  })

  it("tell of real loss that happens to look like the other unit, once a step fits again", () => {
    const track = follower()
    for (const sequence of [0, 10, 20, 30, 31, 32]) track.hear(sequence, 1, { other: 10 })
    assert.deepStrictEqual(track.figures, [27, 0])
  })

  it("make no claim after a datagram whose records could not be counted", () => {
    const track = follower("records")
    track.hear(100, -1)
    track.hear(160, 10)
    track.hear(175, 10)
    assert.deepStrictEqual(track.figures, [5, 0])
  })
})
