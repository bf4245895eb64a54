/** What an earlier start left: its slices are written now, its notes complete its row, and the loss of a hard stop is told. */
import { Effect } from "effect"
import { BootStore } from "#pipeline/store/BootStore.ts"
import type { Spool } from "#pipeline/window/Spool.ts"
import type { Backlog } from "./Backlog.ts"
import { readNotes, removeNote } from "./boot-notes.ts"

export const takeUp = Effect.fnUntraced(function* (boot: string, version: string, folder: string, spool: Spool, backlog: Backlog) {
  const boots = yield* BootStore
  for (const { file, why, records } of spool.torn) {
    yield* Effect.logError("a slice in the spool cannot be read and is set aside", { file, why, records: records ?? "unknown" })
  }
  const written = yield* boots.written(spool.left.map(({ heading }) => heading))
  yield* spool.remove(spool.left.filter((_, i) => written[i]))
  const left = spool.left.filter((_, i) => !written[i])
  const notes = yield* readNotes(folder)
  const unclean = yield* boots.begin(boot, version, {
    notes,
    spooled: left.map(({ heading }) => ({ boot: heading.boot, records: heading.records }))
  })
  for (const note of notes) yield* removeNote(folder, note.boot)
  for (const one of left) backlog.replay(one)
  if (left.length > 0) yield* Effect.logInfo("writes what an earlier start spooled", { slices: left.length })
  return unclean
})
