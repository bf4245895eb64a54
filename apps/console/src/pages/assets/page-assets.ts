/** All assets: filtered, sorted and paged by the appliance; the selected one beside it. Property: `place`. */
import { html, LitElement, nothing } from "lit"
import type { Asset } from "#domain/Asset.ts"
import { assetTypes } from "#domain/AssetFamily.ts"
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
import { identity } from "../table-cells.ts"
import "../../ui/net-split.ts"
import "../../ui/net-table.ts"
import "./asset-sheet.ts"
import "../../ui/net-address.ts"
import "../../ui/net-empty.ts"
import "../../ui/net-filter.ts"
import "../../ui/net-time.ts"

const words = filterWords("asset")

const sorts = ["name", "type", "lastSeen", "firstSeen", "clients", "servers", "bytes"] as const

const columns: ReadonlyArray<Column<Asset>> = [
  {
    key: "name",
    label: "Name",
    track: "minmax(11rem, 2.4fr)",
    sort: true,
    narrow: "title",
    cell: (asset) => identity({ ...asset, address: asset.addresses[0] }, paths.asset(asset.id))
  },
  { key: "address", label: "Address", track: "minmax(8rem, 1.4fr)", narrow: "line", cell: (asset) => addresses(asset) },
  {
    key: "type",
    label: "Type",
    from: 700,
    track: "minmax(8.5rem, 1fr)",
    sort: true,
    cell: (asset) => (asset.internal ? assetTypes[asset.type].label : `${assetTypes[asset.type].label}, external`)
  },
  {
    key: "environment",
    label: "Environment",
    from: 980,
    track: "minmax(5rem, 0.8fr)",
    cell: (asset) => asset.environment ?? html`<span class="sub">–</span>`
  },
  {
    key: "clients",
    label: "Clients",
    title: "Dependencies it serves",
    from: 640,
    track: "4.5rem",
    sort: true,
    number: { quantity: "count", of: (asset) => asset.clients }
  },
  {
    key: "servers",
    label: "Servers",
    title: "Dependencies it needs",
    from: 640,
    track: "4.5rem",
    sort: true,
    number: { quantity: "count", of: (asset) => asset.servers }
  },
  {
    key: "bytes",
    label: "Volume",
    title: "Octets in and out over its life",
    track: "6rem",
    sort: true,
    narrow: "end",
    number: { quantity: "bytes", of: (asset) => asset.bytes }
  },
  {
    key: "firstSeen",
    label: "First seen",
    from: 900,
    track: "8rem",
    align: "end",
    sort: true,
    first: "descending",
    cell: (asset) => html`<net-time .at=${asset.firstSeen}></net-time>`
  },
  {
    key: "lastSeen",
    label: "Last seen",
    track: "8rem",
    align: "end",
    sort: true,
    first: "descending",
    narrow: "line",
    cell: (asset) => html`<net-time .at=${asset.lastSeen}></net-time>`
  }
]

const addresses = (asset: Asset) => {
  const [first, ...others] = asset.addresses
  if (first === undefined) return html`<span class="sub">–</span>`
  return html`<net-address text=${first} longest="25"></net-address>${others.length === 0 ? nothing : html`<span class="sub" title=${others.join(", ")}> +${others.length}</span>`}`
}

export class PageAssets extends LitElement {
  static override readonly properties = { place: { attribute: false } }
  declare place: Place

  readonly #list = new Listing<Asset, (typeof sorts)[number]>(this, {
    what: "the list of assets",
    sorts,
    sort: "lastSeen",
    order: "descending",
    keyOf: (asset) => asset.id,
    fetch: (api, query) => api.AssetList(query)
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
    return html`<div class="head"><h1>Assets</h1><span class="count">${list.subject.value === undefined ? nothing : inUnit(list.total, plain)}</span>
        <net-filter label="Filter assets" placeholder="type:db seen:<1h 10.2.0.0/16" .value=${list.filter} .complete=${words.complete} .check=${words.check} .fault=${list.filterFault} @net-filter=${list.onFilter}></net-filter></div>
      ${staleLine(list.subject)}
      <net-split label="Selected asset" ?open=${selected !== undefined && inspectorOpen} .width=${inspectorWidth}
        @net-width=${(event: WidthEvent) => prefer({ inspectorWidth: event.width })} @net-close=${() => revise({ select: undefined })}>
        ${this.#table(selected)}
        ${selected !== undefined && inspectorOpen ? html`<asset-sheet slot="aside" .key=${selected} compact></asset-sheet>` : nothing}
      </net-split>`
  }

  #table(selected: string | undefined) {
    const list = this.#list
    const reading = list.subject.reading
    // a filter that cannot be read leaves the rows as they were: its fault stands under the filter
    const unreadable = list.filterFault !== undefined && list.rows.length > 0
    const broken = reading._tag === "failed" && !unreadable
    return html`<net-table primary label="Assets" .columns=${columns as ReadonlyArray<Column<unknown>>} .rows=${broken || reading._tag === "waiting" ? [] : list.rows} .keyOf=${(asset: Asset) => asset.id}
      .identity=${(asset: Asset) => asset.addresses[0] ?? asset.name} sort=${list.sort} order=${list.order} .selected=${selected} .total=${list.total} ?more=${list.next !== undefined}
      .newer=${list.newer} ?stale=${reading._tag === "stale"} @net-sort=${list.onSort} @net-select=${list.onSelect} @net-open=${(event: OpenEvent) => go(paths.asset(event.key))}
      @net-more=${list.loadMore} @net-newer=${list.showNewer}>
      <div slot="empty">${list.filterFault !== undefined ? (unreadable ? nothing : this.#unreadable()) : show(list.subject, { rows: 14, quiet: true, live: () => nothing, empty: () => this.#empty() })}</div>
    </net-table>`
  }

  #unreadable() {
    return html`<net-empty kind="match" heading="The filter cannot be read">What is expected stands under it. <button slot="action" @click=${() => revise({ filter: undefined })}>Clear the filter</button></net-empty>`
  }

  #empty() {
    return this.#list.filter === ""
      ? html`<net-empty kind="yet" heading="No assets yet">An asset appears when one of its addresses is seen in a flow. <a slot="action" class="link" href=${paths.exporters()}>See which exporters are heard</a></net-empty>`
      : html`<net-empty kind="match" heading="Nothing matches">No asset matches <span class="mono">${this.#list.filter}</span>.
          <button slot="action" @click=${() => revise({ filter: undefined })}>Clear the filter</button></net-empty>`
  }

  readonly #act = (event: Event) => {
    if ((event as ActionEvent).action !== "filter") return
    event.preventDefault()
    this.renderRoot.querySelector<NetFilter>("net-filter")?.focus()
  }
}
customElements.define("page-assets", PageAssets)
