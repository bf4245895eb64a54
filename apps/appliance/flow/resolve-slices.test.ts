/** How slices are taken, merged, split and given up, with a store that does as it is told; test/corridor has the real one. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, Schedule } from "effect"
import { SqlError } from "effect/sql"
import { onTestFinished } from "vitest"
import type { WindowSlice } from "#domain/Window.ts"
import { Resolver, type SliceWrite, type WriteResult } from "#pipeline/resolve/Resolver.ts"
import { openSpool } from "#pipeline/window/Spool.ts"
import { layerTestDatabase } from "../../../test/rig/Database.ts"
import { randomFrom } from "../../../test/rig/flow-records.ts"
import { randomSlice } from "../../../test/rig/random-slice.ts"
import { makeBacklog, type Waiting } from "./Backlog.ts"
import { makeWriteState, resolveSlices } from "./resolve-slices.ts"

const random = randomFrom(1)
const sliceOf = (sequence: number, fields: Partial<WindowSlice> = {}): WindowSlice => ({
  ...randomSlice(random, { worker: "worker-1", windowStart: 300_000, sequence, records: 1, final: false, ...fields })
})

const result = (alreadyWritten: WriteResult["alreadyWritten"] = []): WriteResult => ({
  written: alreadyWritten.length === 0,
  alreadyWritten,
  edges: 1,
  newAssets: 0,
  newDependencies: 0,
  reopenedDependencies: 0,
  turnedDependencies: 0
})
const sqlError = (Reason: typeof SqlError.ConnectionError | typeof SqlError.ConstraintError) =>
  new SqlError.SqlError({ reason: new Reason({ cause: new Error("as told") }) })

/** A running `flow/resolve` over slices of the numbers 0 to `count` - 1, all on disk. `write` decides what the store says. */
const running = Effect.fnUntraced(function* (
  count: number,
  write: (slice: SliceWrite) => Effect.Effect<WriteResult, SqlError.SqlError>,
  options: { readonly memoryBytes?: number; readonly spoil?: (file: string, sequence: number) => void } = {}
) {
  const folder = mkdtempSync(join(tmpdir(), "flowlens-resolve-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const spool = yield* openSpool({ folder, maxBytes: 1e9, bootAt: 1 })
  const backlog = makeBacklog({ memoryBytes: options.memoryBytes ?? 1e9, mostWaitMs: 60_000, workers: 1 })
  for (let n = 0; n < count; n++) {
    const slice = sliceOf(n)
    const spooled = yield* spool.put(slice)
    options.spoil?.(spooled.file, n)
    backlog.add(slice, spooled, n)
  }
  const writes: Array<ReadonlyArray<number>> = []
  const collapsed = { times: 0, takenBack: 0 }
  const collapse = () => {
    collapsed.times++
    return { most: 0, each: () => ({ counted: 0, duplicates: 0 }), undo: () => void collapsed.takenBack++ }
  }
  const written: Array<number> = []
  const lost: Array<number> = []
  const done = yield* Deferred.make<void>()
  const settled = () => (written.length + lost.length === count ? Deferred.doneUnsafe(done, Effect.void) : false)
  const numbers = (waiting: ReadonlyArray<Waiting>) => waiting.map(({ facts }) => facts.sequence)
  const state = makeWriteState()
  const body = resolveSlices(
    {
      backlog,
      spool,
      collapse,
      written: (waiting) =>
        Effect.sync(() => {
          written.push(...numbers(waiting))
          settled()
        }),
      lost: (one) =>
        Effect.sync(() => {
          lost.push(one.facts.sequence)
          settled()
        })
    },
    state
  ).pipe(
    Effect.provideService(
      Resolver,
      Resolver.of({
        write: (slice) =>
          Effect.suspend(() => {
            writes.push(slice.claims.map(({ sequence }) => sequence))
            return write(slice)
          })
      } as Resolver["Service"])
    )
  )
  const files = () => readdirSync(folder).sort()
  return { body, writes, written, lost, files, backlog, state, collapsed, done: Deferred.await(done) }
})

const all = (count: number) => Array.from({ length: count }, (_, n) => n)

layer(layerTestDatabase, { excludeTestServices: true })("resolve-slices", (it) => {
  it.effect("writes what waits of a window at once, and takes it off the disk", () =>
    Effect.gen(function* () {
      const run = yield* running(6, () => Effect.succeed(result()))
      yield* Effect.forkScoped(run.body)
      yield* run.done
      assert.deepStrictEqual(run.writes, [all(6)])
      assert.deepStrictEqual(run.written, all(6))
      yield* Effect.suspend(() => (run.files().length === 0 ? Effect.void : Effect.fail("files left"))).pipe(
        Effect.retry(Schedule.spaced("10 millis"))
      )
      assert.deepInclude(run.state, { writes: 1, slices: 6, failures: 0 })
    })
  )

  it.effect("reads back what memory did not hold", () =>
    Effect.gen(function* () {
      const run = yield* running(3, ({ claims }) => Effect.succeed(result(claims.length === 3 ? [] : claims)), { memoryBytes: 0 })
      assert.strictEqual(run.backlog.reading().memoryBytes, 0)
      yield* Effect.forkScoped(run.body)
      yield* run.done
      assert.deepStrictEqual(run.writes, [all(3)])
    })
  )

  it.effect("finds the one slice that the store refuses, sets it aside and writes the others", () =>
    Effect.gen(function* () {
      const run = yield* running(7, ({ claims }) =>
        claims.some(({ sequence }) => sequence === 4) ? Effect.fail(sqlError(SqlError.ConstraintError)) : Effect.succeed(result())
      )
      yield* Effect.forkScoped(run.body)
      yield* run.done
      assert.deepStrictEqual(run.lost, [4])
      assert.deepStrictEqual([...run.written].sort(), [0, 1, 2, 3, 5, 6])
      assert.strictEqual(run.writes.filter((claims) => claims.length === 1 && claims[0] === 4).length, 3)
      assert.deepStrictEqual(
        run.files().map((name) => name.split("-").at(-1)),
        ["4.slice.bad"]
      )
    })
  )

  it.effect("treats an exception over a slice as the slice's fault", () =>
    Effect.gen(function* () {
      const run = yield* running(2, ({ claims }) =>
        claims.some(({ sequence }) => sequence === 0) ? Effect.die(new Error("a bug")) : Effect.succeed(result())
      )
      yield* Effect.forkScoped(run.body)
      yield* run.done
      assert.deepStrictEqual([run.lost, run.written], [[0], [1]])
    })
  )

  it.effect("leaves out what was written before, and writes the rest", () =>
    Effect.gen(function* () {
      const before = new Set([1, 2])
      const run = yield* running(4, ({ claims }) => Effect.succeed(result(claims.filter(({ sequence }) => before.has(sequence)))))
      yield* Effect.forkScoped(run.body)
      yield* run.done
      assert.deepStrictEqual(run.writes, [all(4), [0, 3]])
      assert.deepStrictEqual(run.collapsed, { times: 2, takenBack: 1 })
      assert.deepStrictEqual([...run.written].sort(), all(4))
      assert.deepStrictEqual(run.lost, [])
    })
  )

  it.effect("waits for a database that is away; nothing is lost", () =>
    Effect.gen(function* () {
      let away = 2
      const run = yield* running(3, () =>
        Effect.suspend(() => (away-- > 0 ? Effect.fail(sqlError(SqlError.ConnectionError)) : Effect.succeed(result())))
      )
      yield* Effect.forkScoped(run.body)
      yield* run.done
      assert.deepStrictEqual(run.writes, [all(3), all(3), all(3)])
      assert.deepStrictEqual(run.collapsed, { times: 3, takenBack: 2 })
      assert.deepStrictEqual(run.lost, [])
      assert.strictEqual(run.state.failures, 0)
    })
  )

  it.effect("gives up a file that is torn, and writes the others", () =>
    Effect.gen(function* () {
      const run = yield* running(3, () => Effect.succeed(result()), {
        memoryBytes: 0,
        spoil: (file, n) => n === 1 && writeFileSync(file, "FLSLICE1 torn")
      })
      yield* Effect.forkScoped(run.body)
      yield* run.done
      assert.deepStrictEqual([run.lost, run.written], [[1], [0, 2]])
    })
  )

  it.effect("keeps what it was writing when it is ended in the middle", () =>
    Effect.gen(function* () {
      const hung = yield* Deferred.make<void>()
      let first = true
      const run = yield* running(3, () =>
        Effect.suspend(() => {
          if (!first) return Effect.succeed(result())
          first = false
          return Effect.andThen(Deferred.succeed(hung, undefined), Effect.never)
        })
      )
      const fiber = yield* Effect.forkScoped(run.body)
      yield* Deferred.await(hung)
      assert.isNumber(run.state.since)
      yield* Fiber.interrupt(fiber)
      assert.isUndefined(run.state.since)
      assert.strictEqual(run.backlog.reading().slices, 3)
      assert.deepStrictEqual(run.collapsed, { times: 1, takenBack: 1 })
      yield* Effect.forkScoped(run.body)
      yield* run.done
      assert.deepStrictEqual(run.written, all(3))
    })
  )
})
