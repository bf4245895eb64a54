/**
 * Things by size: the name, a bar on one scale, the value. A list, so that it is its own table.
 *
 * Properties: `bars` {key, name, href, value, title}, `quantity`, `label`. Zero is at the left edge, always.
 */
import { css, html, LitElement, svg, type TemplateResult } from "lit"
import { inUnit, type Quantity, unitFor } from "../format/number.ts"
import { sheet } from "../style/sheet.ts"
import { exactTitle } from "../ui/net-value.ts"

export interface Bar {
  readonly name: string
  readonly value: number | bigint
  readonly detail?: string | TemplateResult
  readonly href?: string
}

export class NetBars extends LitElement {
  static override readonly properties = { bars: { attribute: false }, quantity: {}, label: {}, value: {}, detail: {} }
  declare bars: ReadonlyArray<Bar>
  declare quantity: Quantity
  declare label: string
  /** Heads of the two number columns. */
  declare value: string
  declare detail: string | undefined

  static override readonly styles = [
    sheet,
    css`
      :host { display: block; }
      table { width: 100%; border-collapse: collapse; table-layout: fixed; }
      th { font: var(--t-11); color: var(--muted); text-align: left; height: 24px; border-bottom: var(--hair) solid var(--edge); }
      td { height: var(--row); border-bottom: var(--hair) solid var(--line); }
      th, td { padding: 0 var(--s-3); }
      :is(th, td):first-child { padding-left: var(--s-5); width: 42%; }
      :is(th, td):last-child { padding-right: var(--s-5); }
      .num { width: 5rem; text-align: right; }
      .detail { width: 5rem; color: var(--muted); text-align: right; white-space: nowrap; }
      svg { display: block; width: 100%; height: 8px; }
      rect { fill: var(--seq-3); }
      a { font-weight: 500; }
      .clip { display: block; }
      .unit { color: var(--faint); }
      tr:last-child td { border-bottom: 0; }
    `
  ]

  override render() {
    const unit = unitFor(
      this.quantity,
      this.bars.map((bar) => bar.value)
    )
    const most = this.bars.reduce((largest, bar) => Math.max(largest, Number(bar.value)), 0)
    return html`<table aria-label=${this.label}>
      <thead><tr><th scope="col">Name</th><th scope="col"><span class="sr">Share of the largest</span></th>
        <th scope="col" class="num">${this.value} <span class="unit">${unit.name}</span></th>${this.detail === undefined ? "" : html`<th scope="col" class="detail">${this.detail}</th>`}</tr></thead>
      <tbody>${this.bars.map(
        (
          bar
        ) => html`<tr><td><span class="clip">${bar.href === undefined ? bar.name : html`<a href=${bar.href}>${bar.name}</a>`}</span></td>
          <td><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">${svg`<rect width=${most === 0 ? 0 : (Number(bar.value) / most) * 100} height="8" />`}</svg></td>
          <td class="num" title=${exactTitle(bar.value, this.quantity)}>${inUnit(bar.value, unit)}</td>${this.detail === undefined ? "" : html`<td class="detail">${bar.detail ?? ""}</td>`}</tr>`
      )}</tbody></table>`
  }
}
customElements.define("net-bars", NetBars)
