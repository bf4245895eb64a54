/**
 * Which windows the rows of a batch belong to. Most lie wholly in one window, which the kernel sees at a glance; this is about the others.
 *
 * A record is counted once, with its evidence, in the window that holds its *end*, corrected by its exporter's clock skew: a flow is
 * exported when it has ended, so ends arrive nearly in order. Its volumes are split over the windows it lasted through, by the milliseconds
 * from its first to its last, both included, that lie in each; in whole octets and packets, whose sum is exactly what was exported.
 *
 * - No end: it ended when it arrived, and lasted no time. No start, one after the end, or one more than two days before it: no time.
 * - Its end lies in a window that is closed: counted late, not folded.
 * - It began in a window that is closed: that share goes to the oldest open window; counted as moved.
 * - Where a window takes more than half of the room for conversations, its neighbour's shares would take that of others at the edge between
 *   them: records are then not split, and their volume stays where they ended.
 * - It ends more than one window ahead of its arrival: the exporter's record times are wrong (its skew is corrected already); folded at its
 *   arrival, as if it lasted no time; counted as future.
 * - It ends more than a day before its arrival: an uptime counter has wrapped; likewise, counted as implausible.
 */
import { windowStartOf } from "#domain/Window.ts"
import { BATCH_ROWS, FAMILY_IPV6, FAMILY_NONE, type FlowBatch } from "../decode/FlowBatch.ts"
import type { ConversationTable, TableWindow } from "./conversation-table.ts"
import { wordsOf } from "./ipv6-interner.ts"
import * as At from "./layout.ts"

const DAY_MS = 24 * 3600 * 1000
/** A flow that claims to have begun earlier than this before its end has a broken start time. */
const LONGEST_FLOW_MS = 2 * DAY_MS

export interface OpenWindow {
  readonly start: number
  readonly held: TableWindow
  pressure: number
  /** A slice has left, so the store waits for the last one. */
  emitted: boolean
  /** What exporters said again since the last slice, by their index. */
  repeats: Map<number, { records: number; bytes: number }>
}

/** Totals of records; `refused`: as many windows are open as there can be. */
export interface Placed {
  records: number
  late: number
  skipped: number
  future: number
  implausible: number
  split: number
  moved: number
  refused: number
}

export interface PlacerOptions {
  readonly table: ConversationTable
  readonly windowSeconds: number
  readonly seed: number
  readonly openAt: (start: number) => OpenWindow | undefined
  readonly account: Placed
}

export interface Placer {
  /** Marks the first `count` rows of the table's batch, which are rows `from` on of `batch`. With `pressure` N, N - 1 of N belong nowhere. */
  readonly place: (batch: FlowBatch, from: number, count: number, arrivalMs: number, openFrom: number, pressure: number) => void
  /** Folds the shares that other windows have in the rows just placed. */
  readonly foldParts: (pressure: number) => void
  readonly forget: (window: OpenWindow) => void
  /** The fullest window gave up so many. */
  readonly flushed: (conversations: number) => void
}

/** What falls to the first `passed` of `all` milliseconds. It grows with `passed`, so that differences of it are whole and add up. */
const shareOf = (total: number, passed: number, all: number): number => Math.floor(total * (passed / all))

/** A corrected end that is believed: neither far ahead of its arrival nor a day before it. */
export const isPlausible = (end: number, arrivalMs: number, windowMs: number): boolean =>
  end <= arrivalMs + windowMs && end >= arrivalMs - DAY_MS

