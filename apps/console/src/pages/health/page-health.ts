/**
 * The appliance's view of itself: its warnings with what to do, the account of every datagram, the supervision tree, database, disk,
 * memory. Property: `place`; `actor` in the query is the actor shown beside the tree.
 */
import { html, LitElement, nothing } from "lit"
import type { HealthDetail, SpoolState } from "#domain/Health.ts"
import { Following } from "../../Cell.ts"
import { alone, perCent, plural } from "../../format/number.ts"
import { durationText, millisOf } from "../../format/time.ts"
import { type Place, revise } from "../../place.ts"
import { prefer, preferences } from "../../preferences.ts"
import { Subject } from "../../rpc/Subject.ts"
import { show, staleLine } from "../../rpc/show.ts"
import { sheet } from "../../style/sheet.ts"
import type { Column } from "../../ui/column.ts"
import type { SelectEvent, WidthEvent } from "../../ui/events.ts"
import { pageStyle } from "../page-style.ts"
import { actorColumns } from "./actor-columns.ts"
import { healthStyle } from "./health-style.ts"
import { supervisionTree, type TreeLine } from "./tree.ts"
import "../../ui/net-split.ts"
import "../../ui/net-status.ts"
import "../../ui/net-table.ts"
import "../../ui/net-time.ts"
import "../../ui/net-value.ts"
import "./actor-sheet.ts"
import "./flow-account.ts"
import "./storage-section.ts"
import "../../ui/net-empty.ts"

const verdicts = { healthy: "up", degraded: "degraded", unhealthy: "down" } as const

export class PageHealth extends LitElement {
  static override readonly properties = { place: { attribute: false } }
  declare place: Place

