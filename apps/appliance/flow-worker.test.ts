import { createSocket } from "node:dgram"
import { Worker } from "node:worker_threads"
import { assert, describe, it } from "@effect/vitest"
import { aTemplate, someRecords } from "../../test/rig/netflow9-datagrams.ts"
import { accounted, quietSettings } from "./flow-worker/FlowPlane.fixture.ts"
import type { FlowWorkerReport, FromFlowWorker, ToFlowWorker } from "./flow-worker/messages.ts"

/** A window that does not end while a test runs: its slices would be two. 2520 and 3600 end together once in seven hours. */
const calmWindow = () => [3600, 2520].find((seconds) => seconds - ((Date.now() / 1000) % seconds) > 90) ?? 1800 * 7

/** A worker on a free port of the loopback, and everything it said. */
const startWorker = async (onPort = 0) => {
  const worker = new Worker(new URL("./flow-worker.ts", import.meta.url))
  const said: Array<FromFlowWorker> = []
  const waiting: Array<() => void> = []
  worker.on("message", (message: FromFlowWorker) => {
    said.push(message)
    for (const wake of waiting.splice(0)) wake()
  })
  const tell = (message: ToFlowWorker) => worker.postMessage(message)
  /** The first message from `from` on that `accept` takes. */
  const hear = async <A>(accept: (message: FromFlowWorker) => A | undefined, from = 0): Promise<A> => {
    for (let i = from; ; ) {
      for (; i < said.length; i++) {
        const answer = accept(said[i]!)
        if (answer !== undefined) return answer
      }
      await new Promise<void>((wake) => waiting.push(wake))
    }
  }
  tell({
    type: "start",
    settings: {
      ...quietSettings,
      ports: [onPort],
      receiveBufferBytes: 1 << 20,
      windowSeconds: calmWindow(),
      flushIntervalSeconds: 3600
    }
  })
  const ready = await hear((message) => (message.type === "ready" ? message : undefined))
  const port = ready.listeners[0]!.port
  const socket = createSocket("udp4")
  const send = (datagram: Uint8Array) => new Promise<void>((done) => socket.send(datagram, port, "127.0.0.1", () => done()))
  /** Asks for reports until one `holds`. */
  const report = async (holds: (report: FlowWorkerReport) => boolean) => {
    for (;;) {
      const from = said.length
      tell({ type: "report" })
      const answer = await hear((message) => (message.type === "report" ? message.report : undefined), from)
      if (holds(answer)) return answer
    }
  }
  const stop = async () => {
    const from = said.length
    // A thread that ends quickly hands over its last messages and its end at once.
    const exit = new Promise<number>((done) => worker.once("exit", done))
    tell({ type: "stop" })
    const stopped = await hear((message) => (message.type === "stopped" ? message.report : undefined), from)
    const code = await exit
    socket.close()
    return { stopped, code }
  }
  return { worker, tell, hear, send, report, stop, said, port }
}

