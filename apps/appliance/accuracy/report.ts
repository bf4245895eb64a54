/** The measured truth as a table for people and as one object for programs. */
import { table } from "../cli/local.ts"
import { type Figures, percent, type Share, shareOf } from "./compare.ts"
import type { Answer, Explained } from "./run.ts"
import { keyOf } from "./Truth.ts"
import { type Judged, quantile } from "./targets.ts"

const short = (share: Share): string => (share.of === 0 ? "–" : percent1(shareOf(share)))
const percent1 = (share: number): string => (share === 1 ? "100 %" : `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`)
const seconds = (value: number): string => (Number.isNaN(value) ? "–" : `${value.toFixed(1)} s`)

const volumeCell = ({ scenario, figures: { volume } }: Judged): string => {
  if (volume.trueBytes === 0) return "–"
  if (scenario.sampled !== true) return percent(volume.offBytes / volume.trueBytes)
  const whole = Math.abs(volume.measuredBytes - volume.trueBytes) / volume.trueBytes
  return `${percent(whole)} of ±${percent(volume.wholeBound ?? 0)}`
}

const insideCell = ({ inside }: Figures["volume"]): string => (inside === undefined ? "" : `${inside.right}/${inside.of}`)

export const asText = (answer: Answer): string => {
  const rows = answer.judged.map((judged) => {
    const { figures, scenario } = judged
    return [
      scenario.name,
      String(figures.truths),
      short(figures.recall),
      short(figures.precision),
      short(figures.direction),
      short(figures.directionSyn),
      volumeCell(judged),
      figures.volume.trueBytes === 0 ? "–" : percent(figures.volume.overBytes / figures.volume.trueBytes),
      percent(figures.volume.worst),
      insideCell(figures.volume),
      seconds(quantile(figures.delays, 0.5)),
      seconds(quantile(figures.delays, 0.95))
    ]
  })
  const { summary } = answer
  const all = [
    "all",
    String(summary.recall.of),
    short(summary.recall),
    short(summary.precision),
    short(summary.direction),
    short(summary.directionSyn),
    percent(summary.volumeOff),
    percent(summary.volumeOver),
    "",
    "",
    seconds(summary.delayMedian),
    seconds(summary.delayP95)
  ]
  const head = [
    "scenario",
    "true",
    "recall",
    "precision",
    "direction",
    "with SYN",
    "volume off",
    "over",
    "worst",
    "inside",
    "delay",
    "p95"
  ]
  const targets = answer.targets.map(({ measured, met, name, wanted }) => [met ? "met" : "MISSED", name, wanted, measured])
  const { played, totals } = answer
  return [
    table(head, [...rows, all]),
    "",
    table(["target", "", "wanted", "measured"], targets),
    "",
    `${played.records} records in ${played.datagrams} datagrams were sent (${played.lost} more lost on purpose); ${totals.records} records of ${totals.datagrams} datagrams arrived, ${totals.kernelDropped} dropped by the kernel, ${totals.late} records late, ${totals.lost} lost.`,
    `Windows of ${answer.windowSeconds} s, written every ${answer.flushSeconds} s; a delay holds that, and the ${answer.minFlows} records a dependency needs.`,
    ...wrongLines(answer.wrong)
  ].join("\n")
}

const titles = {
  missing: "missing: played, not drawn",
  invented: "invented: drawn, not played",
  reversed: "reversed: the client was taken for the server",
  volume: "volume: off by more than 0.5 %, or outside the sampling bound"
} as const

const wrongLines = (wrong: ReadonlyArray<Explained>): ReadonlyArray<string> =>
  (["missing", "invented", "reversed", "volume"] as const).flatMap((kind) => {
    const own = wrong.filter((one) => one.kind === kind)
    if (own.length === 0) return []
    const listed = own.filter((one) => one.listed)
    return [
      "",
      `${titles[kind]} (${own.length}${listed.length < own.length ? `, the first ${listed.length}` : ""})`,
      ...listed.map((one) => `  ${one.scenario}: ${keyOf(one.of)} (${one.service}): ${one.detail}${one.evidence}`)
    ]
  })

export const asJson = (answer: Answer) => ({
  met: answer.met,
  seed: answer.seed,
  seconds: answer.seconds,
  windowSeconds: answer.windowSeconds,
  flushSeconds: answer.flushSeconds,
  targets: answer.targets,
  summary: {
    recall: shareOf(answer.summary.recall),
    precision: shareOf(answer.summary.precision),
    direction: shareOf(answer.summary.direction),
    directionWithSyn: shareOf(answer.summary.directionSyn),
    volumeOff: answer.summary.volumeOff,
    volumeOver: answer.summary.volumeOver,
    delayMedianSeconds: answer.summary.delayMedian,
    delayP95Seconds: answer.summary.delayP95
  },
  played: answer.played,
  arrived: answer.totals,
  scenarios: answer.judged.map(({ figures, scenario }) => ({
    name: scenario.name,
    title: scenario.title,
    complete: scenario.complete,
    sampled: scenario.sampled === true,
    dependencies: figures.truths,
    recall: shareOf(figures.recall),
    precision: shareOf(figures.precision),
    direction: shareOf(figures.direction),
    directionWithSyn: shareOf(figures.directionSyn),
    volume: figures.volume,
    delayMedianSeconds: quantile(figures.delays, 0.5),
    delayP95Seconds: quantile(figures.delays, 0.95)
  })),
  wrong: answer.wrong
    .filter(({ listed }) => listed)
    .map(({ detail, evidence, kind, of, scenario, service }) => ({
      kind,
      scenario,
      dependency: keyOf(of),
      service,
      detail: detail + evidence
    }))
})
