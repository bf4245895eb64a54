/** Captures of an exporter: the last datagrams at once, the next ones as they come; fetch the file. Property: `exporter`. */
import { css, html, LitElement, nothing } from "lit"
import type { Capture } from "#domain/Capture.ts"
import { LONGEST_CAPTURE_SECONDS, MOST_CAPTURED } from "#domain/capture-limits.ts"
import type { Exporter } from "#domain/Exporter.ts"
import { alone, plural } from "../../format/number.ts"
import { act } from "../../rpc/client.ts"
import { faultOf } from "../../rpc/Fault.ts"
import { Subject } from "../../rpc/Subject.ts"
import { refusal } from "../../session.ts"
import { sheet } from "../../style/sheet.ts"
import { ToastEvent } from "../../ui/events.ts"
import { pageStyle } from "../page-style.ts"
import "../../ui/net-status.ts"
import "../../ui/net-time.ts"

export class ExporterCaptures extends LitElement {
  static override readonly properties = { exporter: { attribute: false } }
  declare exporter: Exporter

  readonly #captures = Subject.watch<ReadonlyArray<Capture>, unknown>(
    this,
    { what: "the captures", key: () => this.exporter.id, forget: true },
    () => {
      const { id } = this.exporter
      return (api) => api.CapturesWatch({ id })
    }
  )

  static override readonly styles = [
    sheet,
    pageStyle,
    css`
      :host { display: block; height: auto; }
      form { display: flex; gap: var(--s-2) var(--s-3); align-items: center; flex-wrap: wrap; padding: 0 var(--s-5) var(--s-4); }
      input { width: 5rem; }
      li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 var(--s-4); align-items: center; border-top: var(--hair) solid var(--line); padding: var(--s-2) var(--s-5); min-height: var(--row); }
      .what { display: flex; flex-wrap: wrap; gap: 0 var(--s-3); align-items: baseline; }
      .do { display: flex; gap: var(--s-4); }
      progress { width: 8rem; height: 6px; accent-color: var(--accent); }
      a.link { display: inline-flex; min-height: 24px; align-items: center; }
    `
  ]

  override render() {
    const why = refusal("exporters.write")
    const all = this.#captures.value ?? []
    const running = all.some(({ state }) => state === "running")
    const held = why ?? (running ? "one of this exporter is running" : undefined)
    return html`<section><div class="section-head"><h2>Capture</h2>${why === undefined ? nothing : html`<span class="muted">${why}</span>`}</div>
      <form @submit=${this.#start}><label for="last">Last</label><input id="last" name="last" type="number" min="0" max=${MOST_CAPTURED} value="100" required title="Of a busy exporter some of each second are kept" ?disabled=${why !== undefined} />
        <label for="next">and next</label><input id="next" name="next" type="number" min="0" max=${MOST_CAPTURED} value="0" required ?disabled=${why !== undefined} />
        <label for="within">within</label><input id="within" name="seconds" type="number" min="1" max=${LONGEST_CAPTURE_SECONDS} value="30" required ?disabled=${why !== undefined} /> s
        <button type="submit" aria-disabled=${held === undefined ? "false" : "true"} title=${held ?? "Puts them into a pcap file, the malformed and refused ones too"}>Capture</button></form>
      <ul>${all.map((one) => this.#capture(one, why))}</ul></section>`
  }

  #capture(one: Capture, why: string | undefined) {
    const href = `/api/v1/exporters/${one.exporter}/captures/${one.id}.pcap`
    const end = html`<button class="text" aria-disabled=${why === undefined ? "false" : "true"} title=${why ?? ""} @click=${() => why ?? this.#end(one)}>${one.state === "running" ? "Stop" : "Remove"}</button>`
    if (one.state === "running") {
      return html`<li><span class="what"><progress max=${one.wanted} value=${one.datagrams} aria-label="Datagrams captured"></progress><span>${one.datagrams} of ${one.wanted}</span><span class="muted">until <net-time .at=${one.endsAt}></net-time></span></span><span class="do">${end}</span></li>`
    }
    if (one.state !== "ready") {
      return html`<li><span class="what"><net-status status=${one.state === "failed" ? "degraded" : "unknown"} label=${one.state === "failed" ? "the file could not be written" : "no datagram came"}></net-status><net-time .at=${one.startedAt}></net-time></span><span class="do">${end}</span></li>`
    }
    return html`<li><span class="what"><span>${plural(one.datagrams, "datagram")}</span><span class="muted">${alone("bytes", one.octets)}, <net-time .at=${one.startedAt}></net-time>${one.expiresAt === null ? nothing : html`; kept until <net-time .at=${one.expiresAt}></net-time>`}</span></span>
      <span class="do">${why === undefined ? html`<a class="link" href=${href} download=${`exporter-${one.exporter}-${one.id}.pcap`}>Download pcap</a>` : nothing}${end}</span></li>`
  }

  readonly #start = (event: SubmitEvent) => {
    event.preventDefault()
    if (refusal("exporters.write") !== undefined) return
    const read = new FormData(event.target as HTMLFormElement)
    const [last, next, seconds] = ["last", "next", "seconds"].map((name) => Number(read.get(name))) as [number, number, number]
    if (last + next === 0)
      return void this.dispatchEvent(new ToastEvent("say how many datagrams: of the last or of the next", "warning"))
    const request = { last, next, seconds }
    const { id } = this.exporter
    act((api) => api.CaptureStart({ id, request })).catch((error: unknown) =>
      this.dispatchEvent(new ToastEvent(faultOf(error).message, "warning"))
    )
  }

  #end({ id }: Capture): void {
    act((api) => api.CaptureEnd({ id })).catch((error: unknown) =>
      this.dispatchEvent(new ToastEvent(faultOf(error).message, "warning"))
    )
  }
}
customElements.define("exporter-captures", ExporterCaptures)
