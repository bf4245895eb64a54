/** Real conversations behind a dependency, oldest first. Property: `flows`. */
import { css, html, LitElement } from "lit"
import type { EvidenceFlow } from "#domain/Dependency.ts"
import { unitForAll } from "../../format/number.ts"
import { sheet } from "../../style/sheet.ts"
import { pageStyle } from "../page-style.ts"
import "../../ui/net-address.ts"
import "../../ui/net-time.ts"
import "../../ui/net-value.ts"

const letters = ["F", "S", "R", "P", "A", "U", "E", "C"]

/** TCP flags in the order of their bits (RFC 9293 §3.1), a dot for each that was not there; – for none at all. */
export const flagText = (flags: number): string =>
  flags === 0 ? "–" : letters.map((letter, bit) => ((flags >> bit) & 1 ? letter : "·")).join("")

export class EvidenceFlows extends LitElement {
  static override readonly properties = { flows: { attribute: false } }
  declare flows: ReadonlyArray<EvidenceFlow>

  static override readonly styles = [sheet, pageStyle, css`td { white-space: nowrap; }`]

  override render() {
    if (this.flows.length === 0)
      return html`<h2 class="section-head">Evidence flows</h2><p class="pad muted">None kept yet: the first is kept when it is next seen.</p>`
    const bytes = unitForAll(
      "bytes",
      this.flows.flatMap((flow) => [flow.bytesToServer, flow.bytesToClient])
    )
    const packets = unitForAll(
      "count",
      this.flows.map((flow) => flow.packetsToServer + flow.packetsToClient)
    )
    return html`<h2 class="section-head">Evidence flows</h2>
      <div class="scroll-x"><table class="plain"><thead><tr><th scope="col">Last packet</th><th scope="col">Client</th><th scope="col">Server</th><th scope="col" class="num">To server ${bytes.name}</th><th scope="col" class="num">To client ${bytes.name}</th><th scope="col" class="num">Packets ${packets.name}</th><th scope="col">Flags</th><th scope="col">Exporter</th></tr></thead>
      <tbody>${this.flows.map(
        (flow) => html`<tr>
          <td title=${`first packet ${String(flow.first)}`}><net-time .at=${flow.last}></net-time></td>
          <td title=${flow.clientPorts > 1 ? `${flow.clientPorts} ports in one window; the first is shown` : "one connection"}><span class="mono">${end(flow.clientAddress, flow.clientPort)}</span>${
            flow.clientPorts > 1 ? html` <span class="muted">+${flow.clientPorts - 1}</span>` : ""
          }</td>
          <td><span class="mono">${end(flow.serverAddress, flow.serverPort)}</span></td>
          <td class="num"><net-value .value=${flow.bytesToServer} quantity="bytes" .unit=${bytes} .sampling=${flow.sampling}></net-value></td>
          <td class="num"><net-value .value=${flow.bytesToClient} quantity="bytes" .unit=${bytes} .sampling=${flow.sampling}></net-value></td>
          <td class="num"><net-value .value=${flow.packetsToServer + flow.packetsToClient} .unit=${packets} .sampling=${flow.sampling}></net-value></td>
          <td class="mono" title="TCP flags of the client, then of the server">${flagText(flow.flagsToServer)} ${flagText(flow.flagsToClient)}</td>
          <td><net-address text=${flow.exporter}></net-address></td></tr>`
      )}</tbody></table></div>
      <p class="pad muted">${this.flows.length} of at most 16 that are kept: the first, the latest, and a fair sample of the hours between.</p>`
  }
}
customElements.define("evidence-flows", EvidenceFlows)

const end = (address: string, port: number): string => (address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`)
