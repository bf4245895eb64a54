import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { randomFrom } from "../../../test/rig/flow-records.ts"
import { makeDecodeOutcome } from "../decode/DecodeOutcome.ts"
import { makeExporterTable } from "./ExporterTable.ts"

const LIMIT = 64
const SECOND = 1000
const good = { ...makeDecodeOutcome(), version: 5 as const, records: 1 }
const useless = { ...makeDecodeOutcome(), version: 9 as const, unknownSets: 1, held: 1 }
const approved = (address: string) => ({ address, protocol: "netflow5", approval: "approved", sampling: null }) as const

/** A table with senders, whose rows stay in windows until those are emptied. */
const makeWorld = (seed: number) => {
  const gone: Array<number> = []
  const table = makeExporterTable({ limit: LIMIT, seed, left: (_, index) => gone.push(index) })
  let now = 0
  /** By index, when rows of its owner were folded last. */
  const inWindows = new Map<number, number>()
  return {
    table,
    gone,
    wait: (ms: number) => {
      now += ms
    },
    now: () => now,
    /** Rows of the last 20 s may be held back and folded later. */
    empty: () => {
      for (const [index, at] of inWindows) if (at + 20 * SECOND < now) inWindows.delete(index)
      table.windowsEmptied(now)
    },
    send: (address: string, outcome: typeof good | typeof useless = good): number => {
      gone.length = 0
      const index = table.find(address, "netflow5", now)
      for (const left of gone) assert.isFalse(inWindows.has(left), "whose rows are in a window keeps its index")
      if (index < 0) return index
      table.heard(index, outcome, 100, now)
      if (outcome === good) inWindows.set(index, now)
      return index
    }
  }
}

describe("places", () => {
  it.prop(
    "are never taken from whom people approved, nor their index from rows in a window, whoever comes and whenever",
    [Schema.Int],
    ([seed]) => {
      const random = randomFrom(seed)
      const world = makeWorld(seed)
      const known = Array.from({ length: 1 + random(LIMIT) }, (_, i) => `192.0.2.${i}`)
      world.table.configure(known.map(approved), random(2) === 0)
      const indexes = new Map<string, number>()
      for (let step = 0; step < 2000; step++) {
        const act = random(100)
        if (act < 4) world.wait(random(40) * SECOND)
        else if (act < 7) world.empty()
        else if (act < 8) world.wait(25 * 3600 * SECOND)
        else if (act < 20) {
          const address = known[random(known.length)]!
          const index = world.send(address, random(2) === 0 ? good : useless)
          const before = indexes.get(address)
          if (before !== undefined) assert.strictEqual(index, before)
          if (index >= 0) indexes.set(address, index)
        } else if (act < 60) world.send(`198.51.${random(250)}.${random(250)}`, random(3) === 0 ? useless : good)
        else world.send(`203.0.113.${random(200)}`, random(3) === 0 ? useless : good)
      }
      for (const [address, index] of indexes) assert.strictEqual(world.table.indexOf(address, "netflow5"), index)
    }
  )

  it("are found by a real newcomer within seconds while thousands of forged senders a second hold the table, and kept", () => {
    const world = makeWorld(5)
    const random = randomFrom(5)
    const flood = (seconds: number, real?: string): number | undefined => {
      let inAfter: number | undefined
      for (let second = 0; second < seconds; second++) {
        for (let i = 0; i < 5000; i++) {
          world.send(`${1 + random(220)}.${random(256)}.${random(256)}.${random(256)}`)
          world.wait(SECOND / 5000)
        }
        if ((world.now() / SECOND) % 60 < 1) world.empty()
        if (real === undefined) continue
        const index = world.send(real)
        if (inAfter === undefined && index >= 0) inAfter = second
        else if (inAfter !== undefined) assert.isAtLeast(index, 0, "it keeps its place")
      }
      return inAfter
    }
    flood(150)
    assert.isAtMost(flood(120, "192.0.2.1") ?? 999, 6)
  })

  it("are refused to senders that come once, so that forged ones push out nobody who waits for a template", () => {
    const world = makeWorld(1)
    const waiting = world.send("192.0.2.1", useless)
    for (let i = 0; i < 10_000; i++) world.send(`10.${i >>> 16}.${(i >>> 8) & 255}.${i & 255}`, useless)
    assert.strictEqual(world.table.indexOf("192.0.2.1", "netflow5"), waiting)
  })

  it("are kept for whom people decided on: the last eighth", () => {
    const world = makeWorld(2)
    for (let round = 0; round < 3; round++) for (let i = 0; i < 2 * LIMIT; i++) world.send(`10.0.0.${i}`)
    assert.strictEqual(world.table.size(), LIMIT - LIMIT / 8)
    world.table.configure([approved("192.0.2.1")], false)
    assert.strictEqual(world.send("192.0.2.1"), LIMIT - LIMIT / 8)
  })
})
