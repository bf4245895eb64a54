/** One exporter on a page of its own, live. Property: `key`. */
import { html, LitElement } from "lit"
import type { Exporter, ExporterHistory } from "#domain/Exporter.ts"
import { TitleEvent } from "../../frame/title.ts"
import { paths } from "../../paths.ts"
import { Subject } from "../../rpc/Subject.ts"
import { show } from "../../rpc/show.ts"
import { sheet } from "../../style/sheet.ts"
import { pageStyle } from "../page-style.ts"
import { exporterName } from "./change-exporter.ts"
import "./exporter-sheet.ts"
import "../../ui/net-empty.ts"

export class PageExporter extends LitElement {
  static override readonly properties = { key: {} }
  declare key: string

  readonly #exporters = Subject.watch<ReadonlyArray<Exporter>, unknown>(
    this,
    {
      what: "the exporter",
      onValue: (all) => {
        const one = all.find((exporter) => exporter.id === this.key)
        if (one !== undefined) this.dispatchEvent(new TitleEvent(exporterName(one)))
      }
    },
    () => (api) => api.ExportersWatch()
  )

  readonly #history = Subject.watch<ReadonlyArray<ExporterHistory>, unknown>(
    this,
    { what: "the last hour" },
    () => (api) => api.ExporterHistoryWatch()
  )

  static override readonly styles = [sheet, pageStyle]

  override render() {
    return html`${this.#exporters.value === undefined ? html`<div class="head"><h1>Exporter</h1></div>` : ""}${show(
      this.#exporters,
      {
        rows: 10,
        live: (all) => {
          const one = all.find((exporter) => exporter.id === this.key)
          return one === undefined
            ? html`<div class="head"><h1>Exporter</h1></div><net-empty kind="match" heading="No such exporter">No exporter has the id <span class="mono">${this.key}</span>. <a slot="action" class="link" href=${paths.exporters()}>All exporters</a></net-empty>`
            : html`<exporter-sheet .exporter=${one} .history=${this.#history.value?.find(({ id }) => id === one.id)}></exporter-sheet>`
        }
      }
    )}`
  }
}
customElements.define("page-exporter", PageExporter)
