/**
 * Where one can go. 48 px of marks; the words come out on hover and focus, and stay where the operator or a wide screen wants them.
 * Properties: `current`, `caller`. Event `logout`.
 */
import { css, html, LitElement, nothing, type PropertyValues, svg } from "lit"
import type { Caller } from "#domain/Operator.ts"
import { Following } from "../Cell.ts"
import { prefer, preferences } from "../preferences.ts"
import { nav } from "../routes.ts"
import { sheet } from "../style/sheet.ts"
import { icons } from "./icons.ts"

export class NavRail extends LitElement {
  static override readonly properties = { current: {}, caller: { attribute: false } }
  declare current: string
  declare caller: Caller

  static override readonly styles = [
    sheet,
    css`
      :host { display: block; position: relative; z-index: 8; width: 48px; }
      :host([wide]) { width: 148px; }
      .rail { position: absolute; inset: 0 auto 0 0; width: 48px; display: flex; flex-direction: column; background: var(--panel); border-right: var(--hair) solid var(--line); overflow: hidden; }
      :host([wide]) .rail { width: 148px; }
      .rail:hover, .rail:focus-within { width: 148px; }
      :host(:not([wide])) .rail:is(:hover, :focus-within) { border-right-color: var(--edge); }
      .mark { height: 36px; display: flex; align-items: center; gap: 14px; padding: 0 14px; border-bottom: var(--hair) solid var(--line); font-weight: 600; letter-spacing: 0.01em; flex: none; }
      .mark svg { width: 20px; height: 20px; flex: none; }
      ul { flex: 1 1 auto; padding: var(--s-3) 0; overflow-y: auto; overflow-x: hidden; }
      li a, .foot button { display: flex; align-items: center; gap: var(--s-5); height: max(32px, var(--row)); padding: 0 var(--s-5); color: var(--muted); white-space: nowrap; border: 0; border-radius: 0; width: 100%; font: var(--t-13); }
      li a:hover, .foot button:hover { color: var(--text); background: var(--raised) !important; text-decoration: none; }
      li a:focus-visible, .foot button:focus-visible, .mark:focus-visible { outline-offset: -2px; }
      li a[aria-current] { color: var(--text); box-shadow: inset 2px 0 0 var(--accent); }
      li a[aria-current] svg { color: var(--accent); }
      svg.icon { width: 16px; height: 16px; flex: none; fill: none; stroke: currentColor; stroke-width: 1.2; stroke-linecap: round; stroke-linejoin: round; }
      .foot { border-top: var(--hair) solid var(--line); padding: var(--s-2) 0; flex: none; }
      .who { display: block; padding: 0 var(--s-5); font: var(--t-12); line-height: 1.25rem; color: var(--muted); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
      :host(:not([wide])) .rail:not(:hover, :focus-within) :is(.who, .word) { visibility: hidden; }
      .who b { display: block; font-weight: 500; color: var(--text); overflow: hidden; text-overflow: ellipsis; }
      @media (max-width: 480px) {
        :host, :host([wide]) { width: auto; height: 40px; }
        .rail, :host([wide]) .rail, .rail:hover, .rail:focus-within { inset: auto 0 0 0; position: static; width: auto; height: 40px; flex-direction: row; border-right: 0; border-bottom: var(--hair) solid var(--line); }
        .mark, .foot { display: none; }
        ul { display: flex; padding: 0; overflow-x: auto; overflow-y: hidden; scrollbar-width: none; }
        li a { height: 40px; padding: 0 var(--s-4); gap: 6px; }
        li a[aria-current] { box-shadow: inset 0 -2px 0 var(--accent); }
        .rail .word { visibility: visible !important; }
      }
      @media (forced-colors: active) { li a[aria-current] { border: 1px solid Highlight; } }
      @media print { :host { display: none; } }
    `
  ]

  readonly #roomy = matchMedia("(min-width: 1200px)")

  constructor() {
    super()
    new Following(this, preferences)
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#roomy.addEventListener("change", this.#resized)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#roomy.removeEventListener("change", this.#resized)
  }

  readonly #resized = () => this.requestUpdate()

  get #wide(): boolean {
    const { nav: chosen } = preferences.value
    return chosen === "wide" || (chosen === "auto" && this.#roomy.matches)
  }

  protected override updated(changed: PropertyValues<this>): void {
    // on a narrow screen the rail is a row that scrolls
    if (changed.has("current"))
      this.renderRoot.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" })
  }

  override render() {
    const wide = this.#wide
    this.toggleAttribute("wide", wide)
    return html`<nav class="rail" aria-label="Pages">
      <a class="mark" href="/" aria-label="FlowLens, overview"><svg viewBox="0 0 16 16" aria-hidden="true">${lens}</svg><span class="word">FlowLens</span></a>
      <ul>${nav.map(
        (
          entry
        ) => html`<li><a href=${entry.href} aria-current=${entry.name === this.current ? "page" : nothing} title=${`${entry.label} (${entry.key})`}
          >${icon(entry.name)}<span class="word">${entry.label}</span></a></li>`
      )}</ul>
      <div class="foot">
        <span class="who"><b>${this.caller.name}</b>${this.caller.role}</span>
        <button class="plain" @click=${() => this.dispatchEvent(new Event("logout"))}>${logout}<span class="word">Log out</span></button>
        <button class="plain" aria-expanded=${wide ? "true" : "false"} @click=${() => prefer({ nav: wide ? "narrow" : "wide" })}
          >${icon(wide ? "narrower" : "wider")}<span class="word">${wide ? "Narrow" : "Keep wide"}</span></button>
      </div>
    </nav>`
  }
}
customElements.define("nav-rail", NavRail)

const lens = svg`<circle cx="8" cy="8" r="5" fill="none" stroke="var(--accent)" stroke-width="1.5"/><path d="M.5 8h15" stroke="currentColor" stroke-width="1.3"/><path d="M10.6 5.6 13 8l-2.4 2.4" fill="none" stroke="currentColor" stroke-width="1.3"/>`
const icon = (name: keyof typeof icons) => html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">${icons[name]}</svg>`
const logout = html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="M9.5 2.5h-7v11h7M6.5 8H14m-2.5-2.5L14 8l-2.5 2.5" /></svg>`
