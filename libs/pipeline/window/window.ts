/**
 * Folds flow batches into open windows and takes slices out of them. Pure: the time is an argument, the worker's loop drives it.
 * Which windows a record belongs to is told in place-rows.ts.
 */
import type { PortRanks } from "#domain/PortRank.ts"
import { type SliceExporter, type WindowSlice, windowStartOf } from "#domain/Window.ts"
import { BATCH_ROWS, type FlowBatch } from "../decode/FlowBatch.ts"
import type { GiveBack } from "./chunks.ts"
import { ConversationTable, type ExporterColumns, type TableWindow } from "./conversation-table.ts"
import { isPlausible, makePlacer, type OpenWindow, type Placed } from "./place-rows.ts"

/** A clock that jumps ahead would close thousands of windows nobody saw; older ones than these are not reported empty. */
const EMPTY_WINDOWS = 3

export interface WindowOptions {
  readonly boot: string
  readonly worker: string
  readonly windowSeconds: number
  readonly latenessSeconds: number
  /** Number of the first slice; default 0. */
  readonly firstSequence?: number
  /** Conversations held in all open windows together; records of further ones are refused and counted. Default 1,000,000. */
  readonly maxConversations?: number
  readonly ranks: PortRanks
  /** Keeps senders from choosing addresses that collide in the table. */
  readonly seed: number
  readonly exporter: (index: number) => SliceExporter
  /** Takes what the table needs no more of its memory. Default: memory once used stays. */
  readonly giveBack?: GiveBack
}

/** Totals since the start. `records` = folded + late + refusedConversations + refusedNoAddress + skipped + failed, at any time. */
export interface WindowAccount {
  readonly records: number
  readonly folded: number
  readonly late: number
  readonly refusedConversations: number
  /** Records without IP addresses (layer 2 only): nothing to map. */
  readonly refusedNoAddress: number
  /** Left out by sampling under pressure; those kept stand for them. */
  readonly skipped: number
  /** Lost to an exception in the middle of a batch. */
  readonly failed: number
  /** Of the folded, those that say again what their exporter said from other interfaces: they are counted, and in no conversation. */
  readonly repeated: number
  /** Folded at their arrival because their own time could not be. */
  readonly future: number
  readonly implausible: number
  /** Folded records whose volume was split over the windows they lasted through. */
  readonly split: number
  /** Of these, records that began in a window which is closed already: that share is in the oldest open one. */
  readonly moved: number
  /** Shares of split records that found no room; the records are counted as folded, with the rest of their volume. */
  readonly refusedParts: number
}

/** Records of one exporter that are in no window: refused for want of room, left out by sampling under pressure, late. */
export interface UnfoldedRecords {
  readonly recordsRefused: number
  readonly recordsLeftOut: number
  readonly recordsLate: number
}

export interface Windows {
  /** A batch whose rows need not be copied to be folded. */
  readonly batch: FlowBatch
  /** Takes all rows; the caller sets `batch.length` to 0. What is in `batch` afterwards is of no use. */
  readonly fold: (batch: FlowBatch, exporters: ExporterColumns, arrivalMs: number) => void
  /** That row, which is in no batch that is folded, says again what was told (repeats.ts): its window counts it, and its octets as spared. */
  readonly repeat: (batch: FlowBatch, row: number, exporters: ExporterColumns, arrivalMs: number) => void
  /** Slices of the open windows, oldest first, at most `most`; what finds no place stays merged in its window. */
  readonly flush: (nowMs: number, most: number) => ReadonlyArray<WindowSlice>
  /** Everything that is held: the worker stops. A window whose time is not over is left to be finished by whoever starts next. */
  readonly close: (nowMs: number) => ReadonlyArray<WindowSlice>
  readonly account: () => WindowAccount
  /** Of one exporter, by its index, since the start or since it was forgotten. */
  readonly unfolded: (exporter: number) => UnfoldedRecords
  /** The index has another owner from now on. */
  readonly forgetExporter: (exporter: number) => void
  /** No open window holds anything of any exporter. */
  readonly empty: () => boolean
  /** Conversations in open windows, and what their tables take in memory. */
  readonly conversations: () => number
  readonly bytesHeld: () => number
  readonly openWindows: () => number
  /** From now on keep one record of `n` (1: all) and multiply its volumes by `n`. */
  readonly keepOneOf: (n: number) => void
}

