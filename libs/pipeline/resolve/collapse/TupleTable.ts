/**
 * Numbers tuples of four 32-bit integers in the order they are first seen: a Map with compound keys, without strings or big numbers.
 *
 * A class, for there are many at a time: objects with a getter of their own each are of a shape of their own each, and every call of theirs
 * is looked up anew.
 */

const hash = (w: number, x: number, y: number, z: number): number => {
  let h = Math.imul(w, 0x9e3779b1)
  h = Math.imul(h ^ (h >>> 15) ^ x, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13) ^ y, 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 16) ^ z, 0x27d4eb2f)
  return h ^ (h >>> 15)
}

export class TupleTable {
  /** How many there are. */
  size = 0
  private capacity: number
  private words: Int32Array
  private index: Int32Array

  constructor(expected = 64) {
    this.capacity = 64
    while (this.capacity < expected) this.capacity *= 2
    this.words = new Int32Array(this.capacity * 4)
    this.index = new Int32Array(this.capacity * 2)
  }

  find(w: number, x: number, y: number, z: number): number | undefined {
    const entry = this.index[this.place(w | 0, x | 0, y | 0, z | 0)]!
    return entry === 0 ? undefined : entry - 1
  }

  /** Number of the tuple, given on first sight. */
  intern(w: number, x: number, y: number, z: number): number {
    w |= 0
    x |= 0
    y |= 0
    z |= 0
    let at = this.place(w, x, y, z)
    const known = this.index[at]!
    if (known !== 0) return known - 1
    if (this.size >= this.capacity) {
      this.grow()
      at = this.place(w, x, y, z)
    }
    const { words } = this
    const o = this.size << 2
    words[o] = w
    words[o + 1] = x
    words[o + 2] = y
    words[o + 3] = z
    this.index[at] = ++this.size
    return this.size - 1
  }

  /** Where the tuple is in the index, or the free place where it belongs. */
  private place(w: number, x: number, y: number, z: number): number {
    const { index, words } = this
    const mask = index.length - 1
    let at = hash(w, x, y, z) & mask
    for (let entry = index[at]!; entry !== 0; entry = index[at]!) {
      const o = (entry - 1) << 2
      if (words[o] === w && words[o + 1] === x && words[o + 2] === y && words[o + 3] === z) return at
      at = (at + 1) & mask
    }
    return at
  }

  private grow(): void {
    this.capacity *= 2
    const words = new Int32Array(this.capacity * 4)
    words.set(this.words)
    this.words = words
    const index = new Int32Array(this.capacity * 2)
    this.index = index
    const mask = index.length - 1
    for (let i = 0; i < this.size; i++) {
      let at = hash(words[i * 4]!, words[i * 4 + 1]!, words[i * 4 + 2]!, words[i * 4 + 3]!) & mask
      while (index[at] !== 0) at = (at + 1) & mask
      index[at] = i + 1
    }
  }
}
