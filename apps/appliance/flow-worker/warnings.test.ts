import { assert, describe, it } from "@effect/vitest"
import { makeTestPlane } from "./FlowPlane.fixture.ts"
import type { FlowWorkerReport } from "./messages.ts"
import { warningsOf } from "./warnings.ts"

const calm = makeTestPlane({ ports: [2055] }).plane.report()
const listener = calm.listeners[0]!
const codes = (now: FlowWorkerReport, before?: FlowWorkerReport) => warningsOf(now, before).map((one) => one.code)

describe("warnings of a flow worker", () => {
  it("are none when all is well", () => {
    assert.deepStrictEqual(codes(calm), [])
  })

  it("name the listener that is down, its error and what to do", () => {
    const down = {
      ...listener,
      state: "restarting" as const,
      lastError: { message: "UDP 0.0.0.0:2055 is in use by another process", hint: "stop it", at: 0 }
    }
    const [warning] = warningsOf({ ...calm, listeners: [down] }, undefined)
    assert.deepStrictEqual(
      [warning?.code, warning?.subject, warning?.detail],
      ["listener-down", "flow/worker-1/udp:2055", "UDP 0.0.0.0:2055 is in use by another process; stop it"]
    )
  })

  it("say what was asked for and granted when the kernel gives a smaller buffer", () => {
    const small = { ...listener, bufferGranted: 10, bufferHint: "the kernel grants 10 octets: sysctl -w net.core.rmem_max=65536" }
    const [warning] = warningsOf({ ...calm, listeners: [small] }, undefined)
    assert.strictEqual(warning?.code, "receive-buffer")
    assert.strictEqual(warning?.detail, "asked for 65,536 octets, granted 10")
  })

  it("tell of drops, refusals and a lagging store while they grow, not for ever", () => {
    const bad: FlowWorkerReport = {
      ...calm,
      listeners: [{ ...listener, kernelDropped: 5 }],
      datagrams: { ...calm.datagrams, refusedExporters: 1, flushesHeldBack: 1 },
      windows: { ...calm.windows, refusedConversations: 3 }
    }
    assert.deepStrictEqual(codes(bad, calm), ["kernel-drops", "store-lags", "conversations-full", "exporters-full"])
    assert.deepStrictEqual(codes(bad, bad), [])
    assert.deepStrictEqual(codes({ ...calm, windows: { ...calm.windows, pressureSampling: 10 } }, calm), ["store-lags"])
  })
})
