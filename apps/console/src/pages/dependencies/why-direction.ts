/** Why the arrow points this way. Properties: `evidence`; `stored`, the margin the appliance keeps. */
import { html, LitElement, svg } from "lit"
import type { DirectionEvidence } from "#domain/Dependency.ts"
import { perCent } from "../../format/number.ts"
import { sheet } from "../../style/sheet.ts"
import { pageStyle } from "../page-style.ts"
import { type Term, whyDirection } from "./explain.ts"
import { whyStyle } from "./why-style.ts"

/** The largest weight of one kind of evidence: the length of its bar. */
const most = 8

export const signed = (value: number): string =>
  value === Number.POSITIVE_INFINITY
    ? "decides"
    : `${value > 0 ? "+" : value < 0 ? "−" : ""}${value !== 0 && Math.abs(value) < 0.005 ? Number(Math.abs(value).toPrecision(1)).toFixed(4) : Math.abs(value).toFixed(2)}`

/** A bar to the right speaks for, to the left against; zero is the middle. */
export const balanceBar = (weight: number, largest: number) => {
  const width = Math.min(1, Math.abs(weight) / largest) * 36
  return html`<svg width="74" height="8" viewBox="-37 0 74 8" aria-hidden="true">${svg`<rect class=${weight < 0 ? "against" : "for"} x=${weight < 0 ? -width : 0} width=${width} height="8" /><path class="mid" d="M0 0v8" />`}</svg>`
}

/** What speaks for and against in a sentence, heaviest first. */
const verdict = (terms: ReadonlyArray<Term>) => {
  const told = (of: ReadonlyArray<Term>) =>
    of
      .toSorted((a, b) => Math.abs(b.weight) - Math.abs(a.weight))
      .map((term) => `${term.name} (${signed(term.weight)})`)
      .join(", ")
  const pro = terms.filter((term) => term.weight > 0)
  const contra = terms.filter((term) => term.weight < 0)
  return html`<p class="lead">${pro.length === 0 ? "Nothing speaks for it" : html`For it: ${told(pro)}`}. ${
    contra.length === 0 ? "Nothing speaks against it." : html`Against it: ${told(contra)}.`
  }</p>`
}

export class WhyDirection extends LitElement {
  static override readonly properties = { evidence: { attribute: false }, stored: { type: Number } }
  declare evidence: DirectionEvidence
  declare stored: number

  static override readonly styles = [sheet, pageStyle, whyStyle]

  override render() {
    const why = whyDirection(this.evidence)
    const right = 0.5 + 0.5 * why.margin
    const differs = Math.abs(this.stored - why.margin) > 0.005
    return html`<h2 class="section-head">Why this direction</h2>
      <p class="lead">The evidence makes it <b>${perCent(right)}</b> likely that the end drawn as server serves.</p>
      ${verdict(why.terms)}
      <table class="terms"><thead><tr><th scope="col">Evidence</th><th scope="col">Seen</th><th scope="col" class="bar"><span class="sr">Balance</span></th><th scope="col" title="Log-odds: + speaks for this direction, − against it">Log-odds</th></tr></thead>
        <tbody>${why.terms.map(
          (term) =>
            html`<tr class=${term.weight === 0 ? "zero" : ""}><td>${term.name}</td><td class="seen">${term.seen}</td><td class="bar">${balanceBar(term.weight, most)}</td><td>${signed(term.weight)}</td></tr>`
        )}</tbody>
        <tfoot><tr><td colspan="3">Margin, tanh(sum / 2)</td><td>${signed(why.margin)}</td></tr></tfoot></table>
      <p class="note">${
        differs
          ? `The stored margin is ${signed(this.stored)}: traffic was added since this page was read.`
          : "Recomputed here from the stored evidence; it is what is stored."
      }</p>`
  }
}
customElements.define("why-direction", WhyDirection)
