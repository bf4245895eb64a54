/**
 * One write of a window: 50,000 conversations of 20,000 hosts, collapsed and written into the appliance's own PostgreSQL, crash-safe as in
 * production. `write-new`: none was known. `write-known`: all were, in a window that has traffic of them already.
 * `fold`: what the known writes left in the journal is added to the tables, which happens once a minute however many writes there were.
 * CPU is that of this process (collapse, staging, the driver, garbage collection) and of all PostgreSQL processes.
 */
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer, ManagedRuntime } from "effect"
import { defaultInternalRanges } from "#domain/Address.ts"
import { makePortRanks } from "#domain/PortRank.ts"
import type { WindowSlice } from "#domain/Window.ts"
import { makeServiceNames, services } from "#pipeline/enrich/services.ts"
import { collapseSlice } from "#pipeline/resolve/collapse.ts"
import { makeOwners } from "#pipeline/resolve/duplicate.ts"
import { Resolver } from "#pipeline/resolve/Resolver.ts"
import { layerMigrations } from "#pipeline/store/migrations/index.ts"
import * as Sql from "#pipeline/store/Sql.ts"
import { makeWindows } from "#pipeline/window/window.ts"
import { EmbeddedPostgres } from "../../apps/appliance/postgres/EmbeddedPostgres.ts"
import { randomFrom, type TestRecord, toBatch } from "../rig/flow-records.ts"
import type { Benchmark } from "./main.ts"
import { makeCpuAccount } from "./udp-to-postgres/CpuAccount.ts"
import { median, rounded, say } from "./udp-to-postgres/machine.ts"

const CONVERSATIONS = 50_000
const WRITES = 7
const FOLDS = 3
const windowStart = Math.floor(Date.now() / 300_000) * 300_000
const ranks = makePortRanks(services)
const ports = [443, 80, 5432, 3306, 9999, 53]

/** Both directions of each conversation, twice. */
const slices = (): (() => WindowSlice) => {
  const windows = makeWindows({
    boot: "00000000-0000-4000-8000-00000000be7c",
    worker: "worker-1",
    windowSeconds: 300,
    latenessSeconds: 60,
    ranks,
    seed: 3,
    exporterAddress: (index) => `192.0.2.${index + 1}`
  })
  const random = randomFrom(11)
  return () => {
    const at = windowStart + 60_000
    const records: Array<TestRecord> = []
    for (let n = 0; n < CONVERSATIONS; n++) {
      const client = 0x0a000000 + (((n * 7919) % 65_536) % 18_000)
      const server = 0x0a400000 + (n % 2000)
      const common = { exporter: 0, family: 4 as const, protocol: 6, flags: 0x1b, start: at - 5000, end: at, sampling: 1 }
      const clientPort = 32_768 + random(28_000)
      const serverPort = ports[Math.floor(n / 2000) % ports.length]! + Math.floor(n / 12_000)
      const there = { source: client, destination: server, sourcePort: clientPort, destinationPort: serverPort }
      const back = { source: server, destination: client, sourcePort: serverPort, destinationPort: clientPort }
      for (const ends of [there, back, there, back]) {
        records.push({ ...common, ...ends, bytes: 64 + random(90_000), packets: 1 + random(40) })
      }
      if (records.length >= 4096 || n === CONVERSATIONS - 1) {
        windows.fold(toBatch(records), { skewMs: new Float64Array(8), sampling: new Uint32Array(8) }, at)
        records.length = 0
      }
    }
    return windows.flush(at, CONVERSATIONS * 4)[0]!
  }
}

interface Cost {
  readonly ms: number
  readonly process: number
  readonly postgres: number
}

interface Costs {
  readonly writes: ReadonlyArray<Cost>
  readonly folds: ReadonlyArray<Cost>
}

