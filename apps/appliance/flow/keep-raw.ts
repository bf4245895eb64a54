/** The body of `flow/raw`: appends single flow records where they are kept. A chunk that cannot be written is given up: the map has its traffic. */
import { Effect } from "effect"
import type { RawChunk } from "#domain/RawChunk.ts"
import { limited } from "#pipeline/actor/limited-log.ts"
import type { Mailbox } from "#pipeline/actor/Mailbox.ts"
import { RawFlowStore } from "#pipeline/store/RawFlowStore.ts"

export interface RawAccount {
  written: number
  /** In chunks that could not be written, or found no room. */
  lost: number
  /** More than allowed in a second. */
  leftOut: number
}

export const makeRawAccount = (): RawAccount => ({ written: 0, lost: 0, leftOut: 0 })

export const takeRaw = (mailbox: Mailbox<RawChunk>, account: RawAccount) => (chunk: RawChunk, leftOut: number) => {
  account.leftOut += leftOut
  if (!mailbox.offerUnsafe(chunk)) account.lost += chunk.rows
}

export const keepRaw = (mailbox: Mailbox<RawChunk>, account: RawAccount) =>
  Effect.gen(function* () {
    const store = yield* RawFlowStore
    for (;;) {
      const chunk = yield* mailbox.take
      const written = yield* store.append(chunk).pipe(
        Effect.as(true),
        Effect.catch((error) =>
          Effect.as(limited("flow_raw")(Effect.logWarning("could not keep single flow records", error)), false)
        )
      )
      if (written) account.written += chunk.rows
      else account.lost += chunk.rows
    }
  })
