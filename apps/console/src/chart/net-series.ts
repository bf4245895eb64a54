/**
 * Values over time that answer the question in their title. Step lines for window totals, gaps stay gaps, labels at the right end, one
 * fixed readout, a table of the same numbers.
 *
 * Properties: `heading` (the question), `series`, `step` ms, `quantity`, `from`, `until` ms (default: what the points span), `lines`
 * (samples instead of window totals), `gap` (why there are gaps, if known), `marks` (events on the axis), `height` px.
 * Event: `RangeEvent` when a window is chosen (click, or Enter on the crosshair).
 */
import { css, html, LitElement, nothing, svg } from "lit"
import { alone, inUnit, none, type Quantity, tickText, type Unit, unitFor } from "../format/number.ts"
import { clockText, dayText, exactTime, windowText } from "../format/time.ts"
import { sheet } from "../style/sheet.ts"
import { MinuteHand, zone } from "../ui/clock.ts"
import { RangeEvent } from "../ui/events.ts"
import { gaps, linear, linePath, niceTicks, type Point, pointAt, spread, stepArea, stepPath, timeTicks } from "./scale.ts"

export interface Series {
  readonly name: string
  readonly points: ReadonlyArray<Point>
}

export interface ChartMark {
  readonly at: number
  readonly label: string
}

/** Order of the families as series colours; from the fourth on, dashed too. */
const colours = ["compute", "data", "netsvc", "security", "appinfra"] as const
const left = 44
const bottom = 18
const top = 6

export class NetSeries extends LitElement {
  static override readonly properties = {
    heading: {},
    series: { attribute: false },
    step: { type: Number },
    quantity: {},
    from: { type: Number },
    until: { type: Number },
    lines: { type: Boolean },
    gap: {},
    marks: { attribute: false },
    height: { type: Number },
    choosable: { type: Boolean },
    width: { state: true },
    cross: { state: true },
    table: { state: true }
  }
  declare heading: string
  declare series: ReadonlyArray<Series>
  declare step: number
  declare quantity: Quantity
  declare from: number | undefined
  declare until: number | undefined
  declare lines: boolean
  declare gap: string | undefined
  declare marks: ReadonlyArray<ChartMark>
  declare height: number
  /** A window can be opened: says so, and sends `RangeEvent`. */
  declare choosable: boolean
  declare width: number
  /** Where the crosshair is, ms. */
  declare cross: number | undefined
  declare table: boolean
  #observer: ResizeObserver | undefined

  static override readonly styles = [
    sheet,
    css`
      :host { display: block; min-width: 0; }
      .head { display: flex; align-items: baseline; gap: var(--s-4); min-height: 24px; flex-wrap: wrap; }
      .title { flex: 0 1 auto; font: var(--t-12); font-weight: 500; }
      .readout { flex: 1 1 auto; font: var(--t-12); color: var(--muted); text-align: right; white-space: nowrap; }
      .readout b { color: var(--text); font-weight: 500; }
      figure { position: relative; }
      svg { display: block; width: 100%; overflow: visible; touch-action: pan-y; }
      svg:focus-visible { outline-offset: 2px; }
      text { font: var(--t-11); fill: var(--faint); }
      .label { fill: var(--text); }
      .grid { stroke: var(--line); stroke-width: 1; shape-rendering: crispEdges; }
      .base { stroke: var(--edge); stroke-width: 1; shape-rendering: crispEdges; }
      .gap { fill: var(--raised); }
      .gap-edge { stroke: var(--edge); stroke-dasharray: 2 3; shape-rendering: crispEdges; }
      .cross { stroke: var(--muted); stroke-width: 1; shape-rendering: crispEdges; }
      .line { fill: none; stroke-width: 1.5; }
      .area { stroke: none; opacity: 0.14; }
      .s0 { stroke: var(--compute); fill: var(--compute); } .s1 { stroke: var(--data); fill: var(--data); } .s2 { stroke: var(--netsvc); fill: var(--netsvc); }
      .s3 { stroke: var(--security); fill: var(--security); stroke-dasharray: 5 3; } .s4 { stroke: var(--appinfra); fill: var(--appinfra); stroke-dasharray: 2 3; }
      .line.s0, .line.s1, .line.s2, .line.s3, .line.s4 { fill: none; }
      .scroll { max-height: 22rem; overflow: auto; }
      table { border-collapse: collapse; width: 100%; }
      th { font: var(--t-11); color: var(--muted); position: sticky; top: 0; background: var(--canvas); text-align: right; height: 24px; border-bottom: var(--hair) solid var(--edge); }
      td { text-align: right; height: var(--row); border-bottom: var(--hair) solid var(--line); }
      :is(th, td):first-child { text-align: left; }
    `
  ]

