/** The worker's listeners, one a port, and the news of their first state. */
import { receiveRoom, type SharedMemory } from "#pipeline/decode/FlowBatch.ts"
import { makeDatagramBlock } from "#pipeline/ingest/mmsg.ts"
import { makeUdpListener, type UdpListener, type UdpListenerOptions } from "#pipeline/ingest/UdpListener.ts"
import type { FlowWorkerSettings, FromFlowWorker } from "./messages.ts"

export interface Sockets {
  readonly listeners: ReadonlyArray<UdpListener>
  readonly open: () => void
}

export const makeSockets = (
  settings: FlowWorkerSettings,
  take: UdpListenerOptions["take"],
  /** Where datagrams are received. */
  shared: SharedMemory | undefined,
  now: () => number,
  post: (message: FromFlowWorker) => void
): Sockets => {
  let announced = false
  // One for all of them: they are emptied one after the other.
  const block = settings.ports.length > 0 ? makeDatagramBlock(receiveRoom(shared)) : undefined
  const announce = (): void => {
    if (announced || listeners.some((one) => one.read().state === "starting")) return
    announced = true
    post({ type: "ready", listeners: listeners.map((one) => one.read()) })
  }
  const listeners: ReadonlyArray<UdpListener> = [...new Set(settings.ports)].map((port) =>
    makeUdpListener({
      address: settings.bindAddress,
      port,
      receiveBufferBytes: settings.receiveBufferBytes,
      reusePort: settings.reusePort,
      take,
      block,
      now,
      changed: announce
    })
  )
  return {
    listeners,
    open: () => {
      for (const listener of listeners) listener.open()
      if (listeners.length === 0) announce()
    }
  }
}
