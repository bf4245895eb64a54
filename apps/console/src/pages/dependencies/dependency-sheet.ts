/**
 * One dependency and the evidence for it: why this direction, why this confidence, since when, who saw it, how much.
 * Properties: `key` (id); `compact` for the inspector, else a page of its own.
 */
import { html, LitElement, nothing } from "lit"
import type { DependencyDetail, DependencyEnd } from "#domain/Dependency.ts"
import type { DependencyId } from "#domain/ids.ts"
import { portText } from "#domain/protocol.ts"
import { alone, perCent } from "../../format/number.ts"
import { millisOf } from "../../format/time.ts"
import { TitleEvent } from "../../frame/title.ts"
import { paths } from "../../paths.ts"
import { Subject } from "../../rpc/Subject.ts"
import { show, staleLine } from "../../rpc/show.ts"
import { sheet } from "../../style/sheet.ts"
import { inspectorHead } from "../inspector.ts"
import { pageStyle } from "../page-style.ts"
import { serviceCell, stateCell } from "../table-cells.ts"
import { whyStyle } from "./why-style.ts"
import "../../chart/net-series.ts"
import "./why-confidence.ts"
import "./why-direction.ts"
import "./declare-direction.ts"
import "./evidence-flows.ts"
import "../../ui/net-address.ts"
import "../../ui/net-time.ts"
import "../../ui/net-type-mark.ts"
import "../../ui/net-value.ts"

export const dependencyName = (one: Pick<DependencyDetail, "client" | "server" | "port" | "protocol">): string =>
  `${one.client.name} → ${one.server.name} ${portText(one.port, one.protocol)}`

/** The distance between two points of the series: the window, whatever its length. */
const stepOf = (points: ReadonlyArray<{ readonly at: number }>): number => {
  let least = Number.POSITIVE_INFINITY
  for (let i = 1; i < points.length; i++) least = Math.min(least, points[i]!.at - points[i - 1]!.at)
  return Number.isFinite(least) && least > 0 ? least : 300_000
}

export class DependencySheet extends LitElement {
  static override readonly properties = { key: {}, compact: { type: Boolean, reflect: true } }
  declare key: string
  declare compact: boolean

