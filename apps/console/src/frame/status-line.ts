/**
 * The status line: the appliance in one row, on every page. Each item is a link to where its number comes from; an item leaves the
 * muted colour only when it is out of its normal state. Property: `reading` of the status subject.
 */
import { css, html, LitElement, nothing } from "lit"
import type { Status } from "#domain/Status.ts"
import { briefly } from "../format/number.ts"
import { exactTime, windowText, zoneName } from "../format/time.ts"
import { paths } from "../paths.ts"
import type { Reading } from "../rpc/Subject.ts"
import { sheet } from "../style/sheet.ts"
import { MinuteHand, zone } from "../ui/clock.ts"
import "../ui/net-status.ts"
import "../ui/net-time.ts"

/** A database that takes longer than this to say hello is worth a mark: ten times the round trip of a busy local one. */
const slowDatabaseMs = 100

export class StatusLine extends LitElement {
  static override readonly properties = { reading: { attribute: false } }
  declare reading: Reading<Status>

  static override readonly styles = [
    sheet,
    css`
      :host { display: flex; align-items: center; height: 24px; gap: var(--s-5); padding: 0 var(--s-5); font: var(--t-12); color: var(--muted);
        background: var(--panel); border-top: var(--hair) solid var(--line); overflow-x: auto; overflow-y: hidden; scrollbar-width: none; white-space: nowrap; }
      a { display: inline-flex; align-items: center; gap: 5px; height: 24px; }
      a:focus-visible { outline-offset: -2px; }
      .out { color: var(--text); }
      .gap { flex: 1 1 auto; }
      .wait { color: var(--faint); }
    `
  ]

  constructor() {
    super()
    new MinuteHand(this)
  }

  override render() {
    const reading = this.reading
    const status = "value" in reading ? reading.value : undefined
    return html`${status === undefined ? this.#none() : this.#items(status, reading._tag === "stale")}
      <span class="gap"></span><span title="Times are shown in this zone">${zoneName(zone.value, Date.now())}</span>`
  }

  #none() {
    return html`<span class="wait">${this.reading._tag === "failed" ? this.reading.fault.message : "reading the status"}</span>`
  }

  #items(status: Status, stale: boolean) {
    const silent = status.exportersKnown - status.exportersHeard
    const slow = status.databaseMs === null || status.databaseMs > slowDatabaseMs
    return html`
      ${stale ? html`<net-status status="stale" mark-only label="last known values"></net-status>` : nothing}
      <a href=${paths.exporters()} title=${`${status.recordsPerSecond} flow records a second`}>${briefly(status.recordsPerSecond)} flow/s</a>
      <a class=${status.refused > 0 ? "out" : ""} href=${paths.health()} title="Datagrams refused, failed or dropped by the kernel in the last five minutes"
        >${status.refused > 0 ? html`<net-status status="degraded" mark-only label="dropping"></net-status>` : nothing}${briefly(status.refused)} refused</a>
      <a class=${silent > 0 ? "out" : ""} href=${paths.exporters()} title=${silent > 0 ? `${silent} not heard` : "all known exporters are heard"}
        >exporters ${status.exportersHeard}/${status.exportersKnown}${silent > 0 ? html`<net-status status="degraded" mark-only label="some are silent"></net-status>` : nothing}</a>
      ${this.#window(status)}
      <a class=${slow ? "out" : ""} href=${paths.health()} title="Round trip to the database"
        >${status.databaseMs === null ? html`<net-status status="down" mark-only></net-status>db away` : html`db ${Math.round(status.databaseMs)} ms`}</a>
      <a class=${status.health === "healthy" ? "" : "out"} href=${paths.health()}
        >${status.warnings === 0 ? nothing : html`<net-status status=${status.health === "unhealthy" ? "critical" : "warning"} mark-only></net-status>`}${
          status.warnings === 1 ? "1 warning" : `${status.warnings} warnings`
        }</a>`
  }

  #window(status: Status) {
    const window = status.window
    if (window === null) return html`<a href=${paths.health()}>no window yet</a>`
    return html`<a href=${paths.map()} title=${`window of ${window.seconds} s from ${exactTime(window.start)}`}
      >window ${windowText(window.start, Date.now(), zone.value)} ${window.final ? "closed" : "open"}</a>`
  }
}
customElements.define("status-line", StatusLine)
