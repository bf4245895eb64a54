/** Where things go on a chart: pure, so that every rule of it is a test. Times are ms since 1970. */

export interface Point {
  readonly at: number
  /** Null: known to be missing. */
  readonly value: number | null
}

export interface Span {
  readonly from: number
  readonly until: number
}

/** `value` of [from, until] on [start, end]; an empty domain lies at the start. */
export const linear = (from: number, until: number, start: number, end: number) => {
  const span = until - from
  return (value: number): number => (span === 0 ? start : start + ((value - from) / span) * (end - start))
}

/** Three to five round values from zero (or `from`) to at least `largest`: the last is the top of the axis. */
export const niceTicks = (largest: number, from = 0): ReadonlyArray<number> => {
  const span = largest - from
  if (!(span > 0)) return [from, from + 1]
  const rough = span / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power
  const first = Math.floor(from / step) * step
  const ticks: Array<number> = []
  // by multiplication, not by adding: 0.1 + 0.2 is not 0.3
  for (let i = 0; ticks.length < 12; i++) {
    const tick = Number((first + i * step).toPrecision(12))
    ticks.push(tick)
    if (tick >= largest) break
  }
  return ticks
}

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const steps = [
  minute,
  5 * minute,
  10 * minute,
  15 * minute,
  30 * minute,
  hour,
  2 * hour,
  3 * hour,
  6 * hour,
  12 * hour,
  day,
  2 * day,
  7 * day,
  14 * day,
  28 * day
]

/** Round times in [from, until], at most `most`; `offset` ms is what the zone is ahead of UTC, so that 00:00 is local midnight. */
export const timeTicks = (from: number, until: number, most: number, offset = 0): ReadonlyArray<number> => {
  const span = until - from
  if (!(span > 0) || most < 1) return []
  const step = steps.find((one) => span / one <= most) ?? Math.ceil(span / most / day) * day
  const ticks: Array<number> = []
  for (let at = Math.ceil((from + offset) / step) * step - offset; at <= until; at += step) ticks.push(at)
  return ticks
}

/** The stretches of [from, until] for which there is no point: a window lasts `step`. Never joined across. */
export const gaps = (points: ReadonlyArray<Point>, step: number, from: number, until: number): ReadonlyArray<Span> => {
  const found: Array<Span> = []
  let covered = from
  for (const point of points) {
    if (point.value === null) continue
    if (point.at - covered > step / 2) found.push({ from: covered, until: point.at })
    covered = Math.max(covered, point.at + step)
  }
  if (until - covered > step / 2) found.push({ from: covered, until })
  return found
}

/** Path of window totals: a level as long as its window, a step between neighbours, nothing across a gap. */
export const stepPath = (
  points: ReadonlyArray<Point>,
  step: number,
  x: (at: number) => number,
  y: (value: number) => number
): string => {
  let path = ""
  let end = Number.NaN
  for (const { at, value } of points) {
    if (value === null) continue
    const joined = Math.abs(at - end) < step / 2
    path += `${joined ? "V" : `M${cut(x(at))} `}${cut(y(value))}H${cut(x(at + step))}`
    end = at + step
  }
  return path
}

/** The area under `stepPath`, down to `floor`. */
export const stepArea = (
  points: ReadonlyArray<Point>,
  step: number,
  x: (at: number) => number,
  y: (value: number) => number,
  floor: number
): string => {
  let path = ""
  let end = Number.NaN
  for (const { at, value } of points) {
    if (value === null) continue
    if (Math.abs(at - end) >= step / 2 || Number.isNaN(end))
      path += `${path === "" ? "" : `V${cut(floor)}Z`}M${cut(x(at))} ${cut(floor)}`
    path += `V${cut(y(value))}H${cut(x(at + step))}`
    end = at + step
  }
  return path === "" ? "" : `${path}V${cut(floor)}Z`
}

/** The point whose window holds `at`, or the nearest one within a step. */
export const pointAt = (points: ReadonlyArray<Point>, at: number, step: number): Point | undefined => {
  let low = 0
  let high = points.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const point = points[middle]!
    if (at < point.at) high = middle - 1
    else if (at >= point.at + step) low = middle + 1
    else return point
  }
  return undefined
}

const cut = (value: number): string => String(Math.round(value * 10) / 10)
