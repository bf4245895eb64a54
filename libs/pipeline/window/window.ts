/**
 * Folds flow batches into open windows and takes slices out of them. Pure: the time is an argument, the worker's loop drives it.
 *
 * A record belongs to the window that holds its *end*, corrected by its exporter's clock skew: a flow is exported when it has ended, so
 * ends arrive nearly in order. A record without times ends when it arrives. Where a record cannot be told a window:
 * - later than its window's lateness allowance: counted late, not folded;
 * - more than one window ahead of its arrival: the exporter's record times are wrong (its skew is corrected already); folded at its
 *   arrival, counted;
 * - more than a day before its arrival: an uptime counter has wrapped; folded at its arrival, counted.
 */
import type { PortRanks } from "#domain/PortRank.ts"
import { type WindowSlice, windowStartOf } from "#domain/Window.ts"
import { BATCH_ROWS, type FlowBatch } from "../decode/FlowBatch.ts"
import type { ExporterColumns } from "./add-rows.ts"
import { ConversationTable, MAX_CONVERSATIONS, type Room } from "./conversation-table.ts"
import { columnBuffers } from "./emit-columns.ts"

const DAY_MS = 24 * 3600 * 1000
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
  readonly exporterAddress: (index: number) => string
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
  /** Folded at their arrival because their own time could not be. */
  readonly future: number
  readonly implausible: number
}

export interface Windows {
  /** Takes all rows; the caller sets `batch.length` to 0. */
  readonly fold: (batch: FlowBatch, exporters: ExporterColumns, arrivalMs: number) => void
  /** Slices of the open windows, oldest first, at most `most`; what finds no place stays merged in its window. */
  readonly flush: (nowMs: number, most: number) => ReadonlyArray<WindowSlice>
  /** Everything that is held: the worker stops. A window whose time is not over is left to be finished by whoever starts next. */
  readonly close: (nowMs: number) => ReadonlyArray<WindowSlice>
  readonly account: () => WindowAccount
  /** Conversations in open windows, and what their tables take in memory. */
  readonly conversations: () => number
  readonly bytesHeld: () => number
  readonly openWindows: () => number
  /** From now on keep one record of `n` (1: all) and multiply its volumes by `n`. */
  readonly keepOneOf: (n: number) => void
}

interface OpenWindow {
  readonly start: number
  readonly table: ConversationTable
  pressure: number
  /** A slice has left, so the store waits for the last one. */
  emitted: boolean
}

export const sliceBuffers = (slice: WindowSlice): Array<ArrayBuffer> => [
  slice.ipv6.buffer as ArrayBuffer,
  ...columnBuffers(slice.columns),
  ...(slice.egress === undefined ? [] : Object.values(slice.egress).map((column) => column.buffer as ArrayBuffer))
]

