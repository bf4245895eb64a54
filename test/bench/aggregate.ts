/**
 * Aggregation of the conversations in conversations.ts. `aggregate` takes decoded rows, `decode-aggregate` datagrams; neither has a socket.
 */
import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { makePortRanks } from "#domain/PortRank.ts"
import { makeDecoder } from "#pipeline/decode/Decoder.ts"
import { type FlowBatch, makeFlowBatch } from "#pipeline/decode/FlowBatch.ts"
import { makeTemplateCache } from "#pipeline/decode/TemplateCache.ts"
import { services } from "#pipeline/enrich/services.ts"
import { collapseEdges } from "#pipeline/resolve/collapse/collapse.ts"
import { makeOwners } from "#pipeline/resolve/collapse/duplicate.ts"
import { makeEvidenceSampler } from "#pipeline/resolve/collapse/EvidenceSampler.ts"
import { makeServiceRegister } from "#pipeline/resolve/collapse/ServiceRegister.ts"
import { makeWindows, type Windows } from "#pipeline/window/window.ts"
import { eachOnce, ipfixDatagrams, netflow5Datagrams, netflow9Datagrams, now, sflowDatagrams } from "./conversations.ts"
import type { Benchmark } from "./main.ts"

/** Rows folded at a time, as in the flow worker. */
const FOLD_ROWS = 1024
const ranks = makePortRanks(services)

const datagramsOf: Record<string, () => ReadonlyArray<Uint8Array>> = {
  netflow9: netflow9Datagrams,
  ipfix: ipfixDatagrams,
  sflow5: sflowDatagrams,
  netflow5: netflow5Datagrams
}

const exporters = { skewMs: new Float64Array(16), sampling: new Uint32Array(16) }

const makeBenchWindows = (): Windows =>
  makeWindows({
    boot: "bench",
    worker: "worker-1",
    windowSeconds: 300,
    latenessSeconds: 60,
    ranks,
    seed: 1,
    exporter: () => ({ address: "192.0.2.1", protocol: "netflow9" })
  })

/** The thread's CPU time is told in steps of some milliseconds; a sample must be long against them. */
const SAMPLE_MS = 400

/** Best records per second of CPU, of samples of `round`, which returns its records. CPU, as others may use the machine too. */
const best = (seconds: number, round: () => number): number => {
  const until = performance.now() + seconds * 1000
  let found = 0
  do {
    const began = process.threadCpuUsage()
    let records = 0
    let used = 0
    do {
      records += round()
      const { system, user } = process.threadCpuUsage(began)
      used = (user + system) / 1000
    } while (used < SAMPLE_MS)
    found = Math.max(found, (records * 1000) / used)
  } while (performance.now() < until)
  return Math.round(found)
}

const decodeAll = (
  pool: ReadonlyArray<Uint8Array>,
  full: (batch: FlowBatch) => void,
  batch: FlowBatch = makeFlowBatch()
): (() => number) => {
  const drain = () => {
    full(batch)
    batch.length = 0
  }
  const decoder = makeDecoder({ templates: makeTemplateCache(), shared: batch.shared, full: drain })
  return () => {
    let records = 0
    for (const datagram of pool) {
      records += decoder.decode(datagram, datagram.length, 0, "192.0.2.1", now, batch).records
      if (batch.length >= FOLD_ROWS) drain()
    }
    drain()
    return records
  }
}

/** Decoded rows in pieces, copied so that each can be folded again. */
const decodedBatches = (pool: ReadonlyArray<Uint8Array>): ReadonlyArray<FlowBatch> => {
  const all: Array<FlowBatch> = []
  decodeAll(pool, (batch) => {
    if (batch.length > 0) all.push(structuredClone(batch))
  })()
  return all.map((batch) => {
    const columns = Object.entries(batch).map(([name, column]) => [
      name,
      typeof column === "number" ? column : column.slice(0, name === "ipv6" ? 0 : batch.length)
    ])
    return Object.fromEntries(columns) as FlowBatch
  })
}

