import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { randomFrom } from "../../../test/rig/flow-records.ts"
import { makeSequenceJudge, type SequenceJudge } from "./SequenceJudge.ts"
import { COLUMNS, type SequenceNotes } from "./sequence-log.ts"

const noon = Date.UTC(2023, 10, 14, 12)
const who = { address: "192.0.2.1", protocol: "netflow9" } as const

interface Sent {
  readonly sequence: number
  /** ms after noon. */
  readonly at: number
  readonly worker: number
  readonly domain?: number
}

const notesOf = (sent: ReadonlyArray<Sent>, until: number, turnedAway = false): SequenceNotes => ({
  until: noon + until,
  rows: sent.length,
  exporters: [who],
  values: Float64Array.from(sent.flatMap(({ at, domain = 0, sequence }) => [0, domain, sequence >>> 0, 1, -1, noon, noon + at])),
  turnedAway: turnedAway ? [who] : []
})

/** Each worker says once a second what it heard; they do not tick together. */
const play = (judge: SequenceJudge, sent: ReadonlyArray<Sent>, workers: number, seconds: number) => {
  for (let second = 1; second <= seconds; second++) {
    for (let worker = 0; worker < workers; worker++) {
      const [from, until] = [second - 1, second].map((edge) => edge * 1000 + worker * 230)
      const heard = sent.filter((one) => one.worker === worker && one.at >= (second === 1 ? 0 : from!) && one.at < until!)
      judge.take(`worker-${worker}`, notesOf(heard, until!))
    }
  }
}

describe("sequence judge", () => {
  it("has a column for everything that is noted", () => {
    assert.strictEqual(notesOf([{ sequence: 1, at: 0, worker: 0 }], 1).values.length, COLUMNS)
  })

  it.prop(
    "counts what is missing and nothing else, whichever worker heard what, late ones and wrapping numbers included",
    [Schema.Int],
    ([seed]) => {
      const random = randomFrom(seed)
      const first = random(2) === 0 ? 1000 : 2 ** 32 - 500
      const sent: Array<Sent> = []
      let missing = 0
      const count = 1000 + random(1000)
      for (let n = 0; n < count; n++) {
        // the first and the last one arrive, so that every gap is seen
        if (n > 0 && n < count - 1 && random(20) === 0) missing++
        else {
          const worker = random(4)
          // one of the workers reads up to 700 ms late, but in order
          sent.push({ sequence: first + n, at: n * 3 + (worker === 3 ? 700 : 0), worker })
        }
      }
      const judge = makeSequenceJudge()
      play(judge, sent, 4, 10)
      const { observationDomains, sequenceLost, sequenceResets, sequences } = judge.of(who.address, who.protocol)!
      assert.deepStrictEqual([sequenceLost, sequenceResets, observationDomains], [missing, 0, [0]])
      assert.deepStrictEqual(sequences, [[0, (first + count) % 2 ** 32]])
    }
  )

  it("takes back what it believed lost when a worker that was stopped tells it late", () => {
    const judge = makeSequenceJudge()
    // the second worker reads five seconds late, and says all the time that there was nothing
    const sent = Array.from({ length: 2000 }, (_, n) => ({ sequence: n, at: n * 4 + (n % 2) * 5000, worker: n % 2 })).filter(
      ({ sequence }) => sequence % 100 !== 50
    )
    play(judge, sent, 2, 16)
    const { sequenceLost, sequenceResets } = judge.of(who.address, who.protocol)!
    assert.deepStrictEqual([sequenceLost, sequenceResets], [20, 0])
  })

  it("knows an exporter that began anew on another worker, and goes on from there", () => {
    const judge = makeSequenceJudge()
    const before = Array.from({ length: 500 }, (_, n) => ({ sequence: 70_000 + n, at: n * 4, worker: 0 }))
    const after = Array.from({ length: 500 }, (_, n) => ({ sequence: n, at: 4000 + n * 4, worker: 1 }))
    play(judge, [...before, ...after], 2, 9)
    const { sequenceLost, sequenceResets } = judge.of(who.address, who.protocol)!
    assert.deepStrictEqual([sequenceLost, sequenceResets], [0, 1])
  })

  it("does not take for lost what we turned away", () => {
    const judge = makeSequenceJudge()
    const at = (second: number, sequences: ReadonlyArray<number>, turnedAway: boolean) =>
      judge.take(
        "worker-0",
        notesOf(
          sequences.map((sequence, n) => ({ sequence, at: second * 1000 + n, worker: 0 })),
          second * 1000 + 999,
          turnedAway
        )
      )
    at(0, [1, 2, 3], false)
    at(1, [4, 90], true)
    at(2, [91, 200], true)
    at(3, [201, 202], false)
    at(4, [203, 205], false)
    judge.left("worker-0")
    assert.strictEqual(judge.of(who.address, who.protocol)!.sequenceLost, 1)
  })

  it("goes on from an earlier run, does not wait for a worker that is gone, and forgets", () => {
    const judge = makeSequenceJudge()
    judge.resume(who.address, who.protocol, [[0, 100]], noon - 1000)
    judge.take("worker-1", notesOf([], 500))
    for (let second = 1; second < 9; second++) {
      judge.take("worker-0", notesOf([{ sequence: 109 + second, at: second * 1000 - 500, worker: 0 }], second * 1000))
    }
    const judged = judge.of(who.address, who.protocol)!
    assert.deepStrictEqual([judged.sequenceLost, judged.lostLately], [10, 10])
    judge.left("worker-1")
    judge.left("worker-0")
    assert.deepStrictEqual(judge.of(who.address, who.protocol)!.sequences, [[0, 118]])
    judge.forget(who.address, who.protocol)
    assert.isUndefined(judge.of(who.address, who.protocol))
  })

  it("keeps who is heard while invented exporters come and go", () => {
    const judge = makeSequenceJudge()
    for (let second = 1; second <= 12; second++) {
      const sent = [{ sequence: second < 3 ? second : second + 5, at: second * 1000 - 500, worker: 0 }]
      judge.take("worker-0", notesOf(sent, second * 1000))
      const forged = Array.from({ length: 1000 }, (_, i) => ({ address: `203.0.${second}.${i}`, protocol: "netflow5" }) as const)
      judge.take("worker-0", { ...notesOf([], second * 1000), exporters: forged })
    }
    assert.strictEqual(judge.of(who.address, who.protocol)?.sequenceLost, 5)
  })
})
