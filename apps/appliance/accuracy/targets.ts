/** Figures of all scenarios together, and what is asked of them. */
import { addShares, type Figures, percent, type Share, shareOf } from "./compare.ts"
import type { Scenario } from "./scenarios.ts"

export interface Target {
  readonly name: string
  readonly wanted: string
  readonly measured: string
  readonly met: boolean
}

export interface Summary {
  readonly recall: Share
  readonly precision: Share
  readonly direction: Share
  readonly directionSyn: Share
  /** Of the unsampled scenarios: what was off, as a share of the true octets; and the part counted too much. */
  readonly volumeOff: number
  readonly volumeOver: number
  readonly delayMedian: number
  readonly delayP95: number
}

export const quantile = (values: ReadonlyArray<number>, share: number): number => {
  if (values.length === 0) return Number.NaN
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!
}

export interface Judged {
  readonly scenario: Scenario
  readonly figures: Figures
}

const volumesOf = (judged: ReadonlyArray<Judged>) => {
  const sum = (of: "trueBytes" | "offBytes" | "overBytes") => judged.reduce((all, { figures }) => all + figures.volume[of], 0)
  const real = Math.max(1, sum("trueBytes"))
  return { off: sum("offBytes") / real, over: sum("overBytes") / real }
}

export const summarise = (judged: ReadonlyArray<Judged>): Summary => {
  const shares = (of: "recall" | "precision" | "direction" | "directionSyn") => addShares(judged.map(({ figures }) => figures[of]))
  const { off, over } = volumesOf(judged.filter(({ scenario }) => scenario.sampled !== true))
  const delays = judged.flatMap(({ figures }) => figures.delays)
  return {
    recall: shares("recall"),
    precision: shares("precision"),
    direction: shares("direction"),
    directionSyn: shares("directionSyn"),
    volumeOff: off,
    volumeOver: over,
    delayMedian: quantile(delays, 0.5),
    delayP95: quantile(delays, 0.95)
  }
}

const ratio = (share: Share): string => `${percent3(shareOf(share))} (${share.right} of ${share.of})`
const percent3 = (share: number): string => `${(share * 100).toFixed(3)} %`

/** A target that nothing was played for is not listed. */
export const targetsOf = (judged: ReadonlyArray<Judged>): ReadonlyArray<Target> => {
  const complete = judged.filter(({ scenario }) => scenario.complete)
  const unsampled = judged.filter(({ scenario }) => scenario.sampled !== true)
  const sampled = judged.filter(({ scenario }) => scenario.sampled === true)
  const targets: Array<Target> = []
  const share = (name: string, wanted: number, of: Share) => {
    if (of.of > 0) targets.push({ name, wanted: `≥ ${percent(wanted)}`, measured: ratio(of), met: shareOf(of) >= wanted })
  }
  share("recall, complete exporters", 0.999, addShares(complete.map(({ figures }) => figures.recall)))
  share("precision, complete exporters", 0.999, addShares(complete.map(({ figures }) => figures.precision)))
  share("direction", 0.995, addShares(judged.map(({ figures }) => figures.direction)))
  share("direction where the SYN was exported", 1, addShares(judged.map(({ figures }) => figures.directionSyn)))
  if (unsampled.length > 0) {
    const worst = unsampled.reduce((a, b) => (shareOff(b) > shareOff(a) ? b : a))
    targets.push({
      name: "volume, unsampled, worst scenario",
      wanted: "< 0.5 %",
      measured: `${percent3(shareOff(worst))} (${worst.scenario.name})`,
      met: shareOff(worst) < 0.005
    })
  }
  if (sampled.length > 0) {
    const inside = addShares(sampled.map(({ figures }) => figures.volume.inside ?? { right: 0, of: 0 }))
    share("volume of each dependency inside its sampling bound", 1, inside)
    const whole = sampled.filter(({ figures }) => figures.volume.wholeInside === true)
    share("whole volume inside its sampling bound", 1, { right: whole.length, of: sampled.length })
  }
  return targets
}

const shareOff = ({ figures: { volume } }: Judged): number => volume.offBytes / Math.max(1, volume.trueBytes)
