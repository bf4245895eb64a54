/**
 * A bounded mailbox that says what happens when it is full, and counts it.
 *
 * At any instant `offered = taken + refused + depth`: every message that was given to the mailbox was handed on, was refused, or
 * still waits. The numbers are plain counters changed inside the operation they count; the metrics
 * (`actor_mailbox_offered_total`, `actor_mailbox_taken_total`, `actor_mailbox_refused_total`, `actor_mailbox_depth`) read the same
 * counters when they are scraped, so the two can never disagree and a hot path pays an addition, not a metric update.
 */
import type { NonEmptyArray } from "effect/Array"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/**
 * What a full mailbox does with the next message:
 * - `refuse`: turns it away and says `false`; the producer never waits;
 * - `slide`: throws away the oldest one, which counts as refused; the producer never waits;
 * - `wait`: makes the producer wait for room.
 */
export type MailboxPolicy = "refuse" | "slide" | "wait"

export interface MailboxOptions {
  /** Path of the actor that reads it, such as `flow/worker-1/udp:2055`. */
  readonly actor: string
  /** What it holds, in the plural: `datagrams`, `closed windows`. */
  readonly name: string
  /** Messages it can hold, at least 1. */
  readonly capacity: number
  readonly policy: MailboxPolicy
}

/** The numbers of a mailbox at one instant; plain data, so that it crosses a thread boundary. */
export interface MailboxReading {
  readonly name: string
  readonly policy: MailboxPolicy
  readonly capacity: number
  readonly depth: number
  readonly offered: number
  readonly taken: number
  readonly refused: number
}

export interface Mailbox<in out A> {
  readonly actor: string
  readonly name: string
  readonly capacity: number
  readonly policy: MailboxPolicy
  /** False when this message was refused (a full `refuse` mailbox, or a closed one). Waits only under `wait`. */
  readonly offer: (message: A) => Effect.Effect<boolean>
  /** Offers in order; answers how many of these messages were refused. */
  readonly offerAll: (messages: ReadonlyArray<A>) => Effect.Effect<number>
  /** For callbacks (a socket, a port). Under `wait` a full mailbox refuses, as a callback cannot wait. */
  readonly offerUnsafe: (message: A) => boolean
  /** The oldest message; waits for one. Interrupts its caller once the mailbox is closed. */
  readonly take: Effect.Effect<A>
  /** Everything that is there, oldest first; waits for at least one. */
  readonly takeAll: Effect.Effect<NonEmptyArray<A>>
  /** Takes one message at a time, so that an actor that crashes loses at most the message it was handling. */
  readonly messages: Stream.Stream<A>
  readonly read: () => MailboxReading
}

const metrics = {
  offered: Metric.counter("actor_mailbox_offered_total", { description: "Messages given to a mailbox", incremental: true }),
  taken: Metric.counter("actor_mailbox_taken_total", { description: "Messages handed on by a mailbox", incremental: true }),
  refused: Metric.counter("actor_mailbox_refused_total", { description: "Messages a full mailbox turned away", incremental: true }),
  depth: Metric.gauge("actor_mailbox_depth", { description: "Messages that wait in a mailbox" }),
  capacity: Metric.gauge("actor_mailbox_capacity", { description: "Messages a mailbox can hold" })
}

const strategy = { refuse: "dropping", slide: "sliding", wait: "suspend" } as const

/**
 * Makes a mailbox that lives as long as the scope. Make it outside the actor that reads it: then it keeps its messages while that
 * actor is restarted. When the scope closes, what was never taken counts as refused and the series leave `/metrics`.
 */
export const make = <A>(options: MailboxOptions): Effect.Effect<Mailbox<A>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { actor, name, capacity, policy } = options
    if (!Number.isInteger(capacity) || capacity < 1) {
      return yield* Effect.die(new RangeError(`mailbox ${name} of ${actor} cannot hold ${capacity} messages`))
    }
    const queue = yield* Queue.make<A>({ capacity, strategy: strategy[policy] })
    let offered = 0
    let taken = 0
    let refused = 0
    let open = true

    const settle = (accepted: boolean): boolean => {
      offered++
      if (!accepted) refused++
      return accepted
    }
    const offerUnsafe = (message: A): boolean => {
      // A full sliding queue throws its oldest message away without a word, so the loss is counted here, before it happens.
      if (policy === "slide" && open && Queue.sizeUnsafe(queue) >= capacity) refused++
      return settle(Queue.offerUnsafe(queue, message))
    }
    // An offer that waits is counted when it is settled, and not at all when its producer is interrupted first: the message then
    // never was the mailbox's.
    const offer =
      policy === "wait"
        ? (message: A) => Effect.map(Queue.offer(queue, message), settle)
        : (message: A) => Effect.sync(() => offerUnsafe(message))
    const offerAll =
      policy === "wait"
        ? Effect.fnUntraced(function* (messages: ReadonlyArray<A>) {
            let turnedAway = 0
            for (const message of messages) if (!(yield* offer(message))) turnedAway++
            return turnedAway
          })
        : (messages: ReadonlyArray<A>) =>
            Effect.sync(() => {
              let turnedAway = 0
              for (const message of messages) if (!offerUnsafe(message)) turnedAway++
              return turnedAway
            })
    const take = Effect.map(Queue.take(queue), (message) => {
      taken++
      return message
    })
    const takeAll = Effect.map(Queue.takeAll(queue), (messages) => {
      taken += messages.length
      return messages
    })
    const depth = () => Queue.sizeUnsafe(queue)

    const context = yield* Effect.context()
    const attributes = { actor, mailbox: name }
    const ignored = { update: () => {}, modify: () => {} }
    const counter = (metric: Metric.Counter<number>, count: () => number) =>
      Metric.registerUnsafe(Metric.withAttributes(metric, attributes), context, {
        get: () => ({ count: count(), incremental: true }),
        ...ignored
      })
    const gauge = (metric: Metric.Gauge<number>, value: () => number) =>
      Metric.registerUnsafe(Metric.withAttributes(metric, attributes), context, { get: () => ({ value: value() }), ...ignored })
    const series = [
      counter(metrics.offered, () => offered),
      counter(metrics.taken, () => taken),
      counter(metrics.refused, () => refused),
      gauge(metrics.depth, depth),
      gauge(metrics.capacity, () => capacity)
    ]
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        open = false
        refused += depth()
        Queue.shutdownUnsafe(queue)
        for (const one of series) one.remove()
      })
    )

    return {
      actor,
      name,
      capacity,
      policy,
      offer,
      offerAll,
      offerUnsafe,
      take,
      takeAll,
      messages: Stream.fromEffectRepeat(take),
      read: () => ({ name, policy, capacity, depth: depth(), offered, taken, refused })
    }
  })
