/**
 * One thing the appliance tells, followed by one element: a stream, or a call that is made again when something says so. Starts when
 * the element is connected, is interrupted when it leaves, is asked again after a loss with growing pauses, and always knows which
 * of the states it is in.
 */
import { Cause, Effect, Fiber, Stream } from "effect"
import type { ReactiveController, ReactiveControllerHost } from "lit"
import { askWho } from "../session.ts"
import { Api, type Calls, connection } from "./client.ts"
import { type Fault, faultOfCause } from "./Fault.ts"

export type Reading<A> =
  | { readonly _tag: "waiting"; readonly since: number }
  | { readonly _tag: "live"; readonly value: A; readonly at: number }
  /** There is an answer and it holds nothing. */
  | { readonly _tag: "empty"; readonly value: A; readonly at: number }
  /** The last value, and why there is no newer one. `retrying` is false when we gave up asking. */
  | {
      readonly _tag: "stale"
      readonly value: A
      readonly at: number
      readonly since: number
      readonly fault: Fault
      readonly retrying: boolean
    }
  | { readonly _tag: "failed"; readonly since: number; readonly fault: Fault; readonly retrying: boolean }

export interface SubjectOptions<A> {
  /** What is waited for, in words: `the list of assets`. */
  readonly what: string
  readonly isEmpty?: (value: A) => boolean
  /** What the answer depends on. A change asks again; the old answer stays until the new one is there, unless `forget` says otherwise. */
  readonly key?: () => string
  /** True: with another key the old value is another thing's and is not shown meanwhile. */
  readonly forget?: boolean
  /** Called with each value, before the element is drawn. */
  readonly onValue?: (value: A) => void
}

type Source<A> = (api: Calls) => Stream.Stream<A, unknown>

const pauses = [500, 1000, 2000, 4000, 8000]

export class Subject<A> implements ReactiveController {
  readonly what: string
  reading: Reading<A> = { _tag: "waiting", since: Date.now() }
  readonly #host: ReactiveControllerHost
  readonly #source: () => Source<A> | undefined
  readonly #options: SubjectOptions<A>
  #fiber: Fiber.Fiber<unknown, unknown> | undefined
  #key: string | undefined
  #connected = false

  constructor(host: ReactiveControllerHost, options: SubjectOptions<A>, source: () => Source<A> | undefined) {
    this.#host = host
    this.#options = options
    this.#source = source
    this.what = options.what
    host.addController(this)
  }

  /** Follows a stream: `Subject.watch(this, { what: "the status" }, () => (api) => api.StatusWatch())`. */
  static watch<A, E>(
    host: ReactiveControllerHost,
    options: SubjectOptions<A>,
    source: () => ((api: Calls) => Stream.Stream<A, E>) | undefined
  ): Subject<A> {
    return new Subject<A>(host, options, source)
  }

  /** Makes one call, and again whenever the live map changed (at most every two seconds) if `follow` is set. */
  static call<A, E>(
    host: ReactiveControllerHost,
    options: SubjectOptions<A> & { readonly follow?: "map" },
    call: () => ((api: Calls) => Effect.Effect<A, E>) | undefined
  ): Subject<A> {
    return new Subject<A>(host, options, () => {
      const make = call()
      if (make === undefined) return undefined
      return (api) => {
        const first = Stream.fromEffect(Effect.timeout(make(api), "30 seconds"))
        if (options.follow !== "map") return Stream.concat(first, Stream.never)
        const again = (api.MapVersionWatch() as Stream.Stream<number, unknown>).pipe(
          // the first number is the version that `first` already answered from
          Stream.drop(1),
          Stream.buffer({ capacity: 1, strategy: "sliding" }),
          Stream.mapEffect(() => Effect.andThen(Effect.sleep("2 seconds"), make(api)))
        )
        return Stream.concat(first, again)
      }
    })
  }

  /** The value, live or stale; undefined while there is none. */
  get value(): A | undefined {
    return "value" in this.reading ? this.reading.value : undefined
  }

  hostConnected(): void {
    this.#connected = true
    this.#key = this.#options.key?.()
    this.#start()
  }

  hostUpdate(): void {
    if (!this.#connected) return
    const key = this.#options.key?.()
    if (key === this.#key) return
    this.#key = key
    if (this.#options.forget === true) this.reading = { _tag: "waiting", since: Date.now() }
    this.#start()
  }

  hostDisconnected(): void {
    this.#connected = false
    this.#stop()
  }

  /** Asks again at once. */
  retry(): void {
    if (this.reading._tag === "failed") this.#become({ _tag: "waiting", since: Date.now() })
    this.#start()
  }

  #become(reading: Reading<A>): void {
    this.reading = reading
    this.#host.requestUpdate()
  }

  #stop(): void {
    const fiber = this.#fiber
    this.#fiber = undefined
    if (fiber !== undefined) Effect.runFork(Fiber.interrupt(fiber))
  }

  #start(): void {
    this.#stop()
    const source = this.#source()
    if (source === undefined) return
    let tries = 0
    const follow = Api.use((api) =>
      Stream.runForEach(source(api), (value) =>
        Effect.sync(() => {
          tries = 0
          this.#options.onValue?.(value)
          const _tag = this.#options.isEmpty?.(value) === true ? "empty" : "live"
          this.#become({ _tag, value, at: Date.now() })
        })
      )
    ).pipe(
      // a stream that ends has lost its server: nothing here ends by itself
      Effect.andThen(Effect.die(new Error("the stream ended"))),
      Effect.catchCause((cause) => (Cause.hasInterruptsOnly(cause) ? Effect.interrupt : Effect.succeed(faultOfCause(cause))))
    )
    const loop = Effect.gen({ self: this }, function* () {
      while (true) {
        const fault = yield* follow
        const retrying = fault.kind !== "answer" && fault.kind !== "session"
        this.#lost(fault, retrying)
        if (fault.kind === "session") yield* askWho(true)
        if (!retrying) return
        yield* Effect.sleep(pauses[Math.min(tries++, pauses.length - 1)]!)
      }
    })
    this.#fiber = connection().runFork(loop)
  }

  #lost(fault: Fault, retrying: boolean): void {
    const before = this.reading
    const since = before._tag === "stale" || before._tag === "failed" ? before.since : Date.now()
    // the appliance's own no replaces what was shown; a loss keeps it
    if ("value" in before && retrying) this.#become({ _tag: "stale", value: before.value, at: before.at, since, fault, retrying })
    else this.#become({ _tag: "failed", since, fault, retrying })
  }
}
