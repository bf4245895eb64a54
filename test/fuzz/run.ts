/** Runs a subject for so long; what it found, and what it took. */
import { Worker } from "node:worker_threads"
import { seeded } from "#pipeline/decode/encode.fixture.ts"
import { makeDatagramSubject } from "./datagrams.ts"
import { makeCaptureSubject, makeSliceSubject } from "./files.ts"
import type { Subject } from "./Subject.ts"

export const subjects = {
  netflow5: () => makeDatagramSubject("netflow5"),
  netflow9: () => makeDatagramSubject("netflow9"),
  ipfix: () => makeDatagramSubject("ipfix"),
  sflow5: () => makeDatagramSubject("sflow5"),
  pcap: () => makeCaptureSubject(false),
  "message-stream": () => makeCaptureSubject(true),
  slice: makeSliceSubject
} satisfies Record<string, () => Subject>
export type SubjectName = keyof typeof subjects

export interface Find {
  readonly what: string
  readonly input: string
  readonly execution: number
}

export interface FuzzRun {
  readonly protocol: SubjectName
  readonly seed: number
  readonly seconds: number
  readonly executions: number
  /** Ways to behave that were seen, and inputs that were started from at the end. */
  readonly behaviours: number
  readonly pool: number
  /** Processor time of the slowest input. */
  readonly slowestMs: number
  /** After a collection where the process may ask for one: when a fifth of the time was over, at the end, and the most between. */
  readonly heapMiB: { readonly warm: number; readonly most: number; readonly end: number }
  readonly rssMiB: { readonly warm: number; readonly end: number }
  /** Of that, inputs that are started from (up to 64 KiB each) and the decoders' memories. */
  readonly buffersMiB: { readonly warm: number; readonly end: number }
  readonly finds: ReadonlyArray<Find>
}

/** A datagram has at most 65,535 octets: what takes longer is a loop, not work. */
const SLOW_MS = 500
/** Of a heap that is bounded everywhere. */
const GROWTH_MIB = 48
const MOST_FINDS = 20
const MIB = 2 ** 20

const cpuMs = (): number => {
  const { system, user } = process.threadCpuUsage()
  return (system + user) / 1000
}
const heap = (): number => {
  globalThis.gc?.()
  return Math.round(process.memoryUsage().heapUsed / MIB)
}
const memory = () => {
  const { arrayBuffers, rss } = process.memoryUsage()
  return { heap: heap(), rss: Math.round(rss / MIB), buffers: Math.round(arrayBuffers / MIB) }
}

export const fuzz = async (protocol: SubjectName, seconds: number, seed: number): Promise<FuzzRun> => {
  const shared = new Uint8Array(new SharedArrayBuffer(1 << 18))
  const counts = new Int32Array(new SharedArrayBuffer(8))
  const watchdog = new Worker(new URL("watchdog.ts", import.meta.url), { workerData: { counts, input: shared, seconds: 60 } })
  watchdog.unref()
  const finds: Array<Find> = []
  const behaviours = new Set<string>()
  let subject: Subject = subjects[protocol]()
  let executions = 0
  let slowestMs = 0
  const began = performance.now()
  const warmAt = began + seconds * 200
  const until = began + seconds * 1000
  let warm: ReturnType<typeof memory> | undefined
  let most = 0
  let measured = began
  const found = (error: unknown, input: Uint8Array) => {
    const what = error instanceof Error ? (error.stack ?? error.message).split("\n").slice(0, 4).join(" | ") : String(error)
    const kind = what.replace(/\d+/g, "#").slice(0, 120)
    if (!finds.some((one) => one.what.replace(/\d+/g, "#").slice(0, 120) === kind)) {
      finds.push({ what: what.slice(0, 1200), input: Buffer.from(input.subarray(0, 4096)).toString("hex"), execution: executions })
    }
    // what broke a promise may have left things broken
    subject = subjects[protocol]()
  }
  for (let round = 0; performance.now() < until && finds.length < MOST_FINDS; round++) {
    const random = seeded(seed + Math.imul(round, 2_654_435_761))
    for (let i = 0; i < 100; i++) {
      const input = subject.next(random)
      executions++
      shared.set(input.subarray(0, shared.length))
      Atomics.store(counts, 1, Math.min(input.length, shared.length))
      Atomics.store(counts, 0, executions)
      const before = cpuMs()
      try {
        const behaviour = subject.take(input)
        if (behaviours.size < 100_000 && !behaviours.has(behaviour)) {
          behaviours.add(behaviour)
          subject.keep(input)
        }
      } catch (error) {
        found(error, input)
      }
      const took = cpuMs() - before
      if (took > slowestMs) slowestMs = took
      if (took > SLOW_MS) found(new Error(`took ${Math.round(took)} ms of processor time`), input)
    }
    const now = performance.now()
    if (now - measured > 10_000 || (warm === undefined && now > warmAt)) {
      // the loop turns: what was scheduled runs
      await new Promise((done) => setImmediate(done))
      measured = now
      const used = memory()
      most = Math.max(most, used.heap)
      if (warm === undefined && now > warmAt) warm = used
    }
  }
  try {
    subject.check()
  } catch (error) {
    found(error, new Uint8Array(0))
  }
  await watchdog.terminate()
  const end = memory()
  const start = warm ?? end
  if (globalThis.gc !== undefined && end.heap - start.heap > GROWTH_MIB) {
    finds.push({ what: `the heap grew from ${start.heap} to ${end.heap} MiB`, input: "", execution: executions })
  }
  return {
    protocol,
    seed,
    seconds: Math.round((performance.now() - began) / 1000),
    executions,
    behaviours: behaviours.size,
    pool: subject.pool(),
    slowestMs: Math.round(slowestMs),
    heapMiB: { warm: start.heap, most, end: end.heap },
    rssMiB: { warm: start.rss, end: end.rss },
    buffersMiB: { warm: start.buffers, end: end.buffers },
    finds
  }
}
