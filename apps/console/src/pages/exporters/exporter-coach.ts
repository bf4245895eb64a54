/**
 * What the coach says of an exporter: each finding with what it means for the map, the lines to change on the system chosen, and how one
 * sees that it worked. Property: `exporter`.
 */
import { css, html, LitElement, nothing } from "lit"
import type { Exporter } from "#domain/Exporter.ts"
import type { ExporterFinding } from "#domain/ExporterFinding.ts"
import { exporterAdvice } from "#domain/exporter-advice.ts"
import { linesFor, vendors } from "#domain/exporter-lines.ts"
import { Following } from "../../Cell.ts"
import { prefer, preferences } from "../../preferences.ts"
import { sheet } from "../../style/sheet.ts"
import { copy } from "../../ui/copy.ts"
import { disclosure } from "../../ui/disclosure.ts"
import { pageStyle } from "../page-style.ts"
import "../../ui/net-status.ts"

export class ExporterCoach extends LitElement {
  static override readonly properties = { exporter: { attribute: false } }
  declare exporter: Exporter

  static override readonly styles = [
    sheet,
    pageStyle,
    disclosure,
    css`
      :host { display: block; height: auto; }
      .section-head select { height: 24px; }
      summary { display: grid; grid-template-columns: 10px 10px minmax(0, 1fr); gap: 0 var(--s-3); padding-block: var(--s-3); }
      summary b { font-weight: 500; }
      summary .text { grid-column: 3; color: var(--muted); overflow-wrap: anywhere; }
      .advice { padding: 0 var(--s-5) var(--s-4) calc(var(--s-5) + 32px); display: grid; gap: var(--s-3); max-width: 46rem; }
      pre { margin: 0; padding: var(--s-3); background: var(--canvas); border: var(--hair) solid var(--line); border-radius: var(--radius); font: 400 0.75rem/1.125rem var(--mono); overflow-x: auto; }
      pre:focus-visible { outline-offset: -2px; }
      .lines { display: grid; gap: var(--s-2); }
      .lines > div { display: flex; align-items: baseline; gap: var(--s-3); }
      @media (max-width: 480px) { .advice { padding-left: var(--s-5); } }
    `
  ]

  constructor() {
    super()
    new Following(this, preferences)
  }

  override render() {
    const { findings, policy, state } = this.exporter
    return html`<section><div class="section-head"><h2>Coach</h2>${
      findings.length > 0
        ? html`<span class="muted">${findings.length}</span><span class="gap"></span><label class="sr" for="system">System of this exporter</label><select id="system" .value=${preferences.value.exporterSystem} @change=${(
            event: Event
          ) => prefer({ exporterSystem: (event.target as HTMLSelectElement).value })}>${vendors.map(
            ({ key, name }) => html`<option value=${key} ?selected=${key === preferences.value.exporterSystem}>${name}</option>`
          )}</select>`
        : html`<span class="muted">${
            policy.approval === "blocked"
              ? "Blocked: nothing of it is looked at"
              : state === "expected"
                ? "Nothing came yet"
                : "Nothing to improve in the last ten minutes"
          }</span>`
    }</div>${findings.map((finding) => this.#finding(finding))}</section>`
  }

  #finding({ code, severity, text }: ExporterFinding) {
    const { meaning, title, topic, worked } = exporterAdvice[code]
    const system = vendors.find(({ key }) => key === preferences.value.exporterSystem) ?? vendors[0]!
    const lines = linesFor(system.key, topic)
    return html`<details><summary><net-status status=${severity} label=${severity} mark-only></net-status><b>${title}</b><span class="text">${text}</span></summary>
      <div class="advice"><div><h3>What it means for your map</h3><p>${meaning}</p></div>
        <div class="lines"><div><h3>${topic === "appliance" ? "What to change on this appliance, as root" : `What to change on ${system.name}`}</h3>${
          lines === undefined
            ? nothing
            : html`<button class="text" @click=${(event: Event) => copy(event.currentTarget as EventTarget, lines)}>Copy</button>`
        }</div>
        ${lines === undefined ? html`<p class="muted">${system.name} has no setting for it.</p>` : html`<pre tabindex="0" aria-label="Lines to change">${lines}</pre>`}</div>
        <div><h3>How to see it worked</h3><p>${worked}</p></div></div></details>`
  }
}
customElements.define("exporter-coach", ExporterCoach)
