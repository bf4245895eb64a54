/** What the measurements need of the machine: free ports, a core for each side, programs on the PATH, folders that go away again. */
import { execFileSync, spawnSync } from "node:child_process"
import { createSocket } from "node:dgram"
import { accessSync, constants, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { availableParallelism, tmpdir } from "node:os"
import { delimiter, join } from "node:path"

export const root = join(import.meta.dirname, "../../..")

/** Seconds of load of one run, and how often it is repeated; medians are reported. */
const positive = (name: string, otherwise: number): number => {
  const value = Number(process.env[name] ?? otherwise)
  if (!(value > 0)) throw new Error(`${name} must be a number above 0`)
  return value
}
export const loadSeconds = positive("FLOWLENS_BENCH_SECONDS", 10)
export const rounds = Math.ceil(positive("FLOWLENS_BENCH_ROUNDS", 1))
/** How often what was seen is written: the appliance's `aggregation.flush_interval_seconds` and the peer's refresh time. */
export const flushSeconds = Math.ceil(positive("FLOWLENS_BENCH_FLUSH_SECONDS", 10))

export const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

/** Says on standard error what standard output has no line for. */
export const say = (text: string): void => void process.stderr.write(`# ${text}\n`)

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

export const rounded = (value: number, digits = 3): number => Math.round(value * 10 ** digits) / 10 ** digits

export const which = (program: string): string | undefined => {
  for (const folder of [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"]) {
    const path = join(folder, program)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // the next folder
    }
  }
  return undefined
}

export const freeTcpPort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

export const freeUdpPort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const socket = createSocket("udp4")
    socket.once("error", reject)
    socket.bind(0, "0.0.0.0", () => {
      const { port } = socket.address()
      socket.close(() => resolve(port))
    })
  })

/** Somebody listens on this UDP port, over IPv4. */
export const bound = (port: number): boolean =>
  readFileSync("/proc/net/udp", "latin1").includes(`:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000`)

export const temporaryFolder = (name: string): { readonly path: string; readonly remove: () => void } => {
  const path = mkdtempSync(join(tmpdir(), `flowlens-bench-${name}-`))
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }) }
}

/** Cores this process may run on, as taskset numbers them. */
const cores = ((): ReadonlyArray<number> => {
  const allowed = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? ""
  return allowed.split(",").flatMap((range) => {
    const [from = 0, to = from] = range.split("-").map(Number)
    return Array.from({ length: to - from + 1 }, (_, i) => from + i)
  })
})()

const taskset = availableParallelism() >= 2 && cores.length >= 2 ? which("taskset") : undefined
/** The collector has a core to itself; who sends and the database share the other. */
export const collectorCore = cores[0] ?? 0
export const otherCore = cores[1] ?? 0
export const pinned = taskset !== undefined

/** The command, on that core where cores can be had. */
export const onCore = (core: number, command: ReadonlyArray<string>): ReadonlyArray<string> =>
  taskset === undefined ? command : [taskset, "-c", String(core), ...command]

/** Moves a running process with all its threads; what it starts later follows. */
export const moveToCore = (core: number, pid: number): void => {
  if (taskset !== undefined) spawnSync(taskset, ["-a", "-c", "-p", String(core), String(pid)], { stdio: "ignore" })
}

const parentOf = (pid: string): number | undefined => {
  try {
    // field 4; the command in parentheses before it may hold spaces (proc(5))
    const text = readFileSync(`/proc/${pid}/stat`, "utf8")
    return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1])
  } catch {
    return undefined
  }
}

/** The process and everything below it, as of now. */
export const treeOf = (top: number): ReadonlyArray<number> => {
  const children = new Map<number, Array<number>>()
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue
    const parent = parentOf(name)
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const found = [top]
  for (const pid of found) found.push(...(children.get(pid) ?? []))
  return found
}

export const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

export const clockTicks = ((): number => {
  try {
    return Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" })) || 100
  } catch {
    return 100
  }
})()
