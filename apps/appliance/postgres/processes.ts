/** What /proc says about processes: the identity of one (a process id alone is used again), and who owns the data folder. */
import { linkSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs"

/** Start time of a process in clock ticks since boot; undefined when there is no such process (or it is a zombie). */
export const startTicks = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // the command is in parentheses and may hold anything: fields count from behind it (proc_pid_stat(5): state is 3, starttime 22)
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return fields[0] === "Z" ? undefined : fields[19]
  } catch {
    return undefined
  }
}

export const isAlive = (pid: number): boolean => startTicks(pid) !== undefined

/** Processes of a server on `cluster`, the postmaster included: every one of them works in that folder. */
export const serversIn = (cluster: string): ReadonlyArray<number> =>
  readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => isServerIn(pid, cluster))

/** A process id alone may live on as another process. */
export const isServerIn = (pid: number, cluster: string): boolean => {
  try {
    return (
      readlinkSync(`/proc/${pid}/cwd`) === cluster &&
      readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "postgres" &&
      isAlive(pid)
    )
  } catch {
    return false
  }
}

const readOwner = (path: string): { readonly pid: number; readonly ticks: string } | undefined => {
  try {
    const [pid = "", ticks = ""] = readFileSync(path, "utf8").trim().split(" ")
    return { pid: Number(pid), ticks }
  } catch {
    return undefined
  }
}

/** The living process that owns the folder, if any. */
export const owner = (path: string): number | undefined => {
  const found = readOwner(path)
  return found !== undefined && startTicks(found.pid) === found.ticks ? found.pid : undefined
}

/**
 * Takes the lock file for this process; answers the process id of the living owner when there is one. The lock of a process that was
 * killed is taken over. A link to a finished file is made in one step, so that of two processes that start together one gets it.
 */
export const takeOwnership = (path: string): { readonly release: () => void } | { readonly owner: number } => {
  const mine = `${process.pid} ${startTicks(process.pid)}`
  const own = `${path}.${process.pid}`
  writeFileSync(own, `${mine}\n`, { mode: 0o644 })
  try {
    for (;;) {
      try {
        linkSync(own, path)
        return {
          release: () => {
            const found = readOwner(path)
            if (found !== undefined && `${found.pid} ${found.ticks}` === mine) rmSync(path, { force: true })
          }
        }
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause
      }
      const living = owner(path)
      if (living !== undefined) return { owner: living }
      // Moved aside, not removed: if another starter replaced it between our look and our move, its lock is put back.
      const aside = `${own}.stale`
      try {
        renameSync(path, aside)
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === "ENOENT") continue
        throw cause
      }
      const moved = owner(aside)
      if (moved !== undefined) {
        renameSync(aside, path)
        return { owner: moved }
      }
      rmSync(aside, { force: true })
    }
  } finally {
    rmSync(own, { force: true })
  }
}