const sumOf = (column: Uint32Array): number => {
  let sum = 0
  for (const value of column) sum += value
  return sum
}

/** What a slice is made of, each once, for a transfer list. */
export const sliceBuffers = ({ columns, egress, ipv6 }: WindowSlice): Array<ArrayBuffer> => [
  ...new Set([ipv6, ...Object.values(columns), ...Object.values(egress ?? {})].map((column) => column.buffer as ArrayBuffer))
]

export const makeWindows = (options: WindowOptions): Windows => {
  const { ranks, seed, windowSeconds } = options
  const windowMs = windowSeconds * 1000
  const latenessMs = options.latenessSeconds * 1000
  const table = new ConversationTable(ranks, seed, options.maxConversations ?? 1_000_000, options.giveBack)
  const open = new Map<number, OpenWindow>()
  const placed: Placed = { records: 0, late: 0, skipped: 0, future: 0, implausible: 0, split: 0, moved: 0, refused: 0 }
  let openFrom = Number.NaN
  let sequence = options.firstSequence ?? 0
  let pressure = 1
  let repeated = 0

  const openAt = (start: number): OpenWindow | undefined => {
    const known = open.get(start)
    if (known !== undefined) return known
    const held: TableWindow | undefined = table.open()
    if (held === undefined) return undefined
    const fresh: OpenWindow = { start, held, pressure: 1, emitted: false, repeats: new Map() }
    open.set(start, fresh)
    return fresh
  }

  /** The first window that still takes records. A clock that was set back opens its past again. */
  const advance = (nowMs: number): void => {
    const first = windowStartOf(nowMs - latenessMs, windowSeconds)
    if (!(openFrom >= first) || nowMs < openFrom - windowMs) openFrom = first
  }

  const placer = makePlacer({ table, windowSeconds, seed, openAt, account: placed })

  const fold = (batch: FlowBatch, exporters: ExporterColumns, arrivalMs: number): void => {
    if (Number.isNaN(openFrom)) advance(arrivalMs)
    placed.records += batch.length
    table.setExporters(exporters)
    for (let from = 0; from < batch.length; from += BATCH_ROWS) {
      const count = Math.min(BATCH_ROWS, batch.length - from)
      table.load(batch, from, count)
      placer.place(batch, from, count, arrivalMs, openFrom, pressure)
      table.fold(0, count, pressure)
      placer.foldParts(pressure)
    }
  }

  const repeat = (batch: FlowBatch, row: number, { sampling, skewMs }: ExporterColumns, arrivalMs: number): void => {
    if (Number.isNaN(openFrom)) advance(arrivalMs)
    placed.records++
    const exporter = batch.exporter[row]!
    const end = batch.end[row]! + skewMs[exporter]!
    const start = windowStartOf(isPlausible(end, arrivalMs, windowMs) ? end : arrivalMs, windowSeconds)
    if (start < openFrom) {
      placed.late++
      table.unfolded.late[exporter]!++
      return
    }
    const window = openAt(start)
    if (window === undefined) {
      placed.refused++
      table.unfolded.refused[exporter]!++
      return
    }
    repeated++
    const rate = batch.sampling[row]! || sampling[exporter]! || 1
    const bytes = (batch.bytes[row]! + batch.reverseBytes[row]!) * rate
    const known = window.repeats.get(exporter)
    if (known === undefined) window.repeats.set(exporter, { records: 1, bytes })
    else {
      known.records++
      known.bytes += bytes
    }
  }

  const take = (window: OpenWindow, final: boolean): WindowSlice => {
    const exporters: Array<SliceExporter> = []
    const renamed = new Map<number, number>()
    const nameOf = (index: number): number => {
      let name = renamed.get(index)
      if (name === undefined) {
        const repeats = window.repeats.get(index)
        name = exporters.push({ ...options.exporter(index), ...(repeats === undefined ? {} : { repeats }) }) - 1
        renamed.set(index, name)
      }
      return name
    }
    const { columns, egress, ipv6 } = table.emit(window.held, window.start, nameOf)
    let records = sumOf(columns.recordsAb) + sumOf(columns.recordsBa)
    for (const [index, repeats] of window.repeats) {
      nameOf(index)
      records += repeats.records
    }
    const slice: WindowSlice = {
      boot: options.boot,
      worker: options.worker,
      sequence: sequence++,
      windowStart: window.start,
      windowSeconds,
      final,
      pressureSampling: window.pressure,
      records,
      rows: columns.a.length,
      exporters,
      ipv6,
      columns,
      ...(egress === undefined ? {} : { egress })
    }
    table.reset(window.held)
    window.repeats = new Map()
    window.pressure = 1
    window.emitted = true
    if (final) {
      open.delete(window.start)
      table.close(window.held)
      placer.forget(window)
    }
    return slice
  }

  const holds = ({ held, repeats }: OpenWindow): boolean => table.rows(held) > 0 || repeats.size > 0
  const inOrder = () => [...open.values()].sort((one, other) => one.start - other.start)

  const flush = (nowMs: number, most: number): ReadonlyArray<WindowSlice> => {
    const before = openFrom
    advance(nowMs)
    // A window in which nothing came is reported all the same: it was watched, and it was empty.
    if (openFrom > before) {
      for (let start = Math.max(before, openFrom - EMPTY_WINDOWS * windowMs); start < openFrom; start += windowMs) openAt(start)
    }
    const slices: Array<WindowSlice> = []
    for (const window of inOrder()) {
      if (slices.length >= most) break
      const final = window.start < openFrom
      if (final || holds(window)) slices.push(take(window, final))
    }
    if (slices.length > 0) placer.flushed(Math.max(...slices.map(({ rows }) => rows)))
    table.relieve()
    return slices
  }

  return {
    batch: table.batch,
    fold,
    repeat,
    flush,
    close: (nowMs) => {
      advance(nowMs)
      return inOrder()
        .filter((window) => holds(window) || (window.emitted && window.start < openFrom))
        .map((window) => take(window, window.start < openFrom))
    },
    account: () => {
      const { future, implausible, late, moved, records, skipped, split } = placed
      const folded = table.records + repeated
      const refusedConversations = table.refused.conversations + placed.refused
      const refusedNoAddress = table.refused.noAddress
      return {
        records,
        folded,
        late,
        refusedConversations,
        refusedNoAddress,
        skipped,
        failed: records - folded - late - refusedConversations - refusedNoAddress - skipped,
        repeated,
        future,
        implausible,
        split,
        moved,
        refusedParts: table.refused.parts
      }
    },
    unfolded: (exporter) => ({
      recordsRefused: table.unfolded.refused[exporter]!,
      recordsLeftOut: table.unfolded.leftOut[exporter]!,
      recordsLate: table.unfolded.late[exporter]!
    }),
    forgetExporter: (exporter) => {
      for (const counts of Object.values(table.unfolded)) counts[exporter] = 0
    },
    conversations: () => inOrder().reduce((sum, window) => sum + table.rows(window.held), 0),
    empty: () => ![...open.values()].some(holds),
    bytesHeld: () => table.bytesHeld,
    openWindows: () => open.size,
    keepOneOf: (n) => {
      pressure = Math.max(1, Math.floor(n))
    }
  }
}
