/**
 * A small line of what lately was: no axis, no number; the value stands beside it. Zero is at the foot, gaps stay gaps.
 *
 * Properties: `values` (null: nothing known), `label` (what it shows, for a screen reader; without it the line is decoration).
 */
import { css, html, LitElement, svg } from "lit"
import { sheet } from "../style/sheet.ts"

export const sparkPath = (values: ReadonlyArray<number | null>): string => {
  const most = values.reduce<number>((largest, value) => Math.max(largest, value ?? 0), 0)
  const step = values.length > 1 ? 100 / (values.length - 1) : 0
  let path = ""
  let down = false
  for (const [i, value] of values.entries()) {
    if (value === null) {
      down = false
      continue
    }
    const x = Math.round(i * step * 10) / 10
    const y = Math.round((19 - (most === 0 ? 0 : (value / most) * 18)) * 10) / 10
    // a single minute between two gaps is a dot
    path += down ? `L${x} ${y}` : `M${x} ${y}h.1`
    down = true
  }
  return path
}

export class NetSpark extends LitElement {
  static override readonly properties = { values: { attribute: false }, label: {} }
  declare values: ReadonlyArray<number | null>
  declare label: string | undefined

  static override readonly styles = [
    sheet,
    css`
      :host { display: block; height: 16px; min-width: 40px; margin-block: auto; }
      svg { display: block; width: 100%; height: 100%; overflow: visible; }
      path { fill: none; stroke: var(--seq-4); stroke-width: 1.25; vector-effect: non-scaling-stroke; stroke-linecap: round; stroke-linejoin: round; }
      @media (forced-colors: active) { path { stroke: CanvasText; } }
    `
  ]

  override render() {
    const line = svg`<path d=${sparkPath(this.values)} />`
    return this.label === undefined
      ? html`<svg viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">${line}</svg>`
      : html`<svg viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label=${this.label}>${line}</svg>`
  }
}
customElements.define("net-spark", NetSpark)