export const makeWindows = (options: WindowOptions): Windows => {
  const { ranks, seed, windowSeconds } = options
  const windowMs = windowSeconds * 1000
  const latenessMs = options.latenessSeconds * 1000
  const room: Room = { free: Math.min(options.maxConversations ?? 1_000_000, MAX_CONVERSATIONS) }
  const open = new Map<number, OpenWindow>()
  let at = new Float64Array(BATCH_ROWS)
  let openFrom = Number.NaN
  let current: OpenWindow | undefined
  let sequence = options.firstSequence ?? 0
  let pressure = 1
  let dice = (seed | 1) >>> 0
  let records = 0
  let folded = 0
  let late = 0
  let skipped = 0
  let future = 0
  let implausible = 0
  const refused = { conversations: 0, noAddress: 0 }

  const openAt = (start: number): OpenWindow => {
    const known = open.get(start)
    if (known !== undefined) return known
    const fresh = { start, table: new ConversationTable(ranks, start, room, seed), pressure: 1, emitted: false }
    open.set(start, fresh)
    return fresh
  }

  /** The first window that still takes records. A clock that was set back opens its past again. */
  const advance = (nowMs: number): void => {
    const first = windowStartOf(nowMs - latenessMs, windowSeconds)
    if (!(openFrom >= first) || nowMs < openFrom - windowMs) openFrom = first
  }

  const foldRows = (window: OpenWindow, batch: FlowBatch, from: number, to: number, exporters: ExporterColumns): void => {
    const { table } = window
    const before = table.records
    const conversations = table.refused.conversations
    const noAddress = table.refused.noAddress
    if (pressure > window.pressure) window.pressure = pressure
    table.fold(batch, from, to, at, exporters, pressure)
    folded += table.records - before
    refused.conversations += table.refused.conversations - conversations
    refused.noAddress += table.refused.noAddress - noAddress
  }

  const fold = (batch: FlowBatch, exporters: ExporterColumns, arrivalMs: number): void => {
    const { length, end, exporter } = batch
    if (at.length < length) at = new Float64Array(end.length)
    if (Number.isNaN(openFrom)) advance(arrivalMs)
    records += length
    const latest = arrivalMs + windowMs
    const earliest = arrivalMs - DAY_MS
    let low = current === undefined ? 0 : current.start
    let high = current === undefined ? 0 : low + windowMs
    let from = 0
    for (let i = 0; i < length; i++) {
      let time = end[i]!
      if (time === 0) {
        time = arrivalMs
      } else {
        time += exporters.skewMs[exporter[i]!]!
        if (time > latest) {
          future++
          time = arrivalMs
        } else if (time < earliest) {
          implausible++
          time = arrivalMs
        }
      }
      at[i] = time
      let keep = true
      if (pressure > 1) {
        dice = (Math.imul(dice, 1664525) + 1013904223) >>> 0
        keep = dice < 0x1_0000_0000 / pressure
        if (!keep) skipped++
      }
      if (keep && time >= low && time < high) continue
      if (current !== undefined && i > from) foldRows(current, batch, from, i, exporters)
      from = i + 1
      if (!keep) continue
      const start = windowStartOf(time, windowSeconds)
      if (start < openFrom) {
        late++
        continue
      }
      current = openAt(start)
      low = start
      high = start + windowMs
      from = i
    }
    if (current !== undefined && length > from) foldRows(current, batch, from, length, exporters)
  }

  const take = (window: OpenWindow, final: boolean): WindowSlice => {
    const exporters: Array<{ address: string }> = []
    const renamed = new Map<number, number>()
    const { columns, egress, ipv6 } = window.table.emit((index) => {
      let name = renamed.get(index)
      if (name === undefined) {
        name = exporters.length
        renamed.set(index, name)
        exporters.push({ address: options.exporterAddress(index) })
      }
      return name
    })
    const slice: WindowSlice = {
      boot: options.boot,
      worker: options.worker,
      sequence: sequence++,
      windowStart: window.start,
      windowSeconds,
      final,
      pressureSampling: window.pressure,
      records: window.table.records,
      rows: window.table.rows,
      exporters,
      ipv6,
      columns,
      ...(egress === undefined ? {} : { egress })
    }
    window.table.reset()
    window.pressure = pressure
    window.emitted = true
    if (final) {
      open.delete(window.start)
      if (current === window) current = undefined
    }
    return slice
  }

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
      if (final || window.table.rows > 0) slices.push(take(window, final))
    }
    return slices
  }

  return {
    fold,
    flush,
    close: (nowMs) => {
      advance(nowMs)
      return inOrder()
        .filter((window) => window.table.rows > 0 || (window.emitted && window.start < openFrom))
        .map((window) => take(window, window.start < openFrom))
    },
    account: () => ({
      records,
      folded,
      late,
      refusedConversations: refused.conversations,
      refusedNoAddress: refused.noAddress,
      skipped,
      failed: records - folded - late - refused.conversations - refused.noAddress - skipped,
      future,
      implausible
    }),
    conversations: () => inOrder().reduce((sum, window) => sum + window.table.rows, 0),
    bytesHeld: () => inOrder().reduce((sum, window) => sum + window.table.bytesHeld, 0),
    openWindows: () => open.size,
    keepOneOf: (n) => {
      pressure = Math.max(1, Math.floor(n))
    }
  }
}
