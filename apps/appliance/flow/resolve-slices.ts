/**
 * The body of `flow/resolve`: takes slices in order, collapses each and writes it. The slice in hand survives a crash of the actor; a
 * database that is away is waited for; a slice that cannot be written for its own sake is given up after a few tries, counted and
 * logged, so that one bad slice does not stop the map.
 */
import { Effect, Schedule } from "effect"
import type { SqlError } from "effect/sql"
import type { WindowSlice } from "#domain/Window.ts"
import type { Mailbox } from "#pipeline/actor/Mailbox.ts"
import type { CollapsedSlice } from "#pipeline/resolve/edges.ts"
import { Resolver, type WriteResult } from "#pipeline/resolve/Resolver.ts"

export interface ResolveOptions {
  readonly mailbox: Mailbox<WindowSlice>
  readonly collapse: (slice: WindowSlice) => CollapsedSlice
  /** Written, or known to have been: the worker may send the next. */
  readonly written: (slice: WindowSlice, result: WriteResult) => Effect.Effect<void>
  /** Given up: its records are lost. */
  readonly lost: (slice: WindowSlice) => Effect.Effect<void>
}

/** Outlives the runs of the actor. */
export interface InHand {
  slice: WindowSlice | undefined
  tries: number
}

const triesOfOneSlice = 3

export const resolveSlices = (options: ResolveOptions, hand: InHand) =>
  Effect.gen(function* () {
    const resolver = yield* Resolver
    for (;;) {
      hand.slice ??= yield* options.mailbox.take
      const slice = hand.slice
      if (hand.tries++ >= triesOfOneSlice) {
        yield* Effect.logError("gives a slice up, its records are lost").pipe(
          Effect.annotateLogs({ worker: slice.worker, sequence: slice.sequence, records: slice.records })
        )
        yield* options.lost(slice)
        hand.slice = undefined
        hand.tries = 0
        continue
      }
      const { boot, worker, sequence, windowStart, windowSeconds, final, pressureSampling, records, rows } = slice
      const collapsed = options.collapse(slice)
      const result = yield* resolver
        .write({
          claims: [{ boot, worker, sequence, records, rows }],
          windowStart,
          windowSeconds,
          final,
          pressureSampling,
          slice: collapsed
        })
        .pipe(
          Effect.retry({
            while: mayPass,
            schedule: Schedule.min([Schedule.exponential("250 millis"), Schedule.spaced("5 seconds")])
          }),
          Effect.catch((error) => Effect.as(Effect.logWarning("could not write a slice", error), undefined))
        )
      if (result === undefined) continue
      hand.slice = undefined
      hand.tries = 0
      yield* options.written(slice, result)
    }
  })

/** The database is away, busy or out of room: the same slice will do later. Anything else is about this slice. */
const mayPass = (error: SqlError.SqlError): boolean =>
  error.isRetryable || error.reason._tag === "ConnectionError" || error.reason._tag === "AuthenticationError" || isOutOfRoom(error)

/** SQLSTATE classes 53 (insufficient resources: disk full, too many connections), 57 (shut down, starting up) and 58 (I/O). */
const isOutOfRoom = (error: SqlError.SqlError): boolean => {
  const code = (error.reason.cause as { readonly code?: unknown } | undefined)?.code
  return typeof code === "string" && /^(53|57|58|08)/.test(code)
}