  readonly #dependency = Subject.call<DependencyDetail, unknown>(
    this,
    {
      what: "the dependency",
      key: () => this.key,
      forget: true,
      follow: "map",
      onValue: (one) => {
        if (!this.compact) this.dispatchEvent(new TitleEvent(dependencyName(one)))
      }
    },
    () => {
      const id = this.key as DependencyId
      return (api) => api.DependencyGet({ id })
    }
  )

  static override readonly styles = [sheet, pageStyle, whyStyle]

  override render() {
    const one = this.#dependency.value
    const draw = show(this.#dependency, { rows: 10, quiet: true, live: (value) => this.#live(value) })
    const name =
      one === undefined
        ? "Dependency"
        : html`${one.client.name} <span class="arrow">→</span> ${one.server.name} <span class="mono port">${portText(one.port, one.protocol)}</span>`
    if (this.compact) return html`${inspectorHead(html`${name}`, paths.dependency(this.key))}${staleLine(this.#dependency)}${draw}`
    return html`<div class="head"><h1>${name}</h1><span class="gap"></span>${
      one === undefined ? nothing : html`<a class="link" href=${paths.map({ select: one.server.id })}>Show on the map</a>`
    }</div>${staleLine(this.#dependency)}<div class="body">${draw}</div>`
  }

  #live(one: DependencyDetail) {
    const facts = html`<section><dl class="facts">
      <dt>Client</dt><dd>${end(one.client)}</dd>
      <dt>Server</dt><dd>${end(one.server)}</dd>
      <dt>Service</dt><dd>${serviceCell(one)}</dd>
      <dt>State</dt><dd>${stateCell(one)}</dd>
      ${one.blind === null ? nothing : html`<dt>Blind</dt><dd><span>Not looking${one.blind.since === null ? "" : html` since <net-time .at=${one.blind.since}></net-time>`}: ${one.blind.why}. Its silence means nothing meanwhile.</span></dd>`}
      <dt>Confidence</dt><dd title=${String(one.confidence)}>${perCent(one.confidence)}</dd>
      <dt>To the server</dt><dd><net-value exact .value=${one.bytesToServer} quantity="bytes" .sampling=${one.sampling}></net-value></dd>
      <dt>To the client</dt><dd><net-value exact .value=${one.bytesToClient} quantity="bytes" .sampling=${one.sampling}></net-value></dd>
      <dt>Flows</dt><dd><net-value .value=${one.flows} .sampling=${one.sampling}></net-value><span class="muted">${alone("count", Number(one.flowsPerHour.toPrecision(3)))} an hour</span></dd>
      <dt>Packets</dt><dd><net-value .value=${one.packets} .sampling=${one.sampling}></net-value></dd>
      <dt>Sampling</dt><dd>${one.sampling > 1 ? `scaled, up to 1 of ${one.sampling}` : "none, exact"}</dd>
      <dt>First seen</dt><dd><net-time .at=${one.firstSeen}></net-time></dd>
      <dt>Last seen</dt><dd><net-time .at=${one.lastSeen}></net-time></dd>
      ${one.tags.length === 0 ? nothing : html`<dt>Tags</dt><dd>${one.tags.map((tag) => html`<a class="tag" href=${paths.dependencies({ filter: `tag:${tag}` })}>${tag}</a>`)}</dd>`}
      ${one.notes === null ? nothing : html`<dt>Notes</dt><dd>${one.notes}</dd>`}
    </dl></section>`
    const why = html`<section aria-label="Why this direction"><why-direction .evidence=${one.direction} .stored=${one.terms.direction}></why-direction>
        <declare-direction .dependency=${one} @direction-declared=${() => this.#dependency.retry()}></declare-direction></section>
      <section aria-label="Why this confidence"><why-confidence .terms=${one.terms} .stored=${one.confidence}></why-confidence></section>`
    const flows = html`<section aria-label="Evidence flows"><evidence-flows .flows=${one.evidence}></evidence-flows></section>`
    if (this.compact) return html`${facts}${this.#traffic(one)}${why}${this.#exporters(one)}${flows}${this.#spans(one)}`
    return html`${this.#traffic(one)}<div class="columns"><div>${facts}${this.#exporters(one)}${this.#spans(one)}</div><div>${why}</div></div>${flows}`
  }

  #traffic(one: DependencyDetail) {
    if (one.series.length === 0) return nothing
    const points = one.series.map((point) => ({ at: millisOf(point.at), value: Number(point.bytes) }))
    return html`<section aria-label="Traffic"><div class="chart"><net-series heading="Bytes both ways per window" name="Bytes" .points=${points} .open=${openOf(points)} .step=${stepOf(points)} quantity="bytes"
      height=${this.compact ? 110 : 150} gap="no traffic seen"></net-series></div></section>`
  }

  #exporters(one: DependencyDetail) {
    return html`<section><h2>Seen by</h2><table class="plain"><thead><tr><th scope="col">Exporter</th><th scope="col">Volumes</th><th scope="col" class="num">Records</th><th scope="col">Last seen</th></tr></thead><tbody>
      ${one.exporters.map(
        (exporter) =>
          html`<tr><td><net-address text=${exporter.address}></net-address></td><td title=${exporter.owner ? "Its volumes count; the others' are kept as observations" : "Kept as an observation, not added"}>${
            exporter.owner ? "counted" : html`<span class="muted">observed</span>`
          }</td><td class="num"><net-value .value=${exporter.records}></net-value></td><td><net-time .at=${exporter.lastSeen}></net-time></td></tr>`
      )}</tbody></table>${savedLine(one)}</section>`
  }

  #spans(one: DependencyDetail) {
    return html`<section><h2>Valid</h2><table class="plain"><thead><tr><th scope="col">Since</th><th scope="col">Until</th></tr></thead><tbody>
      ${one.spans.toReversed().map((span) => html`<tr><td><net-time .at=${span.since}></net-time></td><td>${span.until === null ? "now" : html`<net-time .at=${span.until}></net-time>`}</td></tr>`)}
    </tbody></table></section>`
  }
}
customElements.define("dependency-sheet", DependencySheet)

/** What was not added because another exporter's volumes count. */
const savedLine = (one: DependencyDetail) => {
  const spared = one.exporters.filter((exporter) => exporter.sparedBytes > 0n)
  if (spared.length === 0) return nothing
  return html`<p class="pad muted">Also seen by ${spared.map(
    (exporter, i) =>
      html`${i === 0 ? "" : ", "}<span class="mono">${exporter.address}</span>: <net-value .value=${exporter.sparedBytes} quantity="bytes" .sampling=${one.sampling}></net-value> not counted again`
  )}.</p>`
}

const end = (one: DependencyEnd) =>
  html`<net-type-mark type=${one.type} ?external=${!one.internal}></net-type-mark><a class="link" href=${paths.asset(one.id)}>${one.name}</a>${
    one.name === one.address ? nothing : html`<net-address text=${one.address}></net-address>`
  }`

/** The newest window while it still fills; a smaller total there is no drop in traffic. */
const openOf = (points: ReadonlyArray<{ readonly at: number }>): number | undefined => {
  const last = points.at(-1)?.at
  return last !== undefined && last + stepOf(points) > Date.now() ? last : undefined
}
