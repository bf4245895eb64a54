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
import type { ConversationColumns, WindowSlice } from "#domain/Window.ts"
import { makeServiceNames, services } from "#pipeline/enrich/services.ts"
import { collapseEdges } from "#pipeline/resolve/collapse/collapse.ts"
import { makeOwners } from "#pipeline/resolve/collapse/duplicate.ts"
import { Resolver } from "#pipeline/resolve/Resolver.ts"
import { layerMigrations } from "#pipeline/store/migrations/index.ts"
import * as Sql from "#pipeline/store/Sql.ts"
import { EmbeddedPostgres } from "../../apps/appliance/postgres/EmbeddedPostgres.ts"
import { randomFrom } from "../rig/flow-records.ts"
import type { Benchmark } from "./main.ts"
import { makeCpuAccount } from "./udp-to-postgres/CpuAccount.ts"
import { median, rounded, say } from "./udp-to-postgres/machine.ts"

const CONVERSATIONS = 50_000
const WRITES = 7
const FOLDS = 3
const windowStart = Math.floor(Date.now() / 300_000) * 300_000
const ranks = makePortRanks(services)
const ports = [443, 5432, 9999]

/** As a flow worker hands them over: folded by the server's port, four records each. */
const slices = (): (() => WindowSlice) => {
  const random = randomFrom(11)
  const ints = (of: (n: number) => number) => Uint32Array.from({ length: CONVERSATIONS }, (_, n) => of(n))
  const doubles = (of: (n: number) => number) => Float64Array.from({ length: CONVERSATIONS }, (_, n) => of(n))
  const octets = (value: number) => new Uint8Array(CONVERSATIONS).fill(value)
  let sequence = 0
  return () => {
    const at = windowStart + 60_000
    const bytesAb = doubles(() => 128 + random(180_000))
    const bytesBa = doubles(() => 128 + random(180_000))
    const packetsAb = doubles(() => 2 + random(80))
    const packetsBa = doubles(() => 2 + random(80))
    const columns: ConversationColumns = {
      exporter: ints(() => 0),
      family: octets(4),
      protocol: octets(6),
      folded: octets(1),
      a: ints((n) => 0x0a000000 + (((n * 7919) % 65_536) % 18_000)),
      b: ints((n) => 0x0a400000 + (n % 2000)),
      aPort: Uint16Array.from({ length: CONVERSATIONS }, () => 32_768 + random(28_000)),
      bPort: Uint16Array.from(
        { length: CONVERSATIONS },
        (_, n) => ports[Math.floor(n / 2000) % ports.length]! + Math.floor(n / 12_000)
      ),
      aPorts: ints(() => 1),
      recordsAb: ints(() => 2),
      recordsBa: ints(() => 2),
      bytesAb,
      bytesBa,
      packetsAb,
      packetsBa,
      rawBytes: doubles((n) => bytesAb[n]! + bytesBa[n]!),
      rawPackets: doubles((n) => packetsAb[n]! + packetsBa[n]!),
      sampling: ints(() => 1),
      flagsAb: octets(0x1b),
      flagsBa: octets(0x1b),
      synAb: ints(() => random(2)),
      synBa: ints(() => 0),
      synAckAb: ints(() => 0),
      synAckBa: ints(() => 0),
      beganA: ints(() => random(2)),
      beganB: ints(() => 0),
      first: doubles(() => at - random(10_000)),
      last: doubles(() => at + random(1000))
    }
    return {
      boot: "00000000-0000-4000-8000-00000000be7c",
      worker: "worker-1",
      sequence: sequence++,
      windowStart,
      windowSeconds: 300,
      final: false,
      pressureSampling: 1,
      records: CONVERSATIONS * 4,
      rows: CONVERSATIONS,
      exporters: [{ address: "192.0.2.1" }],
      ipv6: new Uint8Array(0),
      columns
    }
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
      const collapsed = collapseEdges(slice, { ranks, owners })
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
