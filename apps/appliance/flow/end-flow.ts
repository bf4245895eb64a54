/**
 * A clean end: the workers have handed over what they held; it is written, or, when the database does not take it, left in the spool for the
 * next start. A dead database does not hold up the end for longer than it takes to see that it is dead.
 */
import { Clock, Effect } from "effect"
import type { Backlog } from "./Backlog.ts"
import { removeNote, writeNote } from "./boot-notes.ts"
import type { FlowLedger } from "./FlowLedger.ts"
import { keepLast } from "./keep-accounts.ts"
import type { WriteState } from "./resolve-slices.ts"

const writeWithin = "12 seconds"
const keepWithin = "3 seconds"
/** A write that takes so long says as much as two that failed. */
const hungMs = 8000

export interface EndOptions {
  readonly boot: string
  /** Of the spool. */
  readonly folder: string
  readonly ledger: FlowLedger
  readonly backlog: Backlog
  readonly state: WriteState
  /** A slice is between its worker and the backlog. */
  readonly inHand: () => boolean
}

/** Answers whether the database took everything. */
export const endFlow = ({ boot, folder, ledger, backlog, state, inHand }: EndOptions) =>
  Effect.gen(function* () {
    backlog.hurry()
    yield* until(
      Effect.map(Clock.currentTimeMillis, (now) => {
        const { slices, unspooled } = backlog.reading()
        const away = state.failures > 1 || (state.since !== undefined && now - state.since > hungMs)
        return !inHand() && (slices === 0 || (away && unspooled === 0))
      })
    ).pipe(Effect.timeoutOption(writeWithin))
    const { slices, unspooled, records } = backlog.reading()
    if (slices > unspooled)
      yield* Effect.logWarning("leaves slices in the spool for the next start", { slices: slices - unspooled })
    if (unspooled > 0 || inHand()) yield* Effect.logError("ends without having written everything", { slices: unspooled, records })
    const clean = unspooled === 0 && !inHand()
    yield* writeNote(folder, boot, ledger, clean)
    if (clean && state.failures === 0) {
      yield* keepLast(boot, ledger).pipe(
        Effect.timeout(keepWithin),
        Effect.andThen(removeNote(folder, boot)),
        Effect.catchCause((cause) =>
          Effect.logWarning("could not keep the last accounts in the database, they stand in a note", cause)
        )
      )
    }
    return slices === 0 && clean
  })

const until = (done: Effect.Effect<boolean>): Effect.Effect<void> =>
  Effect.flatMap(done, (yes) => (yes ? Effect.void : Effect.andThen(Effect.sleep("20 millis"), until(done))))
