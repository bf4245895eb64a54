/** An operator's word on which end serves, and taking it back. Property: `dependency`. Event `direction-declared` when it was done. */
import { html, LitElement, nothing } from "lit"
import type { DependencyDetail } from "#domain/Dependency.ts"
import { portText } from "#domain/protocol.ts"
import { act } from "../../rpc/client.ts"
import { faultOf } from "../../rpc/Fault.ts"
import { refusal } from "../../session.ts"
import { sheet } from "../../style/sheet.ts"
import { ToastEvent } from "../../ui/events.ts"
import { pageStyle } from "../page-style.ts"
import { whyStyle } from "./why-style.ts"
import "../../ui/net-time.ts"

export class DeclareDirection extends LitElement {
  static override readonly properties = { dependency: { attribute: false }, busy: { state: true } }
  declare dependency: DependencyDetail
  declare busy: boolean

  static override readonly styles = [sheet, pageStyle, whyStyle]

  constructor() {
    super()
    this.busy = false
  }

  override render() {
    const { client, declaration, id, port, protocol, server } = this.dependency
    const why = refusal("dependencies.write")
    const end = { address: server.address, port, protocol: protocol as 6 | 17 | 132 }
    const name = `${server.address} ${portText(port, protocol)}`
    const button = (words: string, title: string, done: string, call: Parameters<typeof act>[0]) =>
      html`<button type="button" aria-disabled=${why === undefined && !this.busy ? "false" : "true"} title=${why ?? title}
        @click=${() => this.#declare(call, done, why)}>${words}</button>`
    return html`${
      declaration === null
        ? html`<p class="note">Wrong? Your word outranks all evidence, for everybody who speaks with that address and port.</p>`
        : html`<p class="note"><b>${declaration.by}</b> declared <net-time .at=${declaration.at}></net-time> that ${
            declaration.serves
              ? `${name} serves`
              : `${client.address}${declaration.port === 0 ? "" : ` ${portText(declaration.port, protocol)}`} never serves`
          }${declaration.note === null ? "" : `: ${declaration.note}`}.</p>`
    }<p class="actions">${
      declaration === null
        ? html`${button("This end serves", `Declare that ${name} serves, whatever the evidence will say`, "Declared", (api) => api.DependencyDeclare({ id, serves: "server" }))}
          ${button("Flip it", "Declare that the port the client used serves, and turn the dependency round", "Declared", (api) => api.DependencyDeclare({ id, serves: "client" }))}
          ${button("It never serves", `Declare that ${name} serves nobody: what is drawn to it turns round, or leaves the lists`, "Declared", (api) => api.DeclarationAdd({ ...end, serves: false }))}`
        : button(
            "Let the evidence decide",
            "Take the declaration back; what it turned turns back",
            "The evidence decides again",
            (api) => api.DeclarationRemove({ address: declaration.address, port: declaration.port, protocol: declaration.protocol })
          )
    }${why === undefined ? nothing : html`<span class="muted">${why}</span>`}</p>`
  }

  #declare(call: Parameters<typeof act>[0], done: string, why: string | undefined) {
    if (why !== undefined || this.busy) return
    this.busy = true
    act(call)
      .then(
        () => {
          this.dispatchEvent(new ToastEvent(done))
          this.dispatchEvent(new Event("direction-declared"))
        },
        (error) => this.dispatchEvent(new ToastEvent(`Could not declare: ${faultOf(error).message}`, "warning"))
      )
      .finally(() => (this.busy = false))
  }
}
customElements.define("declare-direction", DeclareDirection)
