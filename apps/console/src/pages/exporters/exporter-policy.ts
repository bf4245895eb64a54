/** What is decided about an exporter: let in or not, which sampling rate counts, when its silence is an alarm. Property: `exporter`. */

import { Schema } from "effect"
import { css, html, LitElement, nothing } from "lit"
import type { Exporter } from "#domain/Exporter.ts"
import { type Approval, type SamplingMode, SamplingOverride } from "#domain/ExporterPolicy.ts"
import { exactly } from "../../format/number.ts"
import { paths } from "../../paths.ts"
import { go } from "../../place.ts"
import { act } from "../../rpc/client.ts"
import { faultOf } from "../../rpc/Fault.ts"
import { refusal } from "../../session.ts"
import { sheet } from "../../style/sheet.ts"
import { ToastEvent } from "../../ui/events.ts"
import { pageStyle } from "../page-style.ts"
import { changeExporter, exporterName } from "./change-exporter.ts"
import "../../ui/net-dialog.ts"
import "../../ui/net-time.ts"
import "../../ui/net-value.ts"

const said: Record<Approval, string> = { approved: "approved", blocked: "blocked", new: "undecided again" }
const actions: ReadonlyArray<readonly [Approval, string, string]> = [
  ["approved", "Approve", "Its flows become the map, and its silence an alarm"],
  ["blocked", "Block", "Its datagrams are refused and counted; what it told so far stays"]
]
const modes: ReadonlyArray<readonly [SamplingMode, string]> = [
  ["only-unsaid", "where it says nothing"],
  ["replaces", "whatever it says"]
]

export class ExporterPolicyForm extends LitElement {
  static override readonly properties = { exporter: { attribute: false }, asking: { state: true }, fault: { state: true } }
  declare exporter: Exporter
  declare asking: boolean
  declare fault: string | undefined

  static override readonly styles = [
    sheet,
    pageStyle,
    css`
      :host { display: block; height: auto; }
      form { display: flex; gap: var(--s-2) var(--s-3); align-items: center; flex-wrap: wrap; }
      input[type="number"] { width: 6.5rem; }
      dd > span.buttons { display: flex; gap: var(--s-3); flex-wrap: wrap; }
      label.check { display: inline-flex; gap: var(--s-3); align-items: baseline; padding-block: 3px; }
      label.check input { align-self: center; }
      .fault { color: var(--text); flex-basis: 100%; }
    `
  ]

