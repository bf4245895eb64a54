/**
 * How far this process got, beside its spool: while the database is away its row (BootStore) is old, and what a hard stop costs then could not
 * be told. One small file a process start, replaced once a second; not forced to the disk, for a kill does not lose what the system holds.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Clock, Effect } from "effect"
import { limited } from "#pipeline/actor/limited-log.ts"
import type { BootNote } from "#pipeline/store/BootStore.ts"
import type { FlowLedger } from "./FlowLedger.ts"
import { progressOf } from "./keep-accounts.ts"

const suffix = ".boot"
const fileOf = (folder: string, boot: string) => join(folder, `${boot}${suffix}`)
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const parse = (name: string, text: string): BootNote | undefined => {
  try {
    const { at, clean, datagrams, records, recordsWritten } = JSON.parse(text) as BootNote
    const boot = name.slice(0, -suffix.length)
    if (!uuid.test(boot) || ![at, datagrams, records, recordsWritten].every(Number.isSafeInteger)) return undefined
    return { boot, at, datagrams, records, recordsWritten, clean: clean === true }
  } catch {
    return undefined
  }
}

/** What earlier starts wrote; a note that cannot be read is none. */
export const readNotes = (folder: string): Effect.Effect<ReadonlyArray<BootNote>> =>
  Effect.promise(async () => {
    const names = await readdir(folder).catch(() => [])
    const notes = await Promise.all(
      names
        .filter((name) => name.endsWith(suffix))
        .map(async (name) => parse(name, await readFile(join(folder, name), "utf8").catch(() => "")) ?? [])
    )
    return notes.flat()
  })

export const removeNote = (folder: string, boot: string): Effect.Effect<void> =>
  Effect.promise(() => rm(fileOf(folder, boot), { force: true }).catch(() => undefined))

/** `clean`: the process ends, and what it held is written or spooled. */
export const writeNote = (folder: string, boot: string, ledger: FlowLedger, clean = false): Effect.Effect<void> =>
  Effect.gen(function* () {
    const at = yield* Clock.currentTimeMillis
    const note: BootNote = { boot, at, ...progressOf(ledger), clean }
    const file = fileOf(folder, boot)
    yield* Effect.tryPromise(async () => {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await writeFile(`${file}.new`, JSON.stringify(note), { mode: 0o600 })
      await rename(`${file}.new`, file)
    })
  }).pipe(Effect.catch((error) => limited("boot-notes")(Effect.logWarning("could not note how far the windows got", error))))

/** The body of `flow/notes`. */
export const keepNotes = (folder: string, boot: string, ledger: FlowLedger) =>
  Effect.forever(Effect.andThen(writeNote(folder, boot, ledger), Effect.sleep("1 second")))
