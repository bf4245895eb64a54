import { createSocket, type Socket } from "node:dgram"
import { Worker } from "node:worker_threads"
import { assert, describe, it } from "@effect/vitest"
import { aTemplate, someRecords } from "../../test/rig/netflow9-datagrams.ts"
import { makeFlowLedger } from "./flow/FlowLedger.ts"
import { quietSettings } from "./flow-worker/FlowPlane.fixture.ts"
import type { FlowWorkerReport, FromFlowWorker, ToFlowWorker } from "./flow-worker/messages.ts"

/** Workers on one port of the loopback, that are told of each other's templates as the corridor does it. */
const startWorkers = async (count: number) => {
  const workers: Array<Worker> = []
  const latest = new Map<string, FlowWorkerReport>()
  const waiting: Array<() => void> = []
  const folded = { records: 0, octets: 0 }
  let heard = 0
  const ledger = makeFlowLedger()
  const wake = () => {
    for (const one of waiting.splice(0)) one()
  }
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise<void>((done) => waiting.push(done))
  }
  let port = 0
  for (let i = 1; i <= count; i++) {
    const worker = new Worker(new URL("./flow-worker.ts", import.meta.url))
    let bound = false
    worker.on("message", (message: FromFlowWorker) => {
      if (message.type === "ready") {
        port = message.listeners[0]!.port
        bound = true
      } else if (message.type === "report") {
        latest.set(message.report.worker, message.report)
        heard++
      } else if (message.type === "sequences") ledger.sequences(`worker-${i}`, message.notes)
      else if (message.type === "stopped") latest.set(message.report.worker, message.report)
      else if (message.type === "templates") {
        const adopt: ToFlowWorker = { type: "adopt", templates: message.learned, announcements: message.announced }
        for (const other of workers) if (other !== worker) other.postMessage(adopt)
      } else if (message.type === "slice") {
        const { columns, records, sequence } = message.slice
        folded.records += records
        for (let row = 0; row < message.slice.rows; row++) folded.octets += columns.bytesAb[row]! + columns.bytesBa[row]!
        worker.postMessage({ type: "windows-accepted", sequences: [sequence] } satisfies ToFlowWorker)
      }
      wake()
    })
    const start: ToFlowWorker = {
      type: "start",
      settings: {
        ...quietSettings,
        worker: `worker-${i}`,
        ports: [port],
        receiveBufferBytes: 1 << 20,
        reusePort: true,
        latenessSeconds: 600,
        flushIntervalSeconds: 1
      }
    }
    worker.postMessage(start)
    await until(() => bound)
    workers.push(worker)
  }
  const reports = () => [...latest.values()]
  const sum = (of: (report: FlowWorkerReport) => number) => reports().reduce((all, report) => all + of(report), 0)
  return {
    port: () => port,
    folded,
    sum,
    reports,
    /** Over all workers. */
    exporters: () => {
      for (const report of latest.values()) ledger.report(report, [])
      return ledger.exporters()
    },
    /** Waits for reports of all workers until they `hold`. */
    settle: async (holds: () => boolean) => {
      for (;;) {
        const asked = heard
        for (const worker of workers) worker.postMessage({ type: "report" } satisfies ToFlowWorker)
        await until(() => heard >= asked + count)
        if (holds()) return
      }
    },
    stop: () =>
      Promise.all(
        workers.map((worker) => {
          const exit = new Promise((done) => worker.once("exit", done)).then(() =>
            ledger.threadEnded(`worker-${workers.indexOf(worker) + 1}`)
          )
          worker.postMessage({ type: "stop" } satisfies ToFlowWorker)
          return exit
        })
      )
  }
}

const opened: Array<Socket> = []
const sender = async (address: string) => {
  const socket = createSocket("udp4")
  opened.push(socket)
  await new Promise<void>((done) => socket.bind(0, address, done))
  return (datagram: Uint8Array, port: number) => new Promise<void>((done) => socket.send(datagram, port, "127.0.0.1", () => done()))
}

describe("several workers on one port", () => {
  for (const count of [2, 4]) {
    it(`${count} of them lose nothing and count nothing twice, whichever gets the template and whichever the data`, async () => {
      const workers = await startWorkers(count)
      const exporters = 24
      const each = 20
      const port = workers.port()
      const now = Date.now()
      const addresses = Array.from({ length: exporters }, (_, i) => `127.0.9.${i + 1}`)
      // Data from one source port first, then the template from another: for most exporters two different workers get them.
      for (const address of addresses) {
        const first = await sender(address)
        for (let n = 0; n < 5; n++) await first(someRecords(now, n, 30), port)
      }
      await workers.settle(() => workers.sum((report) => report.datagrams.datagrams) === exporters * 5)
      assert.strictEqual(
        workers.sum((report) => report.windows.folded),
        0
      )
      for (const address of addresses) await (await sender(address))(aTemplate(now, 5), port)
      await workers.settle(() => workers.sum((report) => report.windows.folded) === exporters * 5 * 30)
      // An exporter that restarts has another source port, and maybe another worker: its templates are known there.
      for (const address of addresses) {
        const again = await sender(address)
        for (let n = 6; n < 6 + each; n++) await again(someRecords(now, n, 30), port)
      }
      const records = exporters * (5 + each) * 30
      await workers.settle(() => workers.sum((report) => report.windows.folded) === records)
      await workers.stop()
      assert.isAbove(workers.reports().filter((report) => report.windows.folded > 0).length, 1)
      assert.strictEqual(
        workers.sum((report) => report.exporters.reduce((all, one) => all + one.heldSets + one.heldDropped, 0)),
        0
      )
      assert.deepStrictEqual(workers.folded, { records, octets: records * 1500 })
      for (const socket of opened.splice(0)) socket.close()
    })
  }

  it("4 of them see no gap where an exporter changed its port, and the gaps there are", async () => {
    const workers = await startWorkers(4)
    const port = workers.port()
    const now = Date.now()
    const addresses = ["127.0.8.1", "127.0.8.2", "127.0.8.3"]
    let datagrams = 0
    for (const [loses, address] of addresses.entries()) {
      await (await sender(address))(aTemplate(now, 0), port)
      datagrams++
      for (let n = 1; n <= 200; n++) {
        // every datagram from another port; of the second and third exporter some are never sent
        if (n % 50 < loses * 3) continue
        await (await sender(address))(someRecords(now, n, 3), port)
        datagrams++
      }
    }
    await workers.settle(() => workers.sum((report) => report.datagrams.datagrams) === datagrams)
    assert.isAbove(workers.reports().filter((report) => report.exporters.length === 3).length, 2)
    await workers.stop()
    const lost = new Map(workers.exporters().map((one) => [one.address, one.sequenceLost]))
    // the last of the numbers that are missing is 200, and nobody knows of it
    assert.deepStrictEqual(
      addresses.map((address) => lost.get(address)),
      [0, 2 + 3 * 3, 5 + 3 * 6]
    )
    for (const socket of opened.splice(0)) socket.close()
  })
})