const filledWindows = (): Windows => {
  const windows = makeBenchWindows()
  decodeAll(netflow9Datagrams(0), (batch) => windows.fold(batch, exporters, now))()
  return windows
}

/** Least milliseconds of some rounds of `work`, prepared outside the clock. */
const least = <A>(rounds: number, prepare: () => A, work: (prepared: A) => void): number => {
  let found = Number.POSITIVE_INFINITY
  for (let i = 0; i < rounds; i++) {
    const prepared = prepare()
    const began = performance.now()
    work(prepared)
    found = Math.min(found, performance.now() - began)
  }
  return Math.round(found * 10) / 10
}

const MILLION = 1_000_000

const memoryOf = (datagrams: ReadonlyArray<Uint8Array>, ...seconds: ReadonlyArray<number>): number => {
  const input = Buffer.concat(datagrams.flatMap((datagram) => [Buffer.of(datagram.length >> 8, datagram.length & 255), datagram]))
  const child = [`${import.meta.dirname}/aggregate.child.ts`, ...seconds.map(String)]
  const folder = mkdtempSync(join(tmpdir(), "flowlens-bench-cache-"))
  try {
    // as the appliance after its first start: what was compiled is kept, and what strips the types is not loaded again
    const env = { ...process.env, NODE_COMPILE_CACHE: folder }
    const options = {
      encoding: "utf8",
      input,
      env,
      stdio: ["pipe", "pipe", "inherit"]
    } satisfies ExecFileSyncOptionsWithStringEncoding
    if (seconds.length === 0) execFileSync(process.execPath, child, options)
    return Number(execFileSync(process.execPath, child, options))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export const aggregateBenchmarks = (): ReadonlyArray<Benchmark> => [
  {
    name: "aggregate.netflow9",
    unit: "records/s",
    run: (seconds = 3) => {
      const batches = decodedBatches(netflow9Datagrams(2048))
      const windows = makeBenchWindows()
      return best(seconds, () => {
        let records = 0
        for (const batch of batches) {
          windows.fold(batch, exporters, now)
          records += batch.length
        }
        return records
      })
    }
  },
  ...Object.entries(datagramsOf).map(
    ([format, datagrams]): Benchmark => ({
      name: `decode-aggregate.${format}`,
      unit: "records/s",
      run: (seconds = 3) => {
        const windows = makeBenchWindows()
        return best(
          seconds,
          decodeAll(datagrams(), (batch) => windows.fold(batch, exporters, now), windows.batch)
        )
      }
    })
  ),
  {
    name: "window.flush.50000",
    unit: "ms",
    run: () => least(10, filledWindows, (windows) => void windows.flush(now, 2))
  },
  {
    name: "resolve.collapse.50000",
    unit: "ms",
    run: () => {
      const owners = makeOwners()
      return least(
        15,
        () => filledWindows().flush(now, 1)[0]!,
        (slice) => void collapseEdges(slice, { ranks, owners }).each(() => undefined)
      )
    }
  },
  {
    // as the appliance does it: who served before is looked up, and conversations are kept as evidence
    name: "resolve.collapse-remembered.50000",
    unit: "ms",
    run: () => {
      const known = { ranks, owners: makeOwners(), register: makeServiceRegister(), sampler: makeEvidenceSampler() }
      return least(
        15,
        () => filledWindows().flush(now, 1)[0]!,
        (slice) => void collapseEdges(slice, known).each(() => undefined)
      )
    }
  },
  {
    // Resident memory of a process that does nothing but a flow worker's work: 50,000 conversations in the open window, two slices of as
    // many waiting for the store.
    name: "window.memory",
    unit: "MB",
    run: () => memoryOf(netflow9Datagrams(0))
  },
  {
    // A million conversations in every slice, for ten minutes: the busiest moment of the second five less that of the first.
    name: "window.memory-million",
    unit: "MB",
    run: () => memoryOf(eachOnce(MILLION), Number(process.env["FLOWLENS_BENCH_MEMORY_SECONDS"] ?? 600))
  }
]
