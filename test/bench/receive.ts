/**
 * The flow worker alone: CPU of its thread from datagrams on the loopback to windows that nobody stores. Under
 * `node --no-experimental-ffi` it reads one datagram a call, as where there are no batches (docs/decisions/015).
 */
import { Worker } from "node:worker_threads"
import { quietSettings } from "../../apps/appliance/flow-worker/FlowPlane.fixture.ts"
import type { FlowWorkerReport, FromFlowWorker, ToFlowWorker } from "../../apps/appliance/flow-worker/messages.ts"
import type { Benchmark } from "./main.ts"
import { flushSeconds, loadSeconds, median, rounded, rounds, say } from "./udp-to-postgres/machine.ts"
import { type Format, theSender } from "./udp-to-postgres/Sender.ts"

const WARM_SECONDS = 2

const start = async () => {
  const worker = new Worker(new URL("../../apps/appliance/flow-worker.ts", import.meta.url), { name: "worker-1" })
  const waiting: Array<(message: FromFlowWorker) => void> = []
  const tell = (message: ToFlowWorker) => worker.postMessage(message)
  worker.on("message", (message: FromFlowWorker) => {
    if (message.type === "slice") tell({ type: "windows-accepted", sequences: [message.slice.sequence] })
    for (const look of [...waiting]) look(message)
  })
  const hear = <A>(accept: (message: FromFlowWorker) => A | undefined): Promise<A> =>
    new Promise((done) => {
      const look = (message: FromFlowWorker) => {
        const answer = accept(message)
        if (answer === undefined) return
        waiting.splice(waiting.indexOf(look), 1)
        done(answer)
      }
      waiting.push(look)
    })
  const ready = hear((message) => (message.type === "ready" ? message.listeners[0]!.port : undefined))
  const settings = { ...quietSettings, ports: [0], receiveBufferBytes: 16 * 1024 ** 2, flushIntervalSeconds: flushSeconds }
  tell({ type: "start", settings })
  return {
    port: await ready,
    report: (): Promise<FlowWorkerReport> => {
      const answer = hear((message) => (message.type === "report" ? message.report : undefined))
      tell({ type: "report" })
      return answer
    },
    cpuSeconds: async () => {
      const { system, user } = await worker.cpuUsage()
      return (user + system) / 1e6
    },
    stop: () => worker.terminate()
  }
}

const once = async (format: Format, rate: number): Promise<number> => {
  const worker = await start()
  const send = (seconds: number) => theSender().send({ format, port: worker.port, rate, records: rate * seconds })
  await send(WARM_SECONDS)
  const before = { cpu: await worker.cpuSeconds(), ...(await worker.report()).datagrams }
  const sent = await send(loadSeconds)
  const { busyRatio, datagrams: after, listeners } = await worker.report()
  const cpu = (await worker.cpuSeconds()) - before.cpu
  const datagrams = after.datagrams - before.datagrams
  await worker.stop()
  say(
    `receive ${format} ${rate}/s, ${listeners[0]!.batches ? "batches" : "one datagram a call"}: ${rounded(cpu / sent.seconds)} of a core, ` +
      `${rounded((cpu / datagrams) * 1e6, 2)} µs a datagram, ${after.kernelDropped - before.kernelDropped} of ${sent.datagrams} dropped, busy ${rounded(busyRatio, 2)}`
  )
  return (cpu / (after.records - before.records)) * 1e6
}

export const receiveBenchmarks = (): ReadonlyArray<Benchmark> =>
  [1_000_000, 200_000].map((rate) => ({
    name: `receive.netflow9${rate === 200_000 ? ".at-200k" : ""}.cpu-seconds-per-million`,
    unit: "s",
    run: async () => {
      const seen: Array<number> = []
      for (let round = 0; round < rounds; round++) seen.push(await once("netflow9", rate))
      return rounded(median(seen))
    }
  }))
