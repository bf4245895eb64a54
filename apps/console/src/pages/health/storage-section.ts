/** What the database keeps and for how long, what had to go, and whether hours and days are made. Property: `storage`. */
import { css, html, LitElement, nothing } from "lit"
import type { DroppedPartition, StorageClass, StorageReading } from "#domain/Storage.ts"
import { alone, inUnit, plain, type Unit, unitForAll } from "../../format/number.ts"
import { sheet } from "../../style/sheet.ts"
import { pageStyle } from "../page-style.ts"
import { healthStyle } from "./health-style.ts"
import "../../ui/net-status.ts"
import "../../ui/net-time.ts"
import "../../ui/net-value.ts"

const labels: Record<string, string> = {
  flow_stats: "Traffic of each window",
  flow_stats_hour: "Traffic of each hour",
  flow_stats_day: "Traffic of each day",
  coverage: "How well exporters were heard",
  flow_raw: "Single flow records"
}

const reasons = { age: "older than it is kept", room: "to make room" } satisfies Record<DroppedPartition["why"], string>

export class StorageSection extends LitElement {
  static override readonly properties = { storage: { attribute: false } }
  declare storage: StorageReading | undefined

  static override readonly styles = [
    sheet,
    pageStyle,
    healthStyle,
    css`:host { display: block; height: auto; } p.muted { padding: var(--s-3) var(--s-5) var(--s-4); }`
  ]

  override render() {
    const { storage } = this
    if (storage === undefined || storage.classes.length === 0) return nothing
    const { classes, daysUpTo, dropped, exhausted, hoursUpTo, mostBytes, reserveBytes } = storage
    const unit = unitForAll(
      "bytes",
      classes.map(({ bytes }) => bytes)
    )
    return html`<section><div class="section-head"><h2>Kept</h2><span class="muted">${alone("bytes", reserveBytes)} of disk stay free${
      mostBytes === 0 ? nothing : html`, at most ${alone("bytes", mostBytes)}`
    }</span>${exhausted ? html`<net-status status="critical" label="nothing left to drop"></net-status>` : nothing}</div>
      <table class="plain"><thead><tr><th scope="col">What</th><th scope="col">Since</th><th scope="col" class="num">Kept for days</th><th scope="col" class="num">Parts</th><th scope="col" class="num">Size ${unit.name}</th></tr></thead>
      <tbody>${classes.map((one) => this.#row(one, unit))}</tbody></table>
      <p class="muted">${
        hoursUpTo === null
          ? "No hour is complete yet; each is made a few minutes after its end."
          : html`Hours are made up to <net-time .at=${hoursUpTo}></net-time>${daysUpTo === null ? "" : html`, days up to <net-time .at=${daysUpTo}></net-time>`}.`
      }</p>
      ${
        dropped.length === 0
          ? nothing
          : html`<table class="plain"><thead><tr><th scope="col">Dropped</th><th scope="col">Why</th><th scope="col">When</th></tr></thead><tbody>
            ${dropped.map((one) => html`<tr><td class="mono">${one.name}</td><td>${one.why === "room" ? html`<net-status status="warning" label=${reasons.room}></net-status>` : reasons.age}</td><td><net-time .at=${one.at}></net-time></td></tr>`)}
          </tbody></table>`
      }</section>`
  }

  #row(one: StorageClass, unit: Unit) {
    return html`<tr><td title=${one.name}>${labels[one.name] ?? one.name}</td><td>${one.from === null ? html`<span class="muted">nothing yet</span>` : html`<net-time .at=${one.from}></net-time>`}</td>
      <td class="num">${inUnit(one.keepDays, plain)}</td><td class="num">${inUnit(one.partitions, plain)}</td><td class="num"><net-value .value=${one.bytes} quantity="bytes" .unit=${unit}></net-value></td></tr>`
  }
}
customElements.define("storage-section", StorageSection)
