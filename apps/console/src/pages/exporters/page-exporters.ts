/** Who sends flows, and how well each is heard: live, all of them, sorted and filtered here since they are few. Property: `place`. */
import { html, LitElement, nothing } from "lit"
import { type Exporter, type ExporterHistory, exporterProtocolNames } from "#domain/Exporter.ts"
import { Following } from "../../Cell.ts"
import { inUnit, plain } from "../../format/number.ts"
import { ActionEvent } from "../../keys.ts"
import { paths } from "../../paths.ts"
import { go, type Place, revise } from "../../place.ts"
import { prefer, preferences } from "../../preferences.ts"
import { Subject } from "../../rpc/Subject.ts"
import { show, staleLine } from "../../rpc/show.ts"
import { refusal } from "../../session.ts"
import { sheet } from "../../style/sheet.ts"
import type { Column } from "../../ui/column.ts"
import type { FilterEvent, OpenEvent, SelectEvent, SortEvent, WidthEvent } from "../../ui/events.ts"
import type { NetFilter } from "../../ui/net-filter.ts"
import { pageStyle } from "../page-style.ts"
import { exporterColumns } from "./exporter-columns.ts"
import { standingOf } from "./exporter-words.ts"
import { isSortKey, sortExporters } from "./sort-exporters.ts"
import "../../ui/net-filter.ts"
import "../../ui/net-split.ts"
import "../../ui/net-table.ts"
import "./add-exporter.ts"
import "./exporter-sheet.ts"
import "./listener-lines.ts"
import "../../ui/net-empty.ts"

export class PageExporters extends LitElement {
  static override readonly properties = { place: { attribute: false }, adding: { state: true } }
  declare place: Place
  declare adding: boolean
  #histories: ReadonlyMap<string, ExporterHistory> = new Map()

  readonly #exporters = Subject.watch<ReadonlyArray<Exporter>, unknown>(
    this,
    { what: "the list of exporters", isEmpty: (all) => all.length === 0 },
    () => (api) => api.ExportersWatch()
  )

  /** Drawn with the next reading of the exporters. */
  readonly history = Subject.watch<ReadonlyArray<ExporterHistory>, unknown>(
    this,
    {
      what: "the last hour",
      onValue: (all) => {
        this.#histories = new Map(all.map((one) => [one.id, one]))
      }
    },
    () => (api) => api.ExporterHistoryWatch()
  )

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
    const { query } = this.place
    const filter = query.get("filter") ?? ""
    const asked = query.get("sort")
    const sort = isSortKey(asked) ? asked : "state"
    const order = query.get("order") === "descending" ? "descending" : "ascending"
    const selected = query.get("select") ?? undefined
    const all = this.#exporters.value ?? []
    const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
    const matched = all.filter((one) => {
      const text =
        `${one.name ?? ""} ${one.address} ${exporterProtocolNames[one.protocol]} ${standingOf(one)[1]} ${one.policy.approval}`.toLowerCase()
      return words.every((word) => text.includes(word))
    })
    const rows = sortExporters(matched, sort, order)
    const { inspectorOpen, inspectorWidth } = preferences.value
    const chosen = all.find((one) => one.id === selected)
    const open = chosen !== undefined && inspectorOpen
    const reading = this.#exporters.reading
    const why = refusal("exporters.write")
    return html`<div class="head"><h1>Exporters</h1><span class="count">${this.#exporters.value === undefined ? nothing : inUnit(all.length, plain)}</span>
        <net-filter label="Filter exporters" placeholder="name, address, protocol or state, e.g. new" .value=${filter} @net-filter=${(event: FilterEvent) => revise({ filter: event.filter })}></net-filter>
        <button aria-disabled=${why === undefined ? "false" : "true"} title=${why ?? "An exporter that has not sent yet"} @click=${() => {
          if (why === undefined) this.adding = true
        }}>Add an exporter</button></div>
      ${staleLine(this.#exporters)}
      <net-split label="Selected exporter" ?open=${open} .width=${inspectorWidth} @net-width=${(event: WidthEvent) => prefer({ inspectorWidth: event.width })} @net-close=${() => revise({ select: undefined })}>
        <net-table primary label="Exporters" .columns=${exporterColumns(rows, this.#histories) as ReadonlyArray<Column<unknown>>} .rows=${rows} .keyOf=${(one: Exporter) => one.id} .identity=${(one: Exporter) => one.address}
          sort=${sort} order=${order} .selected=${selected} ?stale=${reading._tag === "stale"}
          @net-sort=${(event: SortEvent) => revise({ sort: event.key, order: event.order }, { replace: true })}
          @net-select=${(event: SelectEvent) => revise({ select: event.key }, { replace: selected !== undefined })} @net-open=${(event: OpenEvent) => go(paths.exporter(event.key))}>
          <div slot="empty">${show(this.#exporters, {
            rows: 8,
            quiet: true,
            live: () =>
              all.length > 0
                ? html`<net-empty kind="match" heading="Nothing matches">No exporter matches <span class="mono">${filter}</span>. <button slot="action" @click=${() => revise({ filter: undefined })}>Clear the filter</button></net-empty>`
                : nothing,
            empty:
              () => html`<net-empty kind="yet" heading="No exporter heard yet">An exporter appears with its first datagram. Point a router, switch or firewall at this appliance: NetFlow v5 or v9, IPFIX or sFlow v5 over UDP. What you expect can be added by hand before.
                <listener-lines slot="action"></listener-lines></net-empty>`
          })}</div>
        </net-table>
        ${open ? html`<exporter-sheet slot="aside" .exporter=${chosen} .history=${this.#histories.get(chosen.id)} compact></exporter-sheet>` : nothing}
      </net-split><add-exporter ?open=${this.adding} @net-close=${() => (this.adding = false)}></add-exporter>`
  }

  readonly #act = (event: Event) => {
    if ((event as ActionEvent).action !== "filter") return
    event.preventDefault()
    this.renderRoot.querySelector<NetFilter>("net-filter")?.focus()
  }
}
customElements.define("page-exporters", PageExporters)
