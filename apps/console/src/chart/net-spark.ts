/** A line of the size of a word: shape only, its numbers stand beside it. Properties: `values` (null is a gap), `label` for screen readers. */
import { css, html, LitElement } from "lit"
import { sheet } from "../style/sheet.ts"
import { linear, linePath } from "./scale.ts"

export class NetSpark extends LitElement {
  static override readonly properties = { values: { attribute: false }, label: {} }
  declare values: ReadonlyArray<number | null>
  declare label: string

  static override readonly styles = [
    sheet,
    css`:host { display: inline-block; vertical-align: middle; } svg { display: block; } path { fill: none; stroke: var(--compute); stroke-width: 1.2; }`
  ]

  override render() {
    const points = this.values.map((value, at) => ({ at, value }))
    const most = Math.max(1, ...this.values.map((value) => value ?? 0))
    const path = linePath(points, 1, linear(0, Math.max(1, points.length - 1), 1, 63), linear(0, most, 15, 2))
    return html`<svg width="64" height="16" viewBox="0 0 64 16" role="img" aria-label=${this.label ?? "trend"}><path d=${path} /></svg>`
  }
}
customElements.define("net-spark", NetSpark)
