/** IPv6 addresses of one slice, sixteen bytes each, named by their index: columns then hold 32 bits for either family. */

export interface Ipv6Interner {
  readonly size: number
  /** Index of the sixteen bytes that are four words from `at` on, in this machine's order; or -1 when the table is full. */
  readonly intern: (words: Int32Array, at: number) => number
  /** A copy of the addresses, index after index. */
  readonly emit: () => Uint8Array
  readonly reset: () => void
}

/** Octets of addresses as words. */
export const wordsOf = ({ buffer, byteLength, byteOffset }: Uint8Array): Int32Array =>
  new Int32Array(buffer, byteOffset, byteLength >> 2)

/** Holds up to `capacity` addresses; starts small and doubles. `seed` keeps senders from choosing colliding addresses. */
export const makeIpv6Interner = (capacity: number, seed: number): Ipv6Interner => {
  const initial = 256
  let words = new Int32Array(initial * 4)
  let index = new Int32Array(initial * 2)
  let size = 0

  const hash = (w0: number, w1: number, w2: number, w3: number): number => {
    let h = Math.imul(w0 ^ seed, 0x9e3779b1)
    h = Math.imul(h ^ (h >>> 15) ^ w1, 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13) ^ w2, 0xc2b2ae35)
    h = Math.imul(h ^ (h >>> 16) ^ w3, 0x27d4eb2f)
    return h ^ (h >>> 15)
  }

  const grow = (): void => {
    const wider = new Int32Array(words.length * 2)
    wider.set(words)
    words = wider
    index = new Int32Array(index.length * 2)
    const mask = index.length - 1
    for (let i = 0; i < size; i++) {
      let at = hash(words[i * 4]!, words[i * 4 + 1]!, words[i * 4 + 2]!, words[i * 4 + 3]!) & mask
      while (index[at] !== 0) at = (at + 1) & mask
      index[at] = i + 1
    }
  }

  return {
    get size() {
      return size
    },
    intern: (from, first) => {
      const w0 = from[first]!
      const w1 = from[first + 1]!
      const w2 = from[first + 2]!
      const w3 = from[first + 3]!
      const hashed = hash(w0, w1, w2, w3)
      const mask = index.length - 1
      let at = hashed & mask
      for (let entry = index[at]!; entry !== 0; entry = index[at]!) {
        const o = (entry - 1) << 2
        if (words[o] === w0 && words[o + 1] === w1 && words[o + 2] === w2 && words[o + 3] === w3) return entry - 1
        at = (at + 1) & mask
      }
      if (size >= capacity) return -1
      if (size * 4 >= words.length) {
        grow()
        const wider = index.length - 1
        at = hashed & wider
        while (index[at] !== 0) at = (at + 1) & wider
      }
      const o = size << 2
      words[o] = w0
      words[o + 1] = w1
      words[o + 2] = w2
      words[o + 3] = w3
      index[at] = ++size
      return size - 1
    },
    // The words were octets, and are again.
    emit: () => new Uint8Array(words.slice(0, size * 4).buffer),
    reset: () => {
      if (words.length > initial * 4 && size * 16 < words.length) {
        words = new Int32Array(Math.max(initial * 4, words.length / 2))
        index = new Int32Array(Math.max(initial * 2, index.length / 2))
      } else {
        index.fill(0)
      }
      size = 0
    }
  }
}
