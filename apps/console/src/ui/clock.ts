/** The time as elements show it: the zone chosen, and a minute hand that redraws what depends on today or on an age. */
import type { ReactiveController, ReactiveControllerHost } from "lit"
import { Cell } from "../Cell.ts"
import type { Zone } from "../format/time.ts"

/** Set by main.ts from the operator's preference. */
export const zone = new Cell<Zone>("local")

const hosts = new Set<ReactiveControllerHost>()
let timer: ReturnType<typeof setInterval> | undefined

zone.follow(() => {
  for (const host of hosts) host.requestUpdate()
})

/** Redraws its host every ten seconds while connected: one timer for all. */
export class MinuteHand implements ReactiveController {
  readonly #host: ReactiveControllerHost

  constructor(host: ReactiveControllerHost) {
    this.#host = host
    host.addController(this)
  }

  hostConnected(): void {
    hosts.add(this.#host)
    timer ??= setInterval(() => {
      for (const host of hosts) host.requestUpdate()
    }, 10_000)
  }

  hostDisconnected(): void {
    hosts.delete(this.#host)
    if (hosts.size === 0 && timer !== undefined) {
      clearInterval(timer)
      timer = undefined
    }
  }
}
