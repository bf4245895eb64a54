/**
 * The process whose memory `window.memory` measures (aggregate.ts): reads datagrams from its standard input, each behind its length in two
 * octets, folds them twice with a flush, then once more, and prints its resident size in MB at the busiest moment.
 */
import { readFileSync } from "node:fs"

import { makeFlowPlane } from "../../apps/appliance/flow-worker/FlowPlane.ts"
import type { FromFlowWorker } from "../../apps/appliance/flow-worker/messages.ts"

const kept: Array<FromFlowWorker> = []
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
  (message) => {
    if (message.type === "slice") kept.push(message)
  }
)
let most = 0
const all = readFileSync(0)
const { length } = all
for (let round = 0; round < 3; round++) {
  for (let at = 0; at < length; ) {
    const size = all.readUInt16BE(at)
    plane.take(all.subarray(at + 2, at + 2 + size), "192.0.2.1")
    at += 2 + size
    most = Math.max(most, process.memoryUsage.rss())
  }
  if (round < 2) plane.handle({ type: "flush" })
}
console.log(Math.round(((most - length) / 1e6) * 10) / 10)
