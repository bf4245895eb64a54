/** Login. Property: `ended` — there was a session, and it ran out. */
import { Cause, Effect, Exit } from "effect"
import { html, LitElement, nothing } from "lit"
import { logIn } from "../../session.ts"
import { sheet } from "../../style/sheet.ts"
import { accessMark } from "./access-mark.ts"
import { accessStyle } from "./access-style.ts"
import "../../ui/net-status.ts"

export class PageLogin extends LitElement {
  static override readonly properties = { ended: { type: Boolean }, fault: { state: true }, busy: { state: true } }
  declare ended: boolean
  declare fault: string | undefined
  declare busy: boolean

  static override readonly styles = [sheet, accessStyle]

  protected override firstUpdated(): void {
    document.title = "Log in · FlowLens"
    this.renderRoot.querySelector("input")?.focus()
  }

  override render() {
    return html`<main>
      ${accessMark}
      <h1>Log in</h1>
      ${this.ended ? html`<p class="note">The session has ended. After login you are back where you were.</p>` : nothing}
      <form @submit=${this.#submit}>
        <label>Name<input name="name" autocomplete="username" autocapitalize="off" spellcheck="false" required /></label>
        <label>Password<input name="password" type="password" autocomplete="current-password" required /></label>
        ${this.fault === undefined ? nothing : html`<div class="fault" role="alert"><net-status status="down" mark-only label="refused"></net-status><span>${this.fault}</span></div>`}
        <div class="row"><button class="primary" type="submit" aria-disabled=${this.busy ? "true" : "false"}>${this.busy ? "Logging in…" : "Log in"}</button></div>
      </form>
      <p class="hint">A lost password is set again on the machine: <span class="mono">flowlens user</span></p>
    </main>`
  }

  readonly #submit = (event: SubmitEvent) => {
    event.preventDefault()
    if (this.busy) return
    const form = new FormData(event.target as HTMLFormElement)
    this.busy = true
    this.fault = undefined
    void Effect.runPromiseExit(logIn(String(form.get("name")).trim(), String(form.get("password")))).then((exit) => {
      this.busy = false
      if (Exit.isSuccess(exit)) return
      const error = Cause.squash(exit.cause)
      const text = error instanceof Error ? error.message : String(error)
      this.fault = `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}.`
      const password = this.renderRoot.querySelector<HTMLInputElement>("input[type=password]")
      password?.focus()
      password?.select()
    })
  }
}
customElements.define("page-login", PageLogin)
