/**
 * The filter: one line of text, with completion of its grammar and its fault under the character it begins at.
 *
 * Properties: `value`; `label`; `placeholder`; `complete(text, caret)` → suggestions; `check(text)` → its fault, before
 * it is sent; `fault` {position, message} from the server.
 * Event: `FilterEvent` on Enter, on a completion that ends a term, and on clearing.
 */
import { css, html, LitElement, nothing, type PropertyValues } from "lit"
import { sheet } from "../style/sheet.ts"
import { FilterEvent } from "./events.ts"

/** What may stand at the caret: replaces the characters from `from` to it. A text that ends with a colon goes on. */
export interface Suggestion {
  readonly text: string
  readonly from: number
  readonly title: string
}

export interface FilterFault {
  readonly position: number
  readonly message: string
}

export class NetFilter extends LitElement {
  static override readonly properties = {
    value: {},
    label: {},
    placeholder: {},
    complete: { attribute: false },
    check: { attribute: false },
    fault: { attribute: false },
    draft: { state: true },
    own: { state: true },
    open: { state: true },
    at: { state: true }
  }
  declare value: string
  declare label: string
  declare placeholder: string
  declare complete: ((text: string, caret: number) => ReadonlyArray<Suggestion>) | undefined
  declare check: ((text: string) => FilterFault | undefined) | undefined
  declare fault: FilterFault | undefined
  declare draft: string
  /** What `check` said, and of which text. */
  declare own: (FilterFault & { readonly text: string }) | undefined
  declare open: boolean
  declare at: number

  static override readonly shadowRootOptions: ShadowRootInit = { mode: "open", delegatesFocus: true }

  static override readonly styles = [
    sheet,
    css`
      :host { display: block; position: relative; flex: 1 1 20rem; min-width: 9rem; max-width: 44rem; }
      .box { display: flex; align-items: center; height: var(--control); border: var(--hair) solid var(--edge); border-radius: var(--radius); background: var(--canvas); padding: 0 0 0 var(--s-3); gap: var(--s-3); }
      .box:focus-within { outline: 2px solid var(--focus); outline-offset: 1px; }
      .box.wrong { border-color: var(--down); }
      svg { width: 12px; height: 12px; color: var(--faint); flex: none; }
      input { all: unset; flex: 1 1 auto; min-width: 0; height: 100%; font-family: var(--mono); font-size: 0.75rem; color: var(--text); }
      input:focus-visible { outline: none; }
      input::placeholder { color: var(--faint); font-family: var(--font); font-size: 0.8125rem; }
      .box button { border: 0; height: 100%; color: var(--muted); font-weight: 400; padding: 0 var(--s-3); }
      ul { position: absolute; z-index: 20; top: calc(100% + 3px); left: 0; min-width: 100%; max-height: 20rem; overflow: auto; background: var(--raised); border: var(--hair) solid var(--edge); border-radius: var(--radius); }
      li { display: flex; gap: var(--s-5); justify-content: space-between; align-items: center; min-height: var(--row); padding: 0 var(--s-3); cursor: default; }
      li[aria-selected="true"] { background: var(--select); }
      li .detail { color: var(--muted); font: var(--t-12); }
      .fault { position: absolute; z-index: 10; top: calc(100% + 3px); left: 0; background: var(--raised); border: var(--hair) solid var(--down); border-radius: var(--radius); padding: var(--s-2) var(--s-3); font: var(--t-12); }
      .fault pre { margin: 0; font-family: var(--mono); font-size: 0.75rem; color: var(--muted); }
      .fault b { color: var(--text); font-weight: 500; text-decoration: underline wavy var(--down); text-underline-offset: 3px; }
    `
  ]

