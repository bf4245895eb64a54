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

type Serves = "server" | "client" | "evidence"

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
    const { declaration, port, protocol, server } = this.dependency
    const why = refusal("dependencies.write")
    const end = `${server.address} ${portText(port, protocol)}`
    const button = (serves: Serves, words: string, title: string) =>
      html`<button type="button" aria-disabled=${why === undefined && !this.busy ? "false" : "true"} title=${why ?? title}
        @click=${() => this.#declare(serves, why)}>${words}</button>`
    return html`${
      declaration === null
        ? html`<p class="note">Wrong? Your word outranks all evidence, for everybody who speaks with that address and port.</p>`
        : html`<p class="note"><b>${declaration.by}</b> declared <net-time .at=${declaration.at}></net-time> that ${end} serves${declaration.note === null ? "" : `: ${declaration.note}`}.</p>`
    }<p class="actions">${
      declaration === null
        ? html`${button("server", "This end serves", `Declare that ${end} serves, whatever the evidence will say`)}
          ${button("client", "Flip it", "Declare that the port the client used serves, and turn the dependency round")}`
        : button("evidence", "Let the evidence decide", "Take the declaration back; what it turned turns back")
    }${why === undefined ? nothing : html`<span class="muted">${why}</span>`}</p>`
  }

  #declare(serves: Serves, why: string | undefined) {
    if (why !== undefined || this.busy) return
    const { id } = this.dependency
    this.busy = true
    act((api) => api.DependencyDeclare({ id, serves }))
      .then(
        () => {
          this.dispatchEvent(new ToastEvent(serves === "evidence" ? "The evidence decides again" : "Declared"))
          this.dispatchEvent(new Event("direction-declared"))
        },
        (error) => this.dispatchEvent(new ToastEvent(`Could not declare: ${faultOf(error).message}`, "warning"))
      )
      .finally(() => (this.busy = false))
  }
}
customElements.define("declare-direction", DeclareDirection)