  override render() {
    const one = this.exporter
    const why = refusal("exporters.write")
    const { approval, decidedAt, decidedBy, sampling, silenceSeconds, silentAlarm } = one.policy
    const off = why === undefined ? "false" : "true"
    return html`<section><div class="section-head"><h2>Policy</h2>${why === undefined ? nothing : html`<span class="muted">${why}</span>`}</div><dl class="facts">
      <dt>Approval</dt><dd><span>${approval === "new" ? "new, unapproved" : approval}</span>${decidedAt === null ? nothing : html`<span class="muted">by ${decidedBy}, <net-time .at=${decidedAt}></net-time></span>`}
        <span class="buttons">${actions
          .filter(([to]) => to !== approval)
          .map(
            ([to, word, title]) =>
              html`<button class=${to === "approved" && approval === "new" ? "primary" : ""} aria-disabled=${off} title=${why ?? title} @click=${() => why ?? this.#approve(to)}>${approval === "blocked" && to === "approved" ? "Unblock and approve" : word}</button>`
          )}${approval === "blocked" ? html`<button aria-disabled=${off} title=${why ?? "Undecided, as at its first datagram"} @click=${() => why ?? this.#approve("new")}>Unblock</button>` : nothing}</span></dd>
      ${one.blocked > 0n || approval === "blocked" ? html`<dt>Refused</dt><dd><net-value exact .value=${one.blocked}></net-value><span class="muted">datagrams since the start</span></dd>` : nothing}
      ${one.withheld > 0n ? html`<dt>Kept off the map</dt><dd><net-value exact .value=${one.withheld}></net-value><span class="muted">flow records, for want of approval</span></dd>` : nothing}
      <dt><label for="rate">Sampling</label></dt><dd><form @submit=${this.#sample}>1 of <input id="rate" name="rate" type="number" min="1" max="4294967295" inputmode="numeric" placeholder="as said" .value=${sampling === null ? "" : String(sampling.rate)} ?disabled=${why !== undefined} />
        <select name="mode" aria-label="When the override counts" ?disabled=${why !== undefined}>${modes.map(([mode, word]) => html`<option value=${mode} ?selected=${mode === sampling?.mode}>${word}</option>`)}</select>
        <button type="submit" aria-disabled=${off} aria-label="Set the sampling rate" title=${why ?? "An empty rate takes the override away"}>Set</button></form>
        ${this.fault === undefined ? nothing : html`<span class="fault" role="alert">${this.fault}</span>`}</dd>
      <dt><label for="silence">Silent after</label></dt><dd><form @submit=${this.#silence}><input id="silence" name="seconds" type="number" min="10" max="604800" inputmode="numeric" placeholder="default" .value=${silenceSeconds === null ? "" : String(silenceSeconds)} ?disabled=${why !== undefined} /> s
        <button type="submit" aria-disabled=${off} aria-label="Set the silence limit" title=${why ?? "Empty: exporters.silence_seconds"}>Set</button></form></dd>
      <dt>Alarm</dt><dd><label class="check"><input type="checkbox" .checked=${silentAlarm} ?disabled=${why !== undefined} @change=${this.#alarm} />its silence is a health warning</label></dd>
      <dt>Forget</dt><dd><button class="text" aria-disabled=${off} title=${why ?? "Its row, name and policy go"} @click=${() => {
        if (why === undefined) this.asking = true
      }}>Forget this exporter</button></dd></dl></section>
      <net-dialog heading="Forget ${exporterName(one)}?" ?open=${this.asking} @net-close=${(event: Event) => {
        event.stopPropagation()
        this.asking = false
      }}><p>Its name, policy and counters go; dependencies that it told stay. ${one.state === "heard" || one.state === "waiting" ? "It sends still, and will be back as a new exporter within a second: block it to keep it out." : "Should it send again, it is new."}</p>
        <button slot="foot" @click=${() => (this.asking = false)}>Keep it</button><button slot="foot" class="primary" @click=${this.#forget}>Forget</button></net-dialog>`
  }

  #approve(approval: Approval): void {
    changeExporter(this, this.exporter, { approval }, `${exporterName(this.exporter)} is ${said[approval]}`)
  }

  readonly #sample = (event: SubmitEvent) => {
    event.preventDefault()
    if (refusal("exporters.write") !== undefined) return
    const read = new FormData(event.target as HTMLFormElement)
    const text = String(read.get("rate")).trim()
    const sampling = text === "" ? null : { rate: Number(text), mode: String(read.get("mode")) as SamplingMode }
    if (sampling !== null && !Schema.is(SamplingOverride)(sampling)) {
      this.fault = "A whole number from 1 (unsampled) to 4\u202f294\u202f967\u202f295; empty takes the override away."
      return
    }
    this.fault = undefined
    const name = exporterName(this.exporter)
    changeExporter(
      this,
      this.exporter,
      { sampling },
      sampling === null ? `${name}: sampling as it says` : `${name}: 1 of ${exactly(sampling.rate)}`
    )
  }

  readonly #silence = (event: SubmitEvent) => {
    event.preventDefault()
    if (refusal("exporters.write") !== undefined) return
    const text = String(new FormData(event.target as HTMLFormElement).get("seconds")).trim()
    const silenceSeconds = text === "" ? null : Number(text)
    const name = exporterName(this.exporter)
    changeExporter(
      this,
      this.exporter,
      { silenceSeconds },
      silenceSeconds === null ? `${name}: silent after the default` : `${name}: silent after ${silenceSeconds} s`
    )
  }

  readonly #alarm = (event: Event) => {
    const silentAlarm = (event.target as HTMLInputElement).checked
    const name = exporterName(this.exporter)
    changeExporter(this, this.exporter, { silentAlarm }, `${name}: silence is ${silentAlarm ? "an alarm" : "no alarm"}`)
  }

  readonly #forget = () => {
    const one = this.exporter
    this.asking = false
    act((api) => api.ExporterForget({ id: one.id })).then(
      () => {
        this.dispatchEvent(new ToastEvent(`${exporterName(one)} is forgotten`))
        go(paths.exporters())
      },
      (error) => this.dispatchEvent(new ToastEvent(`Could not forget: ${faultOf(error).message}`, "warning"))
    )
  }
}
customElements.define("exporter-policy", ExporterPolicyForm)
