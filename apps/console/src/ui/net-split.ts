/**
 * Main part and inspector. The border between them is dragged, or moved with the arrow keys; at 720 px and less the inspector is a
 * sheet over the main part.
 *
 * Properties: `open`; `width` px; `label` names the inspector. Slots: default, `aside`. Events: `WidthEvent` after a resize, `CloseEvent`.
 */
import { css, html, LitElement, nothing } from "lit"
import { sheet } from "../style/sheet.ts"
import { CloseEvent, WidthEvent } from "./events.ts"

const narrowest = 280
const widest = 720

export class NetSplit extends LitElement {
  static override readonly properties = { open: { type: Boolean, reflect: true }, width: { type: Number }, label: {} }
  declare open: boolean
  declare width: number
  declare label: string

  static override readonly styles = [
    sheet,
    css`
      :host { display: flex; min-height: 0; min-width: 0; height: 100%; position: relative; }
      .main { flex: 1 1 0; min-width: 0; min-height: 0; display: flex; flex-direction: column; }
      .grip { flex: none; width: 5px; margin: 0 -2px; z-index: 3; cursor: col-resize; position: relative; touch-action: none; }
      .grip::before { content: ""; position: absolute; inset: 0 2px; background: var(--line); }
      .grip:hover::before, .grip:focus-visible::before { background: var(--accent); }
      aside { flex: none; min-width: 0; overflow: auto; background: var(--panel); scrollbar-width: thin; scrollbar-color: var(--edge) transparent; }
      @media (max-width: 720px) {
        .grip { display: none; }
        aside { position: absolute; inset: 48px 0 0 0; width: auto !important; border-top: 2px solid var(--edge); z-index: 5; }
      }
      @media print { :host, .main { display: block; height: auto; } aside, .grip { display: none; } }
    `
  ]

  constructor() {
    super()
    this.open = false
    this.width = 360
    this.label = "Inspector"
  }

  override render() {
    return html`<div class="main"><slot></slot></div>
      ${
        this.open
          ? html`<div class="grip" role="separator" aria-orientation="vertical" aria-label="Width of the inspector" tabindex="0"
                aria-valuenow=${this.width} aria-valuemin=${narrowest} aria-valuemax=${widest}
                @pointerdown=${this.#grab} @keydown=${this.#keydown}></div>
              <aside aria-label=${this.label} @keydown=${this.#escape} tabindex="-1"><slot name="aside"></slot></aside>`
          : nothing
      }`
  }

  protected override updated(): void {
    const aside = this.renderRoot.querySelector("aside")
    if (aside !== null) aside.style.width = `${this.width}px`
  }

  #resize(width: number): void {
    this.width = Math.round(Math.min(widest, Math.max(narrowest, Math.min(width, this.clientWidth - 240))))
  }

  readonly #grab = (event: PointerEvent) => {
    const grip = event.currentTarget as HTMLElement
    grip.setPointerCapture(event.pointerId)
    const right = this.getBoundingClientRect().right
    const move = (moved: PointerEvent) => this.#resize(right - moved.clientX)
    const release = () => {
      grip.removeEventListener("pointermove", move)
      this.dispatchEvent(new WidthEvent(this.width))
    }
    grip.addEventListener("pointermove", move)
    grip.addEventListener("lostpointercapture", release, { once: true })
  }

  readonly #keydown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowLeft" ? 16 : event.key === "ArrowRight" ? -16 : 0
    if (step === 0) return
    event.preventDefault()
    this.#resize(this.width + step)
    this.dispatchEvent(new WidthEvent(this.width))
  }

  readonly #escape = (event: KeyboardEvent) => {
    if (event.key === "Escape" && !event.defaultPrevented) {
      event.preventDefault()
      this.dispatchEvent(new CloseEvent())
    }
  }
}
customElements.define("net-split", NetSplit)
