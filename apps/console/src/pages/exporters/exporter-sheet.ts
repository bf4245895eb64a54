/**
 * One exporter: how well it is heard, what the coach says of it, what is decided about it, captures, what it lost and when, what we cannot
 * read of it, its templates field by field.
 * Properties: `exporter`; `history` of its last hour; `compact` for the inspector, else a page of its own.
 */
import { css, html, LitElement, nothing } from "lit"
import { type Exporter, type ExporterHistory, exporterProtocolNames, type TemplateSummary } from "#domain/Exporter.ts"
import { plural } from "../../format/number.ts"
import { millisOf } from "../../format/time.ts"
import { paths } from "../../paths.ts"
import { Subject } from "../../rpc/Subject.ts"
import { show, staleLine } from "../../rpc/show.ts"
import { refusal } from "../../session.ts"
import { sheet } from "../../style/sheet.ts"
import "../coverage/coverage-section.ts"
import { disclosure } from "../../ui/disclosure.ts"
import { inspectorHead } from "../inspector.ts"
import { pageStyle } from "../page-style.ts"
import { changeExporter, exporterName } from "./change-exporter.ts"
import { elementName, lengthText, samplingText, skewText, standingOf, unknownName } from "./exporter-words.ts"
import "../../ui/net-address.ts"
import "../../ui/net-status.ts"
import "../../ui/net-time.ts"
import "../../ui/net-value.ts"
import "../../ui/net-empty.ts"
import "../../chart/net-series.ts"
import "./exporter-captures.ts"
import "./exporter-coach.ts"
import "./exporter-policy.ts"

/** Why something it sent is not on the map, and how much; what did not happen is left out. */
const asideOf = (one: Exporter): Readonly<Record<string, bigint>> =>
  Object.fromEntries(
    Object.entries({
      "records kept off until it is approved": one.withheld,
      "datagrams refused: it is blocked": one.blocked,
      "datagrams turned away: more than its share": one.overLimit,
      "records refused: too many conversations": one.recordsRefused,
      "records left out while the store lagged": one.recordsLeftOut,
      "records that came after their window was closed": one.recordsLate,
      "records of traffic that was denied": one.denied
    }).filter(([, count]) => count > 0n)
  )

export class ExporterSheet extends LitElement {
  static override readonly properties = {
    exporter: { attribute: false },
    history: { attribute: false },
    compact: { type: Boolean, reflect: true },
    renaming: { state: true }
  }
  declare exporter: Exporter
  declare history: ExporterHistory | undefined
  declare compact: boolean
  declare renaming: boolean

