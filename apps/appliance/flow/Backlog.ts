/**
 * Slices that are not written yet, by window, and when to write. Plain state, changed by the two actors that share it; it outlives their
 * restarts.
 *
 * Few large writes cost less than many small ones, because an edge is decided once however many slices have it. So after a write of some
 * length the next one waits ten times as long, which keeps writing below a tenth of the time: a small site writes every slice as it comes, a
 * large one few times a window. What waits is in the spool, and merged when its time comes.
 */
import type { WindowSlice } from "#domain/Window.ts"
import type { SpooledSlice } from "#pipeline/window/Spool.ts"

export type SliceFacts = Pick<
  WindowSlice,
  "boot" | "worker" | "sequence" | "windowStart" | "windowSeconds" | "final" | "records" | "rows" | "pressureSampling"
>

export interface Waiting {
  readonly facts: SliceFacts
  /** In memory while there is room for it, and for as long as it is not on disk. */
  slice: WindowSlice | undefined
  spooled: SpooledSlice | undefined
  readonly bytes: number
  /** When it came, ms since 1970. */
  readonly at: number
  /** Times it was refused for its own sake. */
  tries: number
}

export interface BacklogOptions {
  /** Slices on disk stay in memory, too, up to so many octets. */
  readonly memoryBytes: number
  /** No slice waits for longer than this for others to be written with. */
  readonly mostWaitMs: number
  /** Each of them ends a window with a slice of its own. */
  readonly workers: number
}

/** Writing takes one part in so many of the time. */
const PAUSE = 10
/** How long one worker's last slice of a window waits for those of the others. */
const LAST_WAIT_MS = 2000
/** Of one write: what is merged at a time is bounded, whatever waits. */
const WRITE_BYTES = 128 * 1024 ** 2
const WRITE_SLICES = 256

export const sliceBytes = (slice: WindowSlice): number =>
  slice.ipv6.byteLength +
  [...Object.values(slice.columns), ...Object.values(slice.egress ?? {})].reduce((sum, column) => sum + column.byteLength, 0)

export interface BacklogReading {
  readonly slices: number
  readonly windows: number
  readonly records: number
  /** Of those, not on disk. */
  readonly unspooled: number
  readonly memoryBytes: number
  /** When the oldest came, ms since 1970. */
  readonly oldestAt: number | undefined
}

export const makeBacklog = (options: BacklogOptions) => {
  const waiting = new Set<Waiting>()
  let memory = 0
  /** Slices of an earlier start wait, or the process ends. */
  let replaying = false
  let ending = false
  let nextAt = 0
  let wake: () => void = () => undefined

  const oldest = (of: Iterable<Waiting> = waiting) => {
    let at: number | undefined
    for (const one of of) if (at === undefined || one.at < at) at = one.at
    return at
  }
  const windowsOf = (): ReadonlyMap<number, ReadonlyArray<Waiting>> => {
    const windows = new Map<number, Array<Waiting>>()
    for (const one of waiting) {
      const known = windows.get(one.facts.windowStart)
      if (known === undefined) windows.set(one.facts.windowStart, [one])
      else known.push(one)
    }
    return windows
  }
  /** When a window whose end was seen wants to be written; infinite if there is none. */
  const endedAt = (): number => {
    let at = Number.POSITIVE_INFINITY
    for (const of of windowsOf().values()) {
      const last = of.filter((one) => one.facts.final)
      if (last.length === 0) continue
      at = Math.min(at, new Set(last.map((one) => one.facts.worker)).size >= options.workers ? 0 : oldest(last)! + LAST_WAIT_MS)
    }
    return at
  }
  const letGo = (one: Waiting): void => {
    if (one.slice === undefined) return
    memory -= one.bytes
    one.slice = undefined
  }

  return {
    /** Told when something changed that `dueIn` looks at. */
    onChange: (listener: () => void) => {
      wake = listener
    },
    add: (slice: WindowSlice, spooled: SpooledSlice | undefined, at: number): Waiting => {
      const { exporters: _, ipv6: __, columns: ___, egress: ____, ...facts } = slice
      const one: Waiting = { facts, slice, spooled, bytes: sliceBytes(slice), at, tries: 0 }
      waiting.add(one)
      memory += one.bytes
      if (spooled !== undefined && memory > options.memoryBytes) letGo(one)
      wake()
      return one
    },
    /** Left by an earlier start: on disk only, and due. */
    replay: (spooled: SpooledSlice): void => {
      waiting.add({ facts: spooled.heading, slice: undefined, spooled, bytes: spooled.bytes, at: spooled.at, tries: 0 })
      replaying = true
      wake()
    },
    /** It is on the disk now. */
    spooled: (one: Waiting, spooled: SpooledSlice): void => {
      one.spooled = spooled
      if (memory > options.memoryBytes) letGo(one)
    },
    has: (one: Waiting): boolean => waiting.has(one),
    unspooled: (): ReadonlyArray<Waiting> => [...waiting].filter((one) => one.spooled === undefined),
    /** Written, or given up. */
    drop: (one: Waiting): void => {
      if (!waiting.delete(one)) return
      letGo(one)
      if (waiting.size === 0) replaying = false
      wake()
    },
    /** Milliseconds until something is to be written; infinite while nothing waits. */
    dueIn: (now: number): number => {
      if (waiting.size === 0) return Number.POSITIVE_INFINITY
      if (ending || replaying) return 0
      const at = Math.min(nextAt, oldest()! + options.mostWaitMs, endedAt())
      return Math.max(0, at - now)
    },
    /** Of what came until then: slices of the oldest window in the order they came, as many as one write may take. Empty: none is left. */
    next: (until: number, mostSlices = WRITE_SLICES): ReadonlyArray<Waiting> => {
      let window = Number.POSITIVE_INFINITY
      for (const { at, facts } of waiting) if (at <= until && facts.windowStart < window) window = facts.windowStart
      const taken: Array<Waiting> = []
      let bytes = 0
      for (const one of waiting) {
        if (one.facts.windowStart !== window || one.at > until) continue
        if (taken.length >= mostSlices || (taken.length > 0 && bytes + one.bytes > WRITE_BYTES)) break
        taken.push(one)
        bytes += one.bytes
      }
      return taken
    },
    /** What was due was written, in so many milliseconds. */
    wrote: (now: number, durationMs: number): void => {
      nextAt = now + durationMs * PAUSE
    },
    /** From now on everything is written at once: the process ends. */
    hurry: (): void => {
      ending = true
      wake()
    },
    ending: (): boolean => ending,
    reading: (): BacklogReading => {
      let records = 0
      let unspooled = 0
      for (const one of waiting) {
        records += one.facts.records
        if (one.spooled === undefined) unspooled++
      }
      return { slices: waiting.size, windows: windowsOf().size, records, unspooled, memoryBytes: memory, oldestAt: oldest() }
    }
  }
}

export type Backlog = ReturnType<typeof makeBacklog>
