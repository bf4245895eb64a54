/** A whole appliance in a process of its own, as `npm start` runs it, with what it stored readable from outside. */
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, existsSync, openSync, readdirSync, readFileSync, realpathSync } from "node:fs"
import { request } from "node:https"
import { join } from "node:path"
import { PgClient } from "@effect/sql-pg"
import { Effect, Exit, type Redacted, Scope } from "effect"
import { Reactivity } from "effect/reactivity"
import { attach } from "../../../apps/appliance/postgres/EmbeddedPostgres.ts"
import { type CpuAccount, makeCpuAccount } from "./CpuAccount.ts"
import {
  bound,
  clockTicks,
  collectorCore,
  flushSeconds,
  freeTcpPort,
  freeUdpPort,
  moveToCore,
  onCore,
  otherCore,
  pause,
  root,
  treeOf
} from "./machine.ts"

export interface StoredTotals {
  readonly records: number
  readonly rawPackets: number
  readonly slices: number
  /** As the running appliance said last: decoded and folded, and written. */
  readonly folded: number
  readonly written: number
  /** Entries of the journal: traffic that is in the windows and not yet in the tables. */
  readonly waiting: number
}

export interface Appliance {
  readonly pid: number
  /** Seconds from the start of the process to the first answer over HTTPS. */
  readonly httpsSeconds: number
  readonly netflowPort: number
  readonly ipfixPort: number
  readonly sflowPort: number
  /** The process with its threads, and the processes of its database. */
  readonly cpu: CpuAccount
  readonly databaseCpu: CpuAccount
  /** Cheap: asked while the database's CPU is counted. */
  readonly stored: () => Promise<StoredTotals>
  /** Rows of flow_stats; not cheap. */
  readonly rows: () => Promise<number>
  /** Most resident memory of the process so far, MiB. */
  readonly peakMemory: () => number
  /** CPU seconds so far by thread name. */
  readonly threads: () => Readonly<Record<string, number>>
  /** Asks it to end, and waits until it did: it writes what it holds, into every table. The accounts can be read afterwards. */
  readonly end: () => Promise<void>
  /** Ends it where it still runs, and closes the accounts. */
  readonly stop: () => Promise<void>
}

const answers = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const call = request(
      { host: "127.0.0.1", port, path: "/health", rejectUnauthorized: false, agent: false, timeout: 2000 },
      (response) => {
        response.resume()
        response.once("end", () => done(true))
      }
    )
    call.once("error", () => done(false))
    call.once("timeout", () => call.destroy())
    call.end()
  })

/** Ours only: knobs of the caller's environment must not change what is measured, and the benchmarks' own are no knobs. */
const environment = (own: Readonly<Record<string, string>>): Record<string, string> => ({
  ...(Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("FLOWLENS_"))) as Record<string, string>),
  ...own
})

/** Node names its threads; a flow worker has its own name, its compiler and collector helpers are V8's. */
const threadsOf = (pid: number): Readonly<Record<string, number>> => {
  const found: Record<string, number> = {}
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const text = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8")
      const end = text.lastIndexOf(")")
      const [user = 0, system = 0] = text
        .slice(end + 2)
        .split(" ")
        .slice(11, 13)
        .map(Number)
      const name = text.slice(text.indexOf("(") + 1, end)
      found[name] = (found[name] ?? 0) + (user + system) / clockTicks
    } catch {
      // ended in the meantime
    }
  }
  return found
}

export interface StartOptions {
  readonly dataFolder: string
  /** Not pinned to one core, as an operator starts it. */
  readonly anyCore?: boolean
}

