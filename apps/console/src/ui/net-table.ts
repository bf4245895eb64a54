/**
 * Rows of a list, most of the console. Sticky head with sort and units, keyboard (j k ↑ ↓ Home End ↵ space), virtual above 200 rows,
 * a list of two lines below 520 px, never reordered under the pointer: newer rows wait behind one line.
 *
 * Properties: `columns`, `rows`, `keyOf`, `label` (names the table), `sort`, `order`, `selected`, `total`, `more` (the list goes on),
 * `newer` (rows that wait), `primary` (answers the page's keys), `identity` (what `y` copies), `stale` dims the marks, `fit` takes
 * its content's height instead of scrolling. Slots: `empty`, `foot`.
 * Events: `SortEvent`, `SelectEvent`, `OpenEvent`, `MoreEvent`, `NewerEvent`.
 */
import { VirtualizerController } from "@tanstack/lit-virtual"
import { html, LitElement, nothing, type PropertyValues, svg } from "lit"
import { createRef, ref } from "lit/directives/ref.js"
import { repeat } from "lit/directives/repeat.js"
import { exactly, inUnit, plain } from "../format/number.ts"
import { ActionEvent } from "../keys.ts"
import { sheet } from "../style/sheet.ts"
import { type Column, type Measure, measure, padding } from "./column.ts"
import { copy } from "./copy.ts"
import { MoreEvent, NewerEvent, OpenEvent, SelectEvent, SortEvent } from "./events.ts"
import { exactTitle } from "./net-value.ts"
import { rowSteps, tableKeys } from "./table-keys.ts"
import { tableStyle } from "./table-style.ts"

/** Above this many rows only those in sight are drawn: about four screens, where drawing all is still under a frame. */
const drawAll = 200
const listBelow = 520

export class NetTable<Row = unknown> extends LitElement {
  static override readonly properties = {
    columns: { attribute: false },
    rows: { attribute: false },
    keyOf: { attribute: false },
    identity: { attribute: false },
    label: {},
    sort: {},
    order: {},
    selected: {},
    total: { type: Number },
    more: { type: Boolean },
    newer: { type: Number },
    primary: { type: Boolean },
    stale: { type: Boolean, reflect: true },
    fit: { type: Boolean, reflect: true },
    list: { type: Boolean, reflect: true },
    room: { state: true },
    cursor: { state: true }
  }
  declare columns: ReadonlyArray<Column<Row>>
  declare rows: ReadonlyArray<Row>
  declare keyOf: (row: Row) => string
  declare identity: ((row: Row) => string) | undefined
  declare label: string
  declare sort: string | undefined
  declare order: "ascending" | "descending" | undefined
  declare selected: string | undefined
  declare total: number | undefined
  declare more: boolean
  declare newer: number
  declare primary: boolean
  declare stale: boolean
  declare fit: boolean
  declare list: boolean
  /** Width at hand, px. */
  declare room: number
  /** Key of the row the keyboard is on. */
  declare cursor: string | undefined

  #scroll = createRef<HTMLElement>()
  #measures: ReadonlyArray<Measure | undefined> = []
  #tracks = ""
  #shown: ReadonlyArray<Column<Row>> = []
  #rowHeight = 28
  #askedAt = -1
  #revealed = false
  #observer: ResizeObserver | undefined
  /** On paper all rows stand. */
  readonly #print = matchMedia("print")
  readonly #printing = () => this.requestUpdate()
  readonly #virtual: VirtualizerController<HTMLElement, HTMLElement>

  static override readonly styles = [sheet, tableStyle]

