/**
 * One menu at a point of the window: arrows walk it, Enter does, Escape and a click elsewhere close it, the focus goes back.
 *
 * Properties: `entries` (undefined: closed), `heading` (what it is a menu of), `x`, `y` px of the window. Event: `CloseEvent`.
 */
import { css, html, LitElement, nothing, type PropertyValues } from "lit"
import { sheet } from "../style/sheet.ts"
import { CloseEvent } from "./events.ts"

export interface MenuEntry {
  readonly label: string
  /** Stands at the end: a shortcut or a count. */
  readonly detail?: string | undefined
  readonly keys?: string | undefined
  /** Why it cannot be done; the entry keeps its place. */
  readonly refused?: string | undefined
  /** A hairline above. */
  readonly parted?: boolean
  readonly run: () => void
}

export class NetMenu extends LitElement {
  static override readonly properties = {
    entries: { attribute: false },
    heading: {},
    x: { type: Number },
    y: { type: Number }
  }
  declare entries: ReadonlyArray<MenuEntry> | undefined
  declare heading: string
  declare x: number
  declare y: number
  #from: HTMLElement | undefined

  static override readonly styles = [
    sheet,
    css`
      .menu { position: fixed; left: 0; top: 0; z-index: 20; min-width: 15rem; max-width: min(22rem, calc(100vw - 16px)); max-height: calc(100vh - 16px); overflow: auto;
        padding: var(--s-2) 0; background: var(--raised); border: var(--hair) solid var(--edge); border-radius: var(--radius); }
      .heading { padding: var(--s-2) var(--s-4) var(--s-3); font: var(--t-12); color: var(--muted); border-bottom: var(--hair) solid var(--line); margin-bottom: var(--s-2);
        overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
      button { display: flex; align-items: center; gap: var(--s-5); width: 100%; height: var(--control); padding: 0 var(--s-4); border: 0; border-radius: 0; font-weight: 400; text-align: left; }
      button span:first-child { flex: 1 1 auto; overflow: hidden; text-overflow: ellipsis; }
      button:focus-visible { background: var(--select); outline-offset: -2px; }
      .detail { color: var(--muted); font: var(--t-12); }
      .parted { margin-top: var(--s-2); padding-top: var(--s-2); border-top: var(--hair) solid var(--line); }
    `
  ]

  override render() {
    const { entries } = this
    if (entries === undefined) return nothing
    return html`<div class="menu" role="menu" aria-label=${this.heading} @keydown=${this.#keydown} @contextmenu=${(event: Event) => event.preventDefault()}>
      <div class="heading" role="presentation" title=${this.heading}>${this.heading}</div>
      ${entries.map(
        (
          entry
        ) => html`<div role="presentation" class=${entry.parted === true ? "parted" : ""}><button role="menuitem" tabindex="-1" aria-disabled=${entry.refused === undefined ? "false" : "true"}
          title=${entry.refused ?? nothing} @click=${() => this.#run(entry)}><span>${entry.label}</span>${
            entry.detail === undefined ? nothing : html`<span class="detail">${entry.detail}</span>`
          }${entry.keys === undefined ? nothing : html`<kbd aria-hidden="true">${entry.keys}</kbd>`}</button></div>`
      )}</div>`
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    removeEventListener("pointerdown", this.#outside, true)
    removeEventListener("resize", this.#close)
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has("entries")) return
    if (this.entries === undefined) {
      removeEventListener("pointerdown", this.#outside, true)
      removeEventListener("resize", this.#close)
      return
    }
    addEventListener("pointerdown", this.#outside, true)
    addEventListener("resize", this.#close)
    const menu = this.renderRoot.querySelector<HTMLElement>(".menu")!
    const left = Math.max(8, Math.min(this.x, innerWidth - menu.offsetWidth - 8))
    // no room below: it opens upwards
    const top = this.y + menu.offsetHeight + 8 > innerHeight ? Math.max(8, this.y - menu.offsetHeight) : this.y
    menu.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`
    if (changed.get("entries") === undefined) this.#from = focused()
    this.#items[0]?.focus()
  }

  get #items(): ReadonlyArray<HTMLButtonElement> {
    return [...this.renderRoot.querySelectorAll("button")]
  }

  #run(entry: MenuEntry): void {
    if (entry.refused !== undefined) return
    this.#close()
    entry.run()
  }

  readonly #outside = (event: Event) => {
    if (!event.composedPath().includes(this)) this.dispatchEvent(new CloseEvent())
  }

  readonly #close = () => {
    this.dispatchEvent(new CloseEvent())
    this.#from?.focus()
    this.#from = undefined
  }

  readonly #keydown = (event: KeyboardEvent) => {
    const items = this.#items
    const at = items.indexOf(this.shadowRoot!.activeElement as HTMLButtonElement)
    const to = {
      ArrowDown: (at + 1) % items.length,
      ArrowUp: (at - 1 + items.length) % items.length,
      Home: 0,
      End: items.length - 1
    }[event.key]
    // nothing of the page is reached by a key while the menu is open
    event.stopPropagation()
    if (to !== undefined) items[to]!.focus()
    else if (event.key === "Escape" || event.key === "Tab") this.#close()
    else return
    event.preventDefault()
  }
}
customElements.define("net-menu", NetMenu)

/** What has the focus, through all shadow roots. */
const focused = (): HTMLElement | undefined => {
  let element = document.activeElement
  while (element?.shadowRoot?.activeElement != null) element = element.shadowRoot.activeElement
  return element instanceof HTMLElement ? element : undefined
}