describe("flow worker", () => {
  it("turns datagrams into a slice that holds exactly their records, and sends what is left when it stops", async () => {
    const worker = await startWorker()
    const now = Date.now()
    await worker.send(aTemplate(now, 0))
    for (let i = 1; i <= 10; i++) await worker.send(someRecords(now, i, 30))
    await worker.report((report) => report.datagrams.datagrams === 11)
    worker.tell({ type: "flush" })
    const slice = await worker.hear((message) => (message.type === "slice" ? message.slice : undefined))
    assert.strictEqual(slice.records, 300)
    assert.strictEqual(slice.exporters[0]!.address, "127.0.0.1")
    const octets =
      slice.columns.bytesAb.reduce((sum, one) => sum + one, 0) + slice.columns.bytesBa.reduce((sum, one) => sum + one, 0)
    assert.strictEqual(octets, 300 * 1500)
    worker.tell({ type: "windows-accepted", sequences: [slice.sequence] })
    await worker.send(someRecords(now, 11, 30))
    await worker.report((report) => report.datagrams.datagrams === 12)
    const from = worker.said.length
    const { stopped, code } = await worker.stop()
    const last = await worker.hear((message) => (message.type === "slice" ? message.slice : undefined), from)
    assert.strictEqual(last.records, 30)
    assert.strictEqual(code, 0)
    assert.strictEqual(stopped.exporters[0]!.sequenceLost, 0)
    assert.strictEqual(stopped.exporters[0]!.records, 330)
    accounted(stopped)
  })

  it("survives a bug in each of its parts, counts what was lost and shows the restart", async () => {
    const worker = await startWorker()
    const now = Date.now()
    await worker.send(aTemplate(now, 0))
    await worker.report((report) => report.datagrams.decoded === 1)
    worker.tell({ type: "fail", part: "decode" })
    await worker.send(someRecords(now, 1, 30))
    const decode = await worker.report((report) => report.datagrams.failed === 1)
    accounted(decode)
    assert.strictEqual(decode.actors.find((one) => one.path === "flow/worker-1/decode")?.restarts, 1)
    worker.tell({ type: "fail", part: "window" })
    await worker.send(someRecords(now, 2, 30))
    const window = await worker.report((report) => report.datagrams.recordsFailed === 30)
    assert.match(window.actors.find((one) => one.path === "flow/worker-1/window")?.lastError?.message ?? "", /told to fail/)
    worker.tell({ type: "fail", part: `udp:${worker.port}` })
    const path = `flow/worker-1/udp:${worker.port}`
    const udp = await worker.report((report) =>
      report.actors.some((one) => one.path === path && one.restarts === 1 && one.state === "running")
    )
    assert.strictEqual(udp.listeners[0]!.port, worker.port)
    await worker.send(someRecords(now, 3, 30))
    await worker.report((report) => report.windows.folded === 30)
    accounted((await worker.stop()).stopped)
  })

  it("keeps conversations merged while two slices wait for the store, and sends them once one is accepted", async () => {
    const worker = await startWorker()
    const now = Date.now()
    await worker.send(aTemplate(now, 0))
    const slices = () => worker.said.flatMap((message) => (message.type === "slice" ? [message.slice] : []))
    for (let i = 1; i <= 4; i++) {
      await worker.send(someRecords(now, i, 30))
      await worker.report((report) => report.datagrams.records === i * 30)
      worker.tell({ type: "flush" })
    }
    const held = await worker.report((report) => report.datagrams.flushesHeldBack === 1)
    assert.strictEqual(held.windows.slicesInFlight, 2)
    assert.deepStrictEqual(
      slices().map((one) => one.records),
      [30, 30]
    )
    worker.tell({ type: "windows-accepted", sequences: [0] })
    await worker.hear((message) => (message.type === "slice" && message.slice.sequence === 2 ? true : undefined))
    assert.strictEqual(slices()[2]!.records, 60)
    await worker.stop()
  })

  it("leaves its port to the next one however it ends: by an exception, or ended while datagrams come", async () => {
    const thrown = await startWorker()
    const now = Date.now()
    await thrown.send(aTemplate(now, 0))
    await thrown.report((report) => report.datagrams.datagrams === 1)
    const error = new Promise<Error>((done) => thrown.worker.once("error", done))
    // Both may come in one turn of the loop, so both are waited for from the start.
    const exit = new Promise((done) => thrown.worker.once("exit", done))
    thrown.tell({ type: "exporters", exporters: { requireApproval: false, policies: null as never } })
    assert.match((await error).message, /null/)
    await exit

    const next = await startWorker(thrown.port)
    assert.strictEqual(next.port, thrown.port)
    const flood = setInterval(() => void next.send(someRecords(now, 1, 1)), 1)
    await next.report((report) => report.datagrams.datagrams > 10)
    await next.worker.terminate()
    clearInterval(flood)

    const last = await startWorker(thrown.port)
    await last.send(aTemplate(now, 0))
    const { listeners } = await last.report((report) => report.datagrams.decoded === 1)
    assert.deepStrictEqual(
      listeners.map(({ batches, port, restarts, state }) => ({ batches, port, restarts, state })),
      [{ batches: true, port: thrown.port, restarts: 0, state: "running" }]
    )
    await last.stop()
  })
})
