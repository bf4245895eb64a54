import { assert, describe, it } from "@effect/vitest"
import { type Field, ipfix, template10 } from "#pipeline/decode/encode.fixture.ts"
import { makeTestPlane } from "./FlowPlane.fixture.ts"
import type { FlowWorkerReport } from "./messages.ts"
import { warningsOf } from "./warnings.ts"

const calm = makeTestPlane({ ports: [2055] }).plane.report()
const listener = calm.listeners[0]!
const codes = (now: FlowWorkerReport, before?: FlowWorkerReport) => warningsOf(now, before).map((one) => one.code)

const fields: ReadonlyArray<Field> = [
  [0, 8, 4],
  [0, 12, 4]
]

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
    assert.strictEqual(warning?.detail, "asked for 65\u202f536 octets, granted 10")
  })

  it("say which port is read one datagram a call", () => {
    const singly = { ...listener, state: "running" as const }
    assert.deepStrictEqual(
      warningsOf({ ...calm, listeners: [singly, { ...singly, batches: true }] }, undefined).map(({ code, detail }) => [
        code,
        detail
      ]),
      [["datagrams-singly", "port 2055 is read one datagram a call"]]
    )
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

  it("name the exporter that sends ever new templates, and say when there is room again", () => {
    const { plane, said, wait } = makeTestPlane()
    const told = () => said.flatMap((message) => (message.type === "report" ? [message.warnings] : [])).at(-1)!
    plane.take(ipfix({}, template10(256, fields)), "192.0.2.1")
    for (let i = 0; i < 1200; i++) plane.take(ipfix({ domain: i % 7 }, template10(300 + i, fields)), "192.0.2.66")
    plane.tick()
    assert.deepStrictEqual(told(), [
      {
        code: "template-flood",
        detail: "1\u202f200 new templates of 192.0.2.66 in the last minutes; 1\u202f200 of them are kept",
        subject: "exporter 192.0.2.66"
      }
    ])
    for (let second = 0; second < 120; second++) {
      wait(1000)
      plane.tick()
    }
    assert.deepStrictEqual(told(), [])
  })

  it("say that room for templates ends, and who has most", () => {
    const { plane, said } = makeTestPlane()
    for (let exporter = 0; exporter < 200; exporter++) {
      const own = exporter === 77 ? 90 : 50
      for (let i = 0; i < own; i++) plane.take(ipfix({}, template10(300 + i, fields)), `192.0.2.${exporter}`)
    }
    plane.tick()
    const [warning] = said.flatMap((message) => (message.type === "report" ? [message.warnings] : [])).at(-1)!
    assert.deepInclude(warning, { code: "templates-full", subject: "flow/worker-1/decode" })
    assert.match(warning!.detail, /of 10\u202f000 templates are kept, [1-9]\d* given up in the last minutes; 192\.0\.2\.77 has 90,/)
  })
})
