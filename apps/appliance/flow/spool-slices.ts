/**
 * The body of `flow/spool`: each slice that came out of a worker is put on disk, and only then acknowledged. Where the disk or the bound
 * refuses, the slice waits in memory without an acknowledgement: its worker sends no more than two, merges, then samples, then drops.
 */
import { Clock, Effect } from "effect"
import type { WindowSlice } from "#domain/Window.ts"
import { limited } from "#pipeline/actor/limited-log.ts"
import type { Mailbox } from "#pipeline/actor/Mailbox.ts"
import type { Spool } from "#pipeline/window/Spool.ts"
import type { Backlog, SliceFacts, Waiting } from "./Backlog.ts"

export interface SpoolOptions {
  readonly mailbox: Mailbox<WindowSlice>
  readonly spool: Spool
  readonly backlog: Backlog
  /** It is safe: the worker may send another. */
  readonly accepted: (slice: SliceFacts) => void
}

/** Outlives the runs of the actor. */
export interface InHand {
  slice: WindowSlice | undefined
}

const put = ({ spool }: SpoolOptions, slice: WindowSlice) =>
  spool
    .put(slice)
    .pipe(Effect.catch((fault) => Effect.as(limited("spool")(Effect.logWarning("could not spool a slice", fault)), undefined)))

export const spoolSlices = (options: SpoolOptions, hand: InHand) =>
  Effect.all([takeAll(options, hand), putAgain(options)], { concurrency: "unbounded", discard: true })

const takeAll = (options: SpoolOptions, hand: InHand) =>
  Effect.gen(function* () {
    const { accepted, backlog, mailbox } = options
    for (;;) {
      hand.slice ??= yield* mailbox.take
      const slice = hand.slice
      yield* Effect.uninterruptible(
        Effect.gen(function* () {
          const spooled = yield* put(options, slice)
          backlog.add(slice, spooled, yield* Clock.currentTimeMillis)
          hand.slice = undefined
          if (spooled !== undefined) accepted(slice)
        })
      )
    }
  })

/** Once a second while there are slices in memory only. */
const putAgain = (options: SpoolOptions) =>
  Effect.gen(function* () {
    const { accepted, backlog, spool } = options
    const again = Effect.fnUntraced(function* (one: Waiting) {
      if (one.slice === undefined || !backlog.has(one)) return
      const spooled = yield* put(options, one.slice)
      if (spooled === undefined) return
      // written meanwhile: its file would be taken up at the next start, and found written
      if (!backlog.has(one)) return yield* spool.remove([spooled])
      backlog.spooled(one, spooled)
      accepted(one.facts)
    })
    for (;;) {
      yield* Effect.sleep("1 second")
      yield* Effect.forEach(backlog.unspooled(), (one) => Effect.uninterruptible(again(one)), { discard: true })
    }
  })
