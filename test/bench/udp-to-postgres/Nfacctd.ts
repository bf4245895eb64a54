/**
 * The peer: pmacct's nfacctd with its PostgreSQL plugin, on the same cores, fed by the same sender, writing as often, into a server of the
 * same binaries and settings as the appliance's own. `copy` inserts with COPY, `upsert` is its default of update, else insert.
 * Keys are source, destination, destination port and protocol, as it has no notion of a conversation.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { chmodSync, chownSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { PgClient } from "@effect/sql-pg"
import { Effect, Exit, Redacted, Scope } from "effect"
import { Reactivity } from "effect/reactivity"
import { chooseAccount } from "../../../apps/appliance/postgres/account.ts"
import { binariesFor } from "../../../apps/appliance/postgres/binaries.ts"
import { serverSettings } from "../../../apps/appliance/postgres/settings.ts"
import { makeCpuAccount } from "./CpuAccount.ts"
import {
  bound,
  collectorCore,
  flushSeconds,
  freeTcpPort,
  freeUdpPort,
  loadSeconds,
  onCore,
  otherCore,
  pause,
  rounded,
  say,
  temporaryFolder,
  treeOf,
  which
} from "./machine.ts"
import { CONVERSATIONS, type Format, theSender } from "./Sender.ts"

export type Writing = "copy" | "upsert"

export interface PeerReading {
  readonly lossPercent: number
  /** The collector with its writers, and its database. */
  readonly cpuPerMillion: number
  readonly databaseCpuPerMillion: number
}

/** Path of nfacctd when everything the comparison needs is here; else why not. */
export const peerProgram = (): { readonly path: string } | { readonly missing: string } => {
  const path = which("nfacctd")
  if (path === undefined) return { missing: "nfacctd is not installed (Debian package pmacct)" }
  if (theSender().label !== "C") return { missing: "there is no load generator in C" }
  return { path }
}

interface TcpServer {
  readonly port: number
  readonly pid: number
  readonly client: PgClient.PgClient
  readonly stop: () => Promise<void>
}

const ended = (child: ChildProcess) => new Promise<void>((done) => child.once("exit", () => done()))

/** PostgreSQL of the npm binaries on a free TCP port of the loopback; the peer knows no unix sockets. */
const startServer = async (folder: string): Promise<TcpServer> => {
  const cluster = join(folder, "postgres")
  const account = chooseAccount(cluster)
  if (account === undefined) throw new Error("there is no account that could run PostgreSQL")
  chmodSync(folder, 0o755)
  mkdirSync(cluster, { mode: 0o700 })
  if (account.switches) chownSync(cluster, account.uid, account.gid)
  const { native } = await Effect.runPromise(binariesFor(account, folder))
  const as = {
    ...(account.switches ? { uid: account.uid, gid: account.gid } : {}),
    cwd: cluster,
    env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C" }
  }
  const initdb = [`--pgdata=${cluster}`, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
  execFileSync(join(native, "bin/initdb"), initdb, { ...as, stdio: "ignore" })
  const port = await freeTcpPort()
  const settings = { ...serverSettings("safe"), listen_addresses: "127.0.0.1", unix_socket_directories: "", port: String(port) }
  const [program = "", ...argv] = onCore(otherCore, [
    join(native, "bin/postgres"),
    "-D",
    cluster,
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])
  ])
  const log = openSync(join(folder, "postgres.log"), "a")
  const child = spawn(program, argv, { ...as, stdio: ["ignore", log, log] })
  closeSync(log)
  const gone = ended(child)
  const scope = await Effect.runPromise(Scope.make())
  const connect = () =>
    Effect.runPromiseExit(
      PgClient.makeClient({ url: Redacted.make(`postgres://postgres@127.0.0.1:${port}/postgres`) }).pipe(
        Effect.provideService(Scope.Scope, scope),
        Effect.provide(Reactivity.layer)
      )
    )
  for (let waited = 0; waited < 60_000; waited += 100) {
    const client = await connect()
    if (Exit.isSuccess(client) && child.pid !== undefined) {
      return {
        port,
        pid: child.pid,
        client: client.value,
        stop: async () => {
          await Effect.runPromise(Scope.close(scope, Exit.void))
          child.kill("SIGINT")
          await gone
        }
      }
    }
    await pause(100)
  }
  child.kill("SIGQUIT")
  throw new Error(`the peer's database did not start: ${readFileSync(join(folder, "postgres.log"), "utf8").slice(-400)}`)
}

const tableOf = (writing: Writing): ReadonlyArray<string> => [
  `CREATE TABLE acct (ip_src inet NOT NULL, ip_dst inet NOT NULL, port_dst int NOT NULL, ip_proto int NOT NULL, packets bigint NOT NULL,
    bytes bigint NOT NULL, flows bigint, stamp_inserted timestamp(0) NOT NULL, stamp_updated timestamp(0))`,
  ...(writing === "upsert" ? ["CREATE UNIQUE INDEX ON acct (ip_src, ip_dst, port_dst, ip_proto, stamp_inserted)"] : [])
]

