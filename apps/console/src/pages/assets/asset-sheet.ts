/**
 * One asset: what it is, where it listens, which addresses it had, whom it serves and whom it needs.
 * Properties: `key` (id); `compact` for the inspector, else a page of its own.
 */
import { html, LitElement, nothing } from "lit"
import type { AssetDetail } from "#domain/Asset.ts"
import { assetTypes } from "#domain/AssetFamily.ts"
import type { Dependency } from "#domain/Dependency.ts"
import type { AssetId } from "#domain/ids.ts"
import { perCent, plural } from "../../format/number.ts"
import { TitleEvent } from "../../frame/title.ts"
import { paths } from "../../paths.ts"
import { go } from "../../place.ts"
import { Subject } from "../../rpc/Subject.ts"
import { show, staleLine } from "../../rpc/show.ts"
import { sheet } from "../../style/sheet.ts"
import type { Column } from "../../ui/column.ts"
import type { OpenEvent } from "../../ui/events.ts"
import { familyWords } from "../../ui/shapes.ts"
import { inspectorHead } from "../inspector.ts"
import { pageStyle } from "../page-style.ts"
import { endCell, serviceCell, stateCell } from "../table-cells.ts"
import "../dependencies/declared-ends.ts"
import "../../ui/net-table.ts"
import "../../ui/net-address.ts"
import "../../ui/net-empty.ts"
import "../../ui/net-time.ts"
import "../../ui/net-type-mark.ts"
import "../../ui/net-value.ts"

const sources: Record<AssetDetail["discoverySource"], string> = {
  flow: "flows",
  ssh: "SSH",
  snmp: "SNMP",
  wmi: "WMI",
  arp: "ARP",
  icmp: "ICMP",
  mdns: "mDNS",
  hypervisor: "the hypervisor",
  cloud: "a cloud API",
  import: "an import",
  manual: "an operator"
}

/** Dependencies of one asset; the other end is what one reads. */
const dependencyColumns = (side: "client" | "server"): ReadonlyArray<Column<Dependency>> => [
  {
    key: "end",
    label: side === "server" ? "Client" : "Server",
    track: "minmax(9rem, 2fr)",
    narrow: "title",
    cell: (one) => endCell(side === "server" ? one.client : one.server, paths.dependency(one.id))
  },
  { key: "port", label: "Service", track: "minmax(9rem, 1.4fr)", narrow: "line", cell: (one) => serviceCell(one) },
  { key: "state", label: "State", track: "6.5rem", narrow: "line", cell: stateCell },
  {
    key: "bytes",
    label: "Volume",
    track: "5.5rem",
    narrow: "end",
    number: { quantity: "bytes", of: (one) => one.bytesToClient + one.bytesToServer, sampling: (one) => one.sampling }
  },
  {
    key: "lastSeen",
    label: "Last seen",
    from: 560,
    track: "7.5rem",
    align: "end",
    narrow: "line",
    cell: (one) => html`<net-time .at=${one.lastSeen}></net-time>`
  }
]
const asClientColumns = dependencyColumns("client")
const asServerColumns = dependencyColumns("server")

export class AssetSheet extends LitElement {
  static override readonly properties = { key: {}, compact: { type: Boolean, reflect: true } }
  declare key: string
  declare compact: boolean

