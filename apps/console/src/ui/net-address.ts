/**
 * An address, prefix, MAC, id or hash in the monospaced face; click copies it whole; a long one loses its middle, never its end.
 *
 * Properties: `text`; `longest` characters shown (default 39: an IPv6 address in full).
 */
import { css, html, LitElement } from "lit"
import { middleCut } from "../format/identity.ts"
import { sheet } from "../style/sheet.ts"
import { copy } from "./copy.ts"

export class NetAddress extends LitElement {
  static override readonly properties = { text: {}, longest: { type: Number } }
  declare text: string
  declare longest: number

  static override readonly styles = [
    sheet,
    css`:host { display: inline; font-family: var(--mono); font-size: 0.92em; color: inherit; white-space: nowrap; } span { cursor: copy; }`
  ]

  constructor() {
    super()
    this.longest = 39
  }

  override render() {
    return html`<span title=${`${this.text}, click to copy`} @click=${() => copy(this, this.text)}>${middleCut(this.text, this.longest)}</span>`
  }
}
customElements.define("net-address", NetAddress)
