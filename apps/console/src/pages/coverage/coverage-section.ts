/**
 * How well one exporter was heard, or one network looked at: since when nobody looks, the heat strip of a day or a week, and who sees it.
 *
 * Properties: `exporter` its id, or `subnet`; `heading` level 2 is ours; `compact` for an inspector.
 */

import { DateTime } from "effect"
import { css, html, LitElement, nothing } from "lit"
import type { CoverageReport } from "#domain/CoverageReport.ts"
import type { ExporterId } from "#domain/ids.ts"
import { millisOf } from "../../format/time.ts"
import { Subject } from "../../rpc/Subject.ts"
import { show } from "../../rpc/show.ts"
import { sheet } from "../../style/sheet.ts"
import { pageStyle } from "../page-style.ts"
import "../../chart/net-heat-strip.ts"
import "../../ui/net-empty.ts"
import "../../ui/net-status.ts"
import "../../ui/net-time.ts"
import "../../ui/net-value.ts"

const spans = {
  day: { words: "24 h", seconds: 86_400, cellSeconds: 300, lineSeconds: 3600, along: "down" },
  week: { words: "7 d", seconds: 7 * 86_400, cellSeconds: 3600, lineSeconds: 86_400, along: "across" }
} as const
type Span = keyof typeof spans

/** Where its first cell stands that is not from before anything was heard, ms. */
const heardFrom = ({ cells }: CoverageReport): number | undefined => {
  const first = cells.find(({ reasons, state }) => state !== "blind" || reasons[0] !== "not heard yet")
  return first === undefined ? undefined : millisOf(first.at)
}

export class CoverageSection extends LitElement {
  static override readonly properties = { exporter: {}, subnet: {}, span: { state: true }, turn: { state: true } }
  declare exporter: string | undefined
  declare subnet: string | undefined
  declare span: Span
  /** The minute that was asked for: a strip that stands for long moves on. */
  declare turn: number
  #clock: ReturnType<typeof setInterval> | undefined

  static override readonly styles = [
    sheet,
    pageStyle,
    css`
      :host { display: block; height: auto; }
      .strip { padding: 0 var(--s-5) var(--s-4); }
      .blind { display: flex; gap: var(--s-3); align-items: baseline; padding: 0 var(--s-5) var(--s-3); }
      .spans { display: flex; gap: var(--s-1); }
      .spans button { height: 24px; padding: 0 var(--s-3); }
      .spans button[aria-pressed="true"] { background: var(--select); border-color: var(--accent); }
      table.plain { font: var(--t-12); }
    `
  ]

  constructor() {
    super()
    this.span = "day"
    this.turn = Math.floor(Date.now() / 60_000)
  }

  readonly #report = Subject.call<CoverageReport, unknown>(
    this,
    {
      what: "the coverage ledger",
      key: () => `${this.exporter ?? ""} ${this.subnet ?? ""} ${this.span} ${this.turn}`,
      isEmpty: (report) => heardFrom(report) === undefined
    },
    () => {
      const { cellSeconds, seconds } = spans[this.span]
      const to = DateTime.makeUnsafe((this.turn + 1) * 60_000)
      const from = DateTime.makeUnsafe((this.turn + 1) * 60_000 - seconds * 1000)
      const about = this.exporter === undefined ? { subnet: this.subnet ?? "" } : { exporter: this.exporter as ExporterId }
      return (api) => api.CoverageList({ ...about, from, to, cellSeconds })
    }
  )

  override connectedCallback(): void {
    super.connectedCallback()
    this.#clock = setInterval(() => (this.turn = Math.floor(Date.now() / 60_000)), 60_000)
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearInterval(this.#clock)
  }

  override render() {
    return html`<section aria-labelledby="coverage"><div class="section-head"><h2 id="coverage">Coverage</h2><span class="gap"></span>
      <span class="spans" role="group" aria-label="Time">${(Object.keys(spans) as Array<Span>).map(
        (one) => html`<button aria-pressed=${one === this.span} @click=${() => (this.span = one)}>${spans[one].words}</button>`
      )}</span></div>
      ${show(this.#report, {
        rows: 4,
        quiet: true,
        live: (report) => this.#live(report),
        empty: () =>
          html`<net-empty kind="yet" heading="Nothing heard yet">How well it is heard stands here from its first datagram on.</net-empty>`
      })}</section>`
  }

  #live(report: CoverageReport) {
    const { blind, cells, observers } = report
    const { along, cellSeconds, lineSeconds, words } = spans[this.span]
    // cells shorter than ours come folded, longer ones as they are
    const length = Math.max(cellSeconds, ...cells.slice(0, 3).map(({ seconds }) => seconds))
    return html`${
      blind === null
        ? nothing
        : html`<p class="blind"><net-status status="unknown" mark-only label="not looking"></net-status><span>Not looking since ${
            blind.since === null ? "before the ledger began" : html`<net-time .at=${blind.since}></net-time>`
          }: ${blind.why}. What is not seen meanwhile is not called gone.</span></p>`
    }
      <div class="strip"><net-heat-strip label=${`Coverage over the last ${words}`} along=${along} lineSeconds=${lineSeconds} cellSeconds=${length} .from=${heardFrom(report) ?? 0}
        .cells=${cells.map((cell) => ({ ...cell, at: millisOf(cell.at) }))}></net-heat-strip></div>
      ${
        observers.length === 0
          ? nothing
          : html`<table class="plain" aria-label="Who sees it"><thead><tr><th scope="col">Seen by</th><th scope="col">Now</th><th scope="col" class="num">Records</th></tr></thead>
            <tbody>${observers.map(
              (
                one
              ) => html`<tr><td>${one.name ?? html`<span class="mono">${one.address}</span>`}</td><td>${one.looking ? "looking" : "not looking"}</td>
              <td class="num"><net-value .value=${one.records}></net-value></td></tr>`
            )}</tbody></table>`
      }`
  }
}
customElements.define("coverage-section", CoverageSection)
