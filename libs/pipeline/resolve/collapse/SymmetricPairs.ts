/**
 * Conversations whose two ends use one port (NTP, IKE, VXLAN, server to server DNS). The port tells nothing, both ends may begin, and what
 * exporters and windows say of that differs. So evidence of a pair is summed over slices, and its direction stays as it was first drawn
 * until more than `turnsBeyond` speaks against it that is not chance: one arrow, that turns seldom. Bounded: two generations, of which the
 * older is forgotten at a time; the store then joins what is drawn anew (match-edges.ts).
 */
import type { AddressKey } from "./address-key.ts"
import { TupleTable } from "./TupleTable.ts"

/** Of the lower end, then of the upper one. */
interface Counts {
  readonly syn: readonly [number, number]
  readonly began: readonly [number, number]
}

const INITIAL = 64
/** Starts and SYNs. */
const mostRemembered = 64
/** Log-odds: three peers of one end against one of the other, or six against two. */
export const turnsBeyond = 0.5

/** Starts, each by one end or the other, are a matter of chance between equals up to so many standard deviations. */
export const clearDeviations = 3
export const isClear = (one: number, other: number): boolean => Math.abs(one - other) > clearDeviations * Math.sqrt(one + other)

interface Generation {
  readonly keys: TupleTable
  /** Four a pair: SYNs from the lower end, from the upper one, starts likewise. */
  counts: Float64Array
  /** 1: the upper end serves; -1: the lower one; 0: not drawn yet. */
  drawn: Int8Array
}

const generation = (): Generation => ({
  keys: new TupleTable(INITIAL),
  counts: new Float64Array(INITIAL * 4),
  drawn: new Int8Array(INITIAL)
})

/** Whether `one` comes after `other` in an order that no slice changes. */
export const isUpper = (one: AddressKey, other: AddressKey): boolean =>
  one.high === other.high ? one.low >>> 0 > other.low >>> 0 : one.high >>> 0 > other.high >>> 0

export interface SymmetricPairs {
  /** Before each slice. What is answered takes back what was noted since, until the next slice. */
  readonly begin: () => () => void
  /** Place of a pair, good until the next one. `tail` is `port << 8 | protocol`. */
  readonly place: (lower: AddressKey, upper: AddressKey, tail: number) => number
  /** Adds what a slice saw; answers the sums. */
  readonly add: (place: number, counts: Counts) => Counts
  /**
   * Whether the upper end serves, by the log-odds that it does, or where it was drawn before, by that and by `clear`: those without
   * what may be chance. `turned`: it was drawn the other way.
   */
  readonly decide: (place: number, odds: number, clear: number) => { readonly upperServes: boolean; readonly turned: boolean }
}

export const makeSymmetricPairs = (capacity = 100_000): SymmetricPairs => {
  let fresh = generation()
  let old = generation()
  let changed: Array<() => void> = []

  const room = (at: number): void => {
    if (at < fresh.drawn.length) return
    const counts = new Float64Array(fresh.counts.length * 2)
    const drawn = new Int8Array(fresh.drawn.length * 2)
    counts.set(fresh.counts)
    drawn.set(fresh.drawn)
    Object.assign(fresh, { counts, drawn })
  }

  return {
    begin: () => {
      changed = []
      if (fresh.keys.size >= capacity) {
        old = fresh
        fresh = generation()
      }
      return () => {
        for (const undo of changed.reverse()) undo()
        changed = []
      }
    },
    place: (lower, upper, tail) => {
      const high = lower.high === 0 && upper.high === 0 ? 0 : Math.imul(lower.high, 0x85ebca6b) ^ upper.high
      const before = fresh.keys.size
      const at = fresh.keys.intern(lower.low, upper.low, tail, high)
      if (at < before) return at
      room(at)
      const known = old.keys.find(lower.low, upper.low, tail, high)
      if (known === undefined) return at
      fresh.drawn[at] = old.drawn[known]!
      fresh.counts.set(old.counts.subarray(known * 4, known * 4 + 4), at * 4)
      return at
    },
    add: (place, { began, syn }) => {
      const of = fresh
      const was = of.counts.slice(place * 4, place * 4 + 4)
      const drawn = of.drawn[place]!
      changed.push(() => {
        of.counts.set(was, place * 4)
        of.drawn[place] = drawn
      })
      const sums = [...syn, ...began].map((more, i) => was[i]! + more) as [number, number, number, number]
      // roles change: what is long ago weighs less
      const kept = sums.reduce((sum, one) => sum + one, 0) > mostRemembered ? 0.5 : 1
      of.counts.set(
        sums.map((one) => one * kept),
        place * 4
      )
      return { syn: [sums[0], sums[1]], began: [sums[2], sums[3]] }
    },
    decide: (place, odds, clear) => {
      const before = fresh.drawn[place]!
      const turned = before !== 0 && before * clear < -turnsBeyond
      const now = before === 0 ? (odds > 0 ? 1 : -1) : turned ? -before : before
      fresh.drawn[place] = now
      return { upperServes: now === 1, turned }
    }
  }
}
