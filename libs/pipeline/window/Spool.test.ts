import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { onTestFinished } from "vitest"
import { randomFrom } from "../../../test/rig/flow-records.ts"
import { randomSlice } from "../../../test/rig/random-slice.ts"
import { openSpool } from "./Spool.ts"

const folderOf = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "flowlens-spool-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, "spool")
}
const mebibyte = 1024 ** 2
const random = randomFrom(1)
const slice = (sequence: number, worker = "worker-1", boot?: string) =>
  randomSlice(random, { sequence, worker, ...(boot === undefined ? {} : { boot }) })

describe("Spool", () => {
  it.live("gives back what was put, in order of start, worker and number, after the process is gone", () =>
    Effect.gen(function* () {
      const folder = folderOf()
      const later = yield* openSpool({ folder, maxBytes: mebibyte, bootAt: 2000 })
      const earlier = yield* openSpool({ folder, maxBytes: mebibyte, bootAt: 1000 })
      const a = slice(1)
      const b = slice(10, "worker-2")
      const c = slice(9, "worker-10")
      const d = slice(2)
      const gone = slice(3)
      yield* later.put(a)
      for (const one of [c, d, b]) yield* earlier.put(one)
      yield* earlier.remove([yield* earlier.put(gone)])
      assert.deepInclude(earlier.reading(), { files: 3, setAside: 0, fault: undefined })
      // killed while it wrote one
      writeFileSync(join(folder, "1000-boot-worker-1-4.slice.tmp"), "FLSLICE1")

      const spool = yield* openSpool({ folder, maxBytes: mebibyte, bootAt: 3000 })
      assert.deepStrictEqual(
        spool.left.map(({ heading }) => [heading.bootAt, heading.worker, heading.sequence]),
        [
          [1000, "worker-1", 2],
          [1000, "worker-2", 10],
          [1000, "worker-10", 9],
          [2000, "worker-1", 1]
        ]
      )
      assert.deepStrictEqual(yield* Effect.forEach(spool.left, spool.read), [d, b, c, a])
      assert.strictEqual(spool.reading().files, 4)
      assert.strictEqual(readdirSync(folder).length, 4)
      yield* spool.remove(spool.left)
      assert.deepInclude(spool.reading(), { files: 0, bytes: 0, oldestAt: undefined })
      assert.deepStrictEqual(readdirSync(folder), [])
    })
  )

  it.live("sets a damaged file aside, says whose records it was, and keeps the others", () =>
    Effect.gen(function* () {
      const folder = folderOf()
      const before = yield* openSpool({ folder, maxBytes: mebibyte, bootAt: 1000 })
      const good = yield* before.put(slice(1))
      const torn = yield* before.put(randomSlice(random, { sequence: 2, worker: "worker-1", records: 77 }))
      truncateSync(torn.file, torn.bytes - 1)
      writeFileSync(join(folder, "1000-x-worker-1-3.slice"), "not a slice at all")
      const rotten = yield* before.put(slice(4))
      const bytes = readFileSync(rotten.file)
      bytes[rotten.bytes - 1]! ^= 1
      writeFileSync(rotten.file, bytes)

      const spool = yield* openSpool({ folder, maxBytes: mebibyte, bootAt: 2000 })
      assert.deepStrictEqual(spool.torn.map(({ why, records }) => [why, records]).sort(), [
        ["torn", undefined],
        ["torn", 77]
      ])
      assert.deepStrictEqual(
        spool.left.map(({ heading }) => heading.sequence),
        [1, 4]
      )
      // what only the checksum of the body tells is found when it is read
      const fault = yield* Effect.flip(spool.read(spool.left[1]!))
      assert.deepInclude(fault, { _tag: "SpoolTorn", why: "checksum" })
      yield* spool.setAside(spool.left[1]!)
      assert.deepInclude(spool.reading(), { files: 1, setAside: 3 })
      assert.strictEqual(readdirSync(folder).filter((name) => name.endsWith(".bad")).length, 3)
      assert.strictEqual((yield* spool.read(spool.left[0]!)).sequence, good.heading.sequence)
      // and they are not taken up again
      assert.strictEqual((yield* openSpool({ folder, maxBytes: mebibyte, bootAt: 3000 })).torn.length, 0)
    })
  )

  it.live("takes no more than it may, lets what was set aside go first, and takes again when there is room", () =>
    Effect.gen(function* () {
      const folder = folderOf()
      const probe = yield* openSpool({ folder, maxBytes: mebibyte, bootAt: 1 })
      const one = slice(1)
      const size = (yield* probe.put(one)).bytes
      const maxBytes = size * 2 + 1024
      const spool = yield* openSpool({ folder, maxBytes, bootAt: 2 })
      const second = yield* spool.put({ ...one, sequence: 2 })
      const full = yield* Effect.flip(spool.put({ ...one, sequence: 3 }))
      assert.strictEqual(full.kind, "full")
      assert.strictEqual(spool.reading().fault, "full")
      assert.isAtMost(spool.reading().bytes, maxBytes)
      yield* spool.setAside(second)
      yield* spool.put({ ...one, sequence: 3 })
      assert.deepInclude(spool.reading(), { files: 2, setAside: 0, fault: undefined })
      yield* spool.remove(spool.left)
      yield* spool.put({ ...one, sequence: 4 })
    })
  )

  it.live("says that the folder cannot be used, leaves nothing half written, and mends itself", () =>
    Effect.gen(function* () {
      const folder = folderOf()
      writeFileSync(folder, "in the way")
      const spool = yield* openSpool({ folder, maxBytes: mebibyte, bootAt: 1 })
      assert.strictEqual((yield* Effect.flip(spool.put(slice(1)))).kind, "disk")
      assert.isDefined(spool.reading().fault)
      assert.strictEqual(spool.reading().bytes, 0)
      renameSync(folder, `${folder}.away`)
      const put = yield* spool.put(slice(1))
      assert.isUndefined(spool.reading().fault)
      yield* spool.read(put)
    })
  )

  it.live("lives through a full disk", (context) =>
    Effect.gen(function* () {
      const folder = folderOf()
      const first = yield* openSpool({ folder, maxBytes: 64 * mebibyte, bootAt: 1 })
      try {
        execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], { stdio: "ignore" })
      } catch {
        return context.skip("needs the right to mount a small file system")
      }
      onTestFinished(() => void execFileSync("umount", ["-l", folder]))
      const big = { ...slice(1), ipv6: new Uint8Array(16 * 8192) }
      const fault = yield* Effect.flip(first.put(big))
      assert.deepStrictEqual([fault.kind, fault.code, first.reading().fault], ["disk", "ENOSPC", "ENOSPC"])
      assert.deepStrictEqual(readdirSync(folder), [])
      assert.strictEqual(first.reading().bytes, 0)
      yield* first.put(slice(2))
    })
  )
})
