/** The first screen: what flows in, what is new, whether the appliance is well, and what is busy. Every number leads to where it comes from. */
import { html, LitElement, nothing } from "lit"
import type { HealthWarning } from "#domain/Health.ts"
import { portText } from "#domain/protocol.ts"
import type { Overview } from "#domain/Status.ts"
import { briefly, inUnit, plain, plural } from "../../format/number.ts"
import { exactTime, millisOf } from "../../format/time.ts"
import { paths } from "../../paths.ts"
import { go } from "../../place.ts"
import { Subject } from "../../rpc/Subject.ts"
import { show } from "../../rpc/show.ts"
import { sheet } from "../../style/sheet.ts"
import type { RangeEvent } from "../../ui/events.ts"
import { pageStyle } from "../page-style.ts"
import { overviewStyle } from "./overview-style.ts"
import "../../chart/net-bars.ts"
import "../../chart/net-series.ts"
import "../exporters/listener-lines.ts"
import "../../ui/net-status.ts"
import "../../ui/net-time.ts"
import "../../ui/net-empty.ts"
import "../../ui/net-value.ts"

export class PageOverview extends LitElement {
  readonly #overview = Subject.watch<Overview, unknown>(this, { what: "the overview" }, () => (api) => api.OverviewWatch())

  static override readonly styles = [sheet, pageStyle, overviewStyle]

  override render() {
    return html`<div class="head"><h1>Overview</h1></div>
      <div class="body">${show(this.#overview, {
        rows: 10,
        still: "Map, lists and the flow plane itself may still work.",
        live: (overview) => this.#live(overview)
      })}</div>`
  }

  #live(overview: Overview) {
    return html`${this.#readouts(overview)}${this.#coverage(overview)}${this.#health(overview)}
      ${overview.dependencies === 0 && overview.traffic.length === 0 ? this.#nothingYet(overview) : html`${this.#traffic(overview)}${this.#lists(overview)}`}`
  }