  readonly #health = Subject.watch<HealthDetail, unknown>(
    this,
    { what: "the health of the appliance" },
    () => (api) => api.HealthWatch()
  )

  static override readonly styles = [sheet, pageStyle, healthStyle]

  constructor() {
    super()
    new Following(this, preferences)
  }

  override render() {
    const health = this.#health.value
    const { inspectorOpen, inspectorWidth } = preferences.value
    const chosen = this.place.query.get("actor") ?? undefined
    const actor = health?.actors.find((one) => one.path === chosen)
    const open = actor !== undefined && inspectorOpen
    return html`<div class="head"><h1>Health</h1>${
      health === undefined
        ? nothing
        : html`<net-status status=${verdicts[health.status]} label=${health.status}></net-status><span class="gap"></span>
          <span class="muted">version ${health.version}, up ${durationText(Math.max(0, Date.now() - millisOf(health.startedAt)))}, started <net-time .at=${health.startedAt}></net-time></span>`
    }</div>${staleLine(this.#health)}
    <net-split label="Selected actor" ?open=${open} .width=${inspectorWidth} @net-width=${(event: WidthEvent) => prefer({ inspectorWidth: event.width })} @net-close=${() => revise({ actor: undefined })}>
      <div class="body">${show(this.#health, { rows: 12, quiet: true, still: "The status line and the map may still work.", live: (value, stale) => this.#live(value, stale, chosen) })}</div>
      ${open ? html`<actor-sheet slot="aside" .actor=${actor}></actor-sheet>` : nothing}
    </net-split>`
  }

  #live(health: HealthDetail, stale: boolean, chosen: string | undefined) {
    return html`${this.#warnings(health)}<flow-account .account=${health.flow}></flow-account>${this.#machine(health)}<storage-section .storage=${health.storage}></storage-section>
      <section><div class="section-head"><h2 id="tree">Supervision tree</h2><span class="muted">${plural(health.actors.length, "actor")}, ${health.actors.filter((one) => one.state === "running").length} running</span></div>
      <net-table fit primary label="Supervision tree" .columns=${actorColumns as ReadonlyArray<Column<unknown>>} .rows=${supervisionTree(health.actors)} .keyOf=${(line: TreeLine) => line.path}
        .selected=${chosen} ?stale=${stale} @net-select=${(event: SelectEvent) => {
          event.stopPropagation()
          if (event.key === undefined || health.actors.some((one) => one.path === event.key))
            revise({ actor: event.key }, { replace: chosen !== undefined })
        }} @net-open=${(event: Event) => event.stopPropagation()}></net-table></section>`
  }

  #warnings({ warnings }: HealthDetail) {
    if (warnings.length === 0) {
      return html`<section><net-empty kind="wrong" heading="Nothing wrong">No warning is open; every part reports every few seconds.</net-empty></section>`
    }
    const order = { critical: 0, warning: 1, info: 2 }
    const notes = warnings.filter(({ severity }) => severity === "info").length
    const counts = [plural(warnings.length - notes, "warning"), ...(notes === 0 ? [] : [plural(notes, "note")])]
    return html`<section><div class="section-head"><h2>${notes === 0 ? "Warnings" : "Warnings and notes"}</h2><span class="muted">${counts.join(", ")}</span></div><ul class="warnings">
      ${warnings
        .toSorted((a, b) => order[a.severity] - order[b.severity])
        .map(
          (
            warning
          ) => html`<li><net-status status=${warning.severity}></net-status><div><p><b>${warning.title}</b>${warning.subject === null ? nothing : html` <span class="mono muted">${warning.subject}</span>`}</p>
          <p>${warning.detail}</p><p class="muted">${warning.hint[0]?.toUpperCase()}${warning.hint.slice(1)}</p></div><div class="since"><net-time .at=${warning.since}></net-time><code class="faint">${warning.code}</code></div></li>`
        )}</ul></section>`
  }

  #machine({ database, disk, memoryBytes, spool }: HealthDetail) {
    const free = disk.totalBytes === 0 ? 0 : disk.freeBytes / disk.totalBytes
    return html`<section class="machine" aria-label="Database, disk, memory">
      <div><h3>Database</h3><p class="figure">${
        database.reachable
          ? html`<net-status status="up" label=${database.roundTripMs === null ? "answers" : `${Math.round(database.roundTripMs)} ms`}></net-status>`
          : html`<net-status status="down" label="does not answer"></net-status>`
      }</p><p class="muted">${database.version === null ? "version unknown" : `PostgreSQL ${database.version}`}, ${database.embedded ? "embedded" : "external"}</p></div>
      <div><h3>Database size</h3><p class="figure"><net-value .value=${database.sizeBytes} quantity="bytes"></net-value></p><p class="muted">${database.embedded ? "in the data folder" : "on its own server"}</p></div>
      <div><h3>Disk free</h3><p class="figure">${free < 0.1 ? html`<net-status status=${free < 0.03 ? "critical" : "warning"} mark-only></net-status> ` : nothing}<net-value .value=${disk.freeBytes} quantity="bytes"></net-value></p><p class="muted">${perCent(free)} of ${alone("bytes", disk.totalBytes)}, data folder</p></div>
      <div><h3>Memory</h3><p class="figure"><net-value .value=${memoryBytes} quantity="bytes"></net-value></p><p class="muted">resident, all threads</p></div>
      ${
        spool === undefined
          ? nothing
          : html`<div><h3>Waiting for the database</h3><p class="figure">${spool.setAside > 0 ? html`<net-status status="warning" mark-only></net-status> ` : nothing}<net-value .value=${spool.bytes} quantity="bytes"></net-value></p><p class="muted">${spoolText(spool)}</p></div>`
      }
    </section>`
  }
}

const spoolText = ({ waitingSlices, oldestSeconds, setAside, limitBytes }: SpoolState) =>
  [
    waitingSlices === 0
      ? "nothing waits"
      : `${plural(waitingSlices, "slice")}, oldest ${durationText((oldestSeconds ?? 0) * 1000)}`,
    ...(setAside === 0 ? [] : [`${setAside} set aside`]),
    `at most ${alone("bytes", limitBytes)} on disk`
  ].join("; ")

customElements.define("page-health", PageHealth)
