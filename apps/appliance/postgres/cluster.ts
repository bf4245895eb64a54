/** The database files: made when there are none, of the right version, and nobody else's process on them. */

import { type ChildProcess, spawn } from "node:child_process"
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { Effect } from "effect"
import type { Binaries } from "./binaries.ts"
import { type Folders, fromErrno } from "./folders.ts"
import type { LogFile } from "./LogFile.ts"
import { faultFromLog, PostgresFault, permissionFault, versionFault } from "./PostgresFault.ts"
import { isServerIn, serversIn } from "./processes.ts"
import type { Durability } from "./settings.ts"

export const superuser = "flowlens"

/** postmaster.pid: 1 process id, 2 data folder, 3 start, 4 port, 5 socket folder, 6 listen address, 7 shared memory, 8 status. */
export const readPidFile = (
  cluster: string
): { readonly pid: number; readonly socket: string; readonly ready: boolean } | undefined => {
  try {
    const lines = readFileSync(join(cluster, "postmaster.pid"), "utf8").split("\n")
    const pid = Number(lines[0])
    return Number.isInteger(pid) && pid > 1 ? { pid, socket: lines[4] ?? "", ready: lines[7]?.trim() === "ready" } : undefined
  } catch {
    return undefined
  }
}

const attempt = <A>(what: string, run: () => A): Effect.Effect<A, PostgresFault> =>
  Effect.try({
    try: run,
    catch: (cause) => (cause instanceof PostgresFault ? cause : fromErrno(cause as NodeJS.ErrnoException, what))
  })

/** How a child of ours is started: as the account, out of reach of the terminal's Ctrl-C, with an environment that says nothing. */
export const spawnOptions = ({ account }: Folders) => ({
  ...(account.switches ? { uid: account.uid, gid: account.gid } : {}),
  detached: true,
  env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C" }
})

/** The exit code, or what kept the program from starting. */
export const exitOf = (child: ChildProcess) =>
  Effect.callback<number, Error>((resume) => {
    const settled = () => resume(Effect.succeed(child.exitCode ?? 128))
    if (child.exitCode !== null || child.signalCode !== null) return settled()
    child.once("exit", settled)
    child.once("error", (cause) => resume(Effect.fail(cause)))
    return Effect.sync(() => child.off("exit", settled))
  })

/** Runs initdb unless the cluster exists. It gets its name only when it is whole, so that a start killed here starts over. */
export const initialise = Effect.fn("EmbeddedPostgres.initialise")(function* (
  folders: Folders,
  binaries: Binaries,
  log: LogFile,
  durability: Durability
) {
  const { cluster, account } = folders
  if (existsSync(join(cluster, "PG_VERSION"))) {
    const found = yield* attempt(cluster, () => readFileSync(join(cluster, "PG_VERSION"), "utf8").trim())
    if (found !== String(binaries.major)) {
      return yield* versionFault(`${cluster} was written by PostgreSQL ${found}, this release brings ${binaries.major}`)
    }
    return
  }
  const prefix = `${basename(cluster)}.initialising-`
  const unfinished = join(dirname(cluster), `${prefix}${process.pid}`)
  yield* attempt(unfinished, () => {
    if (existsSync(cluster)) throw permissionFault(`${cluster} exists and is no database`, "move it away")
    for (const name of readdirSync(dirname(cluster))) {
      if (name.startsWith(prefix)) rmSync(join(dirname(cluster), name), { recursive: true, force: true })
    }
    mkdirSync(unfinished, { mode: 0o700 })
    if (account.switches) chownSync(unfinished, account.uid, account.gid)
  })
  const from = log.size()
  const code = yield* Effect.suspend(() =>
    exitOf(
      spawn(
        join(binaries.native, "bin", "initdb"),
        [
          `--pgdata=${unfinished}`,
          `--username=${superuser}`,
          "--encoding=UTF8",
          "--locale=C",
          "--locale-provider=builtin",
          "--builtin-locale=C.UTF-8",
          // Whoever may open the socket (its folder is 0700) may log in; the network may not.
          "--auth-local=trust",
          "--auth-host=reject",
          ...(durability === "test" ? ["--no-sync"] : [])
        ],
        { ...spawnOptions(folders), cwd: unfinished, stdio: ["ignore", log.fd, log.fd] }
      )
    )
  ).pipe(Effect.mapError((cause) => faultFromLog("initdb did not start", String(cause))))
  if (code !== 0) {
    rmSync(unfinished, { recursive: true, force: true })
    return yield* faultFromLog("initdb failed", log.since(from))
  }
  yield* attempt(cluster, () => renameSync(unfinished, cluster))
})

/** Polls: there is no event for a process that is not our child. */
export const waitUntil = Effect.fnUntraced(function* (holds: () => boolean, milliseconds: number) {
  for (let waited = 0; !holds(); waited += 20) {
    if (waited >= milliseconds) return false
    yield* Effect.sleep("20 millis")
  }
  return true
})

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch {
    // gone in the meantime
  }
}

/**
 * Ends every server process on the cluster: fast (clients are cut, everything is written), after 30 s at once (the next start
 * recovers), at last by force. Backends that lost their postmaster end by themselves within moments.
 */
export const endServers = Effect.fnUntraced(function* (cluster: string) {
  for (const [name, milliseconds] of [
    ["SIGINT", 30_000],
    ["SIGQUIT", 5_000],
    ["SIGKILL", 5_000]
  ] as const) {
    const postmaster = readPidFile(cluster)?.pid
    const orphaned = postmaster === undefined || !isServerIn(postmaster, cluster)
    if (!orphaned) signal(postmaster, name)
    if (orphaned && name === "SIGKILL") for (const pid of serversIn(cluster)) signal(pid, name)
    if (yield* waitUntil(() => serversIn(cluster).length === 0, orphaned ? 5_000 : milliseconds)) return
  }
})

/** Stops what a killed run left and takes away its pid file. Answers whether a server still ran. */
export const clearRemains = Effect.fn("EmbeddedPostgres.clearRemains")(function* (cluster: string) {
  const orphan = serversIn(cluster).length > 0
  if (orphan) yield* endServers(cluster)
  // Postgres refuses to start while the process id in there lives, as whatever process. No server works in this folder any more.
  yield* attempt(cluster, () => rmSync(join(cluster, "postmaster.pid"), { force: true }))
  return orphan
})
