import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { connect, createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, layer } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Fiber, Layer, Redacted, Schedule, Stream } from "effect"
import * as Sql from "#pipeline/store/Sql.ts"
import { freshDatabase } from "../../../test/rig/Database.ts"
import { call, layerTestSurface, operator, rpcClient, SurfaceFiles, session, token } from "../../../test/rig/Surface.ts"
import { databaseAway } from "./faults.ts"

/** A database behind a socket of our own, which can go away and come back. */
class Line extends Context.Service<Line, { readonly cut: Effect.Effect<void>; readonly mend: Effect.Effect<void> }>()(
  "test/Line"
) {}

const layerLine = Layer.unwrap(
  Effect.gen(function* () {
    const { url } = yield* freshDatabase("flowlens")
    const real = new URL(Redacted.value(url) as string)
    const path = (folder: string) => join(folder, `.s.PGSQL.${real.searchParams.get("port")}`)
    const folder = mkdtempSync(join(tmpdir(), "flowlens-line-"))
    const open = new Set<Socket>()
    const server = createServer((near) => {
      const far = connect(path(real.searchParams.get("host")!))
      open.add(near)
      for (const [from, to] of [
        [near, far],
        [far, near]
      ] as const) {
        from.pipe(to)
        from.on("error", () => to.destroy())
        from.on("close", () => to.destroy())
      }
    })
    const mend = Effect.callback<void>((resume) => {
      rmSync(path(folder), { force: true })
      server.listen(path(folder), () => resume(Effect.void))
    })
    const cut = Effect.sync(() => {
      server.close()
      for (const socket of open) socket.destroy()
      open.clear()
    })
    yield* mend
    yield* Effect.addFinalizer(() => cut)
    const through = new URL(real)
    through.searchParams.set("host", folder)
    return Sql.layer({ url: Redacted.make(through.href), connectTimeout: "1 second" }).pipe(
      Layer.provideMerge(Layer.succeed(Line, { cut, mend }))
    )
  })
)

layer(layerTestSurface().pipe(Layer.provideMerge(layerLine)), { excludeTestServices: true })("a database that goes away", (it) => {
  it.effect(
    "is said as such, ends no session and no stream, and all works again when it is back",
    Effect.fnUntraced(function* () {
      yield* operator("anna", "admin")
      const { cut, mend } = yield* Line
      const own = yield* session("anna")
      const { headers } = yield* token("viewer")
      const client = yield* rpcClient(own)
      const stream = yield* Effect.forkChild(Stream.runDrain(client.StatusWatch(undefined)))
      assert.strictEqual((yield* client.AssetList({})).total, 0)

      yield* cut
      const exit = yield* Effect.exit(client.AssetList({})).pipe(Effect.timeout("60 seconds"))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      assert.strictEqual(Exit.isFailure(exit) ? (Cause.squash(exit.cause) as Error).message : "", databaseAway)
      const rest = yield* call("/api/v1/assets", { headers })
      assert.deepInclude(JSON.parse(rest.text), { status: 503, detail: databaseAway })
      assert.strictEqual(rest.headers["retry-after"], "5")
      assert.strictEqual((yield* call("/access/login", { body: { name: "anna", password: "whatever it is" } })).status, 503)
      assert.strictEqual((yield* call("/access/state", { headers: own })).status, 503)
      assert.strictEqual((yield* call("/health")).status, 200)
      // the machine's own secret works without it
      const { data } = yield* SurfaceFiles
      const local = { authorization: `Bearer ${readFileSync(join(data, "local-token"), "utf8")}` }
      assert.strictEqual((yield* call("/api/v1/health", { headers: local })).status, 200)
      // longer than the gate's look at open streams
      yield* Effect.sleep("2500 millis")
      assert.isUndefined(stream.pollUnsafe())

      yield* mend
      const back = yield* client
        .AssetList({})
        .pipe(Effect.sandbox, Effect.retry(Schedule.spaced("200 millis")), Effect.timeout("60 seconds"))
      assert.strictEqual(back.total, 0)
      assert.strictEqual((yield* call("/api/v1/assets", { headers })).status, 200)
      assert.isUndefined(stream.pollUnsafe())
      yield* Fiber.interrupt(stream)
    }, Effect.scoped)
  )
})
