/**
 * Nothing to show, and which nothing: `yet` (what would make it appear), `match` (the filter; the slot `action` has Clear), `wrong`
 * (good news, and when we last looked).
 *
 * Properties: `kind`, `heading`. Default slot: one or two sentences. Slot `action`: one control.
 */
import { css, html, LitElement, svg } from "lit"
import { sheet } from "../style/sheet.ts"

const marks = {
  yet: svg`<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-dasharray="2.6 2.1"/>`,
  match: svg`<path d="M2 3h12L9.5 8.5V14l-3-1.5v-4z" fill="none" stroke="currentColor"/>`,
  wrong: svg`<circle cx="8" cy="8" r="3.5" fill="currentColor"/>`
}

export class NetEmpty extends LitElement {
  static override readonly properties = { kind: { reflect: true }, heading: {} }
  declare kind: "yet" | "match" | "wrong"
  declare heading: string

  static override readonly styles = [
    sheet,
    css`
      :host { display: grid; grid-template-columns: 16px minmax(0, 44rem); gap: var(--s-2) var(--s-3); padding: var(--s-6) var(--s-5); align-items: start; }
      svg { width: 16px; height: 16px; margin-top: 2px; color: var(--faint); }
      :host([kind="wrong"]) { padding-block: var(--s-4); }
      strong { font-weight: 500; }
      .text, slot[name="action"] { grid-column: 2; }
      .text { color: var(--muted); }
      slot[name="action"] { display: block; margin-top: var(--s-2); }
    `
  ]

  override render() {
    return html`<svg viewBox="0 0 16 16" aria-hidden="true">${marks[this.kind] ?? marks.yet}</svg><strong>${this.heading}</strong>
      <div class="text"><slot></slot></div><slot name="action"></slot>`
  }
}
customElements.define("net-empty", NetEmpty)