  constructor() {
    super()
    this.series = []
    this.marks = []
    this.step = 300_000
    this.quantity = "bytes"
    this.height = 140
    this.width = 600
    this.lines = false
    this.table = false
    this.choosable = false
    new MinuteHand(this)
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#observer = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 600)
      if (width > 0) this.width = width
    })
    this.#observer.observe(this)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#observer?.disconnect()
  }

  get #shown(): ReadonlyArray<Series> {
    return this.series.slice(0, colours.length)
  }

  #bounds(): readonly [from: number, until: number] {
    let from = this.from ?? Number.POSITIVE_INFINITY
    let until = this.until ?? Number.NEGATIVE_INFINITY
    for (const { points } of this.#shown) {
      const first = points[0]
      const last = points.at(-1)
      if (this.from === undefined && first !== undefined) from = Math.min(from, first.at)
      if (this.until === undefined && last !== undefined) until = Math.max(until, last.at + this.step)
    }
    return from < until ? [from, until] : [0, 1]
  }

  override render() {
    const values = this.#shown.flatMap(({ points }) => points.map((point) => point.value))
    const largest = values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0)
    const unit = unitFor(this.quantity, [largest])
    return html`<figure aria-label=${this.heading}>
      <div class="head"><strong class="title">${this.heading}</strong><span class="readout">${this.#readout(unit)}</span>
        <button class="text" aria-pressed=${this.table ? "true" : "false"} @click=${() => (this.table = !this.table)}>${this.table ? "Show as chart" : "Show as table"}</button></div>
      ${this.table ? this.#asTable(unit) : this.#chart(largest, unit)}
      <figcaption class="sr">${this.#summary(unit)}</figcaption>
    </figure>`
  }

  #chart(largest: number, unit: Unit) {
    const shown = this.#shown
    const [from, until] = this.#bounds()
    const named = shown.length > 1
    const right = this.width - (named ? 92 : 8)
    const floor = this.height - bottom
    const ticks = niceTicks(largest)
    const x = linear(from, until, left, right)
    const y = linear(0, ticks.at(-1)!, floor, top)
    const offset = zone.value === "utc" ? 0 : -new Date(until).getTimezoneOffset() * 60_000
    const times = timeTicks(from, until, Math.max(2, Math.floor((right - left) / 72)), offset)
    const holes = gaps(shown[0]?.points ?? [], this.step, from, until)
    const ends = spread(
      shown.map(({ points }) => y(points.at(-1)?.value ?? 0) + 4),
      13,
      top + 8,
      floor
    )
    return html`<svg height=${this.height} viewBox=${`0 0 ${this.width} ${this.height}`} tabindex="0" role="img" aria-label=${`${this.heading}. ${this.#summary(unit)}`}
      @pointermove=${this.#hover} @pointerleave=${() => (this.cross = undefined)} @keydown=${this.#keydown} @click=${this.#choose}>
      ${holes.map(
        (
          hole
        ) => svg`<rect class="gap" x=${x(hole.from)} y=${top} width=${Math.max(0, x(hole.until) - x(hole.from))} height=${floor - top}><title>${this.gap ?? "no data"}</title></rect>
          ${x(hole.until) - x(hole.from) > 60 ? svg`<text x=${(x(hole.from) + x(hole.until)) / 2} y=${top + 12} text-anchor="middle">${this.gap ?? "no data"}</text>` : nothing}`
      )}
      ${ticks.map(
        (
          tick,
          i
        ) => svg`<line class=${i === 0 ? "base" : "grid"} x1=${left} x2=${right} y1=${Math.round(y(tick)) + 0.5} y2=${Math.round(y(tick)) + 0.5} />
          <text x=${left - 6} y=${y(tick) + 4} text-anchor="end">${tickText(tick, unit)}${i === ticks.length - 1 && unit.name !== "" ? ` ${unit.name}` : ""}</text>`
      )}
      ${times.map((at) => svg`<text x=${x(at)} y=${this.height - 4} text-anchor=${x(at) > right - 16 ? "end" : "middle"}>${this.#timeLabel(at, until - from)}</text>`)}
      ${shown.map(({ points }, i) =>
        this.lines
          ? svg`<path class=${`line s${i}`} d=${linePath(points, this.step, x, y)} />`
          : svg`${shown.length === 1 ? svg`<path class=${`area s${i}`} d=${stepArea(points, this.step, x, y, floor)} />` : nothing}<path class=${`line s${i}`} d=${stepPath(points, this.step, x, y)} />`
      )}
      ${named ? shown.map(({ name }, i) => svg`<text class="label" x=${right + 6} y=${ends[i]!}>${name}</text>`) : nothing}
      ${this.marks.map((mark) => svg`<path class="cross" d=${`M${x(mark.at)} ${floor - 5}V${floor}`}><title>${mark.label}</title></path>`)}
      ${this.cross === undefined ? nothing : svg`<line class="cross" x1=${Math.round(x(this.cross)) + 0.5} x2=${Math.round(x(this.cross)) + 0.5} y1=${top} y2=${floor} />`}
    </svg>`
  }

  #timeLabel(at: number, span: number): string {
    const clock = clockText(at, zone.value)
    return span > 2 * 86_400_000 || clock === "00:00" ? dayText(at, zone.value).slice(5) : clock
  }

  /** One place for the values under the crosshair; without one, the last. */
  #readout(unit: Unit) {
    const last = this.#shown[0]?.points.at(-1)?.at
    const at = this.cross ?? last
    if (at === undefined) return nothing
    const found = this.#shown.map(({ name, points }) => ({ name, point: pointAt(points, at, this.step) }))
    const start = found.find((one) => one.point !== undefined)?.point?.at ?? at
    return html`${windowText(start, Date.now(), zone.value)} ${found.map(
      ({ name, point }) =>
        html` ${this.#shown.length > 1 ? `${name} ` : nothing}<b>${point === undefined || point.value === null ? none : `${inUnit(point.value, unit)} ${unit.name}`}</b>`
    )}`
  }

  #asTable(unit: Unit) {
    const rows = [...new Set(this.#shown.flatMap(({ points }) => points.map((point) => point.at)))].sort((a, b) => b - a)
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${this.heading}><table>
      <thead><tr><th scope="col">Window</th>${this.#shown.map(({ name }) => html`<th scope="col">${name} ${unit.name}</th>`)}</tr></thead>
      <tbody>${rows.map(
        (at) =>
          html`<tr><td title=${exactTime(at)}>${windowText(at, Date.now(), zone.value)}</td>${this.#shown.map(({ points }) => {
            const value = pointAt(points, at, this.step)?.value ?? null
            return html`<td title=${value === null ? "no data" : String(value)}>${inUnit(value, unit)}</td>`
          })}</tr>`
      )}</tbody></table></div>`
  }

  #summary(unit: Unit): string {
    const now = Date.now()
    return this.#shown
      .map(({ name, points }) => {
        const known = points.filter((point): point is { readonly at: number; readonly value: number } => point.value !== null)
        if (known.length === 0) return `${name}: no data`
        const most = known.reduce((a, b) => (b.value > a.value ? b : a))
        const last = known.at(-1)!
        return `${name}: ${known.length} windows, highest ${inUnit(most.value, unit)} ${unit.name} at ${windowText(most.at, now, zone.value)}, last ${alone(this.quantity, last.value)}`
      })
      .join(". ")
  }

  readonly #hover = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect()
    this.#crossTo(event.clientX - box.left)
  }

  #crossTo(px: number): void {
    const [from, until] = this.#bounds()
    const right = this.width - (this.#shown.length > 1 ? 92 : 8)
    const at = linear(left, right, from, until)(px)
    this.cross = at < from || at >= until ? undefined : from + Math.floor((at - from) / this.step) * this.step
  }

  readonly #keydown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0
    if (step !== 0) {
      event.preventDefault()
      const [from, until] = this.#bounds()
      const now = this.cross ?? (this.#shown[0]?.points.at(-1)?.at ?? from) - step * this.step
      this.cross = Math.min(until - this.step, Math.max(from, now + step * this.step))
    } else if (event.key === "Enter") this.#choose()
    else if (event.key === "Escape" && this.cross !== undefined) {
      event.preventDefault()
      this.cross = undefined
    }
  }

  readonly #choose = () => {
    if (this.choosable && this.cross !== undefined) this.dispatchEvent(new RangeEvent(this.cross, this.cross + this.step))
  }
}
customElements.define("net-series", NetSeries)
