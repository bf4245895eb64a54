/**
 * One PostgreSQL for all test files of a run, started when the first of them asks: a run of pure tests starts none. The run's main
 * process owns it, answers its URL on a unix socket and stops it at the end (or, when the run is killed, the server's keeper does).
 */

import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Context, Effect, Exit, Layer, Redacted, Scope } from "effect"
import type { TestProject } from "vitest/node"
import { layerMigrations } from "#pipeline/store/migrations/index.ts"
import * as Sql from "#pipeline/store/Sql.ts"
import { EmbeddedPostgres } from "../../apps/appliance/postgres/EmbeddedPostgres.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** Unix socket that answers the URL of the run's PostgreSQL. */
    readonly rig: string
  }
}

export default async function setup(project: TestProject) {
  const folder = mkdtempSync(join(tmpdir(), "flowlens-rig-"))
  // the database's account must get to its folder
  chmodSync(folder, 0o755)
  const scope = Scope.makeUnsafe()
  let url: Promise<string> | undefined
  const start = () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const context = yield* Layer.buildWithScope(
          EmbeddedPostgres.layer({ dataFolder: join(folder, "data"), durability: "test" }),
          scope
        )
        const postgres = Context.get(context, EmbeddedPostgres)
        // the server's own database becomes the migrated one that test databases are copied from
        yield* Effect.scoped(Layer.build(layerMigrations.pipe(Layer.provide(Sql.layer({ url: postgres.url })))))
        return Redacted.value(postgres.urlOf("postgres")) as string
      })
    )
  const server = createServer((socket) => {
    socket.on("error", () => {})
    url ??= start()
    url.then(
      (text) => socket.end(JSON.stringify({ url: text })),
      (cause) => socket.end(JSON.stringify({ fault: String(cause) }))
    )
  })
  const path = join(folder, "rig.sock")
  await new Promise<void>((resolve) => server.listen(path, resolve))
  project.provide("rig", path)
  return async () => {
    server.close()
    await url?.catch(() => {})
    await Effect.runPromise(Scope.close(scope, Exit.void))
    rmSync(folder, { recursive: true, force: true })
  }
}
