/** All dependencies: who needs whom, on which port, how much, how sure. Property: `place`. */
import { html, LitElement, nothing } from "lit"
import type { Dependency } from "#domain/Dependency.ts"
import { Following } from "../../Cell.ts"
import { filterWords } from "../../filter-words.ts"
import { inUnit, plain } from "../../format/number.ts"
import { ActionEvent } from "../../keys.ts"
import { paths } from "../../paths.ts"
import { go, type Place, revise } from "../../place.ts"
import { prefer, preferences } from "../../preferences.ts"
import { show, staleLine } from "../../rpc/show.ts"
import { sheet } from "../../style/sheet.ts"
import type { Column } from "../../ui/column.ts"
import type { OpenEvent, WidthEvent } from "../../ui/events.ts"
import type { NetFilter } from "../../ui/net-filter.ts"
import { Listing } from "../Listing.ts"
import { pageStyle } from "../page-style.ts"
import { endCell, serviceCell, stateCell } from "../table-cells.ts"
import "../../ui/net-split.ts"
import "../../ui/net-table.ts"
import "./dependency-sheet.ts"
import "../../ui/net-empty.ts"
import "../../ui/net-filter.ts"
import "../../ui/net-time.ts"

const words = filterWords("dependency")

const sorts = ["lastSeen", "firstSeen", "bytes", "flows", "confidence", "port", "client", "server"] as const

/** One decimal, and never 100.0 for what is only nearly certain. */
const percentage = (share: number): string => (share >= 1 ? "100.0" : (Math.floor(share * 1000) / 10).toFixed(1))

const columns: ReadonlyArray<Column<Dependency>> = [
  {
    key: "client",
    label: "Client",
    track: "minmax(9rem, 2fr)",
    sort: true,
    narrow: "title",
    cell: (one) => endCell(one.client, paths.dependency(one.id))
  },
  {
    key: "server",
    label: "Server",
    title: "The client needs this",
    track: "minmax(9rem, 2fr)",
    sort: true,
    narrow: "line",
    cell: (one) => endCell(one.server)
  },
  { key: "port", label: "Service", track: "minmax(9rem, 1.2fr)", sort: true, narrow: "line", cell: (one) => serviceCell(one) },
  { key: "state", label: "State", from: 760, track: "6.5rem", cell: stateCell, narrow: "line" },
  {
    key: "confidence",
    label: "Confidence",
    unit: "%",
    track: "6rem",
    align: "end",
    sort: true,
    first: "descending",
    cell: (one) => html`<span title=${String(one.confidence)}>${percentage(one.confidence)}</span>`
  },
  {
    key: "flows",
    label: "Flows",
    from: 960,
    track: "5rem",
    sort: true,
    number: { quantity: "count", of: (one) => one.flows, sampling: (one) => one.sampling }
  },
  {
    key: "bytes",
    label: "Volume",
    title: "Octets both ways over its life",
    track: "6rem",
    sort: true,
    narrow: "end",
    number: { quantity: "bytes", of: (one) => one.bytesToClient + one.bytesToServer, sampling: (one) => one.sampling }
  },
  {
    key: "firstSeen",
    label: "First seen",
    from: 1000,
    track: "8rem",
    align: "end",
    sort: true,
    first: "descending",
    cell: (one) => html`<net-time .at=${one.firstSeen}></net-time>`
  },
  {
    key: "lastSeen",
    label: "Last seen",
    track: "8rem",
    align: "end",
    sort: true,
    first: "descending",
    cell: (one) => html`<net-time .at=${one.lastSeen}></net-time>`
  }
]

export class PageDependencies extends LitElement {
  static override readonly properties = { place: { attribute: false } }
  declare place: Place

  readonly #list = new Listing<Dependency, (typeof sorts)[number]>(this, {
    what: "the list of dependencies",
    sorts,
    sort: "lastSeen",
    order: "descending",
    keyOf: (one) => one.id,
    fetch: (api, query) => api.DependencyList(query)
  })

  static override readonly styles = [sheet, pageStyle]

  constructor() {
    super()
    new Following(this, preferences)
  }

  override connectedCallback(): void {
    super.connectedCallback()
    addEventListener(ActionEvent.type, this.#act)
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback()
    removeEventListener(ActionEvent.type, this.#act)
  }

  override render() {
    const list = this.#list
    const { inspectorOpen, inspectorWidth } = preferences.value
    const selected = list.selected
    const reading = list.subject.reading
    const unreadable = list.filterFault !== undefined && list.rows.length > 0
    const hidden = reading._tag === "waiting" || (reading._tag === "failed" && !unreadable)
    return html`<div class="head"><h1>Dependencies</h1><span class="count">${list.subject.value === undefined ? nothing : inUnit(list.total, plain)}</span>
        <net-filter label="Filter dependencies" placeholder="port:5432 state:active 10.2.0.0/16" .value=${list.filter} .complete=${words.complete} .check=${words.check} .fault=${list.filterFault} @net-filter=${list.onFilter}></net-filter></div>
      ${staleLine(list.subject)}
      <net-split label="Selected dependency" ?open=${selected !== undefined && inspectorOpen} .width=${inspectorWidth}
        @net-width=${(event: WidthEvent) => prefer({ inspectorWidth: event.width })} @net-close=${() => revise({ select: undefined })}>
        <net-table primary label="Dependencies" .columns=${columns as ReadonlyArray<Column<unknown>>} .rows=${hidden ? [] : list.rows} .keyOf=${(one: Dependency) => one.id}
          .identity=${(one: Dependency) => `${one.client.address} → ${one.server.address}:${one.port}`} sort=${list.sort} order=${list.order} .selected=${selected} .total=${list.total}
          ?more=${list.next !== undefined} .newer=${list.newer} ?stale=${reading._tag === "stale"} @net-sort=${list.onSort} @net-select=${list.onSelect}
          @net-open=${(event: OpenEvent) => go(paths.dependency(event.key))} @net-more=${list.loadMore} @net-newer=${list.showNewer}>
          <div slot="empty">${list.filterFault !== undefined ? (unreadable ? nothing : this.#unreadable()) : show(list.subject, { rows: 14, quiet: true, live: () => nothing, empty: () => this.#empty() })}</div>
        </net-table>
        ${selected !== undefined && inspectorOpen ? html`<dependency-sheet slot="aside" .key=${selected} compact></dependency-sheet>` : nothing}
      </net-split>`
  }

  #unreadable() {
    return html`<net-empty kind="match" heading="The filter cannot be read">What is expected stands under it. <button slot="action" @click=${() => revise({ filter: undefined })}>Clear the filter</button></net-empty>`
  }

  #empty() {
    return this.#list.filter === ""
      ? html`<net-empty kind="yet" heading="No dependencies yet">A dependency appears when a flow between two ends was written with its window. <a slot="action" class="link" href=${paths.exporters()}>See which exporters are heard</a></net-empty>`
      : html`<net-empty kind="match" heading="Nothing matches">No dependency matches <span class="mono">${this.#list.filter}</span>.
          <button slot="action" @click=${() => revise({ filter: undefined })}>Clear the filter</button></net-empty>`
  }

  readonly #act = (event: Event) => {
    if ((event as ActionEvent).action !== "filter") return
    event.preventDefault()
    this.renderRoot.querySelector<NetFilter>("net-filter")?.focus()
  }
}
customElements.define("page-dependencies", PageDependencies)