export const makePlacer = (options: PlacerOptions): Placer => {
  const { account, openAt, table, windowSeconds } = options
  const { began, columns, ended, mark, odd, own, six, unfolded } = table
  const windowMs = windowSeconds * 1000
  let current: OpenWindow | undefined
  let dice = (options.seed | 1) >>> 0
  let parts = 0
  /** Conversations of the fullest window at the last flush. */
  let lately = 0
  /** There is room for the shares that records have in other windows. */
  let splits = true
  let underPressure = 1
  /** IPv6 addresses of the batch that was placed last. */
  let octets: Uint8Array | undefined
  let addresses: Int32Array = new Int32Array(0)

  const intern = (batch: FlowBatch, from: number, row: number, target: number, window: TableWindow): boolean => {
    if (batch.ipv6 !== octets) {
      octets = batch.ipv6
      addresses = wordsOf(octets)
    }
    const at = (from + row) << 3
    const source = window.ipv6.intern(addresses, at)
    const destination = window.ipv6.intern(addresses, at + 4)
    columns.source[target] = source
    columns.destination[target] = destination
    return source >= 0 && destination >= 0
  }

  /** A share of `row` for another window, behind the rows of the batch. */
  const addPart = (batch: FlowBatch, from: number, row: number, window: OpenWindow): number => {
    if (parts === At.PART_ROWS) foldParts(underPressure)
    const part = BATCH_ROWS + parts
    columns.exporter[part] = columns.exporter[row]!
    columns.family[part] = columns.family[row]!
    columns.sourcePort[part] = columns.sourcePort[row]!
    columns.destinationPort[part] = columns.destinationPort[row]!
    columns.protocol[part] = columns.protocol[row]!
    columns.tcpFlags[part] = columns.tcpFlags[row]!
    columns.sampling[part] = columns.sampling[row]!
    columns.direction[part] = columns.direction[row]!
    if (columns.family[row] !== FAMILY_IPV6) {
      columns.source[part] = columns.source[row]!
      columns.destination[part] = columns.destination[row]!
    } else if (!intern(batch, from, row, part, window.held)) return -1
    mark[part] = window.held.tag | At.PART
    if (underPressure > window.pressure) window.pressure = underPressure
    parts++
    return part
  }

  const split = (batch: FlowBatch, from: number, row: number, first: number, last: number, openFrom: number): void => {
    const bytes = columns.bytes[row]!
    const packets = columns.packets[row]!
    const reverseBytes = columns.reverseBytes[row]!
    const reversePackets = columns.reversePackets[row]!
    // It is refused as a whole; its shares would be refused, and counted, once more.
    if (columns.family[row] === FAMILY_NONE) return
    // Beyond this, doubles have no whole parts that add up.
    if (!(Math.max(bytes, packets, reverseBytes, reversePackets) <= Number.MAX_SAFE_INTEGER)) return
    const home = windowStartOf(last, windowSeconds)
    const all = last - first + 1
    let [bytesGone, packetsGone, reverseBytesGone, reversePacketsGone] = [0, 0, 0, 0]
    account.split++
    if (first < openFrom) account.moved++
    for (let start = Math.max(windowStartOf(first, windowSeconds), openFrom); start < home; start += windowMs) {
      const passed = start + windowMs - first
      const ownBytes = shareOf(bytes, passed, all) - bytesGone
      const ownPackets = shareOf(packets, passed, all) - packetsGone
      const ownReverseBytes = shareOf(reverseBytes, passed, all) - reverseBytesGone
      const ownReversePackets = shareOf(reversePackets, passed, all) - reversePacketsGone
      if (ownBytes + ownPackets + ownReverseBytes + ownReversePackets === 0) continue
      const window = openAt(start)
      const part = window === undefined ? -1 : addPart(batch, from, row, window)
      // What finds no window stays with the end of the record.
      if (part < 0) continue
      columns.bytes[part] = ownBytes
      columns.packets[part] = ownPackets
      columns.reverseBytes[part] = ownReverseBytes
      columns.reversePackets[part] = ownReversePackets
      ended[part] = windowMs - 1
      began[part] = Math.max(first, start) - start
      bytesGone += ownBytes
      packetsGone += ownPackets
      reverseBytesGone += ownReverseBytes
      reversePacketsGone += ownReversePackets
    }
    columns.bytes[row] = bytes - bytesGone
    columns.packets[row] = packets - packetsGone
    columns.reverseBytes[row] = reverseBytes - reverseBytesGone
    columns.reversePackets[row] = reversePackets - reversePacketsGone
  }

  const placeRow = (
    batch: FlowBatch,
    from: number,
    row: number,
    skewMs: number,
    arrivalMs: number,
    openFrom: number
  ): OpenWindow | undefined => {
    let last = columns.end[row]!
    let first = columns.start[row]!
    let started = 0
    if (last === 0) last = arrivalMs
    else {
      last += skewMs
      first = first === 0 ? Number.NaN : first + skewMs
      if (!(last <= arrivalMs + windowMs)) {
        account.future++
        last = arrivalMs
      } else if (last < arrivalMs - DAY_MS) {
        account.implausible++
        last = arrivalMs
      } else if (last - first >= 0 && last - first < LONGEST_FLOW_MS) started = At.STARTED
    }
    mark[row] = At.NOWHERE
    if (underPressure > 1) {
      dice = (Math.imul(dice, 1664525) + 1013904223) >>> 0
      if (dice >= 0x1_0000_0000 / underPressure) {
        account.skipped++
        unfolded.leftOut[columns.exporter[row]!]!++
        return undefined
      }
    }
    const start = windowStartOf(last, windowSeconds)
    if (start < openFrom) {
      account.late++
      unfolded.late[columns.exporter[row]!]!++
      return undefined
    }
    const window = current?.start === start ? current : openAt(start)
    if (window === undefined) {
      account.refused++
      unfolded.refused[columns.exporter[row]!]!++
      return undefined
    }
    if (underPressure > window.pressure) window.pressure = underPressure
    mark[row] = window.held.tag | started
    ended[row] = last - start
    began[row] = started === 0 ? last - start : first - start
    own[row] = began[row]! - skewMs
    if (splits && started !== 0 && first < start) split(batch, from, row, first, last, openFrom)
    return window
  }

  const foldParts = (pressure: number): void => {
    const count = parts
    parts = 0
    if (count > 0) table.fold(BATCH_ROWS, count, pressure, false)
  }

  return {
    foldParts,
    flushed: (conversations) => {
      lately = conversations
    },
    forget: (window) => {
      if (current === window) current = undefined
    },
    place: (batch, from, count, arrivalMs, openFrom, pressure) => {
      underPressure = pressure
      splits = 2 * Math.max(lately, current === undefined ? 0 : table.rows(current.held)) <= table.most
      // Of a batch that failed half way.
      parts = 0
      const easy =
        pressure === 1 &&
        current !== undefined &&
        current.start >= openFrom &&
        current.start >= arrivalMs - DAY_MS &&
        current.start <= arrivalMs
      // In no time there is no row: all are odd.
      const odds = table.place(count, current?.held, current?.start ?? 0, easy ? windowMs : 0, arrivalMs)
      let next = current
      for (let n = 0; n < odds; n++) {
        const row = odd[n]!
        next = placeRow(batch, from, row, table.skewOf(columns.exporter[row]!), arrivalMs, openFrom) ?? next
      }
      internRows(batch, from, table.sixes)
      current = next
    }
  }

  function internRows(batch: FlowBatch, from: number, count: number): void {
    for (let n = 0; n < count; n++) {
      const row = six[n]!
      if (mark[row] === At.NOWHERE) continue
      if (intern(batch, from, row, row, table.windowOf(mark[row]!))) continue
      mark[row] = At.NOWHERE
      account.refused++
      unfolded.refused[columns.exporter[row]!]!++
    }
  }
}
