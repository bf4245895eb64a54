/**
 * Copies of datagrams for whoever asked for a capture: those that came lately at once (recent.ts), and the next ones as they come. What was
 * copied leaves once a second or a few dozen at a time, so the worker never holds more than those.
 */
import { performance } from "node:perf_hooks"
import type { ExporterProtocol } from "#domain/Exporter.ts"
import type { CapturedDatagram, ToFlowWorker } from "./messages.ts"

/** Copies that wait to be told, of one capture: 4 MB of the largest datagrams there are. */
const MOST_WAITING = 64
/** Captures at a time; the main thread asks for fewer. */
const MOST_CAPTURES = 16

type Order = Extract<ToFlowWorker, { readonly type: "capture" }>

interface Armed {
  readonly order: Order
  /** UDP source of its last datagram: the agent of sFlow has another address. */
  from: string
  left: number
  waiting: Array<CapturedDatagram>
}

export interface Captures {
  /** Tells the last ones, also when there are none. */
  readonly start: (order: Order, last: ReadonlyArray<CapturedDatagram>) => void
  readonly end: (capture: string) => void
  /** True while any capture is armed: only then `take` needs to be called. */
  readonly armed: () => boolean
  /** `protocol` undefined: nothing known starts like this. */
  readonly take: (
    datagram: Uint8Array,
    address: string,
    protocol: ExporterProtocol | undefined,
    from: string,
    fromPort: number,
    toPort: number
  ) => void
  readonly tick: (nowMs: number) => void
}

export const makeCaptures = (
  tell: (capture: string, which: "last" | "next", datagrams: ReadonlyArray<CapturedDatagram>) => void
): Captures => {
  const armed = new Map<string, Armed>()

  const flush = (one: Armed): void => {
    if (one.waiting.length === 0) return
    tell(one.order.capture, "next", one.waiting)
    one.waiting = []
  }
  const end = (capture: string): void => {
    const one = armed.get(capture)
    if (one === undefined) return
    flush(one)
    armed.delete(capture)
  }

  return {
    start: (order, last) => {
      tell(order.capture, "last", last)
      if (order.next === 0 || armed.size >= MOST_CAPTURES) return
      armed.set(order.capture, { order, from: last.at(-1)?.from ?? order.address, left: order.next, waiting: [] })
    },
    end,
    armed: () => armed.size > 0,
    take: (datagram, address, protocol, from, fromPort, toPort) => {
      for (const one of armed.values()) {
        const { order } = one
        const itsOwn = protocol === order.protocol && address === order.address
        if (itsOwn) one.from = from
        // what cannot be told apart is taken for the exporter's when it comes from where its last one came
        if (!itsOwn && (protocol !== undefined || from !== one.from)) continue
        const at = Math.round((performance.timeOrigin + performance.now()) * 1000)
        // the listener reuses its memory
        one.waiting.push({ at, from, fromPort, toPort, payload: new Uint8Array(datagram) })
        if (--one.left === 0) end(order.capture)
        else if (one.waiting.length >= MOST_WAITING) flush(one)
      }
    },
    tick: (nowMs) => {
      for (const one of armed.values()) {
        if (nowMs >= one.order.untilMs) end(one.order.capture)
        else flush(one)
      }
    }
  }
}
