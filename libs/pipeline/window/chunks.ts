/**
 * The slots of a table by the chunk: which chunks nobody has, and what of them was written and so takes memory. The lowest are given first,
 * so that what a flood took lies above what is used otherwise, and goes back to the system once two flushes have not needed it.
 */

/** Slots of a chunk: 128 KiB. */
export const CHUNK_SHIFT = 10
export const CHUNK = 1 << CHUNK_SHIFT

/** Less is not worth it: 8 MiB. */
const LEAST_SPARE = 64
/** At a time, as the system takes some microseconds for each. */
const MOST_SPARE = 256

/** Octets `from` to `to` of a memory hold nothing of worth, and may be anything afterwards. True when they take no memory now. */
export type GiveBack = (memory: ArrayBuffer, from: number, to: number) => boolean

export interface Chunks {
  /** Undefined when there is none left. */
  readonly take: () => number | undefined
  readonly free: (chunks: ReadonlyArray<number>) => void
  /** Chunks that were taken or given back since the table was made, and take memory. */
  readonly written: () => number
  /** After a flush. Keeps twice what was needed since the last but one. */
  readonly relieve: () => void
}

/** Chunk 0 is always taken. `giveBack` is true when that chunk takes no memory any more. */
export const makeChunks = (count: number, giveBack: (chunk: number) => boolean): Chunks => {
  const unused = Array.from({ length: count - 1 }, (_, i) => count - 1 - i)
  const wasWritten = new Uint8Array(count)
  let written = 1
  let taken = 1
  let most = 1
  let mostBefore = 1
  return {
    take: () => {
      const chunk = unused.pop()
      if (chunk === undefined) return undefined
      most = Math.max(most, ++taken)
      if (wasWritten[chunk] === 0) written++
      wasWritten[chunk] = 1
      return chunk
    },
    free: (chunks) => {
      unused.push(...chunks)
      unused.sort((one, other) => other - one)
      taken -= chunks.length
    },
    written: () => written,
    relieve: () => {
      const needed = Math.max(most, mostBefore)
      mostBefore = most
      most = taken
      if (written - 2 * needed < LEAST_SPARE) return
      const least = Math.max(2 * needed, written - MOST_SPARE)
      for (const chunk of unused) {
        if (written === least) return
        if (wasWritten[chunk] === 0) continue
        if (!giveBack(chunk)) return
        wasWritten[chunk] = 0
        written--
      }
    }
  }
}
