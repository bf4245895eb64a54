import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"

const inside = <A>(use: (folder: string) => A): A => {
  const folder = mkdtempSync(join(tmpdir(), "flowlens-compiled-"))
  try {
    return use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A process that keeps its code under `data` and runs a thread; says whether each of them does. */
const kept = (data: string, env: Record<string, string> = {}): ReadonlyArray<boolean> => {
  const source = `
    import { Worker } from "node:worker_threads"
    const { keepCompiledCode } = await import(${JSON.stringify(new URL("./compile-cache.ts", import.meta.url).href)})
    const main = keepCompiledCode(${JSON.stringify(data)})
    const thread = "import { parentPort } from 'node:worker_threads'; import { getCompileCacheDir } from 'node:module';" +
      "parentPort.postMessage(getCompileCacheDir() !== undefined)"
    new Worker(thread, { eval: true }).once("message", (worker) => console.log(JSON.stringify([main, worker])))`
  const { NODE_COMPILE_CACHE: _, ...plain } = process.env
  return JSON.parse(
    execFileSync(process.execPath, ["--input-type=module", "-e", source], { encoding: "utf8", env: { ...plain, ...env } })
  )
}

describe("compile-cache", () => {
  it("is in the data folder, for threads as well", () =>
    inside((folder) => {
      assert.deepStrictEqual(kept(folder), [true, true])
      assert.isNotEmpty(readdirSync(join(folder, "compile-cache")))
    }))

  it("makes no data folder", () =>
    inside((folder) => {
      assert.deepStrictEqual(kept(join(folder, "none")), [false, false])
      assert.isFalse(existsSync(join(folder, "none")))
    }))

  it("is left out where it cannot be written", () =>
    inside((folder) => {
      writeFileSync(join(folder, "compile-cache"), "")
      assert.deepStrictEqual(kept(folder), [false, false])
    }))

  it("is where the operator wants it", () =>
    inside((folder) => {
      assert.deepStrictEqual(kept(folder, { NODE_COMPILE_CACHE: join(folder, "elsewhere") }), [false, true])
      assert.isFalse(existsSync(join(folder, "compile-cache")))
    }))
})
