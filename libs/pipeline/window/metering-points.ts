/**
 * Where an exporter meters: observation domain, input and output interface, numbered in the order they were first seen; and which two of
 * them say the same. Bounded: what is too much has the number 0 and is never compared.
 */

/** Domains and interfaces of an exporter, pairs of them, and pairs of pairs. */
const MOST_NUMBERS = 4096
const MOST_POINTS = 4096
const MOST_PAIRS = 1024
/** Equal records of two points until they are believed to say the same: halves of a flow that is spread packet by packet are equal, too. */
const ENOUGH = 16
/** Of these, and of all pairs of the exporter together, until another pair is believed by its exporter. */
const ENOUGH_OF_ALL = 64
/** Counts beyond this are halved, so that what changed is noticed. */
const MEMORY = 1024

/** Two points that have reported the same flow at the same time. */
export interface PointPair {
  readonly first: number
  readonly second: number
  /** Records with equal counts and times, and records of the same flow and time with others. */
  alike: number
  unlike: number
  /** Left out because of it. */
  repeats: number
  known: boolean
}

export interface MeteringPoints {
  /** Where one record of a flow was metered, and where the other was. Undefined: too many of them. */
  readonly pair: (
    ofDomain: number,
    ofInput: number,
    ofOutput: number,
    domain: number,
    input: number,
    output: number
  ) => PointPair | undefined
  readonly alike: (pair: PointPair) => void
  readonly unlike: (pair: PointPair) => void
  /** Equal records of this pair are the same packets. */
  readonly believed: (pair: PointPair) => boolean
  readonly anyKnown: () => boolean
  /** Evidence is gathered anew. */
  readonly restart: () => void
  readonly busiest: () => PointPair | undefined
  readonly pairs: () => number
  readonly name: (point: number, beside: number) => string
}

export const makeMeteringPoints = (): MeteringPoints => {
  const numbers = new Map<number, number>()
  const points = new Map<number, number>()
  const named: Array<readonly [domain: number, input: number, output: number]> = [[0, 0, 0]]
  const pairs = new Map<number, PointPair>()
  let knownPairs = 0
  let alike = 0
  let unlike = 0
  // what was asked last, and the answer
  let [oldDomain, oldInput, oldOutput, newDomain, newInput, newOutput] = [-1, -1, -1, -1, -1, -1]
  let last: PointPair | undefined

  const numberOf = (value: number): number => {
    let number = numbers.get(value)
    if (number === undefined) {
      if (numbers.size === MOST_NUMBERS) return -1
      number = numbers.size
      numbers.set(value, number)
    }
    return number
  }
  const pointOf = (domain: number, input: number, output: number): number => {
    const [d, i, o] = [numberOf(domain), numberOf(input), numberOf(output)]
    if (d < 0 || i < 0 || o < 0) return 0
    const key = (d * MOST_NUMBERS + i) * MOST_NUMBERS + o
    let point = points.get(key)
    if (point === undefined) {
      if (points.size === MOST_POINTS) return 0
      point = named.push([domain, input, output]) - 1
      points.set(key, point)
    }
    return point
  }
  const pairOf = (one: number, other: number): PointPair | undefined => {
    if (one === 0 || other === 0) return undefined
    const first = Math.min(one, other)
    const second = Math.max(one, other)
    const key = first * (MOST_POINTS + 1) + second
    let pair = pairs.get(key)
    if (pair === undefined) {
      if (pairs.size === MOST_PAIRS) return undefined
      pair = { first, second, alike: 0, unlike: 0, repeats: 0, known: false }
      pairs.set(key, pair)
    }
    return pair
  }
  const know = (pair: PointPair, known: boolean): void => {
    if (pair.known !== known) knownPairs += known ? 1 : -1
    pair.known = known
  }
  const weigh = (pair: PointPair): void => {
    if (pair.alike + pair.unlike > MEMORY) {
      pair.alike /= 2
      pair.unlike /= 2
    }
    if (alike + unlike > MEMORY) {
      alike /= 2
      unlike /= 2
    }
    if (pair.known) know(pair, pair.unlike * 3 <= pair.alike)
    else know(pair, pair.alike >= ENOUGH && pair.unlike * 9 <= pair.alike)
  }

  return {
    pair: (ofDomain, ofInput, ofOutput, domain, input, output) => {
      if (
        ofInput === oldInput &&
        input === newInput &&
        ofOutput === oldOutput &&
        output === newOutput &&
        ofDomain === oldDomain &&
        domain === newDomain
      ) {
        return last
      }
      oldDomain = ofDomain
      oldInput = ofInput
      oldOutput = ofOutput
      newDomain = domain
      newInput = input
      newOutput = output
      last = pairOf(pointOf(ofDomain, ofInput, ofOutput), pointOf(domain, input, output))
      return last
    },
    alike: (pair) => {
      pair.alike++
      alike++
      weigh(pair)
    },
    unlike: (pair) => {
      pair.unlike++
      unlike++
      weigh(pair)
    },
    believed: (pair) => pair.known || (pair.unlike === 0 && alike >= ENOUGH_OF_ALL && unlike * 16 <= alike),
    anyKnown: () => knownPairs > 0,
    restart: () => {
      pairs.clear()
      oldDomain = -1
      knownPairs = 0
      alike = 0
      unlike = 0
    },
    busiest: () => [...pairs.values()].reduce<PointPair | undefined>((a, b) => (b.repeats > (a?.repeats ?? 0) ? b : a), undefined),
    pairs: () => [...pairs.values()].filter(({ repeats }) => repeats > 0).length,
    name: (point, beside) => {
      const [domain, input, output] = named[point]!
      const place = `${input === 0 ? "?" : input} → ${output === 0 ? "?" : output}`
      return domain === named[beside]![0] ? place : `${place} of observation domain ${domain}`
    }
  }
}
