/**
 * A state by shape, word and colour, in that order.
 *
 * Properties: `status`; `label` (the word, defaults to the status); `mark-only` keeps the word for screen readers only; `loud` colours
 * `up` too, as in a legend or right after recovery.
 */
import { css, html, LitElement, svg } from "lit"
import { sheet } from "../style/sheet.ts"

export type StatusName =
  | "up"
  | "degraded"
  | "down"
  | "unknown"
  | "maintenance"
  | "stale"
  | "blind"
  | "info"
  | "warning"
  | "critical"

const marks: Record<StatusName, ReturnType<typeof svg>> = {
  up: svg`<circle cx="5" cy="5" r="3" fill="currentColor"/>`,
  degraded: svg`<path d="M5 .8 9.6 9.2H.4z" fill="currentColor"/>`,
  warning: svg`<path d="M5 .8 9.6 9.2H.4z" fill="currentColor"/>`,
  down: svg`<path d="M1 1h8v8H1z" fill="currentColor"/>`,
  critical: svg`<path d="M1 1h8v8H1z" fill="currentColor"/>`,
  unknown: svg`<circle cx="5" cy="5" r="3.4" fill="none" stroke="currentColor" stroke-width="1.4"/>`,
  info: svg`<circle cx="5" cy="5" r="3.4" fill="none" stroke="currentColor" stroke-width="1.4"/>`,
  maintenance: svg`<path d="M5 .9 9.1 5 5 9.1.9 5z" fill="none" stroke="currentColor" stroke-width="1.3"/>`,
  blind: svg`<circle cx="5" cy="5" r="3.9" fill="none" stroke="currentColor" stroke-width=".9"/><path d="M1.6 6.2 6.2 1.6M3.4 8.5l5.1-5.1" stroke="currentColor" stroke-width="1.1"/>`,
  stale: svg`<circle cx="5" cy="5" r="3.6" fill="none" stroke="currentColor" stroke-width="1.2"/><path d="M5 1.4a3.6 3.6 0 0 0 0 7.2z" fill="currentColor"/>`
}

export class NetStatus extends LitElement {
  static override readonly properties = {
    status: { reflect: true },
    label: {},
    markOnly: { type: Boolean, attribute: "mark-only", reflect: true },
    loud: { type: Boolean, reflect: true }
  }
  declare status: StatusName
  declare label: string | undefined
  declare markOnly: boolean
  declare loud: boolean

  static override readonly styles = [
    sheet,
    css`
      :host { display: inline-flex; align-items: center; gap: 6px; font: inherit; color: inherit; white-space: nowrap; }
      svg { width: 10px; height: 10px; flex: none; color: var(--muted); }
      :host([status="degraded"]) svg, :host([status="warning"]) svg { color: var(--degraded); }
      :host([status="down"]) svg, :host([status="critical"]) svg { color: var(--down); }
      :host([status="unknown"]) svg { color: var(--unknown); }
      :host([status="up"][loud]) svg { color: var(--up); }
      @media (forced-colors: active) { svg { color: CanvasText !important; } }
    `
  ]

  override render() {
    const word = this.label ?? this.status
    return html`<svg viewBox="0 0 10 10" aria-hidden="true">${marks[this.status] ?? marks.unknown}</svg
      ><span class=${this.markOnly ? "sr" : ""}>${word}</span>`
  }
}
customElements.define("net-status", NetStatus)