  constructor() {
    super()
    this.value = ""
    this.draft = ""
    this.label = "Filter"
    this.placeholder = ""
    this.open = false
    this.at = -1
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("value")) this.draft = this.value
  }

  override render() {
    const found = this.#suggestions()
    const shown = this.open && found.length > 0
    const fault = this.own?.text === this.draft.trim() ? this.own : this.draft === this.value ? this.fault : undefined
    return html`<div class=${fault ? "box wrong" : "box"}>
        <svg viewBox="0 0 12 12" aria-hidden="true"><path d="M1 2h10L7.2 6.2v4.3L4.8 9.4V6.2z" fill="none" stroke="currentColor"/></svg>
        <input role="combobox" aria-label=${this.label} aria-expanded=${shown ? "true" : "false"} aria-controls="list" aria-autocomplete="list"
          aria-activedescendant=${shown && this.at >= 0 ? `s${this.at}` : nothing} aria-invalid=${fault ? "true" : "false"} aria-describedby=${fault ? "fault" : nothing}
          spellcheck="false" autocapitalize="off" autocomplete="off" placeholder=${this.placeholder} .value=${this.draft}
          @input=${this.#typed} @keydown=${this.#keydown} @focus=${this.#show} @click=${this.#show} @blur=${this.#hide} />
        ${this.draft === "" ? nothing : html`<button class="plain" @click=${this.#clear}>Clear</button>`}
      </div>
      <ul id="list" role="listbox" aria-label="Completions" ?hidden=${!shown}>${
        shown
          ? found.map(
              (
                one,
                i
              ) => html`<li role="option" id=${`s${i}`} aria-selected=${i === this.at ? "true" : "false"} @pointerdown=${(event: Event) => this.#take(event, one)}>
            <span class="mono">${one.text}</span><span class="detail">${one.title}</span></li>`
            )
          : nothing
      }</ul>
      ${
        fault && !shown
          ? html`<div class="fault" id="fault" role="alert"><pre>${this.draft.slice(0, fault.position)}<b>${this.draft.slice(fault.position) || "…"}</b></pre>${fault.message}</div>`
          : nothing
      }`
  }

  get #input(): HTMLInputElement {
    return this.renderRoot.querySelector("input")!
  }

  #suggestions(): ReadonlyArray<Suggestion> {
    if (!this.open || this.complete === undefined) return []
    const caret = this.renderRoot.querySelector("input")?.selectionStart ?? this.draft.length
    return this.complete(this.draft, caret).slice(0, 40)
  }

  #run(): void {
    this.open = false
    this.at = -1
    const filter = this.draft.trim()
    const wrong = this.check?.(filter)
    this.own = wrong === undefined ? undefined : { ...wrong, text: filter }
    if (wrong === undefined && filter !== this.value) this.dispatchEvent(new FilterEvent(filter))
  }

  #take(event: Event, one: Suggestion): void {
    event.preventDefault()
    const input = this.#input
    const tail = this.draft.slice(input.selectionStart ?? this.draft.length).replace(/^\S+/, "")
    const goesOn = one.text.endsWith(":")
    const text = goesOn || tail.startsWith(" ") ? one.text : `${one.text} `
    this.draft = this.draft.slice(0, one.from) + text + tail
    this.at = -1
    const caret = one.from + text.length
    void this.updateComplete.then(() => {
      input.setSelectionRange(caret, caret)
      this.requestUpdate()
    })
    if (!goesOn) this.#run()
  }

  readonly #typed = (event: Event) => {
    this.draft = (event.target as HTMLInputElement).value
    this.open = true
    this.at = -1
  }
  readonly #show = () => {
    this.open = true
  }
  readonly #hide = () => {
    this.open = false
    this.at = -1
  }
  readonly #clear = () => {
    this.draft = ""
    this.#run()
    this.#input.focus()
  }
  readonly #keydown = (event: KeyboardEvent) => {
    const found = this.#suggestions()
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && found.length > 0) {
      event.preventDefault()
      this.at =
        (this.at + (event.key === "ArrowDown" ? 1 : -1) + found.length + (this.at < 0 && event.key === "ArrowUp" ? 1 : 0)) %
        found.length
    } else if ((event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) && this.open && found[this.at] !== undefined) {
      this.#take(event, found[this.at]!)
    } else if (event.key === "Enter") {
      this.#run()
    } else if (event.key === " " && event.ctrlKey) {
      event.preventDefault()
      this.open = true
    } else if (event.key === "Escape") {
      event.preventDefault()
      event.stopPropagation()
      if (this.open && found.length > 0) this.open = false
      else if (this.draft !== this.value) this.draft = this.value
      else this.#input.blur()
    }
  }
}
customElements.define("net-filter", NetFilter)
