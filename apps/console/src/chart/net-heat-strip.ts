/**
 * How well was looked, cell by cell. A line is an hour that runs down (`along` down, a cell a window) or a day that runs across (a cell
 * an hour). State by colour and pattern; the words of the cell under the pointer or the cursor stand below, so that nothing is known by
 * colour alone. Arrow keys walk, Home and End jump.
 *
 * Properties: `cells` in order, each {at, seconds, state, quality, reasons}; `from` ms, before which there was nothing to look with;
 * `lineSeconds`, `cellSeconds`; `along` "down" or "across"; `label`. The newest cell is the cursor at first.
 */
import { css, html, LitElement, nothing, type PropertyValues, svg } from "lit"
import type { Cell, CoverageState } from "#domain/coverage.ts"
import { clockText, dayText, windowText } from "../format/time.ts"
import { sheet } from "../style/sheet.ts"
import { MinuteHand, zone } from "../ui/clock.ts"

export const coverageWords: Readonly<Record<CoverageState, string>> = {
  good: "looking",
  sampled: "looking through a sampler",
  partial: "looking in part",
  blind: "not looking"
}

const cellWidth = 12
const cellHeight = 9

interface Line {
  readonly start: number
  readonly cells: ReadonlyArray<Cell>
}

export class NetHeatStrip extends LitElement {
  static override readonly properties = {
    cells: { attribute: false },
    from: { type: Number },
    lineSeconds: { type: Number },
    cellSeconds: { type: Number },
    along: {},
    label: {},
    cursor: { state: true },
    hovered: { state: true }
  }
  declare cells: ReadonlyArray<Cell>
  declare from: number
  declare lineSeconds: number
  declare cellSeconds: number
  declare along: "down" | "across"
  declare label: string
  /** The `at` of the cell that the keys are on; undefined: the newest. */
  declare cursor: number | undefined
  declare hovered: number | undefined

  static override readonly styles = [
    sheet,
    css`
      :host { display: block; max-width: 30rem; }
      #list { border-radius: var(--radius); }
      svg.cells { display: block; width: 100%; }
      .good { fill: var(--seq-4); } .sampled { fill: var(--seq-2); } .partial { fill: var(--seq-1); } .blind { fill: var(--canvas); } .before { fill: none; }
      rect.cell { stroke: var(--panel); stroke-width: 1; }
      .mark { stroke: var(--text); stroke-width: 0.9; fill: none; opacity: 0.8; }
      .dot { fill: var(--text); }
      .at { fill: none; stroke: var(--focus); stroke-width: 1.8; }
      text { font: 400 8px var(--font); fill: var(--muted); }
      .said { min-height: 2.25rem; padding-top: var(--s-2); font: var(--t-12); }
      .key { display: flex; flex-wrap: wrap; gap: 0 var(--s-4); font: var(--t-11); color: var(--muted); }
      .key span { display: inline-flex; align-items: center; gap: var(--s-2); white-space: nowrap; }
      .key svg { width: 12px; height: 9px; flex: none; }
      @media (forced-colors: active) {
        rect.cell { fill: Canvas; stroke: CanvasText; } .good { fill: CanvasText; } .mark { stroke: CanvasText; } .dot, text { fill: CanvasText; } .at { stroke: Highlight; }
      }
    `
  ]

  constructor() {
    super()
    new MinuteHand(this)
    this.cells = []
    this.from = 0
    this.lineSeconds = 3600
    this.cellSeconds = 300
    this.along = "down"
    this.label = "Coverage"
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    // a cell that left the strip is nobody's cursor
    if (changed.has("cells") && this.cursor !== undefined && !this.cells.some(({ at }) => at === this.cursor))
      this.cursor = undefined
  }

