/** Small file systems, and how they become full. */
import { execFileSync } from "node:child_process"
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, onTestFinished } from "vitest"

/** Mounts one of that size (as tmpfs says it: `420m`) in a folder, until the test ends; false where this account may not. */
export const mountSmall = (folder: string, size: string): boolean => {
  mkdirSync(folder, { recursive: true })
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=0755`, "tmpfs", folder], { stdio: "ignore" })
  } catch {
    return false
  }
  onTestFinished(() => void execFileSync("umount", ["-l", folder]))
  return true
}

/** A folder of its own on such a file system. */
export const smallDisk = (size: string): string | undefined => {
  const folder = mkdtempSync(join(tmpdir(), "flowlens-disk-"))
  // after it is unmounted: what was asked for last is done first
  onTestFinished(() => rmSync(folder, { recursive: true }))
  if (!mountSmall(folder, size)) return undefined
  chmodSync(folder, 0o755)
  return folder
}

/** To the last octet, against whoever writes at the same time; gives the file to be removed. */
export const fillUp = (folder: string): string => {
  const file = join(folder, "filling")
  const fill = openSync(file, "w")
  try {
    for (;;) writeSync(fill, Buffer.alloc(1024 ** 2))
  } catch (error) {
    assert.strictEqual((error as NodeJS.ErrnoException).code, "ENOSPC")
  }
  closeSync(fill)
  return file
}
