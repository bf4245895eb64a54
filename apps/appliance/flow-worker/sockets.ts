/** The worker's listeners, one a port, and the news of their first state. */
import { makeUdpListener, type UdpListener, type UdpListenerOptions } from "#pipeline/ingest/UdpListener.ts"
import type { FlowWorkerSettings, FromFlowWorker } from "./messages.ts"

export interface Sockets {
  readonly listeners: ReadonlyArray<UdpListener>
  readonly open: () => void
}

export const makeSockets = (
  settings: FlowWorkerSettings,
  take: UdpListenerOptions["take"],
  now: () => number,
  post: (message: FromFlowWorker) => void
): Sockets => {
  let announced = false
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
