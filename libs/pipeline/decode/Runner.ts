/** Plans as WebAssembly functions (generate.ts), compiled once for each memory. Plans that differ only in fields nobody reads share one. */
import { canGenerate } from "./can-generate.ts"
import type { SharedMemory } from "./FlowBatch.ts"
import { decodeRoutine, NEXT, orderAt, orders } from "./generate.ts"
import type { Plan } from "./plan.ts"
import type { Reading } from "./Reading.ts"
import { rateOfSampler, type Sampling } from "./sampling.ts"
import { assemble } from "./wasm.ts"

/** Functions kept of a memory. Real networks have a few dozen layouts. */
const MAX_RUNNERS = 512

/** Code for the batch of one memory. */
export interface Runner {
  readonly runners: Runners
  readonly decode: (
    at: number,
    end: number,
    row: number,
    most: number,
    exporter: number,
    exportMs: number,
    uptime: number,
    rate: number
  ) => number
}

interface Runners {
  readonly shared: SharedMemory
  readonly byCode: Map<string, Runner>
  readonly next: Int32Array
  /** What samplers' rates are looked up in. */
  sampling: Sampling | undefined
}
const runnersOf = new WeakMap<SharedMemory, Runners>()

const makeRunners = (shared: SharedMemory): Runners => {
  const { memory, scratch } = shared
  orders.forEach((order, length) => void new Uint8Array(memory.buffer, scratch + orderAt(length), 16).set(order))
  const made: Runners = {
    shared,
    byCode: new Map(),
    next: new Int32Array(memory.buffer, scratch + NEXT, 1),
    sampling: undefined
  }
  runnersOf.set(shared, made)
  return made
}

/** Undefined where the plan is out of the ordinary: `interpret` then runs it. */
export const runnerOf = (plan: Plan, shared: SharedMemory): Runner | undefined => {
  if (!canGenerate(plan)) return undefined
  const runners = runnersOf.get(shared) ?? makeRunners(shared)
  const calls = plan.samplerId >= 0
  const code = assemble([decodeRoutine(plan, shared)], calls)
  const key = String(code)
  const known = runners.byCode.get(key)
  if (known !== undefined) return known
  const call = (sampler: number) => rateOfSampler(runners.sampling, sampler)
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory: shared.memory, call } })
  const runner: Runner = { runners, decode: exports["decode"] as unknown as Runner["decode"] }
  if (runners.byCode.size >= MAX_RUNNERS) runners.byCode.delete(runners.byCode.keys().next().value!)
  runners.byCode.set(key, runner)
  return runner
}

/**
 * Decodes at most `most` records between `at` and `end` into rows from `batch.length` on, as `interpret` does. Of a fixed-length layout
 * it decodes exactly `most`: the caller has counted that they are there.
 */
export const run = ({ decode, runners }: Runner, reading: Reading, at: number, end: number, most: number): number => {
  const { batch } = reading
  runners.sampling = reading.sampling
  batch.length += decode(at, end, batch.length, most, reading.exporterIndex, reading.exportMs, reading.uptime, reading.rate)
  return runners.next[0]!
}
