/** One dependency on a page of its own. Property: `key`. */
import { html, LitElement } from "lit"
import { sheet } from "../../style/sheet.ts"
import { pageStyle } from "../page-style.ts"
import "./dependency-sheet.ts"

export class PageDependency extends LitElement {
  static override readonly properties = { key: {} }
  declare key: string
  static override readonly styles = [sheet, pageStyle]

  override render() {
    return html`<dependency-sheet .key=${this.key}></dependency-sheet>`
  }
}
customElements.define("page-dependency", PageDependency)
