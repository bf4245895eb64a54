/**
 * A number: three significant digits, the exact value as title and on click to the clipboard.
 *
 * Properties: `value` (number, bigint or null); `quantity`; `unit` when a column or a chart has one for all, else its own; `sampling`
 * above 1 puts ≈ before it and the rate into the title; `plain` does not copy (the value stands in a link); `exact` writes every digit
 * beside it where it was rounded.
 */
import { css, html, LitElement, nothing } from "lit"
import { inFull } from "#domain/digits.ts"
import { alone, exactly, inUnit, none, type Quantity, type Unit } from "../format/number.ts"
import { sheet } from "../style/sheet.ts"
import { copy } from "./copy.ts"

const exactUnits: Record<Quantity, string> = { bytes: " B", bits: " bit/s", rate: " /s", count: "", ms: " ms" }

/** The title of a number: exact, with its unit, and how it was scaled. */
export const exactTitle = (value: number | bigint | null | undefined, quantity: Quantity, sampling = 1): string =>
  value === null || value === undefined
    ? "no data"
    : `${exactly(value)}${exactUnits[quantity]}${sampling > 1 ? `, scaled from sampling 1 of ${sampling}` : ""}`

export class NetValue extends LitElement {
  static override readonly properties = {
    value: { attribute: false },
    quantity: {},
    unit: { attribute: false },
    sampling: { type: Number },
    plain: { type: Boolean, reflect: true },
    exact: { type: Boolean }
  }
  declare value: number | bigint | null | undefined
  declare quantity: Quantity
  declare unit: Unit | undefined
  declare sampling: number
  declare plain: boolean
  declare exact: boolean

  constructor() {
    super()
    this.quantity = "count"
    this.sampling = 1
    this.plain = false
    this.exact = false
  }

  static override readonly styles = [
    sheet,
    css`
      :host { display: inline; font: inherit; color: inherit; white-space: nowrap; }
      :host(:not([plain])) span { cursor: copy; }
      .exact { margin-left: var(--s-3); }
    `
  ]

  override render() {
    const known = this.value !== null && this.value !== undefined
    const text = this.unit === undefined ? alone(this.quantity, this.value) : inUnit(this.value, this.unit)
    const inFullToo = this.exact && known && Math.abs(Number(this.value)) >= 100_000
    return html`<span title=${exactTitle(this.value, this.quantity, this.sampling)} @click=${known && !this.plain ? this.#copy : undefined}
      >${known && this.sampling > 1 ? "≈" : ""}${known ? text : none}</span
    >${inFullToo ? html`<span class="exact faint" @click=${this.#copy}>${inFull(this.value!)}${exactUnits[this.quantity]}</span>` : nothing}`
  }

  readonly #copy = () => copy(this, exactly(this.value))
}
customElements.define("net-value", NetValue)
