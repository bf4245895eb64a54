/**
 * The server's log, written by the server itself (nothing is lost while we are away) and kept bounded by us: past the limit it moves
 * to `postgres.log.1` and starts anew. The server appends to an open file, so it is copied and cut, not renamed.
 */
import { closeSync, copyFileSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs"

export interface LogFile {
  /** For the child's standard output and error. */
  readonly fd: number
  readonly size: () => number
  /** What was written since `from`, at most the last 16 KiB. */
  readonly since: (from: number) => string
  readonly trim: () => void
  readonly close: () => void
}

export const defaultLogLimitBytes = 8 * 1024 * 1024

export const openLog = (path: string, limitBytes = defaultLogLimitBytes): LogFile => {
  const fd = openSync(path, "a+", 0o640)
  const size = () => fstatSync(fd).size
  return {
    fd,
    size,
    since: (from) => {
      const end = size()
      const start = Math.max(from > end ? 0 : from, end - 16384)
      const bytes = new Uint8Array(end - start)
      return new TextDecoder().decode(bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, start)))
    },
    trim: () => {
      if (size() <= limitBytes) return
      copyFileSync(path, `${path}.1`)
      ftruncateSync(fd, 0)
    },
    close: () => closeSync(fd)
  }
}