  #readouts({ assets, dependencies, internalAssets, newAssetsLastHour, newDependenciesLastHour, services, status }: Overview) {
    const silent = status.exportersKnown - status.exportersHeard
    return html`<div class="readouts">
      <a class="lead" href=${paths.exporters()} title=${`${status.recordsPerSecond} flow records a second`}
        ><span class="what">Flows in</span><span class="big">${briefly(status.recordsPerSecond)}<span class="of"> flow/s</span></span>
        <span class="sub">${status.refused === 0 ? "nothing refused" : html`<net-status status="degraded" mark-only label="dropping"></net-status> ${inUnit(status.refused, plain)} refused in 5 min`}</span></a>
      <a href=${paths.exporters()}><span class="what">Exporters heard</span><span class="figure">${status.exportersHeard}<span class="of"> of ${status.exportersKnown}</span></span>
        <span class="sub">${status.exportersKnown === 0 ? "none known yet" : silent === 0 ? "none silent" : html`<net-status status="degraded" mark-only label="some are silent"></net-status> ${silent} silent`}</span></a>
      <a href=${paths.assets()}><span class="what">Assets</span><span class="figure">${inUnit(assets, plain)}</span><span class="sub">${inUnit(internalAssets, plain)} inside, ${inUnit(assets - internalAssets, plain)} outside</span></a>
      <a href=${paths.dependencies()}><span class="what">Dependencies</span><span class="figure">${inUnit(dependencies, plain)}</span><span class="sub">on ${plural(services, "service")}</span></a>
      <a href=${paths.assets({ sort: "firstSeen", order: "descending" })}><span class="what">New assets</span><span class="figure">${inUnit(newAssetsLastHour, plain)}</span><span class="sub">in the last hour</span></a>
      <a href=${paths.dependencies({ sort: "firstSeen", order: "descending" })}><span class="what">New dependencies</span><span class="figure">${inUnit(newDependenciesLastHour, plain)}</span><span class="sub">in the last hour</span></a>
    </div>`
  }

  #coverage({ coverage }: Overview) {
    if (coverage === undefined || coverage.exporters === 0) return nothing
    const { blindSince, blindSubnets, exporters, looking } = coverage
    const well = looking === exporters && blindSubnets === 0
    return html`<p class="looking"><net-status status=${well ? "up" : "unknown"} mark-only label=${well ? "well" : "not everywhere"}></net-status>
      <span>Looking at <a class="link" href=${paths.exporters()}>${looking} of ${plural(exporters, "exporter")}</a> well${
        blindSubnets === 0
          ? "; every network is looked at."
          : html`; <a class="link" href=${paths.map()}>${plural(blindSubnets, "network")}</a> blind${blindSince === null ? nothing : html` since <net-time .at=${blindSince}></net-time>`}.`
      }</span></p>`
  }

  #health({ status, warnings }: Overview) {
    const bad = warnings.filter((warning) => warning.severity !== "info")
    const notes = warnings.length - bad.length
    return html`<section aria-labelledby="health"><div class="section-head"><h2 id="health">Health</h2>
        <a class="link" href=${paths.health()}>${status.health}${bad.length === 0 ? "" : `, ${plural(bad.length, "warning")}`}${notes === 0 ? "" : `, ${plural(notes, "note")}`}</a></div>
      ${
        bad.length === 0
          ? html`<p class="quiet"><net-status status="up" mark-only label="well"></net-status><span>Nothing wrong; looked at <net-time .at=${status.at}></net-time>.</span></p>`
          : html`<ul class="warnings">${bad.map((warning) => warningLine(warning))}</ul>`
      }</section>`
  }

  #traffic({ counted, status, traffic, windowSeconds }: Overview) {
    const points = traffic.map((total) => ({ at: millisOf(total.at), value: Number(total.bytes) }))
    const minutes = windowSeconds % 60 === 0 ? `${windowSeconds / 60}-minute` : `${windowSeconds}-second`
    return html`<section aria-label="Traffic"><div class="chart"><net-series heading=${`Bytes between all ends, ${minutes} windows`} name="Bytes" .points=${points}
      .open=${status.window?.final === false ? millisOf(status.window.start) : undefined}
      .step=${windowSeconds * 1000} quantity="bytes" height="160" choosable gap="no window written"
      @net-range=${(event: RangeEvent) => go(paths.map({ at: exactTime(event.from).replace(".000Z", "Z") }))}></net-series></div>${countedOnce(counted)}</section>`
  }

  #lists(overview: Overview) {
    const newest = overview.newest.toSorted((a, b) => millisOf(b.firstSeen) - millisOf(a.firstSeen))
    return html`<div class="columns">
      <section aria-labelledby="new"><div class="section-head"><h2 id="new">Newest dependencies</h2><a class="link" href=${paths.dependencies({ sort: "firstSeen", order: "descending" })}>All</a></div>
        ${
          newest.length === 0
            ? html`<net-empty kind="wrong" heading="Nothing new">No dependency was first seen lately.</net-empty>`
            : html`<div class="scroll-x"><table class="plain"><thead><tr><th scope="col">First seen</th><th scope="col">Client</th><th scope="col">Server</th><th scope="col">Service</th></tr></thead>
            <tbody>${newest.map(
              (
                one
              ) => html`<tr><td><net-time .at=${one.firstSeen}></net-time></td><td class="clip">${one.client}</td><td class="clip"><a class="name" href=${paths.dependency(one.id)}>${one.server}</a></td>
              <td class="clip">${one.service ?? nothing} <span class="mono muted">${portText(one.port, one.protocol)}</span></td></tr>`
            )}</tbody></table></div>`
        }</section>
      <section aria-labelledby="busiest"><div class="section-head"><h2 id="busiest">Busiest assets</h2><span class="muted">in the newest window</span><a class="link" href=${paths.assets({ sort: "bytes", order: "descending" })}>All</a></div>
        ${overview.busiest.length === 0 ? html`<net-empty kind="yet" heading="No traffic in it">The newest window was written without any.</net-empty>` : nothing}
        <net-bars ?hidden=${overview.busiest.length === 0} label="Busiest assets" value="Volume" detail="Clients" quantity="bytes" .bars=${overview.busiest.map(
          (one) => ({
            name: one.name,
            value: one.bytes,
            detail: inUnit(one.clients, plain),
            href: paths.asset(one.id)
          })
        )}></net-bars></section>
    </div>`
  }

  #nothingYet({ status }: Overview) {
    return status.exportersKnown === 0
      ? html`<net-empty kind="yet" heading="No flows yet">Nothing has been exported to this appliance. Point a router, a switch or softflowd at it, with NetFlow v5, v9, IPFIX or
          sFlow v5; the first dependencies show within a minute or two. <listener-lines slot="action"></listener-lines></net-empty>`
      : html`<net-empty kind="yet" heading="No dependencies yet">${plural(status.exportersKnown, "exporter is", "exporters are")} known. The first dependencies show when the first slice of a window is written, and when data sets have their templates.
          <a slot="action" class="link" href=${paths.exporters()}>Exporters</a></net-empty>`
  }
}
customElements.define("page-overview", PageOverview)

/** How much more the same traffic would look like, were it added up over all that saw it. */
const countedOnce = (counted: Overview["counted"]) =>
  counted === undefined || counted.sparedRecords === 0n
    ? nothing
    : html`<p class="quiet"><span>Counted once: <net-value .value=${counted.sparedBytes} quantity="bytes"></net-value> in ${inUnit(Number(counted.sparedRecords), plain)} records were seen again in 24 hours and not added; most by ${counted.exporters
        .slice(0, 3)
        .map(
          (one, i) =>
            html`${i === 0 ? "" : ", "}<span class="mono">${one.address}</span> (<net-value .value=${one.bytes} quantity="bytes"></net-value>)`
        )}.</span></p>`

const warningLine = (warning: HealthWarning) => html`<li><net-status status=${warning.severity}></net-status>
  <span><a href=${paths.health()}><b>${warning.title}</b></a> <span class="muted">${warning.detail}</span></span><net-time .at=${warning.since} age></net-time></li>`
