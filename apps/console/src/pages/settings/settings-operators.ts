/** People with access: add, change the role, set the password again, disable. */

import { Schema } from "effect"
import { html, LitElement, nothing } from "lit"
import type { Operator } from "#domain/Operator.ts"
import { OperatorName } from "#domain/Operator.ts"
import { capabilities, Role } from "#domain/Role.ts"
import { act, type Calls } from "../../rpc/client.ts"
import { faultOf } from "../../rpc/Fault.ts"
import { Subject } from "../../rpc/Subject.ts"
import { show, staleLine } from "../../rpc/show.ts"
import { session } from "../../session.ts"
import { sheet } from "../../style/sheet.ts"
import { ToastEvent } from "../../ui/events.ts"
import { pageStyle } from "../page-style.ts"
import { settingsStyle } from "./settings-style.ts"
import "../../ui/net-dialog.ts"
import "../../ui/net-status.ts"
import "../../ui/net-time.ts"

const roles = Role.literals

export class SettingsOperators extends LitElement {
  static override readonly properties = { adding: { state: true }, fault: { state: true }, password: { state: true } }
  declare adding: boolean
  declare fault: string | undefined
  /** Whose password is set again. */
  declare password: Operator | undefined

  readonly #operators = Subject.call<ReadonlyArray<Operator>, unknown>(
    this,
    { what: "the list of operators" },
    () => (api) => api.OperatorList()
  )

  static override readonly styles = [sheet, pageStyle, settingsStyle]

  override render() {
    return html`<div class="bar"><span class="muted">Everything an operator does is in the audit log under this name.</span><span class="gap"></span>
        <button class="primary" aria-expanded=${this.adding ? "true" : "false"} @click=${() => (this.adding = !this.adding)}>${this.adding ? "Add none" : "Add an operator"}</button></div>
      ${this.adding ? this.#form() : nothing}${staleLine(this.#operators)}
      <div class="body">${show(this.#operators, { quiet: true, live: (all) => this.#table(all) })}</div>
      <net-dialog heading=${`New password for ${this.password?.name ?? ""}`} ?open=${this.password !== undefined} @net-close=${() => (this.password = undefined)}>
        <form id="again" @submit=${this.#setPassword}><p class="muted">Sessions of ${this.password?.name} end. Hand the password over yourself; it is shown nowhere.</p>
          <label class="form-line"><span class="sr">New password</span><input name="password" type="password" autocomplete="new-password" minlength="12" placeholder="12 characters or more" required /></label></form>
        <button slot="foot" @click=${() => (this.password = undefined)}>Keep the old one</button><button slot="foot" class="primary" @click=${() => this.renderRoot.querySelector<HTMLFormElement>("#again")?.requestSubmit()}>Set password</button>
      </net-dialog>`
  }

  #form() {
    return html`<form class="form" @submit=${this.#add}>
      <label>Name<input name="name" required autocomplete="off" autocapitalize="off" spellcheck="false" /></label>
      <label>Role<select name="role">${roles.toReversed().map((role) => html`<option value=${role}>${role}</option>`)}</select></label>
      <label>Password<input name="password" type="password" autocomplete="new-password" minlength="12" required /></label>
      <button class="primary" type="submit">Add</button>
      ${this.fault === undefined ? nothing : html`<span class="fault" role="alert"><net-status status="down" mark-only label="refused"></net-status>${this.fault}</span>`}
      <span class="hint">Viewers read; analysts also read metrics; operators rename exporters and restart actors; administrators make operators and read the audit log.</span>
    </form>`
  }

  #table(all: ReadonlyArray<Operator>) {
    const own = session.value._tag === "in" ? session.value.caller.name : undefined
    return html`<div class="scroll-x"><table class="plain controls"><thead><tr><th scope="col">Name</th><th scope="col">Role</th><th scope="col">State</th><th scope="col">Last login</th><th scope="col">Added</th><th scope="col"><span class="sr">Actions</span></th></tr></thead><tbody>
      ${all.map((one) => {
        const self = one.name === own
        return html`<tr><td><strong>${one.name}</strong>${self ? html` <span class="muted">you</span>` : nothing}</td>
          <td><select aria-label=${`Role of ${one.name}`} title=${[...capabilities[one.role]].join(", ")} @change=${(event: Event) => this.#change(one, { role: (event.target as HTMLSelectElement).value as Role })}>${roles.map((role) => html`<option value=${role} ?selected=${role === one.role}>${role}</option>`)}</select></td>
          <td><net-status status=${one.disabled ? "maintenance" : "up"} label=${one.disabled ? "disabled" : "enabled"}></net-status></td>
          <td><net-time .at=${one.lastLoginAt} never="never"></net-time></td><td><net-time .at=${one.createdAt}></net-time></td>
          <td><span class="row-actions"><button class="text" @click=${() => (this.password = one)}>Set password</button>
            <button class="text" aria-disabled=${self ? "true" : "false"} title=${self ? "you cannot disable yourself" : ""} @click=${() => self || this.#change(one, { disabled: !one.disabled })}>${one.disabled ? "Enable" : "Disable"}</button></span></td></tr>`
      })}</tbody></table></div>`
  }

  #run(call: (api: Calls) => ReturnType<Calls["OperatorChange"]>, done: string): void {
    act(call).then(
      () => {
        this.dispatchEvent(new ToastEvent(done))
        this.#operators.retry()
      },
      (error) => {
        this.dispatchEvent(new ToastEvent(faultOf(error).message, "warning"))
        this.#operators.retry()
      }
    )
  }

  #change(one: Operator, change: { readonly role?: Role; readonly disabled?: boolean }): void {
    const said =
      change.role !== undefined ? `${one.name} is now ${change.role}` : `${one.name} ${change.disabled ? "disabled" : "enabled"}`
    this.#run((api) => api.OperatorChange({ id: one.id, ...change }), said)
  }

  readonly #setPassword = (event: SubmitEvent) => {
    event.preventDefault()
    const one = this.password
    const password = String(new FormData(event.target as HTMLFormElement).get("password"))
    if (one === undefined) return
    this.password = undefined
    this.#run((api) => api.OperatorChange({ id: one.id, password }), `Password of ${one.name} set`)
  }

  readonly #add = (event: SubmitEvent) => {
    event.preventDefault()
    const read = new FormData(event.target as HTMLFormElement)
    const name = String(read.get("name")).trim()
    const password = String(read.get("password"))
    if (!Schema.is(OperatorName)(name)) {
      this.fault = "The name is 2 to 64 of a-z, 0-9, dot, dash, underscore; a letter first."
      return
    }
    this.fault = undefined
    act((api) => api.OperatorAdd({ name, password, role: String(read.get("role")) as Role })).then(
      () => {
        this.adding = false
        this.dispatchEvent(new ToastEvent(`${name} added`))
        this.#operators.retry()
      },
      (error) => (this.fault = faultOf(error).message)
    )
  }
}
customElements.define("settings-operators", SettingsOperators)