const configuration = (writing: Writing, port: number, databasePort: number): string =>
  [
    "daemonize: false",
    "nfacctd_ip: 127.0.0.1",
    `nfacctd_port: ${port}`,
    "nfacctd_pipe_size: 4194304",
    "nfacctd_renormalize: false",
    "aggregate: src_host, dst_host, dst_port, proto",
    "plugin_pipe_size: 67108864",
    "plugin_buffer_size: 65536",
    "plugins: pgsql",
    "sql_host: 127.0.0.1",
    `sql_port: ${databasePort}`,
    "sql_user: postgres",
    "sql_passwd: none",
    "sql_db: postgres",
    "sql_table: acct",
    "sql_table_version: 9",
    "sql_optimize_clauses: true",
    `sql_refresh_time: ${flushSeconds}`,
    "sql_cache_entries: 262139",
    ...(writing === "copy"
      ? ["sql_history: 1m", "sql_dont_try_update: true", "sql_use_copy: true"]
      : ["sql_history: 5m", "sql_history_roundoff: m"]),
    ""
  ].join("\n")

export const readPeer = async (program: string, writing: Writing, format: Format, rate: number): Promise<PeerReading> => {
  const folder = temporaryFolder(`nfacctd-${writing}`)
  const cpu = makeCpuAccount("nfacctd")
  const databaseCpu = makeCpuAccount("nfacctd-postgres")
  let server: TcpServer | undefined
  let collector: ChildProcess | undefined
  try {
    server = await startServer(folder.path)
    databaseCpu.add(server.pid)
    const { client } = server
    for (const statement of tableOf(writing)) await Effect.runPromise(client.unsafe(statement))
    const port = await freeUdpPort()
    const file = join(folder.path, "nfacctd.conf")
    writeFileSync(file, configuration(writing, port, server.port))
    const log = openSync(join(folder.path, "nfacctd.log"), "a")
    const [command = "", ...argv] = onCore(collectorCore, [program, "-f", file])
    collector = spawn(command, argv, { stdio: ["ignore", log, log] })
    closeSync(log)
    const gone = ended(collector)
    // Its plugin is a process of its own, forked once the port is bound: an account opened before would miss it, or not, as it happens.
    for (let waited = 0; !bound(port) || treeOf(collector.pid!).length < 2; waited += 50) {
      if (waited > 20_000)
        throw new Error(`nfacctd did not start: ${readFileSync(join(folder.path, "nfacctd.log"), "utf8").slice(-400)}`)
      await pause(50)
    }
    cpu.add(collector.pid!)
    const stored = async (): Promise<number> => {
      const rows = await Effect.runPromise(
        client.unsafe<{ packets: number }>("SELECT coalesce(sum(packets), 0)::float8 AS packets FROM acct")
      )
      return rows[0]!.packets
    }
    const writers = async (): Promise<number> => {
      const rows = await Effect.runPromise(
        client.unsafe<{ count: number }>(
          "SELECT count(*)::int AS count FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
      )
      return rows[0]!.count
    }
    const sender = theSender()
    await pause(1000)
    const warm = await sender.send({ format, port, rate: Math.min(rate, 100_000), records: CONVERSATIONS * 4 })
    const untilWritten = performance.now() + (2 * flushSeconds + 20) * 1000
    while ((await stored()) < warm.packets && performance.now() < untilWritten) await pause(250)
    const before = await stored()
    const began = { cpu: cpu.seconds(), database: databaseCpu.seconds() }
    const sent = await sender.send({ format, port, rate, records: Math.round(rate * loadSeconds) })
    // Asked to end, it writes what it holds; its writers are children that it does not wait for.
    await pause(500)
    collector.kill("SIGINT")
    await gone
    let last = await stored()
    for (let still = 0; still < 3000 && last < before + sent.packets; still += 250) {
      await pause(250)
      const now = await stored()
      if (now !== last || (await writers()) > 0) still = 0
      last = now
    }
    const millions = sent.records / 1e6
    const reading: PeerReading = {
      lossPercent: rounded(100 * (1 - (last - before) / sent.packets), 4),
      cpuPerMillion: rounded((cpu.seconds() - began.cpu) / millions),
      databaseCpuPerMillion: rounded((databaseCpu.seconds() - began.database) / millions)
    }
    say(
      `nfacctd ${writing} ${format} ${rate}/s: lost ${reading.lossPercent}%, CPU ${reading.cpuPerMillion} + PostgreSQL ` +
        `${reading.databaseCpuPerMillion} s per million (${cpu.kind})`
    )
    return reading
  } finally {
    if (collector !== undefined && collector.exitCode === null) collector.kill("SIGKILL")
    await server?.stop()
    cpu.close()
    databaseCpu.close()
    folder.remove()
  }
}
