/** One run of the server process. */

import { spawn } from "node:child_process"
import { join } from "node:path"
import { Effect } from "effect"
import type { Binaries } from "./binaries.ts"
import { endServers, exitOf, readPidFile, spawnOptions } from "./cluster.ts"
import { type Folders, port } from "./folders.ts"
import type { LogFile } from "./LogFile.ts"
import { faultFromLog, type PostgresFault } from "./PostgresFault.ts"
import { isServerIn } from "./processes.ts"

export interface Server {
  readonly pid: number
  /** Waits for the end of the process; answers its last log lines. */
  readonly ended: Effect.Effect<string>
  /** Fast shutdown; ends when the process is gone. */
  readonly stop: Effect.Effect<void>
}

/**
 * The server's parent is a shell that waits for it, and sends it a fast shutdown when our end of the pipe closes: after `kill -9` of
 * the appliance the database is stopped cleanly within moments, whether or not the appliance is ever started again.
 */
const keeper = `exec 3<&0 </dev/null
"$@" 3<&- & server=$!
(read -r _ <&3; kill -INT $server) & watch=$!
exec 3<&-
wait $server; code=$?
kill $watch 2>/dev/null
exit $code`

/** A server that replays its log after a crash answers late: up to `max_wal_size` is read back. */
const longestRecoveryMilliseconds = 600_000

export const startServer = Effect.fn("EmbeddedPostgres.start")(function* (
  folders: Folders,
  binaries: Binaries,
  log: LogFile,
  settings: Readonly<Record<string, string>>
): Effect.fn.Return<Server, PostgresFault> {
  const { cluster, socket } = folders
  const from = log.size()
  const child = yield* Effect.sync(() =>
    spawn(
      "/bin/sh",
      [
        "-c",
        keeper,
        "flowlens-postgres",
        join(binaries.native, "bin", "postgres"),
        "-D",
        cluster,
        "-k",
        socket,
        "-p",
        String(port),
        ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])
      ],
      { ...spawnOptions(folders), cwd: cluster, stdio: ["pipe", log.fd, log.fd] }
    )
  )
  let over = false
  let failure = ""
  child.once("exit", () => (over = true))
  child.once("error", (cause) => {
    over = true
    failure = String(cause)
  })
  child.stdin?.on("error", () => {})
  const started = () => {
    const found = readPidFile(cluster)
    return found?.ready === true && isServerIn(found.pid, cluster) ? found.pid : undefined
  }
  const stop = Effect.gen(function* () {
    child.stdin?.destroy()
    if (!over) yield* exitOf(child).pipe(Effect.ignore, Effect.timeoutOption("30 seconds"))
    yield* endServers(cluster)
  })
  const wait = Effect.gen(function* () {
    for (let waited = 0; waited < longestRecoveryMilliseconds; waited += 10) {
      if (over) break
      const pid = started()
      if (pid !== undefined) return pid
      if (waited > 0 && waited % 10_000 === 0)
        yield* Effect.logInfo("the database is recovering").pipe(Effect.annotateLogs({ waited }))
      yield* Effect.sleep("10 millis")
    }
    return yield* faultFromLog("postgres did not start", failure || log.since(from))
  })
  const pid = yield* wait.pipe(Effect.onExit((exit) => (exit._tag === "Failure" ? stop : Effect.void)))
  return {
    pid,
    stop,
    ended: exitOf(child).pipe(
      Effect.ignore,
      Effect.map(() => log.since(Math.max(from, log.size() - 2048)).trim())
    )
  }
})
