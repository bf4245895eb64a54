import { setImmediate } from "node:timers/promises"
import { assert, it } from "@effect/vitest"
import { aTemplate, someRecords } from "../../../test/rig/netflow9-datagrams.ts"
import { makeTestPlane, tuesday } from "./FlowPlane.fixture.ts"

const restingPlane = (milliseconds: number) => {
  let rests = 0
  const rest = () => {
    rests++
    return milliseconds
  }
  const { plane } = makeTestPlane({}, tuesday, rest)
  plane.take(aTemplate(tuesday, 0), "192.0.2.1")
  const turn = async (datagrams: number) => {
    const before = rests
    for (let i = 0; i < datagrams; i++) plane.take(someRecords(tuesday, 1 + i, 1), "192.0.2.1")
    await setImmediate()
    return rests - before
  }
  return { plane, turn }
}

it("rests once after a turn that emptied the sockets, not while more datagrams wait, and not when nothing comes", async () => {
  const { turn } = restingPlane(2)
  assert.strictEqual(await turn(3), 1)
  assert.strictEqual(await turn(32), 0)
  assert.strictEqual(await turn(31), 1)
  assert.strictEqual(await turn(0), 0)
})

it("does not call its rest work", async () => {
  const { plane, turn } = restingPlane(60_000)
  plane.report()
  await turn(3)
  assert.strictEqual(plane.report().busyRatio, 0)
})
