/**
 * What directions were before a slice changed them: when the slice is not written, it is taken back, and the next try decides as if the
 * first had not been. A record holds a direction and its entries, and ends with its own length.
 */
import type { OwnerSums } from "./owner-sums.ts"

export interface OwnerLog {
  /** Forgets what was noted. */
  readonly begin: () => void
  /** Before a direction is changed. */
  readonly note: (sums: OwnerSums, direction: number) => void
  /** Everything as it was at `begin`. */
  readonly undo: () => void
}

const FIXED = 12
const ENTRY = 7

export const makeOwnerLog = (): OwnerLog => {
  let values = new Float64Array(1024)
  let length = 0
  /** Tables the records are of, and where those of each begin: a generation may end in the middle of a slice. */
  let parts: Array<{ readonly sums: OwnerSums; readonly from: number }> = []

  const restore = (sums: OwnerSums, from: number): void => {
    const direction = values[from]!
    const [slot, next] = [direction * 2, direction * 2 + 1]
    sums.owner[slot] = values[from + 1]!
    sums.owner[next] = values[from + 2]!
    sums.window[slot] = values[from + 3]!
    sums.window[next] = values[from + 4]!
    sums.counted.packets[slot] = values[from + 5]!
    sums.counted.packets[next] = values[from + 6]!
    sums.counted.bytes[slot] = values[from + 7]!
    sums.counted.bytes[next] = values[from + 8]!
    sums.debt.packets[direction] = values[from + 9]!
    sums.debt.bytes[direction] = values[from + 10]!
    sums.head[direction] = values[from + 11]!
    let o = from + FIXED
    for (let at = sums.head[direction]!; at !== 0; at = sums.next[at - 1]!) {
      const entry = at - 1
      sums.rate[entry] = values[o]!
      sums.seen.packets[entry * 2] = values[o + 1]!
      sums.seen.packets[entry * 2 + 1] = values[o + 2]!
      sums.seen.bytes[entry * 2] = values[o + 3]!
      sums.seen.bytes[entry * 2 + 1] = values[o + 4]!
      sums.behind.packets[entry] = values[o + 5]!
      sums.behind.bytes[entry] = values[o + 6]!
      o += ENTRY
    }
  }
  const room = (more: number): void => {
    if (length + more <= values.length) return
    const wider = new Float64Array(Math.max(length + more, values.length * 2))
    wider.set(values)
    values = wider
  }

  return {
    begin: () => {
      length = 0
      parts = []
    },
    note: (sums, direction) => {
      if (parts.at(-1)?.sums !== sums) parts.push({ sums, from: length })
      const from = length
      room(FIXED + 1)
      const [slot, next] = [direction * 2, direction * 2 + 1]
      values[from] = direction
      values[from + 1] = sums.owner[slot]!
      values[from + 2] = sums.owner[next]!
      values[from + 3] = sums.window[slot]!
      values[from + 4] = sums.window[next]!
      values[from + 5] = sums.counted.packets[slot]!
      values[from + 6] = sums.counted.packets[next]!
      values[from + 7] = sums.counted.bytes[slot]!
      values[from + 8] = sums.counted.bytes[next]!
      values[from + 9] = sums.debt.packets[direction]!
      values[from + 10] = sums.debt.bytes[direction]!
      values[from + 11] = sums.head[direction]!
      length += FIXED
      for (let at = sums.head[direction]!; at !== 0; at = sums.next[at - 1]!) {
        const entry = at - 1
        room(ENTRY + 1)
        values[length] = sums.rate[entry]!
        values[length + 1] = sums.seen.packets[entry * 2]!
        values[length + 2] = sums.seen.packets[entry * 2 + 1]!
        values[length + 3] = sums.seen.bytes[entry * 2]!
        values[length + 4] = sums.seen.bytes[entry * 2 + 1]!
        values[length + 5] = sums.behind.packets[entry]!
        values[length + 6] = sums.behind.bytes[entry]!
        length += ENTRY
      }
      values[length] = length - from
      length++
    },
    undo: () => {
      for (const { from, sums } of parts.toReversed()) {
        while (length > from) {
          length -= 1 + values[length - 1]!
          restore(sums, length)
        }
      }
      parts = []
    }
  }
}
