/**
 * A modal dialog on the platform's own `<dialog>`: focus stays inside, Escape closes, focus returns.
 *
 * Properties: `open`, `heading`, `wide`. Slots: default, `foot` (controls). Event: `CloseEvent`.
 */
import { css, html, LitElement } from "lit"
import { sheet } from "../style/sheet.ts"
import { CloseEvent } from "./events.ts"

export class NetDialog extends LitElement {
  static override readonly properties = {
    open: { type: Boolean, reflect: true },
    heading: {},
    wide: { type: Boolean, reflect: true }
  }
  declare open: boolean
  declare heading: string
  declare wide: boolean

  static override readonly styles = [
    sheet,
    css`
      dialog { width: min(30rem, calc(100vw - 32px)); max-height: min(80vh, 48rem); padding: 0; color: var(--text); background: var(--panel);
        border: var(--hair) solid var(--edge); border-radius: var(--radius); overflow: hidden; }
      dialog[open] { display: flex; flex-direction: column; }
      :host([wide]) dialog { width: min(52rem, calc(100vw - 32px)); }
      dialog::backdrop { background: var(--canvas); opacity: 0.7; }
      header { display: flex; align-items: center; justify-content: space-between; gap: var(--s-4); padding: var(--s-3) var(--s-3) var(--s-3) var(--s-5); border-bottom: var(--hair) solid var(--line); }
      .body { padding: var(--s-5); overflow: auto; }
      footer { display: flex; justify-content: flex-end; gap: var(--s-3); padding: var(--s-3) var(--s-5); border-top: var(--hair) solid var(--line); }
    `
  ]

  override render() {
    return html`<dialog aria-labelledby="heading" @close=${this.#closed} @cancel=${this.#cancel} @click=${this.#outside}>
      <header><h2 id="heading">${this.heading}</h2><button class="plain" @click=${this.#close}>Close</button></header>
      <div class="body" tabindex="-1"><slot></slot></div>
      <footer hidden><slot name="foot" @slotchange=${this.#footed}></slot></footer>
    </dialog>`
  }

  protected override updated(): void {
    const dialog = this.renderRoot.querySelector("dialog")!
    if (this.open && !dialog.open) dialog.showModal()
    if (!this.open && dialog.open) dialog.close()
  }

  readonly #footed = (event: Event) => {
    const slot = event.target as HTMLSlotElement
    slot.parentElement!.hidden = slot.assignedElements().length === 0
  }
  readonly #close = () => this.dispatchEvent(new CloseEvent())
  readonly #closed = () => {
    if (this.open) this.dispatchEvent(new CloseEvent())
  }
  readonly #cancel = (event: Event) => {
    event.preventDefault()
    this.dispatchEvent(new CloseEvent())
  }
  readonly #outside = (event: MouseEvent) => {
    if (event.target === event.currentTarget) this.dispatchEvent(new CloseEvent())
  }
}
customElements.define("net-dialog", NetDialog)
