/** Numbers tuples of four 32-bit integers in the order they are first seen: a Map with compound keys, without strings or big numbers. */

export interface TupleTable {
  readonly size: number
  /** Number of the tuple, given on first sight. */
  readonly intern: (w: number, x: number, y: number, z: number) => number
  readonly find: (w: number, x: number, y: number, z: number) => number | undefined
}

export const makeTupleTable = (expected = 64): TupleTable => {
  let capacity = 64
  while (capacity < expected) capacity *= 2
  let words = new Int32Array(capacity * 4)
  let index = new Int32Array(capacity * 2)
  let size = 0

  const hash = (w: number, x: number, y: number, z: number): number => {
    let h = Math.imul(w, 0x9e3779b1)
    h = Math.imul(h ^ (h >>> 15) ^ x, 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13) ^ y, 0xc2b2ae35)
    h = Math.imul(h ^ (h >>> 16) ^ z, 0x27d4eb2f)
    return h ^ (h >>> 15)
  }
  const grow = (): void => {
    capacity *= 2
    const wider = new Int32Array(capacity * 4)
    wider.set(words)
    words = wider
    index = new Int32Array(capacity * 2)
    const mask = index.length - 1
    for (let i = 0; i < size; i++) {
      let at = hash(words[i * 4]!, words[i * 4 + 1]!, words[i * 4 + 2]!, words[i * 4 + 3]!) & mask
      while (index[at] !== 0) at = (at + 1) & mask
      index[at] = i + 1
    }
  }
  /** Where the tuple is in the index, or the free place where it belongs. */
  const place = (w: number, x: number, y: number, z: number): number => {
    const mask = index.length - 1
    let at = hash(w, x, y, z) & mask
    for (let entry = index[at]!; entry !== 0; entry = index[at]!) {
      const o = (entry - 1) << 2
      if (words[o] === w && words[o + 1] === x && words[o + 2] === y && words[o + 3] === z) return at
      at = (at + 1) & mask
    }
    return at
  }
  return {
    get size() {
      return size
    },
    find: (w, x, y, z) => {
      const entry = index[place(w | 0, x | 0, y | 0, z | 0)]!
      return entry === 0 ? undefined : entry - 1
    },
    intern: (w, x, y, z) => {
      w |= 0
      x |= 0
      y |= 0
      z |= 0
      let at = place(w, x, y, z)
      if (index[at] !== 0) return index[at]! - 1
      if (size >= capacity) {
        grow()
        at = place(w, x, y, z)
      }
      const o = size << 2
      words[o] = w
      words[o + 1] = x
      words[o + 2] = y
      words[o + 3] = z
      index[at] = ++size
      return size - 1
    }
  }
}
