/** The configuration as it was resolved: each knob, its value, where the value came from. Read only: the file and the environment decide. */
import { css, html, LitElement, nothing } from "lit"
import type { SettingReading } from "#domain/Settings.ts"
import { Subject } from "../../rpc/Subject.ts"
import { show, staleLine } from "../../rpc/show.ts"
import { sheet } from "../../style/sheet.ts"
import type { Column } from "../../ui/column.ts"
import type { FilterEvent } from "../../ui/events.ts"
import { pageStyle } from "../page-style.ts"
import { settingsStyle } from "./settings-style.ts"
import "../../ui/net-address.ts"
import "../../ui/net-filter.ts"
import "../../ui/net-table.ts"
import "../../ui/net-empty.ts"

const columns: ReadonlyArray<Column<SettingReading>> = [
  {
    key: "knob",
    label: "Knob",
    track: "minmax(13rem, 1.4fr)",
    narrow: "title",
    cell: (one) => html`<span class="mono name" title=${one.knob}>${one.knob}</span>`
  },
  {
    key: "value",
    label: "Value",
    track: "minmax(8rem, 1.2fr)",
    narrow: "end",
    cell: (one) => html`<net-address text=${one.value === "" ? "(empty)" : one.value} longest="60"></net-address>`
  },
  {
    key: "source",
    label: "Comes from",
    track: "minmax(8rem, 1fr)",
    narrow: "line",
    cell: (one) =>
      one.source === "default"
        ? html`<span class="sub">default</span>`
        : html`<span class="mono" title=${one.source}>${one.source}</span>`
  },
  {
    key: "description",
    label: "What it does",
    track: "minmax(14rem, 3fr)",
    narrow: "line",
    cell: (one) => html`<span class="sub" title=${one.description}>${one.description}</span>`
  }
]

export class SettingsConfiguration extends LitElement {
  static override readonly properties = { filter: { state: true }, changed: { state: true } }
  declare filter: string
  declare changed: boolean

  readonly #settings = Subject.call<ReadonlyArray<SettingReading>, unknown>(
    this,
    { what: "the configuration" },
    () => (api) => api.SettingsList()
  )

  static override readonly styles = [
    sheet,
    pageStyle,
    settingsStyle,
    css`.only { display: inline-flex; gap: var(--s-3); align-items: center; min-height: 24px; }`
  ]

  constructor() {
    super()
    this.filter = ""
    this.changed = false
  }

  override render() {
    const words = this.filter.toLowerCase().split(/\s+/).filter(Boolean)
    const all = this.#settings.value ?? []
    const rows = all.filter(
      (one) =>
        (!this.changed || one.source !== "default") &&
        words.every((word) => `${one.knob} ${one.value} ${one.description}`.toLowerCase().includes(word))
    )
    return html`<div class="bar"><net-filter label="Filter the configuration" placeholder="knob, value or words" .value=${this.filter} @net-filter=${(event: FilterEvent) => (this.filter = event.filter)}></net-filter>
        <label class="only"><input type="checkbox" .checked=${this.changed} @change=${() => (this.changed = !this.changed)} />Only what is not default</label></div>
      ${staleLine(this.#settings)}
      <net-table primary label="Configuration" .columns=${columns as ReadonlyArray<Column<unknown>>} .rows=${rows} .keyOf=${(one: SettingReading) => one.knob} .identity=${(one: SettingReading) => one.knob}>
        <div slot="empty">${show(this.#settings, {
          rows: 14,
          quiet: true,
          live: () =>
            all.length > 0
              ? html`<net-empty kind="match" heading="Nothing matches">${this.changed ? "Every knob that matches has its default." : "No knob matches."} <button slot="action" @click=${() => {
                  this.filter = ""
                  this.changed = false
                }}>Show all</button></net-empty>`
              : nothing
        })}</div>
      </net-table>`
  }
}
customElements.define("settings-configuration", SettingsConfiguration)