  readonly #asset = Subject.call<AssetDetail, unknown>(
    this,
    {
      what: "the asset",
      key: () => this.key,
      forget: true,
      follow: "map",
      onValue: (asset) => {
        if (!this.compact) this.dispatchEvent(new TitleEvent(asset.name))
      }
    },
    () => {
      const id = this.key as AssetId
      return (api) => api.AssetGet({ id })
    }
  )
  readonly #ends = Subject.call<ReadonlyArray<Dependency>, unknown>(
    this,
    { what: "the dependencies of the asset", key: () => this.key, forget: true, follow: "map", isEmpty: (all) => all.length === 0 },
    () => {
      const id = this.key as AssetId
      return (api) => api.AssetDependencies({ id, side: "both" })
    }
  )

  static override readonly styles = [sheet, pageStyle]

  override render() {
    const draw = show(this.#asset, { rows: 8, quiet: true, live: (asset) => this.#live(asset) })
    const name = this.#asset.value?.name ?? "Asset"
    if (this.compact) return html`${inspectorHead(name, paths.asset(this.key))}${staleLine(this.#asset)}${draw}`
    return html`<div class="head">${
      this.#asset.value === undefined
        ? nothing
        : html`<net-type-mark type=${this.#asset.value.type} ?external=${!this.#asset.value.internal}></net-type-mark>`
    }<h1>${name}</h1><span class="gap"></span><a class="link" href=${paths.map({ select: this.key })}>Show on the map</a></div>${staleLine(this.#asset)}<div class="body">${draw}</div>`
  }

  #live(asset: AssetDetail) {
    const facts = html`<section><dl class="facts">
        <dt>Type</dt><dd><net-type-mark type=${asset.type} ?external=${!asset.internal} words></net-type-mark></dd>
        <dt>${asset.addresses.length === 1 ? "Address" : "Addresses"}</dt><dd>${asset.addresses.length === 0 ? "none now" : asset.addresses.map((address) => html`<net-address text=${address}></net-address>`)}</dd>
        ${asset.fqdn === null ? nothing : html`<dt>DNS name</dt><dd>${asset.fqdn}</dd>`}
        ${asset.macAddresses.length === 0 ? nothing : html`<dt>MAC</dt><dd>${asset.macAddresses.map((mac) => html`<net-address text=${mac}></net-address>`)}</dd>`}
        <dt>Family</dt><dd>${familyWords[assetTypes[asset.type].family].label}</dd>
        <dt>Environment</dt><dd>${asset.environment ?? "–"}</dd>
        ${asset.tags.length === 0 ? nothing : html`<dt>Tags</dt><dd>${asset.tags.map((tag) => html`<a class="tag" href=${paths.assets({ filter: `tag:${tag}` })}>${tag}</a>`)}</dd>`}
        <dt>Volume</dt><dd><net-value .value=${asset.bytes} quantity="bytes"></net-value></dd>
        <dt>First seen</dt><dd><net-time .at=${asset.firstSeen}></net-time></dd>
        <dt>Last seen</dt><dd><net-time .at=${asset.lastSeen}></net-time></dd>
        <dt>Known from</dt><dd>${sources[asset.discoverySource]}, confidence ${perCent(asset.confidence)}</dd>
      </dl></section>`
    const ends = html`${show(this.#ends, { rows: 4, quiet: true, live: (all) => this.#dependencies(all, asset), empty: () => html`<net-empty kind="yet" heading="No dependencies">Nothing was seen to depend on it, and it was seen to depend on nothing.</net-empty>` })}`
    if (this.compact) return html`${facts}${this.#services(asset)}${ends}${this.#history(asset)}`
    return html`<div class="columns"><div>${facts}${this.#history(asset)}</div><div>${this.#services(asset)}${ends}</div></div>`
  }

  #services(asset: AssetDetail) {
    const declared = html`<declared-ends .addresses=${asset.addresses} @direction-declared=${this.#again}></declared-ends>`
    if (asset.services.length === 0) return html`<section><h2>Listens on</h2>${declared}</section>`
    return html`<section><h2>Listens on</h2><table class="plain"><thead><tr><th scope="col">Service</th><th scope="col" class="num">Clients</th><th scope="col">First seen</th><th scope="col">Last seen</th></tr></thead><tbody>
      ${asset.services.map((one) => html`<tr><td>${serviceCell({ ...one, service: one.name })}</td><td class="num">${one.clients}</td><td><net-time .at=${one.firstSeen}></net-time></td><td><net-time .at=${one.lastSeen}></net-time></td></tr>`)}
    </tbody></table>${declared}</section>`
  }

  readonly #again = () => {
    this.#asset.retry()
    this.#ends.retry()
  }

  #dependencies(all: ReadonlyArray<Dependency>, asset: AssetDetail) {
    const serves = all.filter((one) => one.server.id === asset.id)
    const needs = all.filter((one) => one.client.id === asset.id)
    const table = (
      rows: ReadonlyArray<Dependency>,
      columns: ReadonlyArray<Column<Dependency>>,
      label: string
    ) => html`<net-table fit label=${label}
      .columns=${columns as ReadonlyArray<Column<unknown>>} .rows=${rows} .keyOf=${(one: Dependency) => one.id} @net-select=${(event: OpenEvent) => event.stopPropagation()}
      @net-open=${(event: OpenEvent) => go(paths.dependency(event.key))}></net-table>`
    return html`<section><div class="section-head"><h2>Serves</h2><span class="muted">${plural(serves.length, "dependency", "dependencies")} in</span></div>
        ${serves.length === 0 ? html`<p class="pad muted">No client was seen.</p>` : table(serves, asServerColumns, "Clients of this asset")}</section>
      <section><div class="section-head"><h2>Needs</h2><span class="muted">${plural(needs.length, "dependency", "dependencies")} out</span></div>
        ${needs.length === 0 ? html`<p class="pad muted">It was seen to depend on nothing.</p>` : table(needs, asClientColumns, "Servers of this asset")}</section>`
  }

  #history(asset: AssetDetail) {
    return html`<section><h2>Address history</h2><table class="plain"><thead><tr><th scope="col">Address</th><th scope="col">Since</th><th scope="col">Until</th></tr></thead><tbody>
      ${asset.addressHistory.map((one) => html`<tr><td><net-address text=${one.address}></net-address></td><td><net-time .at=${one.since}></net-time></td><td>${one.until === null ? "now" : html`<net-time .at=${one.until}></net-time>`}</td></tr>`)}
    </tbody></table></section>`
  }
}
customElements.define("asset-sheet", AssetSheet)
