/** An exporter before it sends: a dialog. Property: `open`. Event: `CloseEvent`. */
import { Schema } from "effect"
import { css, html, LitElement, nothing } from "lit"
import { Address } from "#domain/Address.ts"
import { type ExporterProtocol, exporterProtocolNames } from "#domain/Exporter.ts"
import { revise } from "../../place.ts"
import { act } from "../../rpc/client.ts"
import { faultOf } from "../../rpc/Fault.ts"
import { sheet } from "../../style/sheet.ts"
import { CloseEvent, ToastEvent } from "../../ui/events.ts"
import "../../ui/net-dialog.ts"

const protocols = Object.entries(exporterProtocolNames) as ReadonlyArray<[ExporterProtocol, string]>

export class AddExporter extends LitElement {
  static override readonly properties = { open: { type: Boolean }, fault: { state: true } }
  declare open: boolean
  declare fault: string | undefined

  static override readonly styles = [
    sheet,
    css`
      form { display: grid; gap: var(--s-4); }
      label { display: grid; gap: var(--s-2); font: var(--t-12); color: var(--muted); }
    `
  ]

  override render() {
    return html`<net-dialog heading="Add an exporter" ?open=${this.open}><form id="add" @submit=${this.#add}>
        <p class="muted">It is known by name and approved before its first datagram. Exporters that send appear by themselves.</p>
        <label>Address it sends from; of sFlow, its agent address<input name="address" class="mono" required autocomplete="off" spellcheck="false" placeholder="10.0.0.1" /></label>
        <label>Protocol<select name="protocol">${protocols.map(([key, name]) => html`<option value=${key} ?selected=${key === "ipfix"}>${name}</option>`)}</select></label>
        <label>Name<input name="name" maxlength="128" autocomplete="off" spellcheck="false" placeholder="core-rt-01" /></label>
        ${this.fault === undefined ? nothing : html`<p role="alert">${this.fault}</p>`}</form>
      <button slot="foot" @click=${() => this.dispatchEvent(new CloseEvent())}>Add none</button><button slot="foot" class="primary" @click=${() => this.renderRoot.querySelector<HTMLFormElement>("#add")?.requestSubmit()}>Add</button></net-dialog>`
  }

  readonly #add = (event: SubmitEvent) => {
    event.preventDefault()
    const form = event.target as HTMLFormElement
    const read = new FormData(form)
    const address = String(read.get("address")).trim()
    const name = String(read.get("name")).trim()
    if (!Schema.is(Address)(address)) {
      this.fault = `${address} is not an IPv4 or IPv6 address in its shortest form.`
      return
    }
    const protocol = String(read.get("protocol")) as ExporterProtocol
    act((api) => api.ExporterAdd({ address, protocol, name: name === "" ? null : name })).then(
      (id) => {
        this.fault = undefined
        form.reset()
        this.dispatchEvent(new ToastEvent(`${name === "" ? address : name} is expected`))
        this.dispatchEvent(new CloseEvent())
        revise({ select: id })
      },
      (error) => (this.fault = faultOf(error).message)
    )
  }
}
customElements.define("add-exporter", AddExporter)
