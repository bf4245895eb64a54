/** What was drawn against what is true. Pure but for the evidence of wrong ones, which is asked for by the caller. */
import type { Drawn } from "./measure.ts"
import { keyOf, type Named, type Truth } from "./Truth.ts"
import type { World } from "./World.ts"

/** `reversed`: between two ends that talk, but the client was taken for the server. */
export type WrongKind = "missing" | "invented" | "reversed" | "volume"

export interface Wrong {
  readonly kind: WrongKind
  readonly scenario: string
  /** The true one (missing, volume, reversed) or the drawn one (invented). */
  readonly of: Named
  readonly service: string
  readonly detail: string
  /** The drawn one, where there is one. */
  readonly drawn: Drawn | undefined
}

export interface Share {
  readonly right: number
  readonly of: number
}

export interface Volume {
  readonly trueBytes: number
  readonly measuredBytes: number
  /** Sum of what each dependency is off by. */
  readonly offBytes: number
  /** The part of it that was counted too much. */
  readonly overBytes: number
  /** Of the dependency that is off by most, as a share of its own true volume. */
  readonly worst: number
  /** For samplers: dependencies inside their own bound, and whether the whole is inside its own. */
  readonly inside: Share | undefined
  readonly wholeBound: number | undefined
  readonly wholeInside: boolean | undefined
}

export interface Figures {
  readonly scenario: string
  readonly truths: number
  readonly recall: Share
  readonly precision: Share
  readonly direction: Share
  /** The same among those of which the opening SYN was exported. */
  readonly directionSyn: Share
  readonly volume: Volume
  /** Seconds from the first datagram with a record of it to the query that showed it; of those that were shown. */
  readonly delays: ReadonlyArray<number>
  readonly wrong: ReadonlyArray<Wrong>
}

/** Certainty with which an honest sampler stays inside: 99.9 %, over all dependencies of a scenario together. */
const DOUBT = 0.001
/** Two-sided 99.9 % of the normal distribution. */
const NORMAL = 3.291

/**
 * How far the estimate of a random sampler may be off, octets, with probability at most `doubt`: Bernstein's inequality for sums of
 * independent draws (each packet is taken with probability 1/N and counts N times), good for few samples as well as for many.
 */
export const samplingBound = (variance: number, largest: number, doubt: number): number => {
  const log = Math.log(2 / doubt)
  const linear = (largest * log) / 3
  return linear + Math.sqrt(linear ** 2 + 2 * variance * log)
}

export const trueBytesOf = (truth: Truth): number => truth.bytesToServer + truth.bytesToClient - truth.lostBytes

