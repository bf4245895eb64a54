/**
 * The process whose memory `window.memory` and `window.memory-million` measure (aggregate.ts): reads datagrams from its standard input, each
 * behind its length in two octets, and folds them over and over with a flush after each round. Prints MB.
 *
 * Without an argument: its resident size at the busiest moment of three rounds, with two slices kept. With a number of seconds: by how much its
 * busiest moment in the second half of that time is above that of the first half, with slices let go as they are when they are written.
 */
import { readFileSync } from "node:fs"

import { makeFlowPlane } from "../../apps/appliance/flow-worker/FlowPlane.ts"
import type { FromFlowWorker } from "../../apps/appliance/flow-worker/messages.ts"

const seconds = process.argv[2] === undefined ? undefined : Number(process.argv[2])
const kept: Array<FromFlowWorker> = []
const sequences: Array<number> = []
const plane = makeFlowPlane(
  {
    boot: "bench",
    worker: "worker-1",
    bindAddress: "127.0.0.1",
    ports: [],
    receiveBufferBytes: 1 << 20,
    reusePort: false,
    windowSeconds: 300,
    latenessSeconds: 60,
    flushIntervalSeconds: 3600,
    templates: [],
    exporters: { requireApproval: false, policies: [] }
  },
  (message, transfer) => {
    if (message.type !== "slice") return
    if (seconds === undefined) kept.push(message)
    else {
      sequences.push(message.slice.sequence)
      // Leaves this thread's memory, as a transfer to another thread does.
      structuredClone(message, { transfer: transfer ?? [] })
    }
  }
)
const all = readFileSync(0)
const { length } = all
let peak = 0
const look = (): void => {
  peak = Math.max(peak, process.memoryUsage.rss())
}
const round = (): void => {
  for (let at = 0; at < length; ) {
    const size = all.readUInt16BE(at)
    plane.take(all.subarray(at + 2, at + 2 + size), "192.0.2.1")
    at += 2 + size
    if (at % 64 === 0) look()
  }
  look()
}
const flush = (): void => {
  plane.handle({ type: "flush" })
  plane.handle({ type: "windows-accepted", sequences: sequences.splice(0) })
  look()
}
const inMegabytes = (bytes: number) => Math.round((bytes / 1e6) * 10) / 10

if (seconds === undefined) {
  for (let n = 0; n < 3; n++) {
    round()
    if (n < 2) plane.handle({ type: "flush" })
  }
  console.log(inMegabytes(peak - length))
} else {
  const began = performance.now()
  const half = began + seconds * 500
  let settled = 0
  let most = 0
  const minutes: Array<number> = []
  for (let n = 0; n < 6 || performance.now() < began + seconds * 1000; n++) {
    if (settled === 0 && n >= 3 && performance.now() >= half) {
      settled = most
      most = 0
    }
    round()
    flush()
    const minute = Math.floor((performance.now() - began) / 60_000)
    minutes[minute] = Math.max(minutes[minute] ?? 0, peak)
    most = Math.max(most, peak)
    peak = 0
  }
  console.error(`# MB at most, by minute: ${minutes.map(inMegabytes).join(" ")}`)
  const { folded, refusedConversations } = plane.report().windows
  console.error(
    `# ${folded} records folded, ${refusedConversations} refused, ${inMegabytes(settled)} MB at most in the first half, ${inMegabytes(most)} MB in the second`
  )
  console.log(inMegabytes(most - settled))
}
