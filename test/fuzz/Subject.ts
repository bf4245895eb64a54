/** What is fuzzed: it makes its own inputs, takes each, and says what is wrong with itself. */
import type { Random } from "#pipeline/decode/encode.fixture.ts"

export interface Subject {
  readonly next: (random: Random) => Uint8Array
  /** Throws where a promise is broken. What it returns names how it behaved: an input that makes it behave anew is kept to start from. */
  readonly take: (input: Uint8Array) => string
  readonly keep: (input: Uint8Array) => void
  /** Now and then, and at the end: everything adds up and is within its bounds. */
  readonly check: () => void
  /** Inputs it starts from now. */
  readonly pool: () => number
}

export const assertThat = (what: string, holds: boolean, ...seen: ReadonlyArray<unknown>): void => {
  if (!holds) throw new Error(seen.length === 0 ? what : `${what}: ${seen.map(String).join(", ")}`)
}

const MOST_KEPT = 2000

export interface Pool {
  readonly all: ReadonlyArray<Uint8Array>
  readonly keep: (input: Uint8Array) => void
}

/** Seeds stay; of what was found, the newest. */
export const makePool = (seeds: ReadonlyArray<Uint8Array>): Pool => {
  const all = [...seeds]
  let oldest = seeds.length
  return {
    all,
    keep: (input) => {
      if (all.length < seeds.length + MOST_KEPT) {
        all.push(input.slice())
        return
      }
      all[oldest] = input.slice()
      oldest = oldest + 1 < all.length ? oldest + 1 : seeds.length
    }
  }
}
