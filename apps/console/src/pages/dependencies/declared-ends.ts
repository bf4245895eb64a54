/**
 * What operators declared to serve, or never to, with a form for another one and a way to take each back. Property: `addresses`, of one asset; absent:
 * all there are. Event `direction-declared` when something was declared or taken back.
 */
import { css, html, LitElement, nothing } from "lit"
import { type Address, canonicalAddress } from "#domain/Address.ts"
import type { Declaration } from "#domain/Dependency.ts"
import { portText } from "#domain/protocol.ts"
import { plural } from "../../format/number.ts"
import { act } from "../../rpc/client.ts"
import { faultOf } from "../../rpc/Fault.ts"
import { Subject } from "../../rpc/Subject.ts"
import { show } from "../../rpc/show.ts"
import { refusal } from "../../session.ts"
import { sheet } from "../../style/sheet.ts"
import { ToastEvent } from "../../ui/events.ts"
import { pageStyle } from "../page-style.ts"
import { settingsStyle } from "../settings/settings-style.ts"
import "../../ui/net-address.ts"
import "../../ui/net-status.ts"
import "../../ui/net-time.ts"

const protocols = [
  [6, "TCP"],
  [17, "UDP"],
  [132, "SCTP"]
] as const

export class DeclaredEnds extends LitElement {
  static override readonly properties = {
    addresses: { attribute: false },
    open: { state: true },
    never: { state: true },
    fault: { state: true }
  }
  declare addresses: ReadonlyArray<Address> | undefined
  declare open: boolean
  /** The form says so. */
  declare never: boolean
  declare fault: string | undefined

  readonly #all = Subject.call<ReadonlyArray<Declaration>, unknown>(
    this,
    { what: "what was declared", follow: "map" },
    () => (api) => api.DeclarationList()
  )

  static override readonly styles = [sheet, pageStyle, settingsStyle, css`:host { height: auto; }`]

  constructor() {
    super()
    this.open = false
    this.never = false
  }

  override render() {
    const why = refusal("dependencies.write")
    return html`<div class="bar"><span class="muted">${
      this.addresses === undefined
        ? "An operator's word on who serves outranks all evidence, for everybody who speaks with that address and port."
        : "Your word on what serves outranks all evidence."
    }</span><span class="gap"></span><button type="button" aria-expanded=${this.open ? "true" : "false"} aria-disabled=${why === undefined ? "false" : "true"} title=${why ?? "Say that an address and port serves, or never does, seen or not"}
        @click=${() => why === undefined && ((this.open = !this.open))}>${this.open ? "Declare none" : "Declare a service"}</button></div>
      ${this.open ? this.#form() : nothing}
      ${show(this.#all, { rows: 2, quiet: true, live: (all) => this.#table(all, why) })}`
  }

  #form() {
    const own = this.addresses ?? []
    return html`<form class="form" @submit=${this.#declare}>
      <label>Address${
        own.length === 0
          ? html`<input name="address" required autocomplete="off" spellcheck="false" />`
          : html`<select name="address">${own.map((one) => html`<option>${one}</option>`)}</select>`
      }</label>
      <label>Word<select name="serves" @change=${(event: Event) => (this.never = (event.target as HTMLSelectElement).value === "never")}><option value="serves">serves</option><option value="never">never serves</option></select></label>
      <label>Port<input name="port" type="number" min="1" max="65535" ?required=${!this.never} placeholder=${this.never ? "any" : ""} /></label>
      <label>Protocol<select name="protocol">${protocols.map(([number, name]) => html`<option value=${number}>${name}</option>`)}</select></label>
      <label>Why<input name="note" maxlength="500" autocomplete="off" /></label>
      <button class="primary" type="submit">Declare</button>
      ${this.fault === undefined ? nothing : html`<span class="fault" role="alert"><net-status status="down" mark-only label="refused"></net-status>${this.fault}</span>`}
    </form>`
  }

  #table(all: ReadonlyArray<Declaration>, why: string | undefined) {
    const own = this.addresses
    const shown = own === undefined ? all : all.filter((one) => own.includes(one.address))
    if (shown.length === 0)
      return own === undefined ? html`<p class="pad muted"><br />Nothing was declared: the evidence decides.</p>` : nothing
    return html`<div class="scroll-x"><table class="plain controls"><caption class="sr">Declared services</caption><thead><tr><th scope="col">Declared</th><th scope="col">By</th><th scope="col">When</th><th scope="col">Why</th><th scope="col"><span class="sr">Actions</span></th></tr></thead><tbody>
      ${shown.map(
        (
          one
        ) => html`<tr><td><net-address text=${one.address}></net-address> <span class="mono sub">${one.port === 0 ? `any ${portText(0, one.protocol)} port` : portText(one.port, one.protocol)}</span>${one.serves ? nothing : " never serves"}</td><td>${one.by}</td><td><net-time .at=${one.at}></net-time></td><td>${one.note ?? "–"}</td>
        <td><span class="row-actions"><button type="button" class="text" aria-disabled=${why === undefined ? "false" : "true"} title=${why ?? "The evidence decides again; what this turned turns back"} @click=${() => why === undefined && this.#remove(one)}>Remove</button></span></td></tr>`
      )}
    </tbody></table></div>`
  }

  readonly #declare = (event: SubmitEvent) => {
    event.preventDefault()
    const read = new FormData(event.target as HTMLFormElement)
    const address = canonicalAddress(String(read.get("address")).trim())
    if (address === undefined) {
      this.fault = "this is no IP address"
      return
    }
    const port = Number(read.get("port"))
    const protocol = Number(read.get("protocol")) as 6 | 17 | 132
    const note = String(read.get("note")).trim()
    const serves = read.get("serves") !== "never"
    act((api) =>
      api.DeclarationAdd({ address: address as Address, port, protocol, serves, ...(note === "" ? {} : { note }) })
    ).then(
      ({ turned }) => {
        this.open = false
        this.never = false
        this.fault = undefined
        this.#done(`Declared${turned === 0 ? "" : `, and ${plural(turned, "dependency", "dependencies")} turned round`}`)
      },
      (error) => (this.fault = faultOf(error).message)
    )
  }

  #remove({ address, port, protocol }: Declaration) {
    act((api) => api.DeclarationRemove({ address, port, protocol })).then(
      () => this.#done(`The evidence decides on ${address} ${portText(port, protocol)} again`),
      (error) => this.dispatchEvent(new ToastEvent(`Could not take it back: ${faultOf(error).message}`, "warning"))
    )
  }

  #done(words: string) {
    this.dispatchEvent(new ToastEvent(words))
    this.#all.retry()
    this.dispatchEvent(new Event("direction-declared"))
  }
}
customElements.define("declared-ends", DeclaredEnds)
