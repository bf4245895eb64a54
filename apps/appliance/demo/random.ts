/** A seeded generator (mulberry32): the same seed plays the same day, so that a run can be repeated. */
export interface Seeded {
  /** 0 ≤ x < 1. */
  readonly next: () => number
  readonly between: (least: number, most: number) => number
  /** Whole number, both ends included. */
  readonly whole: (least: number, most: number) => number
  /** Log-uniform: sizes and durations have many small and few large. */
  readonly skewed: (least: number, most: number) => number
  readonly pick: <A>(list: ReadonlyArray<A>) => A
}

export const seeded = (seed: number): Seeded => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  return {
    next,
    between: (least, most) => least + (most - least) * next(),
    whole: (least, most) => least + Math.floor((most - least + 1) * next()),
    skewed: (least, most) => (least <= 0 || least >= most ? most : least * (most / least) ** next()),
    pick: (list) => list[Math.floor(next() * list.length)]!
  }
}