  constructor() {
    super()
    this.rows = []
    this.columns = []
    this.newer = 0
    this.room = 1000
    this.#virtual = new VirtualizerController<HTMLElement, HTMLElement>(this, {
      count: 0,
      getScrollElement: () => this.#scroll.value ?? null,
      estimateSize: () => this.#rowHeight,
      overscan: 12
    })
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#observer = new ResizeObserver(([entry]) => {
      this.room = Math.round(entry?.contentRect.width ?? 1000)
      this.list = this.room < listBelow
    })
    this.#observer.observe(this)
    this.#print.addEventListener("change", this.#printing)
    addEventListener(ActionEvent.type, this.#act)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#observer?.disconnect()
    this.#print.removeEventListener("change", this.#printing)
    removeEventListener(ActionEvent.type, this.#act)
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("columns") || changed.has("rows") || changed.has("room")) {
      this.#shown = this.columns.filter((column) => this.list || (column.from ?? 0) <= this.room)
      this.#measures = this.#shown.map((column) => measure(column, this.rows))
      this.#tracks = this.#shown.map((column) => column.track).join(" ")
    }
    if (changed.has("rows")) this.#askedAt = -1
    if (changed.has("selected") && this.selected !== undefined) this.cursor = this.selected
    const row = Number.parseFloat(getComputedStyle(this).getPropertyValue("--row")) || 28
    const height = this.list ? Math.max(48, row) : row
    const virtualizer = this.#virtual.getVirtualizer()
    const moved = height !== this.#rowHeight
    this.#rowHeight = height
    virtualizer.setOptions({ ...virtualizer.options, count: this.rows.length, enabled: this.#isVirtual })
    if (moved) virtualizer.measure()
  }

  get #isVirtual(): boolean {
    return this.rows.length > drawAll && !this.fit && !this.#print.matches
  }

  override render() {
    const virtualizer = this.#virtual.getVirtualizer()
    const items = this.#isVirtual ? virtualizer.getVirtualItems() : undefined
    const shown = items ? items.map((item) => item.index) : this.rows.map((_, index) => index)
    const cursor = this.rows.findIndex((row) => this.keyOf(row) === this.cursor)
    return html`<div class="scroll" ${ref(this.#scroll)} @scroll=${this.#scrolled}>
      <div class="grid" role="grid" tabindex="0" aria-label=${this.label} aria-rowcount=${(this.total ?? this.rows.length) + 1} aria-colcount=${this.#shown.length}
        aria-activedescendant=${cursor >= 0 && shown.includes(cursor) ? `row-${cursor}` : nothing} @keydown=${this.#keydown} @focus=${this.#focused}>
        <div role="rowgroup" class="head"><div role="row" class="row" aria-rowindex="1">${this.#shown.map((column, i) => this.#head(column, i))}</div></div>
        ${
          this.newer > 0
            ? html`<div role="rowgroup" class="newer"><div role="row"><div role="gridcell"><button class="text" @click=${() => this.dispatchEvent(new NewerEvent())}>${this.newer} newer — show</button></div></div></div>`
            : nothing
        }
        <div role=${shown.length === 0 ? "presentation" : "rowgroup"} class=${items ? "body virtual" : "body"}>
          ${repeat(
            shown,
            (index) => this.keyOf(this.rows[index]!),
            (index) => this.#row(this.rows[index]!, index)
          )}
        </div>
      </div>
      ${this.rows.length === 0 ? html`<slot name="empty"></slot>` : nothing}${this.#foot()}
    </div>`
  }

  #head(column: Column<Row>, at: number) {
    const unit = column.unit ?? this.#measures[at]?.unit.name
    const name = html`<span class="clip">${column.label}${unit ? html` <span class="unit">${unit}</span>` : nothing}</span>`
    const sorted = column.sort === true && this.sort === column.key
    return html`<div role="columnheader" class=${this.#classes(column)} aria-colindex=${at + 1} title=${column.title ?? column.label}
      aria-sort=${column.sort === true ? (sorted ? (this.order ?? "ascending") : "none") : nothing}>
      ${
        column.sort === true
          ? html`<button @click=${() => this.#sortBy(column)} tabindex="0">${name}<svg class="arrow" viewBox="0 0 8 8" aria-hidden="true">${sorted ? svg`<path d=${this.order === "descending" ? "M4 7 1 1.5h6z" : "M4 1 7 6.5H1z"} />` : nothing}</svg></button>`
          : name
      }
    </div>`
  }

  #row(row: Row, index: number) {
    const key = this.keyOf(row)
    const names = `row${key === this.selected ? " selected" : ""}${key === this.cursor ? " cursor" : ""}`
    return html`<div role="row" class=${names} id=${`row-${index}`} data-index=${index} aria-rowindex=${index + 2}
      aria-selected=${key === this.selected ? "true" : "false"} @click=${this.#clicked}>
      ${this.#shown.map((column, at) => html`<div role="gridcell" class=${this.#classes(column)} aria-colindex=${at + 1}>${this.#cell(column, at, row)}</div>`)}
    </div>`
  }

  #cell(column: Column<Row>, at: number, row: Row) {
    const number = column.number
    if (number === undefined) return column.cell?.(row) ?? nothing
    const { decimals, unit } = this.#measures[at]!
    const value = number.of(row)
    const sampling = number.sampling?.(row) ?? 1
    const shown = inUnit(value, unit)
    const pad = padding(shown, decimals)
    return html`<span class="value" title=${exactTitle(value, number.quantity, sampling)} data-exact=${exactly(value)}
      >${value !== null && sampling > 1 ? "≈" : ""}${shown}${pad === "" ? nothing : html`<i class="pad" aria-hidden="true">${pad}</i>`}</span
      ><span class="narrow-unit"> ${unit.name} ${column.label.toLowerCase()}</span>`
  }

  #foot() {
    const total = this.total ?? this.rows.length
    if (this.rows.length === 0 || this.fit) return nothing
    return html`<div class="foot"><slot name="foot">${
      this.more
        ? html`<span>${plainly(this.rows.length)} of ${plainly(total)}</span><button class="text" @click=${this.#askMore}>Load more</button>`
        : html`<span>${plainly(total)} in all</span>`
    }</slot></div>`
  }

  #classes(column: Column<Row>): string {
    const align = column.align ?? (column.number === undefined ? "start" : "end")
    return `cell ${align} n-${column.narrow ?? "drop"}`
  }

  protected override updated(): void {
    const scroll = this.#scroll.value
    if (scroll === undefined) return
    scroll.style.setProperty("--tracks", this.#tracks)
    scroll.style.setProperty("--height", `${this.#rowHeight}px`)
    const body = scroll.querySelector<HTMLElement>(".body")
    if (body === null) return
    const virtualizer = this.#virtual.getVirtualizer()
    this.#reveal()
    body.style.height = this.#isVirtual ? `${virtualizer.getTotalSize()}px` : ""
    for (const row of body.querySelectorAll<HTMLElement>(".row")) {
      row.style.transform = this.#isVirtual ? `translateY(${Number(row.dataset["index"]) * this.#rowHeight}px)` : ""
    }
  }

  /** A link to a selected row shows it: once, when its rows are there. */
  #reveal(): void {
    if (this.#revealed || this.rows.length === 0 || this.fit) return
    this.#revealed = true
    const at = this.rows.findIndex((row) => this.keyOf(row) === this.selected)
    if (at < 0) return
    if (this.#isVirtual) this.#virtual.getVirtualizer().scrollToIndex(at, { align: "center" })
    else this.renderRoot.querySelector(`#row-${at}`)?.scrollIntoView({ block: "center" })
  }

  #sortBy(column: Column<Row>): void {
    const first = column.first ?? (column.number === undefined ? "ascending" : "descending")
    const other = first === "ascending" ? "descending" : "ascending"
    this.dispatchEvent(new SortEvent(column.key, this.sort === column.key && this.order === first ? other : first))
  }

  /** The row that was clicked last, until the next click. */
  #met: string | undefined

  readonly #clicked = (event: MouseEvent) => {
    // of two clicks the first says which row is meant: what it opens beside the table may move the rows
    if (event.detail > 1) {
      if (event.detail === 2 && this.#met !== undefined) this.dispatchEvent(new OpenEvent(this.#met))
      return
    }
    this.#met = undefined
    const path = event.composedPath()
    const within = path.slice(0, path.indexOf(event.currentTarget!))
    const exact = within.find((part): part is HTMLElement => part instanceof HTMLElement && part.dataset["exact"] !== undefined)
    if (exact !== undefined && event.altKey) return copy(this, exact.dataset["exact"]!)
    if (
      within.some(
        (part) => part instanceof HTMLAnchorElement || part instanceof HTMLButtonElement || part instanceof HTMLInputElement
      )
    )
      return
    if (getSelection()?.isCollapsed === false) return
    const row = this.rows[Number((event.currentTarget as HTMLElement).dataset["index"])]
    if (row === undefined) return
    this.#met = this.keyOf(row)
    this.#select(this.#met)
  }

  #select(key: string | undefined): void {
    this.cursor = key
    this.dispatchEvent(new SelectEvent(key === this.selected ? undefined : key))
  }

  readonly #focused = () => {
    if (this.cursor === undefined && this.rows[0] !== undefined) this.cursor = this.keyOf(this.rows[0])
  }

  #move(step: number): void {
    const at = this.rows.findIndex((row) => this.keyOf(row) === this.cursor)
    const next = Math.min(this.rows.length - 1, Math.max(0, at < 0 ? 0 : at + step))
    const row = this.rows[next]
    if (row === undefined) return
    this.cursor = this.keyOf(row)
    if (this.selected !== undefined) this.dispatchEvent(new SelectEvent(this.cursor))
    if (this.#isVirtual) this.#virtual.getVirtualizer().scrollToIndex(next, { align: "auto" })
    else void this.updateComplete.then(() => this.renderRoot.querySelector(`#row-${next}`)?.scrollIntoView({ block: "nearest" }))
    if (next >= this.rows.length - 5) this.#askMore()
  }

  #perform(action: string): boolean {
    const page = Math.max(1, Math.floor((this.#scroll.value?.clientHeight ?? 0) / this.#rowHeight) - 2)
    const step = rowSteps(action, page)
    if (step !== undefined) this.#move(step)
    else if (this.cursor === undefined) return false
    else if (action === "row.open") this.dispatchEvent(new OpenEvent(this.cursor))
    else if (action === "row.select") this.#select(this.cursor)
    else if (action === "copy.identity") {
      const row = this.rows.find((row) => this.keyOf(row) === this.cursor)
      if (row === undefined) return false
      copy(this, this.identity?.(row) ?? this.cursor)
    } else return false
    return true
  }

  readonly #act = (event: Event) => {
    if (this.primary && !event.defaultPrevented && this.#perform((event as ActionEvent).action)) event.preventDefault()
  }

  readonly #keydown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.composedPath()[0] !== event.currentTarget) return
    const action = tableKeys[event.key]
    if (action !== undefined && this.#perform(action)) {
      event.preventDefault()
      event.stopPropagation()
    }
  }

  readonly #scrolled = () => {
    const scroll = this.#scroll.value
    if (scroll !== undefined && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 600) this.#askMore()
  }

  readonly #askMore = () => {
    if (!this.more || this.#askedAt === this.rows.length) return
    this.#askedAt = this.rows.length
    this.dispatchEvent(new MoreEvent())
  }
}
customElements.define("net-table", NetTable)

const plainly = (count: number): string => inUnit(count, plain)
