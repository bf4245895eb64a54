/** One asset on a page of its own. Property: `key`. */
import { html, LitElement } from "lit"
import { sheet } from "../../style/sheet.ts"
import { pageStyle } from "../page-style.ts"
import "./asset-sheet.ts"

export class PageAsset extends LitElement {
  static override readonly properties = { key: {} }
  declare key: string
  static override readonly styles = [sheet, pageStyle]

  override render() {
    return html`<asset-sheet .key=${this.key}></asset-sheet>`
  }
}
customElements.define("page-asset", PageAsset)
