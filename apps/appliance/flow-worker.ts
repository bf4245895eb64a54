/**
 * Main of a flow worker thread: sockets, decode, window (flow-worker/FlowPlane.ts), driven by the messages of flow-worker/messages.ts. It
 * does nothing else, so that nothing delays the next datagram. Its imports are deep and light.
 */
import { parentPort } from "node:worker_threads"
import { type FlowPlane, makeFlowPlane } from "./flow-worker/FlowPlane.ts"
import type { FromFlowWorker, ToFlowWorker } from "./flow-worker/messages.ts"
import { raisePriority } from "./flow-worker/raise-priority.ts"

const TICK_MS = 1000

const port = parentPort
if (port === null) throw new Error("flow-worker.ts runs in a worker thread only")

const post = (message: FromFlowWorker, transfer: Array<ArrayBuffer> = []): void => port.postMessage(message, transfer)

let plane: FlowPlane | undefined
let clock: NodeJS.Timeout | undefined

port.on("message", (message: ToFlowWorker) => {
  switch (message.type) {
    case "start":
      if (plane !== undefined) return
      raisePriority()
      plane = makeFlowPlane(message.settings, post)
      plane.open()
      clock = setInterval(plane.tick, TICK_MS)
      return
    case "stop":
      clearInterval(clock)
      if (plane === undefined) return port.close()
      // Closing the port lets the thread end once its messages are out.
      plane.stop().finally(() => port.close())
      return
    default:
      plane?.handle(message)
  }
})
