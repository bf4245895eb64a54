/**
 * Values over time that answer the question in their title. Step lines for window totals, gaps stay gaps, one fixed readout, a table of
 * the same numbers.
 *
 * Properties: `heading` (the question), `points`, `name` of what they count, `step` ms, `quantity`, `from`, `until` ms (default: what the
 * points span), `open` ms (the window that begins there still fills: drawn dashed), `gap` (why there are gaps, if known), `height` px.
 * Event: `RangeEvent` when a window is chosen (click, or Enter on the crosshair).
 */
import { css, html, LitElement, nothing, svg } from "lit"
import { alone, inUnit, none, type Quantity, tickText, type Unit, unitFor } from "../format/number.ts"
import { clockText, dayText, exactTime, windowText } from "../format/time.ts"
import { sheet } from "../style/sheet.ts"
import { MinuteHand, zone } from "../ui/clock.ts"
import { RangeEvent } from "../ui/events.ts"
import { gaps, linear, niceTicks, type Point, pointAt, stepArea, stepPath, timeTicks } from "./scale.ts"

const left = 44
const bottom = 18
const top = 6

export class NetSeries extends LitElement {
  static override readonly properties = {
    heading: {},
    points: { attribute: false },
    name: {},
    step: { type: Number },
    quantity: {},
    from: { type: Number },
    until: { type: Number },
    open: { type: Number },
    gap: {},
    height: { type: Number },
    choosable: { type: Boolean },
    width: { state: true },
    cross: { state: true },
    table: { state: true }
  }
  declare heading: string
  declare points: ReadonlyArray<Point>
  declare name: string
  declare step: number
  declare quantity: Quantity
  declare from: number | undefined
  declare until: number | undefined
  declare open: number | undefined
  declare gap: string | undefined
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
      .grid { stroke: var(--line); stroke-width: 1; shape-rendering: crispEdges; }
      .base { stroke: var(--edge); stroke-width: 1; shape-rendering: crispEdges; }
      .gap { fill: var(--line); opacity: 0.5; }
      .why { paint-order: stroke; stroke: var(--canvas); stroke-width: 3px; fill: var(--muted); }
      .cross { stroke: var(--muted); stroke-width: 1; shape-rendering: crispEdges; }
      .line { fill: none; stroke-width: 1.5; }
      .area { stroke: none; opacity: 0.14; }
      .line { stroke: var(--compute); }
      .area { fill: var(--compute); }
      .open { stroke-dasharray: 4 3; }
      .area.open { opacity: 0.06; }
      .scroll { max-height: 22rem; overflow: auto; }
      table { border-collapse: collapse; width: 100%; }
      th { font: var(--t-11); color: var(--muted); position: sticky; top: 0; background: var(--canvas); text-align: right; height: 24px; border-bottom: var(--hair) solid var(--edge); }
      td { text-align: right; height: var(--row); border-bottom: var(--hair) solid var(--line); }
      :is(th, td):first-child { text-align: left; }
    `
  ]

  constructor() {
    super()
    this.points = []
    this.name = ""
    this.step = 300_000
    this.quantity = "bytes"
    this.height = 140
    this.width = 600
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

  #bounds(): readonly [from: number, until: number] {
    const first = this.points[0]?.at ?? Number.POSITIVE_INFINITY
    const last = this.points.at(-1)?.at ?? Number.NEGATIVE_INFINITY
    const from = this.from ?? first
    const until = this.until ?? last + this.step
    return from < until ? [from, until] : [0, 1]
  }

  override render() {
    const largest = this.points.reduce<number>((most, { value }) => Math.max(most, value ?? 0), 0)
    const unit = unitFor(this.quantity, [largest])
    return html`<figure aria-label=${this.heading}>
      <div class="head"><strong class="title">${this.heading}</strong><span class="readout">${this.#readout(unit)}</span>
        <button class="text" aria-pressed=${this.table ? "true" : "false"} @click=${() => (this.table = !this.table)}>${this.table ? "Show as chart" : "Show as table"}</button></div>
      ${this.table ? this.#asTable(unit) : this.#chart(largest, unit)}
      <figcaption class="sr">${this.#summary(unit)}</figcaption>
    </figure>`
  }

  #chart(largest: number, unit: Unit) {
    const [from, until] = this.#bounds()
    const right = this.width - 8
    const floor = this.height - bottom
    const ticks = niceTicks(largest)
    const x = linear(from, until, left, right)
    const y = linear(0, ticks.at(-1)!, floor, top)
    const offset = zone.value === "utc" ? 0 : -new Date(until).getTimezoneOffset() * 60_000
    const times = timeTicks(from, until, Math.max(2, Math.floor((right - left) / 72)), offset)
    const holes = gaps(this.points, this.step, from, until)
    const whole = this.open === undefined ? this.points : this.points.filter(({ at }) => at < this.open!)
    const filling = this.open === undefined ? [] : this.points.filter(({ at }) => at >= this.open!)
    return html`<svg height=${this.height} viewBox=${`0 0 ${this.width} ${this.height}`} tabindex="0" role="img" aria-label=${`${this.heading}. ${this.#summary(unit)}`}
      @pointermove=${this.#hover} @pointerleave=${() => (this.cross = undefined)} @keydown=${this.#keydown} @click=${this.#choose}>
      ${holes.map(
        (hole) =>
          svg`<rect class="gap" x=${x(hole.from)} y=${top} width=${Math.max(0, x(hole.until) - x(hole.from))} height=${floor - top}><title>${this.gap ?? "no data"}</title></rect>`
      )}
      ${ticks.map(
        (
          tick,
          i
        ) => svg`<line class=${i === 0 ? "base" : "grid"} x1=${left} x2=${right} y1=${Math.round(y(tick)) + 0.5} y2=${Math.round(y(tick)) + 0.5} />
          <text x=${left - 6} y=${y(tick) + 4} text-anchor="end">${tickText(tick, unit)}${i === ticks.length - 1 && unit.name !== "" ? ` ${unit.name}` : ""}</text>`
      )}
      ${holes
        .filter((hole) => x(hole.until) - x(hole.from) > 60)
        .map(
          (hole) =>
            svg`<text class="why" x=${(x(hole.from) + x(hole.until)) / 2} y=${(top + floor) / 2 + 4} text-anchor="middle">${this.gap ?? "no data"}</text>`
        )}
      ${times.map((at) => svg`<text x=${x(at)} y=${this.height - 4} text-anchor=${x(at) > right - 16 ? "end" : "middle"}>${this.#timeLabel(at, until - from)}</text>`)}
      <path class="area" d=${stepArea(whole, this.step, x, y, floor)} /><path class="line" d=${stepPath(whole, this.step, x, y)} />
      ${filling.length === 0 ? nothing : svg`<path class="area open" d=${stepArea(filling, this.step, x, y, floor)} /><path class="line open" d=${stepPath(filling, this.step, x, y)} />`}
      ${this.cross === undefined ? nothing : svg`<line class="cross" x1=${Math.round(x(this.cross)) + 0.5} x2=${Math.round(x(this.cross)) + 0.5} y1=${top} y2=${floor} />`}
    </svg>`
  }

  #timeLabel(at: number, span: number): string {
    const clock = clockText(at, zone.value)
    return span > 2 * 86_400_000 || clock === "00:00" ? dayText(at, zone.value).slice(5) : clock
  }

  /** One place for the values under the crosshair; without one, the last. */
  #readout(unit: Unit) {
    const at = this.cross ?? this.points.at(-1)?.at
    if (at === undefined) return nothing
    const point = pointAt(this.points, at, this.step)
    const start = point?.at ?? at
    return html`${windowText(start, Date.now(), zone.value)}${this.open !== undefined && start >= this.open ? ", so far" : nothing}
      <b>${point === undefined || point.value === null ? none : `${inUnit(point.value, unit)} ${unit.name}`}</b>`
  }

  #asTable(unit: Unit) {
    const rows = this.points.toReversed()
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${this.heading}><table>
      <thead><tr><th scope="col">Window</th><th scope="col">${this.name} ${unit.name}</th></tr></thead>
      <tbody>${rows.map(
        ({ at, value }) =>
          html`<tr><td title=${exactTime(at)}>${windowText(at, Date.now(), zone.value)}${this.open !== undefined && at >= this.open ? ", so far" : nothing}</td><td title=${value === null ? "no data" : String(value)}>${inUnit(value, unit)}</td></tr>`
      )}</tbody></table></div>`
  }

  #summary(unit: Unit): string {
    const known = this.points.filter((point): point is { readonly at: number; readonly value: number } => point.value !== null)
    if (known.length === 0) return `${this.name}: no data`
    const most = known.reduce((a, b) => (b.value > a.value ? b : a))
    return `${this.name}: ${known.length} windows, highest ${inUnit(most.value, unit)} ${unit.name} at ${windowText(most.at, Date.now(), zone.value)}, last ${alone(this.quantity, known.at(-1)!.value)}`
  }

  readonly #hover = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect()
    this.#crossTo(event.clientX - box.left)
  }

  #crossTo(px: number): void {
    const [from, until] = this.#bounds()
    const right = this.width - 8
    const at = linear(left, right, from, until)(px)
    this.cross = at < from || at >= until ? undefined : from + Math.floor((at - from) / this.step) * this.step
  }

  readonly #keydown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0
    if (step !== 0) {
      event.preventDefault()
      const [from, until] = this.#bounds()
      const now = this.cross ?? (this.points.at(-1)?.at ?? from) - step * this.step
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
