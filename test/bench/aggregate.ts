/**
 * Aggregation: 50,000 conversations whose popularity follows Zipf's law, both directions, a client port a connection, NetFlow v9 records of
 * 42 octets, 24 a datagram. `aggregate` takes decoded rows, `decode-aggregate` datagrams; neither has a socket.
 */
import { execFileSync } from "node:child_process"
import { makePortRanks } from "#domain/PortRank.ts"
import { makeDecoder } from "#pipeline/decode/Decoder.ts"
import { type FlowBatch, makeFlowBatch } from "#pipeline/decode/FlowBatch.ts"
import { makeTemplateCache } from "#pipeline/decode/TemplateCache.ts"
import { services } from "#pipeline/enrich/services.ts"
import { collapseSlice } from "#pipeline/resolve/collapse.ts"
import { makeOwners } from "#pipeline/resolve/duplicate.ts"
import { makeWindows, type Windows } from "#pipeline/window/window.ts"
import { randomFrom } from "../rig/flow-records.ts"
import { aDatagram, aTemplate, type TestFlow } from "../rig/netflow9-datagrams.ts"
import type { Benchmark } from "./main.ts"

export const CONVERSATIONS = 50_000
const RECORDS = 24
const DATAGRAMS = 8192
/** Rows folded at a time, as in the flow worker. */
const FOLD_ROWS = 1024
const now = 1_700_000_100_000
const ranks = makePortRanks(services)

/** Draws numbers below `count`, the k-th 1/k as often as the first. */
const zipf = (count: number, random: (below: number) => number) => {
  const until = new Float64Array(count)
  let all = 0
  for (let k = 0; k < count; k++) until[k] = all += 1 / (k + 1)
  return () => {
    const at = (random(0x4000_0000) / 0x4000_0000) * all
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (until[middle]! < at) low = middle + 1
      else high = middle
    }
    return low
  }
}

const ports = [443, 80, 5432, 3306, 9999, 53]

/** Record of conversation `n`. */
const flowOf = (n: number, random: (below: number) => number): TestFlow => {
  const client = 0x0a000000 + ((n * 7919) % 65_536)
  const server = 0x0a400000 + (n % 2000)
  const clientPort = 32_768 + random(28_000)
  const serverPort = ports[n % ports.length]!
  const there = random(2) === 0
  return {
    source: there ? client : server,
    destination: there ? server : client,
    sourcePort: there ? clientPort : serverPort,
    destinationPort: there ? serverPort : clientPort,
    protocol: 6,
    flags: 0x1b,
    bytes: 64 + random(90_000),
    packets: 1 + random(60),
    startedAgo: 1000 + random(20_000),
    endedAgo: 10 + random(900)
  }
}

/** A template, each conversation once, then `datagrams` more by Zipf's law. */
export const netflow9Datagrams = (datagrams = DATAGRAMS): ReadonlyArray<Uint8Array> => {
  const random = randomFrom(1)
  const draw = zipf(CONVERSATIONS, random)
  const all = [aTemplate(now, 0)]
  for (let n = 0; n < CONVERSATIONS; n += RECORDS) {
    all.push(
      aDatagram(
        now,
        all.length,
        Array.from({ length: RECORDS }, (_, i) => flowOf((n + i) % CONVERSATIONS, random))
      )
    )
  }
  for (let i = 0; i < datagrams; i++) {
    all.push(
      aDatagram(
        now,
        all.length,
        Array.from({ length: RECORDS }, () => flowOf(draw(), random))
      )
    )
  }
  return all
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
    exporterAddress: () => "192.0.2.1"
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

const decodeAll = (pool: ReadonlyArray<Uint8Array>, full: (batch: FlowBatch) => void): (() => number) => {
  const batch = makeFlowBatch()
  const drain = () => {
    full(batch)
    batch.length = 0
  }
  const decoder = makeDecoder({ templates: makeTemplateCache(), full: drain })
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
  {
    name: "decode-aggregate.netflow9",
    unit: "records/s",
    run: (seconds = 3) => {
      const windows = makeBenchWindows()
      return best(
        seconds,
        decodeAll(netflow9Datagrams(), (batch) => windows.fold(batch, exporters, now))
      )
    }
  },
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
        (slice) => void collapseSlice(slice, { ranks, owners })
      )
    }
  },
  {
    // Resident memory of a process that does nothing but a flow worker's work: 50,000 conversations in the open window, two slices of as
    // many waiting for the store.
    name: "window.memory",
    unit: "MB",
    run: () => {
      const datagrams = netflow9Datagrams(0)
      const input = Buffer.concat(
        datagrams.flatMap((datagram) => [Buffer.of(datagram.length >> 8, datagram.length & 255), datagram])
      )
      return Number(execFileSync(process.execPath, [`${import.meta.dirname}/aggregate.child.ts`], { encoding: "utf8", input }))
    }
  }
]
