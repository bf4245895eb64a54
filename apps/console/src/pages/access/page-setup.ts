/** First run: the setup code proves that one stands before the machine; then the first administrator is made. */
import { Cause, Effect, Exit, Schema } from "effect"
import { html, LitElement, nothing } from "lit"
import { OperatorName } from "#domain/Operator.ts"
import { setUp } from "../../session.ts"
import { sheet } from "../../style/sheet.ts"
import { accessMark } from "./access-mark.ts"
import { accessStyle } from "./access-style.ts"
import "../../ui/net-status.ts"

/** Why the form cannot be sent, by field; the appliance checks all of it again. */
export const setupFaults = (form: {
  readonly code: string
  readonly name: string
  readonly password: string
  readonly again: string
}) => ({
  code: form.code === "" ? "the setup code is needed" : undefined,
  name: Schema.is(OperatorName)(form.name) ? undefined : "2 to 64 of a-z, 0-9, dot, dash, underscore; a letter first",
  password: form.password.length < 12 ? `12 characters at least; this has ${form.password.length}` : undefined,
  again: form.password !== form.again ? "the two passwords differ" : undefined
})

export class PageSetup extends LitElement {
  static override readonly properties = { fault: { state: true }, faults: { state: true }, busy: { state: true } }
  declare fault: string | undefined
  declare faults: Partial<ReturnType<typeof setupFaults>>
  declare busy: boolean

  static override readonly styles = [sheet, accessStyle]

  constructor() {
    super()
    this.faults = {}
  }

  protected override firstUpdated(): void {
    document.title = "Set up · FlowLens"
    this.renderRoot.querySelector("input")?.focus()
  }

  override render() {
    return html`<main>
      ${accessMark}
      <h1>Set up this appliance</h1>
      <p class="lead">Nobody has an account yet. The setup code proves that you have the machine; with it you make the first administrator.</p>
      <div class="note">The code stands in the output of the first start, under the address and the fingerprint of the certificate:
        on the machine's screen, in the terminal that ran <code>npm start</code>, or in its log, <code>journalctl -u flowlens</code>. It works once.</div>
      <form @submit=${this.#submit} novalidate>
        ${this.#field("code", "Setup code", { autocomplete: "one-time-code", mono: true })}
        ${this.#field("name", "Name of the administrator", { autocomplete: "username", hint: "What you log in with, and what the audit log says." })}
        ${this.#field("password", "Password", { type: "password", autocomplete: "new-password", hint: "12 characters or more. A sentence is good; capitals and signs are not asked for." })}
        ${this.#field("again", "Password again", { type: "password", autocomplete: "new-password" })}
        ${this.fault === undefined ? nothing : html`<div class="fault" role="alert"><net-status status="down" mark-only label="refused"></net-status><span>${this.fault}</span></div>`}
        <div class="row"><button class="primary" type="submit" aria-disabled=${this.busy ? "true" : "false"}>${this.busy ? "Setting up…" : "Make the administrator"}</button></div>
      </form>
    </main>`
  }

  #field(
    name: keyof ReturnType<typeof setupFaults>,
    label: string,
    options: { readonly type?: string; readonly autocomplete: string; readonly hint?: string; readonly mono?: boolean }
  ) {
    const fault = this.faults[name]
    return html`<label>${label}<input name=${name} class=${options.mono === true ? "mono" : ""} type=${options.type ?? "text"} autocomplete=${options.autocomplete as "on"}
      autocapitalize="off" spellcheck="false" required aria-invalid=${fault === undefined ? "false" : "true"} />
      ${fault !== undefined ? html`<span class="hint" role="alert"><net-status status="down" mark-only label="wrong:"></net-status> ${fault}</span>` : options.hint === undefined ? nothing : html`<span class="hint">${options.hint}</span>`}</label>`
  }

  readonly #submit = (event: SubmitEvent) => {
    event.preventDefault()
    if (this.busy) return
    const read = new FormData(event.target as HTMLFormElement)
    const form = {
      code: String(read.get("code")).trim(),
      name: String(read.get("name")).trim(),
      password: String(read.get("password")),
      again: String(read.get("again"))
    }
    this.faults = setupFaults(form)
    this.fault = undefined
    const first = Object.entries(this.faults).find(([, fault]) => fault !== undefined)
    if (first !== undefined) {
      this.renderRoot.querySelector<HTMLInputElement>(`input[name=${first[0]}]`)?.focus()
      return
    }
    this.busy = true
    void Effect.runPromiseExit(setUp(form.code, form.name, form.password)).then((exit) => {
      this.busy = false
      if (Exit.isSuccess(exit)) return
      const error = Cause.squash(exit.cause)
      const text = error instanceof Error ? error.message : String(error)
      this.fault = `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}.`
    })
  }
}
customElements.define("page-setup", PageSetup)