/** Figures of one world. `sampled`: its volumes are estimates. */
export const compare = (world: World, sampled: boolean, drawn: ReadonlyArray<Drawn>): Figures => {
  const { scenario, truths } = world
  const own = drawn.filter(({ client, server }) => world.addresses.has(client) || world.addresses.has(server))
  const expected = [...truths.values()]
  const found = new Map<string, Drawn>()
  const wrong: Array<Wrong> = []
  let invented = 0
  const direction = { right: 0, of: 0 }
  const directionSyn = { right: 0, of: 0 }
  const judge = (truth: Truth, right: boolean) => {
    for (const share of truth.syn ? [direction, directionSyn] : [direction]) {
      share.of++
      if (right) share.right++
    }
  }
  const between = new Map<string, Array<Truth>>()
  for (const truth of expected) {
    const key = `${truth.client} ${truth.server} ${truth.protocol}`
    between.set(key, [...(between.get(key) ?? []), truth])
  }

  for (const one of own) {
    const turned = truths.get(keyOf({ ...one, client: one.server, server: one.client }))
    const truth = truths.get(keyOf(one)) ?? (turned?.either === true ? turned : undefined)
    if (truth !== undefined) {
      if (!truth.either) judge(truth, true)
      // Both ways round of one that is right either way are the same one twice
      if (!found.has(keyOf(truth))) {
        found.set(keyOf(truth), one)
        continue
      }
    }
    invented++
    const [meant] = truth === undefined ? (between.get(`${one.server} ${one.client} ${one.protocol}`) ?? []) : []
    const reversed = meant !== undefined && truths.get(keyOf(one)) === undefined && !sameWay(between, one)
    if (reversed) judge(meant, false)
    wrong.push({
      kind: reversed ? "reversed" : "invented",
      scenario,
      of: one,
      service: meant?.service ?? "none",
      detail: reversed ? `true is ${keyOf(meant)}` : truth === undefined ? "nothing of the kind was played" : "drawn a second time",
      drawn: one
    })
  }

  const volume = { trueBytes: 0, measuredBytes: 0, offBytes: 0, overBytes: 0, worst: 0, variance: 0, inside: 0, judged: 0 }
  for (const truth of expected) {
    const one = found.get(keyOf(truth))
    if (one === undefined) {
      wrong.push({ kind: "missing", scenario, of: truth, service: truth.service, detail: missingDetail(truth), drawn: undefined })
      // what a sampler did not see it cannot count; anything else that is missing is off by all it is
      if (sampled) continue
    }
    const real = trueBytesOf(truth)
    const measured = one?.bytes ?? 0
    const off = Math.abs(measured - real)
    volume.trueBytes += real
    volume.measuredBytes += measured
    volume.offBytes += off
    volume.overBytes += Math.max(0, measured - real)
    volume.worst = Math.max(volume.worst, real === 0 ? 0 : off / real)
    volume.variance += truth.variance
    volume.judged++
    const bound = sampled ? samplingBound(truth.variance, truth.largest, DOUBT / expected.length) : 0
    if (sampled && off <= bound) volume.inside++
    if (sampled ? off > bound : one !== undefined && off > real * 0.005) {
      const most = sampled ? `, bound ±${percent(bound / real)}` : ""
      const detail = `measured ${Math.round(measured)} of ${real} octets, off by ${percent(off / real)}${most}`
      wrong.push({ kind: "volume", scenario, of: truth, service: truth.service, detail, drawn: one })
    }
  }
  const wholeBound = NORMAL * Math.sqrt(volume.variance)
  return {
    scenario,
    truths: expected.length,
    recall: { right: found.size, of: expected.length },
    precision: { right: found.size, of: found.size + invented },
    direction,
    directionSyn,
    volume: {
      trueBytes: volume.trueBytes,
      measuredBytes: volume.measuredBytes,
      offBytes: volume.offBytes,
      overBytes: volume.overBytes,
      worst: volume.worst,
      inside: sampled ? { right: volume.inside, of: volume.judged } : undefined,
      wholeBound: sampled ? wholeBound / Math.max(1, volume.trueBytes) : undefined,
      wholeInside: sampled ? Math.abs(volume.measuredBytes - volume.trueBytes) <= wholeBound : undefined
    },
    delays: expected.flatMap(({ exportedMs, visibleMs }) =>
      exportedMs > 0 && visibleMs > 0 ? [Math.max(0, visibleMs - exportedMs) / 1000] : []
    ),
    wrong
  }
}

/** A true one in the same direction between the two ends: then a wrong port is not a wrong direction. */
const sameWay = (between: ReadonlyMap<string, ReadonlyArray<Truth>>, one: Named): boolean =>
  (between.get(`${one.client} ${one.server} ${one.protocol}`) ?? []).some(({ port }) => port === one.port)

const missingDetail = (truth: Truth): string =>
  truth.samples > 0
    ? `${truth.samples} of its ${truth.packets} packets were sampled`
    : truth.exportedMs === 0
      ? `no record of its ${truth.packets} packets was exported`
      : `${truth.packets} packets, ${trueBytesOf(truth)} octets were exported`

export const percent = (share: number): string => `${(share * 100).toFixed(Math.abs(share) < 0.1 ? 2 : 1)} %`

export const shareOf = ({ of, right }: Share): number => (of === 0 ? 1 : right / of)

export const addShares = (shares: ReadonlyArray<Share>): Share =>
  shares.reduce((sum, { of, right }) => ({ right: sum.right + right, of: sum.of + of }), { right: 0, of: 0 })
