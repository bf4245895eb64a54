/** One value that elements follow. Small on purpose: what comes from the appliance goes through rpc/Subject.ts instead. */
import type { ReactiveController, ReactiveControllerHost } from "lit"

export class Cell<A> {
  #value: A
  readonly #listeners = new Set<(value: A) => void>()

  constructor(value: A) {
    this.#value = value
  }

  get value(): A {
    return this.#value
  }

  set(value: A): void {
    if (Object.is(value, this.#value)) return
    this.#value = value
    for (const listener of [...this.#listeners]) listener(value)
  }

  /** Calls `listener` after each change; the answer stops that. */
  follow(listener: (value: A) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/** Anything that says when it changed. */
export interface Followed {
  readonly follow: (listener: () => void) => () => void
}

/** Updates its host whenever one of the cells changes, while the host is connected. */
export class Following implements ReactiveController {
  readonly #host: ReactiveControllerHost
  readonly #cells: ReadonlyArray<Followed>
  #stop: ReadonlyArray<() => void> = []

  constructor(host: ReactiveControllerHost, ...cells: ReadonlyArray<Followed>) {
    this.#host = host
    this.#cells = cells
    host.addController(this)
  }

  hostConnected(): void {
    this.#stop = this.#cells.map((cell) => cell.follow(() => this.#host.requestUpdate()))
    this.#host.requestUpdate()
  }

  hostDisconnected(): void {
    for (const stop of this.#stop) stop()
    this.#stop = []
  }
}
