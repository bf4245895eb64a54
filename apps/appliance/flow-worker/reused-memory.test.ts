/** A listener overwrites the octets of a datagram with the next one's: nothing that is kept of it may stand in them. */
import { assert, it } from "@effect/vitest"
import { aTemplate, someRecords } from "../../../test/rig/netflow9-datagrams.ts"
import { makeTestPlane } from "./FlowPlane.fixture.ts"
import type { FromFlowWorker } from "./messages.ts"

const from = "192.0.2.1"

/** Data before its template, a template, data, an unknown version, a torn datagram, with captures and single records on. */
const playAt = (take: (datagram: Uint8Array, give: (datagram: Uint8Array) => void) => void) => {
  const { now, plane, said } = makeTestPlane({ rawMaxRate: 1000 })
  const sent = [
    someRecords(now(), 0, 20),
    someRecords(now(), 1, 7),
    new TextEncoder().encode("no flow at all"),
    aTemplate(now(), 2),
    someRecords(now(), 3, 3),
    someRecords(now(), 4, 9).subarray(0, 100)
  ]
  const order = { type: "capture", capture: "c", address: from, protocol: "netflow9", untilMs: Number.POSITIVE_INFINITY } as const
  plane.handle({ ...order, last: 0, next: 100 })
  for (const datagram of sent) take(datagram, (bytes) => plane.take(bytes, from, 2055, 9995))
  plane.handle({ ...order, capture: "before", last: 100, next: 0 })
  plane.tick()
  plane.handle({ type: "flush" })
  const { at: _, ...report } = plane.report()
  return { sent, said: said.map(plain), report: { ...report, busyRatio: 0 } }
}

/** Captures are stamped by a clock that no test moves, and slices are numbered by chance. */
const plain = (message: FromFlowWorker): unknown => {
  if (message.type === "captured") {
    return { ...message, datagrams: message.datagrams.map(({ at: _, payload, ...rest }) => ({ ...rest, payload: [...payload] })) }
  }
  return message.type === "report" ? message.type : message
}

it("what is held, learned, captured, written and folded of a datagram is the same when its memory is used again at once", () => {
  const block = new Uint8Array(2048)
  const kept = playAt((datagram, give) => give(datagram))
  const reused = playAt((datagram, give) => {
    block.set(datagram)
    give(block.subarray(0, datagram.length))
    block.fill(0xff)
  })
  assert.deepStrictEqual(reused.said, kept.said)
  assert.deepStrictEqual(reused.report, kept.report)
  assert.strictEqual(kept.report.datagrams.records, 20 + 7 + 3)
  const payloads = kept.said.flatMap((message) => {
    const { capture, datagrams, type } = message as {
      type?: string
      capture?: string
      datagrams?: ReadonlyArray<{ payload: ReadonlyArray<number> }>
    }
    return type === "captured" && capture === "c" ? datagrams!.map(({ payload }) => payload) : []
  })
  assert.deepStrictEqual(
    payloads,
    kept.sent.map((datagram) => [...datagram])
  )
})
