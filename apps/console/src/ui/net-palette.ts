/**
 * The command palette: pages, actions, and what the appliance finds, in one list, without the mouse.
 *
 * Properties: `open`; `entries` (pages and actions, matched here); `recent`; `search(text, signal)` → entries found elsewhere.
 * Events: `CloseEvent`, `PickEvent`.
 */
import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit"
import { sheet } from "../style/sheet.ts"
import { CloseEvent } from "./events.ts"

export interface PaletteEntry {
  readonly group: string
  readonly title: string
  readonly detail?: string
  readonly keys?: string
  readonly mark?: TemplateResult
  readonly href?: string
  readonly run?: () => void
  /** Shown, but cannot be done: why. */
  readonly refused?: string | undefined
}

export class PickEvent extends Event {
  static readonly type = "net-pick"
  readonly entry: PaletteEntry
  constructor(entry: PaletteEntry) {
    super(PickEvent.type, { bubbles: true, composed: true })
    this.entry = entry
  }
}

/** True when the letters of `asked` stand in `title` in their order, words first: `dep` finds Dependencies, `td` Theme: dark. */
export const matches = (title: string, asked: string): boolean => {
  const text = title.toLowerCase()
  let at = 0
  for (const letter of asked.toLowerCase().replaceAll(" ", "")) {
    at = text.indexOf(letter, at) + 1
    if (at === 0) return false
  }
  return true
}

export class NetPalette extends LitElement {
  static override readonly properties = {
    open: { type: Boolean },
    entries: { attribute: false },
    recent: { attribute: false },
    search: { attribute: false },
    text: { state: true },
    found: { state: true },
    fault: { state: true },
    asking: { state: true },
    at: { state: true }
  }
  declare open: boolean
  declare entries: ReadonlyArray<PaletteEntry>
  declare recent: ReadonlyArray<PaletteEntry>
  declare search: (text: string, signal: AbortSignal) => Promise<ReadonlyArray<PaletteEntry>>
  declare text: string
  declare found: ReadonlyArray<PaletteEntry>
  declare fault: string | undefined
  /** The appliance has not answered yet. */
  declare asking: boolean
  declare at: number
  #asked: AbortController | undefined
  #pause: ReturnType<typeof setTimeout> | undefined

  static override readonly styles = [
    sheet,
    css`
      dialog { width: min(40rem, calc(100vw - 32px)); margin: 10vh auto auto; padding: 0; color: var(--text); background: var(--panel); border: var(--hair) solid var(--edge); border-radius: var(--radius); overflow: hidden; }
      dialog::backdrop { background: var(--canvas); opacity: 0.6; }
      input { width: 100%; height: 40px; border: 0; border-bottom: var(--hair) solid var(--line); border-radius: 0; background: none; padding: 0 var(--s-5); font-size: 0.9375rem; }
      input:focus-visible { outline: none; border-bottom-color: var(--focus); box-shadow: inset 0 -1px 0 var(--focus); }
      .list { max-height: 50vh; overflow: auto; padding-bottom: var(--s-3); }
      h3 { padding: var(--s-3) var(--s-5) var(--s-2); font: var(--t-11); color: var(--muted); }
      [role="option"] { display: flex; align-items: center; gap: var(--s-3); min-height: var(--row); padding: 0 var(--s-5); cursor: default; }
      [role="option"][aria-selected="true"] { background: var(--select); box-shadow: inset 2px 0 0 var(--accent); }
      [role="option"][aria-disabled="true"] { color: var(--faint); }
      .detail { color: var(--muted); font: var(--t-12); flex: 1 1 auto; text-align: right; }
      .none { padding: var(--s-5); color: var(--muted); }
      .foot { display: flex; gap: var(--s-5); padding: 0 var(--s-5); min-height: 28px; align-items: center; font: var(--t-12); color: var(--muted); border-top: var(--hair) solid var(--line); }
    `
  ]

