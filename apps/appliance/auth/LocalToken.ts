/**
 * The secret by which `flowlens status` on this machine asks the running appliance: a file that only its account can read, new at every
 * start, never in the database, so it works while the database is away. It may look, not change.
 */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Context, Effect, Layer } from "effect"
import { newToken, sameSecret } from "./secret.ts"

export const localTokenPath = (dataFolder: string): string => join(dataFolder, "local-token")

export class LocalToken extends Context.Service<LocalToken, { readonly is: (text: string) => boolean }>()(
  "appliance/auth/LocalToken"
) {
  static readonly layer = (dataFolder: string): Layer.Layer<LocalToken> =>
    Layer.effect(
      LocalToken,
      Effect.gen(function* () {
        const path = localTokenPath(dataFolder)
        const secret = newToken()
        yield* Effect.acquireRelease(
          Effect.sync(() => {
            // with a database elsewhere nobody made the folder yet
            mkdirSync(dataFolder, { recursive: true })
            // a file that stands already keeps its mode when it is written to
            rmSync(path, { force: true })
            writeFileSync(path, secret, { mode: 0o600, flag: "wx" })
            chmodSync(path, 0o600)
          }),
          () => Effect.sync(() => rmSync(path, { force: true }))
        )
        return LocalToken.of({ is: (text) => sameSecret(text, secret) })
      })
    )
}
