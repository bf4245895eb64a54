/**
 * What an asset is: the shape and colour of its family, the two letters of its type. The same everywhere.
 *
 * Properties: `type` (AssetType); `external` draws the double outline of what is outside; `words` adds the type's name.
 */
import { css, html, LitElement, svg } from "lit"
import type { AssetType } from "#domain/Asset.ts"
import { type AssetFamily, assetTypes } from "#domain/AssetFamily.ts"
import { sheet } from "../style/sheet.ts"
import { familyShapes } from "./shapes.ts"

/** The shape alone, for legends: `currentColor` is the family's. */
export const familyMark = (family: AssetFamily, external = false) => html`<svg viewBox="0 0 16 16" aria-hidden="true">
  ${
    external
      ? svg`<path d=${familyShapes[family]} fill="none" stroke="currentColor" stroke-width="1"/><path d=${familyShapes[family]} transform="translate(8 8) scale(.55) translate(-8 -8)" fill="none" stroke="currentColor" stroke-width="1.8"/>`
      : family === "unknown"
        ? svg`<path d=${familyShapes.unknown} fill="none" stroke="currentColor" stroke-width="1.4" stroke-dasharray="2.6 2.1"/>`
        : svg`<path d=${familyShapes[family]} fill="currentColor"/>`
  }
</svg>`

export class NetTypeMark extends LitElement {
  static override readonly properties = {
    type: {},
    external: { type: Boolean, reflect: true },
    words: { type: Boolean }
  }
  declare type: AssetType
  declare external: boolean
  declare words: boolean

  static override readonly styles = [
    sheet,
    css`
      :host { display: inline-flex; align-items: baseline; gap: var(--s-2); font: inherit; white-space: nowrap; }
      svg { width: 12px; height: 12px; flex: none; color: var(--unknown); }
      .letters { font: var(--t-11); font-family: var(--mono); color: var(--muted); }
      .compute { color: var(--compute); } .data { color: var(--data); } .network { color: var(--network); } .netsvc { color: var(--netsvc); }
      .comms { color: var(--comms); } .security { color: var(--security); } .endpoint { color: var(--endpoint); } .appinfra { color: var(--appinfra); }
      .unknown { color: var(--unknown); }
      i { display: inline-flex; font-style: normal; align-self: center; }
      i svg { color: inherit; }
      @media (forced-colors: active) { i { color: CanvasText; } }
    `
  ]

  override render() {
    const { family, label, letters } = assetTypes[this.type] ?? assetTypes.unknown
    const said = this.external ? `${label}, external` : label
    return html`<i class=${family} title=${said}>${familyMark(family, this.external)}</i
      ><span class="letters" aria-hidden="true" title=${said}>${letters}</span
      >${this.words ? html`<span>${said}</span>` : html`<span class="sr">${said}</span>`}`
  }
}
customElements.define("net-type-mark", NetTypeMark)