const measure = async (): Promise<Costs> => {
  const folder = mkdtempSync(join(tmpdir(), "flowlens-bench-write-"))
  chmodSync(folder, 0o755)
  const postgres = makeCpuAccount("write-postgres")
  const server = EmbeddedPostgres.layer({ dataFolder: join(folder, "data") })
  const database = Layer.unwrap(Effect.map(EmbeddedPostgres, (one) => Sql.layer({ url: one.url, maxConnections: 1 })))
  const resolver = Resolver.layer({
    assets: { minFlows: 1, autoCreate: true },
    dependencies: { minFlows: 1 },
    internalRanges: defaultInternalRanges,
    serviceName: makeServiceNames([]).name,
    foldSeconds: 3600
  })
  const runtime = ManagedRuntime.make(
    resolver.pipe(Layer.provideMerge(layerMigrations), Layer.provideMerge(database), Layer.provideMerge(server))
  )
  try {
    postgres.add(await runtime.runPromise(EmbeddedPostgres.use((one) => one.pid)))
    const next = slices()
    const owners = makeOwners()
    const costs: Array<Cost> = []
    const folds: Array<Cost> = []
    const account = async (name: string, body: () => Promise<string>): Promise<Cost> => {
      const cpu = process.cpuUsage()
      const before = postgres.seconds()
      const start = performance.now()
      const text = await body()
      const ms = performance.now() - start
      const used = process.cpuUsage(cpu)
      const cost = { ms, process: (used.user + used.system) / 1000, postgres: (postgres.seconds() - before) * 1000 }
      say(
        `${name}: ${text}, ${rounded(ms, 0)} ms, process ${rounded(cost.process, 0)} ms CPU, PostgreSQL ${rounded(cost.postgres, 0)} ms CPU`
      )
      return cost
    }
    const write = async (slice: WindowSlice) => {
      const start = performance.now()
      const collapsed = collapseSlice(slice, { ranks, owners })
      const collapse = performance.now() - start
      const { boot, worker, sequence, records, rows, windowSeconds } = slice
      const result = await runtime.runPromise(
        Resolver.use((one) =>
          one.write({
            claims: [{ boot, worker, sequence, records, rows }],
            windowStart: slice.windowStart,
            windowSeconds,
            final: false,
            pressureSampling: 1,
            slice: collapsed
          })
        )
      )
      return `${result.edges} edges, ${result.newDependencies} new, collapse ${rounded(collapse, 0)} ms`
    }
    for (let n = 0; n < WRITES; n++) {
      const slice = next()
      costs.push(await account(`write ${n}`, () => write(slice)))
    }
    for (let n = 0; n < FOLDS; n++) {
      if (n > 0) for (let more = 0; more < 2; more++) await write(next())
      folds.push(
        await account(`fold ${n}`, async () => `${(await runtime.runPromise(Resolver.use((one) => one.fold(true)))).edges} edges`)
      )
    }
    return { writes: costs, folds }
  } finally {
    await runtime.dispose()
    postgres.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

let measured: Promise<Costs> | undefined
const once = () => (measured ??= measure())
const known = (of: (cost: Cost) => number) => async () => rounded(median((await once()).writes.slice(2).map(of)), 1)
const fresh = (of: (cost: Cost) => number) => async () => rounded(of((await once()).writes[0]!), 1)
const folded = (of: (cost: Cost) => number) => async () => rounded(median((await once()).folds.map(of)), 1)

export const writeBenchmarks = (): ReadonlyArray<Benchmark> => [
  { name: "window.write-known", unit: "ms", run: known((cost) => cost.ms) },
  { name: "window.write-known.process-cpu", unit: "ms CPU", run: known((cost) => cost.process) },
  { name: "window.write-known.postgres-cpu", unit: "ms CPU", run: known((cost) => cost.postgres) },
  { name: "window.write-new", unit: "ms", run: fresh((cost) => cost.ms) },
  { name: "window.write-new.process-cpu", unit: "ms CPU", run: fresh((cost) => cost.process) },
  { name: "window.write-new.postgres-cpu", unit: "ms CPU", run: fresh((cost) => cost.postgres) },
  { name: "window.fold", unit: "ms", run: folded((cost) => cost.ms) },
  { name: "window.fold.process-cpu", unit: "ms CPU", run: folded((cost) => cost.process) },
  { name: "window.fold.postgres-cpu", unit: "ms CPU", run: folded((cost) => cost.postgres) }
]