  readonly #templates = Subject.call<ReadonlyArray<TemplateSummary>, unknown>(
    this,
    // asked again when the exporter learned another one
    { what: "the templates", key: () => `${this.exporter.id} ${this.exporter.templates}`, isEmpty: (all) => all.length === 0 },
    () => {
      const { id } = this.exporter
      return (api) => api.ExporterTemplates({ id })
    }
  )

  static override readonly styles = [
    sheet,
    pageStyle,
    disclosure,
    css`
      section, exporter-coach, exporter-policy, exporter-captures, coverage-section { flex: none; }
      .chart { padding: 0 var(--s-5) var(--s-4); display: grid; gap: var(--s-4); }
      form { display: flex; gap: var(--s-2); align-items: center; flex-wrap: wrap; }
      form input { width: 12rem; }
      summary { display: flex; gap: var(--s-4); }
      summary .gap { flex: 1; }
      .fields { padding: 0 0 var(--s-3); }
    `
  ]

  override render() {
    const one = this.exporter
    if (this.compact)
      return html`${inspectorHead(exporterName(one), paths.exporter(one.id))}${this.#facts(one)}${this.#decide(one)}${this.#rest(one)}`
    return html`<div class="head"><h1>${exporterName(one)}</h1></div><div class="body"><div class="columns"><div>${this.#facts(one)}${this.#decide(one)}</div><div>${this.#rest(one)}</div></div></div>`
  }

  #facts(one: Exporter) {
    const [mark, word, title] = standingOf(one)
    return html`<section><dl class="facts">
      <dt>State</dt><dd><net-status status=${mark} label=${word}></net-status><span class="muted">${title}</span></dd>
      <dt>Name</dt><dd>${this.#name(one)}</dd>
      <dt>Address</dt><dd><net-address text=${one.address}></net-address></dd>
      <dt>Protocol</dt><dd>${exporterProtocolNames[one.protocol]}</dd>
      <dt>Rate</dt><dd><net-value .value=${one.recordsPerSecond} quantity="rate"></net-value><span class="muted">flow records, over the last minute</span></dd>
      <dt>Records</dt><dd><net-value exact .value=${one.records}></net-value></dd>
      <dt>Datagrams</dt><dd><net-value exact .value=${one.datagrams}></net-value></dd>
      <dt title="What the exporter's own sequence numbers say we did not get">Lost</dt><dd><net-value exact .value=${one.sequenceLost}></net-value><span class="muted">${one.protocol === "netflow5" || one.protocol === "ipfix" ? "records" : "datagrams"} missing by its sequence numbers</span></dd>
      <dt title="Its sequence began anew: it restarted">Restarts</dt><dd><net-value exact .value=${one.sequenceResets}></net-value></dd>
      ${one.clockJumps === 0n ? nothing : html`<dt title="By more than a minute">Clock set</dt><dd><net-value exact .value=${one.clockJumps}></net-value></dd>`}
      ${one.tunnelled === 0n ? nothing : html`<dt>Tunnelled</dt><dd><net-value exact .value=${one.tunnelled}></net-value><span class="muted">records, shown by what is inside</span></dd>`}
      <dt>Sampling</dt><dd>${samplingText(one.sampling)}${one.policy.sampling === null ? nothing : html`<span class="muted">${one.policy.sampling.mode === "replaces" ? "replaced by" : "else"} ${samplingText(one.policy.sampling.rate)}</span>`}</dd>
      <dt title="Arrival minus export time, smoothed">Clock skew</dt><dd>${skewText(one.clockSkewMs)}${one.clockSkewMs === null ? nothing : html`<span class="muted">flow times are corrected by it</span>`}</dd>
      <dt>Domains</dt><dd class="mono">${one.observationDomains.length === 0 ? "–" : one.observationDomains.join(", ")}</dd>
      ${
        one.state === "expected"
          ? html`<dt>Added</dt><dd><net-time .at=${one.firstSeen}></net-time></dd>`
          : html`<dt>First heard</dt><dd><net-time .at=${one.firstSeen}></net-time></dd>
      <dt>Last heard</dt><dd><net-time .at=${one.lastSeen}></net-time></dd>`
      }
    </dl></section>`
  }

  #name(one: Exporter) {
    const why = refusal("exporters.write")
    if (this.renaming) {
      return html`<form @submit=${this.#rename} @keydown=${(event: KeyboardEvent) => {
        if (event.key !== "Escape") return
        event.preventDefault()
        event.stopPropagation()
        this.renaming = false
      }}><input name="name" aria-label="Name of the exporter" maxlength="128" .value=${one.name ?? ""} autocomplete="off" spellcheck="false" />
        <button class="primary" type="submit">Rename</button><button type="button" @click=${() => (this.renaming = false)}>Keep</button></form>`
    }
    return html`${one.name ?? html`<span class="muted">none</span>`}<button class="text" aria-disabled=${why === undefined ? "false" : "true"} title=${why ?? "Give it a name"}
      @click=${() => {
        if (why !== undefined) return
        this.renaming = true
        void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLInputElement>("form input")?.select())
      }}>Rename</button>${why === undefined ? nothing : html`<span class="muted">${why}</span>`}`
  }

  readonly #rename = (event: SubmitEvent) => {
    event.preventDefault()
    const name = String(new FormData(event.target as HTMLFormElement).get("name")).trim()
    this.renaming = false
    changeExporter(this, this.exporter, { name: name === "" ? null : name }, name === "" ? "Name removed" : `Renamed to ${name}`)
  }

  /** What can be done about it: the coach, the policy, a look at its datagrams. */
  #decide(one: Exporter) {
    return html`<exporter-coach .exporter=${one}></exporter-coach><exporter-policy .exporter=${one}></exporter-policy><exporter-captures .exporter=${one}></exporter-captures>`
  }

  #rest(one: Exporter) {
    return html`${this.#gaps(one)}${this.#unread(one)}${this.#templatesOf(one)}`
  }

  #gaps(one: Exporter) {
    const { history } = this
    const records = one.protocol === "netflow5" || one.protocol === "ipfix"
    const from = history === undefined ? 0 : millisOf(history.from)
    const points = (values: ReadonlyArray<number | null>) =>
      values.flatMap((value, i) => (value === null ? [] : [{ at: from + i * 60_000, value }]))
    const series = (heading: string, name: string, values: ReadonlyArray<number | null>) =>
      html`<net-series heading=${heading} name=${name} quantity="count" step="60000" height="64" gap="not heard" .points=${points(values)} .from=${from} .until=${from + 3_600_000}></net-series>`
    return html`<coverage-section .exporter=${one.id}></coverage-section><section><div class="section-head"><h2>The last hour</h2></div>${
      history === undefined
        ? html`<p class="pad muted">Figures by the minute come with the first one.</p>`
        : html`<div class="chart">${series("Flow records a minute", "records", history.records)}${series(
            `${records ? "Records" : "Datagrams"} a minute missing by its sequence numbers`,
            "lost",
            history.lost
          )}</div>`
    }</section>`
  }

  #unread(one: Exporter) {
    return html`${this.#counts("Not on the map", "What it sent and what is not part of the map, since the start.", "All that was read is", asideOf(one), (key) => key)}
      ${this.#waiting(one)}${this.#counts("Malformed", "By reason; a bad set spoils itself, not the datagram.", "Nothing malformed", one.malformedReasons, (key) => key)}
      ${this.#counts("Unknown elements", "Fields that no table here names; they are skipped by their length.", "Every element is known", one.unknownElements, unknownName)}`
  }

  #templatesOf(one: Exporter) {
    return html`<section><div class="section-head"><h2>Templates</h2>${this.#templates.value === undefined ? nothing : html`<span class="muted">${this.#templates.value.length}</span>`}</div>
      ${staleLine(this.#templates)}${show(this.#templates, {
        rows: 2,
        quiet: true,
        live: (all) => html`${all.map((template) => this.#template(template))}`,
        empty: () =>
          one.protocol === "netflow5" || one.protocol === "sflow5"
            ? html`<p class="pad muted">${exporterProtocolNames[one.protocol]} has a fixed format: no templates.</p>`
            : html`<net-empty kind="yet" heading="No template learned yet">The exporter sends its templates on a timer; data sets wait for them. Shorten its template refresh to 60 s.</net-empty>`
      })}</section>`
  }

  #waiting(one: Exporter) {
    if (one.heldSets === 0 && one.heldDropped === 0n) return nothing
    return html`<section><h2>Waiting for their template</h2><dl class="facts">
      <dt>Waiting now</dt><dd>${plural(one.heldSets, "data set")}</dd><dt>Given up</dt><dd><net-value exact .value=${one.heldDropped}></net-value><span class="muted">since the start; the waiting room is bounded</span></dd></dl></section>`
  }

  #counts(
    heading: string,
    explained: string,
    none: string,
    counts: Readonly<Record<string, bigint>>,
    name: (key: string) => string
  ) {
    const entries = Object.entries(counts).sort(([, a], [, b]) => Number(b - a))
    return html`<section><div class="section-head"><h2>${heading}</h2>${entries.length === 0 ? html`<span class="muted">${none}</span>` : nothing}</div>
      ${
        entries.length === 0
          ? nothing
          : html`<table class="plain"><tbody>${entries.map(([key, count]) => html`<tr><td>${name(key)}</td><td class="num"><net-value .value=${count}></net-value></td></tr>`)}</tbody></table><p class="pad muted">${explained}</p>`
      }</section>`
  }

  #template(template: TemplateSummary) {
    return html`<details><summary><span class="mono">${template.templateId}</span><span>${template.kind === "options" ? "options" : "data"}</span><span class="muted">domain <span class="mono">${template.observationDomain}</span></span>
      <span class="gap"></span><span class="muted">${plural(template.fields.length, "field")}</span><net-time .at=${template.learnedAt}></net-time></summary>
      <table class="plain fields"><thead><tr><th scope="col">Element</th><th scope="col" class="num">Number</th><th scope="col" class="num">Length B</th></tr></thead><tbody>
      ${template.fields.map(([enterprise, element, length]) => html`<tr><td>${elementName(enterprise, element)}</td><td class="num mono">${enterprise === 0 ? element : `${enterprise}.${element}`}</td><td class="num">${lengthText(length)}</td></tr>`)}
      </tbody></table></details>`
  }
}
customElements.define("exporter-sheet", ExporterSheet)