  /** Lines begin where the reader's hours and days do. */
  get #lines(): ReadonlyArray<Line> {
    const length = this.lineSeconds * 1000
    return [
      ...Map.groupBy(this.cells, ({ at }) => {
        const shift = zone.value === "utc" ? 0 : new Date(at).getTimezoneOffset() * 60_000
        return Math.floor((at - shift) / length) * length + shift
      })
    ]
      .sort(([a], [b]) => a - b)
      .map(([start, cells]) => ({ start, cells }))
  }

  #say(cell: Cell): string {
    const end = cell.at + cell.seconds * 1000
    const reasons = cell.reasons.length === 0 ? "" : `: ${cell.reasons.join("; ")}`
    return `${windowText(cell.at, Date.now(), zone.value)} to ${clockText(end, zone.value)}, ${coverageWords[cell.state]}${reasons}`
  }

  override render() {
    const newest = this.cells.at(-1)
    if (newest === undefined) return nothing
    const cursor = this.cells.find(({ at }) => at === this.cursor) ?? newest
    const current = this.cells.find(({ at }) => at === this.hovered) ?? cursor
    const lines = this.#lines
    const deep = Math.max(1, Math.round(this.lineSeconds / this.cellSeconds))
    const [columns, rows] = this.along === "down" ? [lines.length, deep] : [deep, lines.length]
    const gutter = this.along === "down" ? 0 : 30
    const placed = lines.flatMap((line, n) =>
      line.cells.map((cell) => {
        const k = Math.min(deep - 1, Math.max(0, Math.round((cell.at - line.start) / 1000 / this.cellSeconds)))
        const [column, row] = this.along === "down" ? [n, k] : [k, n]
        return { cell, x: gutter + column * cellWidth, y: row * cellHeight }
      })
    )
    const at = placed.find(({ cell }) => cell === current)!
    const bottom = rows * cellHeight
    return html`<div id="list" role="listbox" tabindex="0" aria-label=${this.label} aria-activedescendant=${`c${cursor.at}`} @keydown=${this.#key}
        @pointermove=${this.#hover} @pointerleave=${() => (this.hovered = undefined)} @click=${this.#click}>
        ${this.cells.map((cell) => html`<div id=${`c${cell.at}`} role="option" class="sr" aria-selected=${cell === cursor}>${this.#say(cell)}</div>`)}
        <svg class="cells" viewBox=${`0 0 ${gutter + columns * cellWidth + 6} ${bottom + 12}`} aria-hidden="true">
          ${placed.map(
            ({ cell, x, y }) =>
              svg`<rect class=${`cell ${cell.at < this.from ? "before" : cell.state}`} data-at=${cell.at} x=${x} y=${y} width=${cellWidth} height=${cellHeight} />${cell.at < this.from ? nothing : pattern(cell.state, x, y)}`
          )}
          ${svg`<rect class="at" pointer-events="none" x=${at.x + 0.5} y=${at.y + 0.5} width=${cellWidth - 1} height=${cellHeight - 1} />`}
          ${this.along === "down" ? this.#hours(lines, bottom) : this.#days(lines, gutter, bottom)}
        </svg>
      </div>
      <p class="said" aria-hidden="true">${this.#say(current)}</p>
      <p class="key" aria-hidden="true">${(["good", "sampled", "partial", "blind"] as const).map(
        (state) =>
          html`<span><svg viewBox="0 0 12 9">${svg`<rect class=${`cell ${state}`} width="12" height="9" />`}${pattern(state, 0, 0)}</svg>${coverageWords[state]}</span>`
      )}</p>`
  }

  /** Every third hour is enough to find the way. */
  #hours(lines: ReadonlyArray<Line>, bottom: number) {
    return lines.map(({ start }, n) => {
      const text = clockText(start, zone.value)
      return Number(text.slice(0, 2)) % 3 === 0 && n < lines.length - 1
        ? svg`<text x=${n * cellWidth} y=${bottom + 9}>${text}</text>`
        : nothing
    })
  }
  #days(lines: ReadonlyArray<Line>, gutter: number, bottom: number) {
    return [
      ...lines.map(({ start }, n) => svg`<text x="0" y=${n * cellHeight + 7}>${dayText(start, zone.value).slice(5)}</text>`),
      ...[0, 3, 6, 9, 12, 15, 18, 21].map(
        (hour) => svg`<text x=${gutter + hour * cellWidth} y=${bottom + 9}>${`${String(hour).padStart(2, "0")}:00`}</text>`
      )
    ]
  }

  #cellUnder(event: Event): number | undefined {
    const at = event.composedPath().find((one) => one instanceof SVGElement && one.dataset["at"] !== undefined) as
      | SVGElement
      | undefined
    return at === undefined ? undefined : Number(at.dataset["at"])
  }
  readonly #hover = (event: PointerEvent) => {
    const at = this.#cellUnder(event)
    if (at !== undefined) this.hovered = at
  }
  readonly #click = (event: MouseEvent) => {
    const at = this.#cellUnder(event)
    if (at !== undefined) this.cursor = at
  }

  readonly #key = (event: KeyboardEvent) => {
    const deep = Math.max(1, Math.round(this.lineSeconds / this.cellSeconds))
    const found = this.cells.findIndex(({ at }) => at === this.cursor)
    const at = found < 0 ? this.cells.length - 1 : found
    const [over, down] = this.along === "down" ? [deep, 1] : [1, deep]
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: at + over,
      ArrowLeft: at - over,
      ArrowDown: at + down,
      ArrowUp: at - down,
      Home: 0,
      End: this.cells.length - 1
    }
    const next = steps[event.key]
    if (next === undefined) return
    event.preventDefault()
    event.stopPropagation()
    this.hovered = undefined
    this.cursor = this.cells[Math.max(0, Math.min(this.cells.length - 1, next))]?.at
  }
}
customElements.define("net-heat-strip", NetHeatStrip)

/** By shape, too: nothing, a dot, one stroke, a cross hatch. The marks let the pointer through. */
const pattern = (state: CoverageState, x: number, y: number) => {
  const through = "none"
  if (state === "sampled") return svg`<circle class="dot" pointer-events=${through} cx=${x + 6} cy=${y + 4.5} r="1" />`
  if (state === "partial") return svg`<path class="mark" pointer-events=${through} d=${`M${x + 2} ${y + 7.5}l8-6`} />`
  if (state === "blind")
    return svg`<path class="mark" pointer-events=${through} d=${`M${x + 0.5} ${y + 5.5}l5-5M${x + 2} ${y + 8.5}l8-8M${x + 7} ${y + 8.5}l4.5-4.5`} />`
  return nothing
}
