import { DateTime } from "effect"
import { assert, describe, it } from "vitest"
import { ActorReading, FlowAccount } from "#domain/Health.ts"
import { listenersOf } from "../exporters/listener-lines.ts"
import { accountLines } from "./flow-account.ts"
import { supervisionTree } from "./tree.ts"

const actor = (path: string, state: ActorReading["state"] = "running", gauges = {}) =>
  new ActorReading({ path, state, since: DateTime.makeUnsafe(0), restarts: 0, lastError: null, mailbox: null, gauges })

describe("the supervision tree", () => {
  it("puts children under their parents, numbers in order, and a line for a parent that is no actor", () => {
    const lines = supervisionTree([
      actor("flow/worker-10"),
      actor("flow/worker-2/udp:2055"),
      actor("flow-spool"),
      actor("flow/worker-2")
    ])
    assert.deepStrictEqual(
      lines.map((line) => [line.path, line.depth, line.actor !== undefined]),
      [
        ["flow", 0, false],
        ["flow/worker-2", 1, true],
        ["flow/worker-2/udp:2055", 2, true],
        ["flow/worker-10", 1, true],
        ["flow-spool", 0, true]
      ]
    )
  })
  it("tells a parent the worst of what is under it", () => {
    const lines = supervisionTree([actor("a"), actor("a/b"), actor("a/c", "given-up")])
    assert.strictEqual(lines[0]?.worst, "given-up")
    assert.strictEqual(lines[1]?.worst, "running")
  })
  it("finds the listeners by their port", () => {
    const found = listenersOf([actor("flow/worker-1/udp:2055", "running", { datagrams: 3 }), actor("flow/worker-1")])
    assert.deepStrictEqual(
      found.map(({ datagrams, port }) => [port, datagrams]),
      [["2055", 3]]
    )
  })
})

it("accounts for every datagram received", () => {
  const account = new FlowAccount({
    datagrams: 100n,
    records: 900n,
    malformed: 3n,
    refused: 5n,
    kernelDropped: 7n,
    failed: 2n,
    late: 0n,
    lostOpenSlices: 0n
  })
  const value = (name: string) => accountLines(account).find((line) => line.name === name)?.value
  assert.strictEqual(value("Decoded"), 90n)
  assert.strictEqual(value("Decoded")! + value("Malformed")! + value("Refused")! + value("Failed")!, value("Received"))
})
