import { assert, describe, it } from "@effect/vitest"
import { aTemplate, someRecords } from "../../../test/rig/netflow9-datagrams.ts"
import { makeTestPlane } from "./FlowPlane.fixture.ts"
import type { FromFlowWorker } from "./messages.ts"

const of = "192.0.2.1"
const order = (last: number, next: number) =>
  ({ type: "capture", capture: "c", address: of, protocol: "netflow9", last, next, untilMs: Number.POSITIVE_INFINITY }) as const
const captured = (said: ReadonlyArray<FromFlowWorker>, which: "last" | "next") =>
  said.flatMap((message) => (message.type === "captured" && message.which === which ? [message.datagrams] : []))

describe("a capture", () => {
  it("has the last datagrams at once: with its templates, malformed, turned away, and of no protocol", () => {
    const { now, plane, said } = makeTestPlane({ exporterMaxRate: 4 })
    const garbage = new TextEncoder().encode("no flow at all")
    const sent = [
      aTemplate(now(), 0),
      someRecords(now(), 1, 10),
      someRecords(now(), 1, 10).subarray(0, 14),
      someRecords(now(), 2, 10),
      garbage
    ]
    for (const one of sent) plane.take(one, of, 2055, 9995)
    for (let i = 0; i < 3; i++) plane.take(someRecords(now(), 3 + i, 1), of, 2055, 9995)
    plane.take(someRecords(now(), 1, 10), "192.0.2.2", 2055, 9995)
    plane.handle(order(1000, 0))
    const [last] = captured(said, "last")
    assert.deepStrictEqual(
      last!.slice(0, 5).map(({ payload }) => payload),
      sent.map((one) => new Uint8Array(one))
    )
    assert.strictEqual(plane.report().datagrams.refusedOverLimit, 3)
    assert.strictEqual(last!.length, 8)
    assert.isTrue(last!.every(({ from, fromPort, toPort }) => from === of && fromPort === 2055 && toPort === 9995))
  })

  it("has those of one who is blocked, and none of one who was forgotten", () => {
    const policy = { address: of, protocol: "netflow9", approval: "blocked", sampling: null } as const
    const { now, plane, said } = makeTestPlane({ exporters: { requireApproval: false, policies: [policy] } })
    plane.take(someRecords(now(), 1, 10), of)
    plane.handle(order(5, 0))
    plane.handle({ type: "forget-exporter", address: of, protocol: "netflow9" })
    plane.handle(order(5, 0))
    assert.deepStrictEqual(
      captured(said, "last").map((datagrams) => datagrams.length),
      [1, 0]
    )
  })

  it("goes on with the next ones until there are as many as wanted", () => {
    const { now, plane, said } = makeTestPlane()
    plane.take(aTemplate(now(), 0), of)
    plane.handle(order(0, 3))
    for (let i = 0; i < 5; i++) plane.take(someRecords(now(), 1 + i, 10), of)
    plane.tick()
    assert.deepStrictEqual(captured(said, "last"), [[]])
    assert.deepStrictEqual(
      captured(said, "next").map((datagrams) => datagrams.length),
      [3]
    )
  })
})
