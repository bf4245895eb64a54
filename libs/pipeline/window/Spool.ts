/**
 * Closed slices on disk until the store has them: one file a slice (slice-file.ts), complete under its name or not there. A file is written
 * under another name, forced to the disk and renamed; the folder is forced too, so that a slice that was put survives a power cut.
 *
 * What cannot be read is set aside (`.bad`), for people to look at: those files count towards the bound and go first when room is needed.
 */
import { type FileHandle, mkdir, open as openFile, readdir, rename, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { crc32 } from "node:zlib"
import { Clock, Data, Effect, Result } from "effect"
import type { WindowSlice } from "#domain/Window.ts"
import { decodeSlice, encodeSlice, PREFIX, readHeading, readHeadingOnly, type SliceHeading } from "./slice-file.ts"

/** `full`: the bound is reached. `disk`: the file system refused; `code` is the system's word, such as ENOSPC. */
export class SpoolFault extends Data.TaggedError("SpoolFault")<{ readonly kind: "full" | "disk"; readonly code: string }> {
  override get message() {
    return this.kind === "full" ? "the spool holds as much as it may" : `cannot use the spool: ${this.code}`
  }
}

/** The file is not what was written. */
export class SpoolTorn extends Data.TaggedError("SpoolTorn")<{ readonly file: string; readonly why: string }> {
  override get message() {
    return `${this.file} cannot be read: ${this.why}`
  }
}

export interface SpooledSlice {
  readonly heading: SliceHeading
  readonly file: string
  readonly bytes: number
  /** When it was put, ms since 1970. */
  readonly at: number
}

export interface SpoolReading {
  readonly files: number
  /** Of the slices and of what was set aside; never more than `limit`. */
  readonly bytes: number
  readonly limit: number
  /** ms since 1970; undefined when empty. */
  readonly oldestAt: number | undefined
  readonly setAside: number
  /** The last slice found no room, or the disk refused it (the system's word). */
  readonly fault: "full" | string | undefined
}

export interface SpoolOptions {
  readonly folder: string
  readonly maxBytes: number
  /** When this process began, ms since 1970: slices of earlier ones are put in order by it. */
  readonly bootAt: number
}

export interface Spool {
  /** Slices of earlier boots, oldest first; files that could not be read were set aside. */
  readonly left: ReadonlyArray<SpooledSlice>
  /** Set aside at the start: the file, why, and how many records it said it has, if that could be read. */
  readonly torn: ReadonlyArray<{ readonly file: string; readonly why: string; readonly records: number | undefined }>
  /** Returns once the slice is on the disk. Not to be interrupted, and never is. */
  readonly put: (slice: WindowSlice) => Effect.Effect<SpooledSlice, SpoolFault>
  readonly read: (spooled: SpooledSlice) => Effect.Effect<WindowSlice, SpoolTorn | SpoolFault>
  /** A file that cannot be removed is found again, and known as written, at the next start. */
  readonly remove: (spooled: ReadonlyArray<SpooledSlice>) => Effect.Effect<void>
  readonly setAside: (spooled: SpooledSlice) => Effect.Effect<void>
  readonly reading: () => SpoolReading
}

const suffix = ".slice"
const nameOf = (slice: WindowSlice, bootAt: number) => `${bootAt}-${slice.boot}-${slice.worker}-${slice.sequence}${suffix}`
/** More than any heading (slice-file.ts). */
const START_BYTES = PREFIX + 64 * 1024

const codeOf = (error: unknown): string =>
  typeof (error as { code?: unknown }).code === "string" ? (error as { code: string }).code : String(error)
const disk = <A>(run: () => Promise<A>): Effect.Effect<A, SpoolFault> =>
  Effect.tryPromise({ try: run, catch: (error) => new SpoolFault({ kind: "disk", code: codeOf(error) }) })

const withFile = async <A>(file: string, flags: string, use: (handle: FileHandle) => Promise<A>): Promise<A> => {
  const handle = await openFile(file, flags, 0o600)
  try {
    return await use(handle)
  } finally {
    await handle.close()
  }
}

const syncFolder = (folder: string) => withFile(folder, "r", (handle) => handle.sync())

const readBytes = (file: string, most: number): Promise<Uint8Array> =>
  withFile(file, "r", async (handle) => {
    const bytes = new Uint8Array(Math.min(most, (await handle.stat()).size))
    let at = 0
    while (at < bytes.length) {
      const { bytesRead } = await handle.read(bytes, at, bytes.length - at, at)
      if (bytesRead === 0) break
      at += bytesRead
    }
    return bytes.subarray(0, at)
  })

const write = async (file: string, parts: ReadonlyArray<Uint8Array>): Promise<void> => {
  const temporary = `${file}.tmp`
  try {
    await withFile(temporary, "w", async (handle) => {
      // the system takes some buffers at a time, and may take less than it was given
      for (let from = 0; from < parts.length; from += 64) {
        const some = parts.slice(from, from + 64)
        const wanted = some.reduce((sum, part) => sum + part.length, 0)
        const { bytesWritten } = await handle.writev(some)
        if (bytesWritten === wanted) continue
        await handle.writeFile(Buffer.concat(some).subarray(bytesWritten))
      }
      await handle.sync()
    })
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
}

const inOrder = (a: SpooledSlice, b: SpooledSlice): number =>
  a.heading.bootAt - b.heading.bootAt ||
  a.heading.worker.localeCompare(b.heading.worker, "en", { numeric: true }) ||
  a.heading.sequence - b.heading.sequence

interface Found {
  readonly left: Array<SpooledSlice>
  readonly bad: Array<{ readonly file: string; readonly bytes: number; readonly at: number }>
  readonly torn: Array<Spool["torn"][number]>
}

const lookThrough = async (folder: string): Promise<Found> => {
  const found: Found = { left: [], bad: [], torn: [] }
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const name of (await readdir(folder)).sort()) {
    const file = join(folder, name)
    // never acknowledged: its records count as not written
    if (name.endsWith(".tmp")) await rm(file, { force: true })
    if (!name.endsWith(suffix) && !name.endsWith(".bad")) continue
    const { size, mtimeMs } = await stat(file)
    const bad = (path: string) => found.bad.push({ file: path, bytes: size, at: mtimeMs })
    if (name.endsWith(".bad")) {
      bad(file)
      continue
    }
    const start = await readBytes(file, START_BYTES)
    const heading = readHeading(start, size, crc32)
    if (Result.isSuccess(heading)) {
      found.left.push({ heading: heading.success, file, bytes: size, at: mtimeMs })
      continue
    }
    await rename(file, `${file}.bad`)
    bad(`${file}.bad`)
    const said = readHeadingOnly(start, crc32)
    found.torn.push({ file: name, why: heading.failure, records: Result.isSuccess(said) ? said.success.records : undefined })
  }
  found.left.sort(inOrder)
  return found
}

/** A folder that cannot be used now is tried again with every slice. */
export const openSpool = Effect.fnUntraced(function* ({ folder, maxBytes, bootAt }: SpoolOptions) {
  let fault: SpoolReading["fault"]
  const nothing: Found = { left: [], bad: [], torn: [] }
  const { left, bad, torn } = yield* disk(() => lookThrough(folder)).pipe(
    Effect.catch((error) => {
      fault = error.code
      return Effect.as(Effect.logError(`cannot use the spool ${folder}`, error), nothing)
    })
  )
  const held = new Map(left.map((one) => [one.file, one]))
  let bytes = [...left, ...bad].reduce((sum, one) => sum + one.bytes, 0)

  const makeRoom = Effect.fnUntraced(function* (wanted: number) {
    while (bytes + wanted > maxBytes && bad.length > 0) {
      const oldest = bad.shift()!
      bytes -= oldest.bytes
      yield* disk(() => rm(oldest.file, { force: true })).pipe(Effect.ignore)
    }
    if (bytes + wanted > maxBytes) return yield* new SpoolFault({ kind: "full", code: "full" })
  })

  const put: Spool["put"] = (slice) =>
    Effect.gen(function* () {
      const encoded = encodeSlice(slice, bootAt, crc32)
      const file = join(folder, nameOf(slice, bootAt))
      yield* makeRoom(encoded.bytes)
      bytes += encoded.bytes
      yield* disk(async () => {
        await write(file, encoded.parts).catch(async (error) => {
          if (codeOf(error) !== "ENOENT") throw error
          await mkdir(folder, { recursive: true, mode: 0o700 })
          await write(file, encoded.parts)
        })
        await syncFolder(folder)
      }).pipe(
        Effect.onError(() =>
          Effect.sync(() => {
            bytes -= encoded.bytes
          })
        )
      )
      const { exporters: _, ipv6: __, columns: ___, egress: ____, ...plain } = slice
      const at = yield* Clock.currentTimeMillis
      const spooled: SpooledSlice = { heading: { ...plain, bootAt }, file, bytes: encoded.bytes, at }
      held.set(file, spooled)
      fault = undefined
      return spooled
    }).pipe(
      Effect.tapError((error) =>
        Effect.sync(() => {
          fault = error.kind === "full" ? "full" : error.code
        })
      ),
      Effect.uninterruptible
    )

  const forget = (spooled: SpooledSlice): boolean => {
    if (!held.delete(spooled.file)) return false
    bytes -= spooled.bytes
    return true
  }

  return {
    left,
    torn,
    put,
    read: (spooled) =>
      disk(() => readBytes(spooled.file, Number.POSITIVE_INFINITY)).pipe(
        Effect.catch(
          (error): Effect.Effect<never, SpoolTorn | SpoolFault> =>
            Effect.fail(error.code === "ENOENT" ? new SpoolTorn({ file: spooled.file, why: "it is gone" }) : error)
        ),
        Effect.flatMap((read) => {
          const slice = decodeSlice(read, crc32)
          return Result.isSuccess(slice)
            ? Effect.succeed(slice.success)
            : Effect.fail(new SpoolTorn({ file: spooled.file, why: slice.failure }))
        })
      ),
    remove: (spooled) =>
      Effect.forEach(
        spooled.filter(forget),
        ({ file }) =>
          disk(() => rm(file, { force: true })).pipe(Effect.catch((error) => Effect.logWarning(`cannot remove ${file}`, error))),
        { discard: true }
      ).pipe(Effect.uninterruptible),
    setAside: (spooled) =>
      Effect.suspend(() => {
        if (!held.delete(spooled.file)) return Effect.void
        const aside = { file: `${spooled.file}.bad`, bytes: spooled.bytes, at: spooled.at }
        return disk(() => rename(spooled.file, aside.file)).pipe(
          Effect.matchEffect({
            onSuccess: () => Effect.sync(() => void bad.push(aside)),
            onFailure: () => Effect.sync(() => void (bytes -= spooled.bytes))
          })
        )
      }).pipe(Effect.uninterruptible),
    reading: () => {
      let oldestAt: number | undefined
      for (const { at } of held.values()) if (oldestAt === undefined || at < oldestAt) oldestAt = at
      return { files: held.size, bytes, limit: maxBytes, oldestAt, setAside: bad.length, fault }
    }
  } satisfies Spool as Spool
})
