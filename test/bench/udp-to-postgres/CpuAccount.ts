/**
 * CPU seconds of a set of processes, user and system, threads and children that have ended included.
 *
 * With root it is a cgroup (cpuacct of version 1, cpu.stat of version 2), which misses nothing. Without, it is the sum over the live
 * processes of a tree of their own time and of that of the children they waited for (utime, stime, cutime, cstime of proc(5)): a program
 * that ignores SIGCHLD hides its short-lived children from that.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { clockTicks, treeOf } from "./machine.ts"

export interface CpuAccount {
  readonly kind: "cgroup" | "processes"
  /** The process, and what it starts from now on, counts here. */
  readonly add: (pid: number) => void
  readonly seconds: () => number
  readonly close: () => void
}

const groups: ReadonlyArray<{ readonly folder: string; readonly read: (group: string) => number }> = [
  {
    folder: "/sys/fs/cgroup/cpuacct",
    read: (group) => Number(readFileSync(join(group, "cpuacct.usage"), "utf8")) / 1e9
  },
  {
    folder: "/sys/fs/cgroup",
    read: (group) => Number(/usage_usec (\d+)/.exec(readFileSync(join(group, "cpu.stat"), "utf8"))?.[1]) / 1e6
  }
]

const byGroup = (name: string): CpuAccount | undefined => {
  for (const { folder, read } of groups) {
    if (!existsSync(join(folder, "cgroup.procs"))) continue
    const group = join(folder, `flowlens-bench-${process.pid}-${name}`)
    try {
      mkdirSync(group)
      read(group)
    } catch {
      continue
    }
    return {
      kind: "cgroup",
      add: (pid) => {
        for (const one of treeOf(pid)) {
          try {
            writeFileSync(join(group, "cgroup.procs"), String(one))
          } catch {
            // ended in the meantime
          }
        }
      },
      seconds: () => read(group),
      close: () => {
        try {
          rmdirSync(group)
        } catch {
          // a last process is still ending; an empty group costs nothing
        }
      }
    }
  }
  return undefined
}

/** Own time and that of the children waited for, in seconds; 0 for a process that is gone. */
const processSeconds = (pid: number): number => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8")
    // Fields 14 to 17, counted from behind the command: the first there is field 3.
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = text
      .slice(text.lastIndexOf(")") + 2)
      .split(" ")
      .slice(11, 15)
      .map(Number)
    return (user + system + childUser + childSystem) / clockTicks
  } catch {
    return 0
  }
}

/** `without`: subtrees that are counted elsewhere. */
const byProcesses = (without: () => ReadonlyArray<number>): CpuAccount => {
  const tops: Array<number> = []
  let most = 0
  return {
    kind: "processes",
    add: (pid) => void tops.push(pid),
    seconds: () => {
      const excluded = new Set(without().flatMap(treeOf))
      const pids = new Set(tops.flatMap(treeOf).filter((pid) => !excluded.has(pid)))
      // what a process took stays taken when it has ended
      most = Math.max(
        most,
        [...pids].reduce((sum, pid) => sum + processSeconds(pid), 0)
      )
      return most
    },
    close: () => {}
  }
}

let made = 0
export const makeCpuAccount = (name: string, without: () => ReadonlyArray<number> = () => []): CpuAccount =>
  byGroup(`${name}-${++made}`) ?? byProcesses(without)