export const startAppliance = async ({ dataFolder, anyCore = false }: StartOptions): Promise<Appliance> => {
  const [apiPort, netflowPort, ipfixPort, sflowPort] = await Promise.all([
    freeTcpPort(),
    freeUdpPort(),
    freeUdpPort(),
    freeUdpPort()
  ])
  const extra = (process.env["FLOWLENS_BENCH_NODE_OPTIONS"] ?? "").split(" ").filter((one) => one !== "")
  const command = [process.execPath, ...extra, join(root, "apps/appliance/main.ts"), "start"]
  const [program = "", ...argv] = anyCore ? command : onCore(collectorCore, command)
  const log = openSync(`${dataFolder}.log`, "a")
  const began = performance.now()
  const child: ChildProcess = spawn(program, argv, {
    cwd: root,
    stdio: ["ignore", log, log],
    env: environment({
      FLOWLENS_DATA: dataFolder,
      FLOWLENS_API_HOST: "127.0.0.1",
      FLOWLENS_API_PORT: String(apiPort),
      FLOWLENS_INGESTION_BIND_ADDRESS: "127.0.0.1",
      FLOWLENS_INGESTION_NETFLOW_PORT: String(netflowPort),
      FLOWLENS_INGESTION_IPFIX_PORT: String(ipfixPort),
      FLOWLENS_INGESTION_SFLOW_PORT: String(sflowPort),
      FLOWLENS_AGGREGATION_FLUSH_INTERVAL_SECONDS: String(flushSeconds)
    })
  })
  closeSync(log)
  let over = false
  const ended = new Promise<void>((done) => {
    const settled = () => {
      over = true
      done()
    }
    child.once("error", settled)
    child.once("exit", settled)
  })
  while (!over && !(await answers(apiPort))) {
    if (performance.now() - began > 120_000) child.kill("SIGKILL")
    await pause(20)
  }
  const httpsSeconds = (performance.now() - began) / 1000
  const ports = [netflowPort, ipfixPort, sflowPort]
  for (let waited = 0; !over && !ports.every(bound); waited += 50) {
    if (waited > 20_000) {
      child.kill("SIGTERM")
      await ended
    }
    await pause(50)
  }
  if (over || child.pid === undefined) {
    throw new Error(`the appliance did not start: ${readFileSync(`${dataFolder}.log`, "utf8").slice(-800)}`)
  }
  const { pid } = child

  // The database: out of the collector's core and into an account of its own.
  const postmaster = Number(readFileSync(join(realpathSync(join(dataFolder, "postgres")), "postmaster.pid"), "utf8").split("\n")[0])
  const cpu = makeCpuAccount("appliance", () => [postmaster])
  const databaseCpu = makeCpuAccount("postgres")
  cpu.add(pid)
  databaseCpu.add(postmaster)
  if (!anyCore) for (const one of treeOf(postmaster)) moveToCore(otherCore, one)

  const url = (await Effect.runPromise(attach(dataFolder))) as Redacted.Redacted
  const scope = await Effect.runPromise(Scope.make())
  const sql = await Effect.runPromise(
    PgClient.makeClient({ url }).pipe(Effect.provideService(Scope.Scope, scope), Effect.provide(Reactivity.layer))
  )
  const read = sql<StoredTotals>`SELECT
    (SELECT coalesce(sum(records), 0)::float8 FROM windows) AS "records",
    (SELECT coalesce(sum(raw_packets), 0)::float8 FROM windows) AS "rawPackets",
    (SELECT coalesce(sum(slices), 0)::float8 FROM windows) AS "slices",
    (SELECT coalesce(sum(records), 0)::float8 FROM boots) AS "folded",
    (SELECT coalesce(sum(records_written), 0)::float8 FROM boots) AS "written",
    (SELECT count(*)::float8 FROM window_journal) AS "waiting"`
  const count = sql<{ readonly count: number }>`SELECT count(*)::float8 AS count FROM flow_stats`

  const end = async (): Promise<void> => {
    if (over) return
    await Effect.runPromise(Scope.close(scope, Exit.void))
    const late = setTimeout(() => child.kill("SIGKILL"), 60_000)
    child.kill("SIGTERM")
    for (let waited = 0; !over || (existsSync(`/proc/${postmaster}`) && waited < 5000); waited += 50) {
      // where the accounts are those of live processes, this is the last that is heard of them
      cpu.seconds()
      databaseCpu.seconds()
      await pause(50)
    }
    clearTimeout(late)
    await ended
  }

  return {
    pid,
    httpsSeconds,
    netflowPort,
    ipfixPort,
    sflowPort,
    cpu,
    databaseCpu,
    stored: () => Effect.runPromise(Effect.map(read, (rows) => rows[0]!)),
    rows: () => Effect.runPromise(Effect.map(count, (rows) => rows[0]!.count)),
    peakMemory: () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024,
    threads: () => threadsOf(pid),
    end,
    stop: async () => {
      await end()
      cpu.close()
      databaseCpu.close()
    }
  }
}
