/**
 * The map's legend: always open, counts what the filter line left, and filters: a click shows only that family, another all again.
 *
 * Properties: `counts`; `only` the family shown alone; `lines` says what they mean; `blind` adds what is not looked at; `marks` explains
 * how the map marks what belongs to a selection instead. Event: `LegendEvent`.
 */
import { css, html, LitElement, nothing, svg } from "lit"
import type { AssetFamily } from "#domain/AssetFamily.ts"
import { sheet } from "../style/sheet.ts"
import { familyMark } from "../ui/net-type-mark.ts"
import { familyWords } from "../ui/shapes.ts"
import type { LegendCount } from "./scene.ts"

export class LegendEvent extends Event {
  static readonly type = "net-legend"
  readonly only: AssetFamily | "external" | undefined
  constructor(only: AssetFamily | "external" | undefined) {
    super(LegendEvent.type, { bubbles: true, composed: true })
    this.only = only
  }
}

const line = (width: number, dashed = false) =>
  svg`<path d="M0 6h22" stroke="currentColor" stroke-width=${width} stroke-dasharray=${dashed ? "4 3" : "none"}/>`

/** A dotted line into a hatched ring. */
const blindMark = svg`<path d="M0 6h9" stroke="currentColor" stroke-width="1.4" stroke-dasharray="1.5 3"/><path d="M11 10l8-8M13 11.5l8-8M11 5l4-4M17 11.5l4-4" stroke="currentColor" stroke-width="1"/>`

/** As the canvas draws them beside a node: filled, it serves the selected; open, it needs it. */
export const relationMarks = {
  upstream: svg`<path d="M1 2h8L5 9z" fill="var(--accent)" stroke="var(--accent)"/>`,
  downstream: svg`<path d="M1 8.5h8L5 1.5z" fill="none" stroke="var(--text)" stroke-width="1.3"/>`
} as const

export class NetLegend extends LitElement {
  static override readonly properties = {
    counts: { attribute: false },
    only: {},
    lines: { type: Boolean },
    marks: { type: Boolean },
    blind: { type: Boolean }
  }
  declare counts: ReadonlyArray<LegendCount>
  declare only: AssetFamily | "external" | undefined
  declare lines: boolean
  declare marks: boolean
  /** Some of the map is not looked at. */
  declare blind: boolean

  static override readonly styles = [
    sheet,
    css`
      :host { display: flex; flex-wrap: wrap; align-items: center; gap: 0; padding: var(--s-1) var(--s-3); border-top: var(--hair) solid var(--line);
        background: var(--panel); font: var(--t-12); }
      button { display: inline-flex; align-items: center; gap: var(--s-2); height: 24px; padding: 0 var(--s-3); font: var(--t-12); border-color: transparent; color: var(--text); }
      button[aria-pressed="true"] { background: var(--select); border-color: var(--accent); }
      button.dim { color: var(--muted); }
      svg { width: 12px; height: 12px; flex: none; }
      .dim svg { opacity: 0.45; }
      .count { color: var(--muted); }
      .compute svg { color: var(--compute); } .data svg { color: var(--data); } .network svg { color: var(--network); } .netsvc svg { color: var(--netsvc); }
      .comms svg { color: var(--comms); } .security svg { color: var(--security); } .endpoint svg { color: var(--endpoint); } .appinfra svg { color: var(--appinfra); }
      .unknown svg, .external svg { color: var(--unknown); }
      .lines { display: flex; align-items: center; gap: var(--s-3); margin-left: auto; padding: 0 var(--s-3); color: var(--muted); }
      .lines svg { width: 22px; height: 12px; color: var(--edge); }
      .lines svg.way { width: 30px; }
      .lines .unit { color: var(--faint); }
      .lines svg.mark { width: 10px; height: 10px; }
      .lines span { display: inline-flex; align-items: center; gap: var(--s-2); white-space: nowrap; }
      @media (max-width: 720px) { .lines { display: none; } }
      @media (forced-colors: active) { svg { color: CanvasText !important; } }
    `
  ]

  override render() {
    return html`${this.counts
      .filter(({ count, family }) => count > 0 || family === this.only)
      .map(({ count, family }) => {
        const label = family === "external" ? "External" : familyWords[family].label
        const pressed = this.only === family
        return html`<button class=${`${family}${this.only !== undefined && !pressed ? " dim" : ""}`} aria-pressed=${pressed}
            title=${pressed ? "Show all again" : `Show only ${label.toLowerCase()}`} @click=${() => this.dispatchEvent(new LegendEvent(pressed ? undefined : family))}
            >${family === "external" ? familyMark("unknown", true) : familyMark(family)}<span>${label}</span><span class="count">${count}</span></button>`
      })}
      ${
        !this.lines
          ? nothing
          : this.marks
            ? html`<div class="lines"><span><svg class="mark" viewBox="0 0 10 10" aria-hidden="true">${relationMarks.upstream}</svg>serves the selected</span>
              <span><svg class="mark" viewBox="0 0 10 10" aria-hidden="true">${relationMarks.downstream}</svg>needs the selected</span></div>`
            : html`<div class="lines" role="img" aria-label="Lines run from who needs to who serves; four widths from below 10 kbit/s to above 100 Mbit/s; dashed is stale, dotted and hatched is not looked at">
        <span>needs<svg class="way" viewBox="0 0 30 12">${svg`<path d="M0 4v4l22-1.4V5.4zM22 2.8 30 6l-8 3.2z" fill="currentColor"/>`}</svg>serves</span>
        <span class="unit">bit/s</span><span><svg viewBox="0 0 22 12">${line(0.8)}</svg>&lt;10k</span><span><svg viewBox="0 0 22 12">${line(1.4)}</svg>&lt;1M</span>
        <span><svg viewBox="0 0 22 12">${line(2.4)}</svg>&lt;100M</span><span><svg viewBox="0 0 22 12">${line(3.8)}</svg>more</span>
        <span><svg viewBox="0 0 22 12">${line(1.4, true)}</svg>stale</span>
        ${this.blind ? html`<span><svg viewBox="0 0 22 12">${blindMark}</svg>not looked at</span>` : nothing}
      </div>`
      }`
  }
}
customElements.define("net-legend", NetLegend)
