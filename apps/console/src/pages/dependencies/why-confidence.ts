/** Why we are as sure as we are. Properties: `terms`; `stored`, the confidence the appliance keeps. */
import { html, LitElement } from "lit"
import type { ConfidenceTerms } from "#domain/Dependency.ts"
import { perCent } from "../../format/number.ts"
import { sheet } from "../../style/sheet.ts"
import { pageStyle } from "../page-style.ts"
import { whyConfidence } from "./explain.ts"
import { balanceBar, signed } from "./why-direction.ts"
import { whyStyle } from "./why-style.ts"

export class WhyConfidence extends LitElement {
  static override readonly properties = { terms: { attribute: false }, stored: { type: Number } }
  declare terms: ConfidenceTerms
  declare stored: number

  static override readonly styles = [sheet, pageStyle, whyStyle]

  override render() {
    const why = whyConfidence(this.terms)
    const differs = Math.abs(this.stored - why.confidence) > 0.005
    return html`<h2 class="section-head">Why this confidence</h2>
      <p class="lead"><b>${perCent(this.stored)}</b> is how well it was seen (${perCent(why.seen)}) times how sure its direction is (${perCent(why.direction)}).</p>
      <table class="terms"><thead><tr><th scope="col">Term</th><th scope="col">Seen</th><th scope="col" class="bar"><span class="sr">Share</span></th><th scope="col" title="What the term adds to how well it was seen; 1 is all">Adds</th></tr></thead>
        <tbody>${why.terms.map(
          (term) =>
            html`<tr class=${term.weight === 0 ? "zero" : ""}><td>${term.name}</td><td class="seen">${term.seen}</td><td class="bar">${balanceBar(term.weight, 0.6)}</td><td>${signed(term.weight)}</td></tr>`
        )}
        <tr><td>Direction</td><td class="seen">the sum is multiplied by this</td><td class="bar"></td><td>×${why.direction.toFixed(2)}</td></tr></tbody>
        <tfoot><tr><td colspan="3">Confidence</td><td>${perCent(why.confidence)}</td></tr></tfoot></table>
      <p class="note">${
        differs
          ? `Stored is ${perCent(this.stored)}; recomputed from the terms it is ${perCent(why.confidence)}. The stored value is brought up to date with the next window that holds traffic.`
          : "Recomputed here from the stored terms; it is what is stored."
      }</p>`
  }
}
customElements.define("why-confidence", WhyConfidence)
