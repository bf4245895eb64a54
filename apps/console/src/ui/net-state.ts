/**
 * The three conditions a page or a part of it can be in besides live: `net-waiting` (placeholders after 300 ms, what we wait for after
 * 5 s), `net-stale` (one line: since when), `net-failed` (what, since when, what still works, a code to quote, Retry).
 */
import { css, html, LitElement, nothing } from "lit"
import { exactTime, timeText } from "../format/time.ts"
import { sheet } from "../style/sheet.ts"
import { zone } from "./clock.ts"
import { RetryEvent } from "./events.ts"
import "./net-status.ts"

/** Properties: `what` is waited for; `rows` placeholders of the row height. */
export class NetWaiting extends LitElement {
  static override readonly properties = { what: {}, rows: { type: Number }, stage: { state: true } }
  declare what: string
  declare rows: number
  declare stage: 0 | 1 | 2
  #timers: ReadonlyArray<ReturnType<typeof setTimeout>> = []

  static override readonly styles = [
    sheet,
    css`
      :host { display: block; min-height: var(--row); }
      .line { height: var(--row); border-bottom: var(--hair) solid var(--line); display: flex; align-items: center; padding: 0 var(--s-5); }
      .line svg { color: var(--edge); }
      p { padding: var(--s-3) var(--s-5); color: var(--muted); }
    `
  ]

  constructor() {
    super()
    this.rows = 6
    this.stage = 0
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.stage = 0
    this.#timers = [setTimeout(() => (this.stage = 1), 300), setTimeout(() => (this.stage = 2), 5000)]
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    for (const timer of this.#timers) clearTimeout(timer)
  }

  override render() {
    // SVG lines, not styled boxes: widths differ without an inline style
    return html`<div role="status">
        ${this.stage === 2 ? html`<p>Waiting for ${this.what} since 5 s; the appliance has not answered yet.</p>` : html`<span class="sr">Waiting for ${this.what}</span>`}
      </div>
      ${
        this.stage === 0
          ? nothing
          : Array.from(
              { length: this.rows },
              (_, i) => html`<div class="line" aria-hidden="true">
        <svg width=${[240, 180, 210, 150, 270, 190][i % 6]!} height="1"><path d="M0 .5h400" stroke="currentColor" opacity=".35" /></svg>
      </div>`
            )
      }`
  }
}
customElements.define("net-waiting", NetWaiting)

/** Properties: `since` ms; `why`; `retrying`. */
export class NetStale extends LitElement {
  static override readonly properties = { since: { type: Number }, why: {}, retrying: { type: Boolean } }
  declare since: number
  declare why: string
  declare retrying: boolean

  static override readonly styles = [
    sheet,
    css`
      :host { display: flex; align-items: center; gap: var(--s-3); padding: 0 var(--s-5); min-height: 24px; font: var(--t-12);
        border-bottom: var(--hair) solid var(--degraded); color: var(--text); }
    `
  ]

  override render() {
    return html`<net-status status="stale" mark-only label="stale"></net-status
      ><span role="status">live updates lost <time datetime=${exactTime(this.since)}>${timeText(this.since, Date.now(), zone.value)}</time
      >${this.retrying ? ", retrying" : ""}</span><span class="muted clip">${this.why}</span>`
  }
}
customElements.define("net-stale", NetStale)

/** Properties: `what` failed; `why`; `code`; `since` ms; `still` works; `retrying`. Sends `RetryEvent`. */
export class NetFailed extends LitElement {
  static override readonly properties = {
    what: {},
    why: {},
    code: {},
    still: {},
    since: { type: Number },
    retrying: { type: Boolean }
  }
  declare what: string
  declare why: string
  declare code: string
  declare still: string | undefined
  declare since: number
  declare retrying: boolean

  static override readonly styles = [
    sheet,
    css`
      :host { display: block; padding: var(--s-5); max-width: 44rem; }
      .head { display: flex; gap: var(--s-3); align-items: baseline; }
      p { margin-top: var(--s-2); }
      .foot { display: flex; gap: var(--s-4); align-items: center; margin-top: var(--s-4); }
    `
  ]

  override render() {
    const since = html`<time datetime=${exactTime(this.since)}>${timeText(this.since, Date.now(), zone.value)}</time>`
    return html`<div role="alert">
        <div class="head"><net-status status="down" mark-only label="failed"></net-status><strong>Could not get ${this.what}</strong></div>
        <p>${sentence(this.why)} Since ${since}${this.retrying ? ", retrying" : ""}.</p>
        ${this.still === undefined ? nothing : html`<p class="muted">${this.still}</p>`}
      </div>
      <div class="foot"><button @click=${() => this.dispatchEvent(new RetryEvent())}>Retry</button>
      <span class="faint">code <span class="mono">${this.code}</span></span></div>`
  }
}
customElements.define("net-failed", NetFailed)

const sentence = (text: string): string =>
  text === "" ? "" : `${text[0]!.toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`
