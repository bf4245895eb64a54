/** Says things for a moment at the foot of the page. The same words again make one toast with a count, so a storm stays one line. */
import { css, html, LitElement, nothing } from "lit"
import { sheet } from "../style/sheet.ts"
import type { ToastEvent } from "./events.ts"
import "./net-status.ts"

interface Toast {
  readonly id: number
  readonly text: string
  readonly severity: ToastEvent["severity"]
  readonly count: number
  readonly action: ToastEvent["action"]
}

/** Long enough to read and, where something can be done, to decide. */
const lastsMs = ({ action, severity }: Pick<ToastEvent, "action" | "severity">): number =>
  action !== undefined ? 12_000 : severity === "info" ? 2500 : 8000

export class NetToast extends LitElement {
  static override readonly properties = { toasts: { state: true } }
  declare toasts: ReadonlyArray<Toast>
  #next = 1

  static override readonly styles = [
    sheet,
    css`
      :host { position: fixed; right: var(--s-5); bottom: 36px; z-index: 40; display: grid; gap: var(--s-2); justify-items: end; pointer-events: none; }
      .toast { display: flex; gap: var(--s-3); align-items: center; min-height: 32px; padding: 0 var(--s-2) 0 var(--s-4); background: var(--raised);
        border: var(--hair) solid var(--edge); border-radius: var(--radius); max-width: min(90vw, 32rem); pointer-events: auto; }
      .toast span { overflow-wrap: anywhere; }
      button { border: 0; padding: 0 var(--s-3); color: var(--muted); font-weight: 400; }
      button.do { color: var(--accent); font-weight: 500; }
    `
  ]

  constructor() {
    super()
    this.toasts = []
  }

  say({ action, severity, text }: Pick<ToastEvent, "text" | "severity" | "action">): void {
    const same = this.toasts.find((toast) => toast.text === text)
    const toast: Toast = { id: this.#next++, text, severity, count: (same?.count ?? 0) + 1, action }
    this.toasts = [...this.toasts.filter((other) => other !== same), toast].slice(-4)
    setTimeout(() => this.#drop(toast.id), lastsMs(toast))
  }

  #drop(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id)
  }

  override render() {
    const urgent = this.toasts.filter((toast) => toast.severity === "critical")
    const calm = this.toasts.filter((toast) => toast.severity !== "critical")
    const draw = (toast: Toast) => html`<div class="toast">
      ${toast.severity === "info" ? nothing : html`<net-status status=${toast.severity} mark-only></net-status>`}
      <span>${toast.text}${toast.count > 1 ? html` <span class="muted">×${toast.count}</span>` : nothing}</span>
      ${
        toast.action === undefined
          ? nothing
          : html`<button class="plain do" @click=${() => {
              toast.action?.run()
              this.#drop(toast.id)
            }}>${toast.action.label}</button>`
      }<button class="plain" @click=${() => this.#drop(toast.id)}>Close</button>
    </div>`
    return html`<div role="alert">${urgent.map(draw)}</div><div role="status">${calm.map(draw)}</div>`
  }
}
customElements.define("net-toast", NetToast)
