/**
 * Bounds-checked reader over one stretch of bytes. Reading past the end gives 0 and sets `truncated`; it never throws, so a caller may
 * read a whole structure and look once.
 */
export interface Cursor {
  readonly at: number
  readonly remaining: number
  readonly truncated: boolean
  readonly u8: () => number
  readonly u16: () => number
  readonly u32: () => number
  readonly u64: () => number
  /** Moves on; past the end counts as reading past the end. */
  readonly skip: (octets: number) => void
}

export const makeCursor = (view: DataView, from: number, end: number): Cursor => {
  let at = from
  let truncated = false
  const take = (octets: number): boolean => {
    if (truncated || octets < 0 || octets > end - at) {
      truncated = true
      return false
    }
    at += octets
    return true
  }
  const u32 = () => (take(4) ? view.getUint32(at - 4) : 0)
  return {
    get at() {
      return at
    },
    get remaining() {
      return end - at
    },
    get truncated() {
      return truncated
    },
    u8: () => (take(1) ? view.getUint8(at - 1) : 0),
    u16: () => (take(2) ? view.getUint16(at - 2) : 0),
    u32,
    u64: () => u32() * 4294967296 + u32(),
    skip: (octets) => {
      take(octets)
    }
  }
}