  constructor() {
    super()
    this.open = false
    this.entries = []
    this.recent = []
    this.text = ""
    this.found = []
    this.asking = false
    this.at = 0
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("open") && this.open) {
      this.text = ""
      this.found = []
      this.fault = undefined
      this.asking = false
      this.at = 0
    }
  }

  #shown(): ReadonlyArray<PaletteEntry> {
    const asked = this.text.trim()
    if (asked === "") return [...this.recent, ...this.entries]
    const own = this.entries.filter((entry) => matches(entry.title, asked))
    const close = own.filter((entry) => entry.title.toLowerCase().startsWith(asked.toLowerCase()))
    return [...close, ...this.found, ...own.filter((entry) => !close.includes(entry))]
  }

  override render() {
    const shown = this.#shown()
    let group = ""
    return html`<dialog aria-label="Search and commands" @close=${this.#closed} @click=${this.#outside}>
      <input role="combobox" aria-label="Search assets, dependencies, pages and actions" aria-expanded="true" aria-controls="list" aria-autocomplete="list"
        aria-activedescendant=${shown.length > 0 ? `e${this.at}` : nothing} placeholder="Name, address, port, page or action" autocomplete="off" spellcheck="false"
        .value=${this.text} @input=${this.#typed} @keydown=${this.#keydown} />
      <div class="list" id="list" role="listbox" aria-label="Results">
        ${shown.map((entry, i) => {
          const head = entry.group === group ? nothing : html`<h3 role="presentation">${entry.group}</h3>`
          group = entry.group
          return html`${head}<div role="option" id=${`e${i}`} aria-selected=${i === this.at ? "true" : "false"} aria-disabled=${entry.refused ? "true" : "false"}
            @click=${() => this.#pick(entry)} @pointermove=${() => (this.at = i)}>${entry.mark ?? nothing}<span class="clip">${entry.title}</span><span class="detail clip">${
              entry.refused ?? entry.detail ?? ""
            }</span>${entry.keys ? entry.keys.split(" ").map((key) => html`<kbd>${key}</kbd>`) : nothing}</div>`
        })}
        ${shown.length === 0 ? html`<p class="none" role="status">${this.fault ?? (this.asking ? "The appliance is asked." : `Nothing is called ${this.text.trim()}.`)}</p>` : nothing}
      </div>
      <div class="foot"><span><kbd>↑</kbd> <kbd>↓</kbd> choose</span><span><kbd>↵</kbd> open</span><span><kbd>esc</kbd> close</span></div>
    </dialog>`
  }

  protected override updated(changed: PropertyValues<this>): void {
    const dialog = this.renderRoot.querySelector("dialog")!
    if (this.open && !dialog.open) {
      dialog.showModal()
      this.renderRoot.querySelector("input")?.focus()
    }
    if (!this.open && dialog.open) dialog.close()
    if (changed.has("at")) this.renderRoot.querySelector(`#e${this.at}`)?.scrollIntoView({ block: "nearest" })
  }

  #pick(entry: PaletteEntry | undefined): void {
    if (entry === undefined || entry.refused !== undefined) return
    this.dispatchEvent(new CloseEvent())
    this.dispatchEvent(new PickEvent(entry))
  }

  readonly #typed = (event: Event) => {
    this.text = (event.target as HTMLInputElement).value
    this.at = 0
    this.#asked?.abort()
    clearTimeout(this.#pause)
    const asked = this.text.trim()
    this.asking = asked !== ""
    if (asked === "") {
      this.found = []
      return
    }
    this.#pause = setTimeout(() => {
      const control = new AbortController()
      this.#asked = control
      this.search(asked, control.signal).then(
        (found) => {
          if (control.signal.aborted) return
          this.found = found
          this.fault = undefined
          this.asking = false
        },
        () => {
          if (!control.signal.aborted) this.fault = "The appliance did not answer; pages and actions still work."
        }
      )
    }, 80)
  }

  readonly #keydown = (event: KeyboardEvent) => {
    const shown = this.#shown()
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0
    if (step !== 0 && shown.length > 0) {
      event.preventDefault()
      this.at = (this.at + step + shown.length) % shown.length
    } else if (event.key === "Enter") {
      event.preventDefault()
      this.#pick(shown[this.at])
    }
  }

  readonly #closed = () => {
    if (this.open) this.dispatchEvent(new CloseEvent())
  }
  readonly #outside = (event: MouseEvent) => {
    if (event.target === event.currentTarget) this.dispatchEvent(new CloseEvent())
  }
}
customElements.define("net-palette", NetPalette)
