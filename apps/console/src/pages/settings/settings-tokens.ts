/** Bearer tokens for programs: make one (its secret is shown once), revoke one. */
import { css, html, LitElement, nothing } from "lit"
import type { Token } from "#domain/Operator.ts"
import { Role } from "#domain/Role.ts"
import { act } from "../../rpc/client.ts"
import { faultOf } from "../../rpc/Fault.ts"
import { Subject } from "../../rpc/Subject.ts"
import { show, staleLine } from "../../rpc/show.ts"
import { session } from "../../session.ts"
import { sheet } from "../../style/sheet.ts"
import { copy } from "../../ui/copy.ts"
import { ToastEvent } from "../../ui/events.ts"
import { pageStyle } from "../page-style.ts"
import { settingsStyle } from "./settings-style.ts"
import "../../ui/net-dialog.ts"
import "../../ui/net-status.ts"
import "../../ui/net-time.ts"
import "../../ui/net-empty.ts"

/** From the most powerful down; a token cannot be above its maker. */
const rolesUpTo = (own: Role): ReadonlyArray<Role> => Role.literals.slice(Role.literals.indexOf(own))

export class SettingsTokens extends LitElement {
  static override readonly properties = {
    making: { state: true },
    fault: { state: true },
    secret: { state: true },
    revoking: { state: true }
  }
  declare making: boolean
  declare fault: string | undefined
  declare secret: { readonly name: string; readonly text: string } | undefined
  declare revoking: Token | undefined

  readonly #tokens = Subject.call<ReadonlyArray<Token>, unknown>(
    this,
    { what: "the list of tokens", isEmpty: (all) => all.length === 0 },
    () => (api) => api.TokenList()
  )

  static override readonly styles = [
    sheet,
    pageStyle,
    settingsStyle,
    css`
      .secret { padding: var(--s-4) var(--s-5); border-bottom: 2px solid var(--accent); background: var(--panel); display: grid; gap: var(--s-3); }
      .secret code { overflow-wrap: anywhere; font-size: 0.8125rem; user-select: all; }
      .secret .buttons { display: flex; gap: var(--s-3); }
    `
  ]

  override render() {
    const own = session.value._tag === "in" ? session.value.caller.role : "viewer"
    return html`<div class="bar"><span class="muted">For programs: <span class="mono">Authorization: Bearer …</span> on <span class="mono">/api/v1</span>. <a class="link" href="/docs" data-outside target="_blank" rel="noopener">API reference</a></span><span class="gap"></span>
        <button class="primary" aria-expanded=${this.making ? "true" : "false"} @click=${() => (this.making = !this.making)}>${this.making ? "Make none" : "New token"}</button></div>
      ${
        this.making
          ? html`<form class="form" @submit=${this.#make}>
          <label>What it is for<input name="name" required maxlength="64" autocomplete="off" /></label>
          <label>Role<select name="role">${rolesUpTo(own).map((role) => html`<option value=${role} ?selected=${role === "viewer"}>${role}</option>`)}</select></label>
          <label>Lives<select name="days"><option value="30">30 days</option><option value="90" selected>90 days</option><option value="365">a year</option><option value="">until revoked</option></select></label>
          <button class="primary" type="submit">Make</button>
          ${this.fault === undefined ? nothing : html`<span class="fault" role="alert"><net-status status="down" mark-only label="refused"></net-status>${this.fault}</span>`}
          <span class="hint">A token cannot have a role above yours, ${own}.</span></form>`
          : nothing
      }
      ${
        this.secret === undefined
          ? nothing
          : html`<div class="secret" role="status"><p><strong>The secret of ${this.secret.name}.</strong> It is shown once; the appliance keeps only its hash.</p><code class="mono">${this.secret.text}</code>
            <div class="buttons"><button class="primary" @click=${() => copy(this, this.secret!.text)}>Copy the secret</button><button @click=${() => (this.secret = undefined)}>I have it</button></div></div>`
      }
      ${staleLine(this.#tokens)}
      <div class="body">${show(this.#tokens, {
        quiet: true,
        live: (all) => this.#table(all),
        empty: () =>
          html`<net-empty kind="yet" heading="No tokens">A program that reads the API or scrapes metrics needs one.</net-empty>`
      })}</div>
      <net-dialog heading="Revoke this token?" ?open=${this.revoking !== undefined} @net-close=${() => (this.revoking = undefined)}>
        <p>What uses <b>${this.revoking?.name}</b> is refused from its next request on. A revoked token does not come back.</p>
        <button slot="foot" @click=${() => (this.revoking = undefined)}>Keep it</button><button slot="foot" class="primary" @click=${this.#revoke}>Revoke token</button>
      </net-dialog>`
  }

  #table(all: ReadonlyArray<Token>) {
    return html`<div class="scroll-x"><table class="plain"><thead><tr><th scope="col">For</th><th scope="col">Role</th><th scope="col">Made by</th><th scope="col">Made</th><th scope="col">Last used</th><th scope="col">Expires</th><th scope="col"><span class="sr">Actions</span></th></tr></thead><tbody>
      ${all.map(
        (
          one
        ) => html`<tr><td><strong>${one.name}</strong></td><td>${one.role}</td><td>${one.createdBy}</td><td><net-time .at=${one.createdAt}></net-time></td><td><net-time .at=${one.lastUsedAt} never="never"></net-time></td>
        <td><net-time .at=${one.expiresAt} never="never"></net-time></td><td><span class="row-actions"><button class="text" @click=${() => (this.revoking = one)}>Revoke</button></span></td></tr>`
      )}
    </tbody></table></div>`
  }

  readonly #make = (event: SubmitEvent) => {
    event.preventDefault()
    const read = new FormData(event.target as HTMLFormElement)
    const name = String(read.get("name")).trim()
    const days = String(read.get("days"))
    act((api) =>
      api.TokenCreate({ name, role: String(read.get("role")) as Role, ...(days === "" ? {} : { days: Number(days) }) })
    ).then(
      ({ secret }) => {
        this.making = false
        this.fault = undefined
        this.secret = { name, text: secret }
        this.#tokens.retry()
      },
      (error) => (this.fault = faultOf(error).message)
    )
  }

  readonly #revoke = () => {
    const one = this.revoking
    this.revoking = undefined
    if (one === undefined) return
    act((api) => api.TokenRevoke({ id: one.id })).then(
      () => {
        this.dispatchEvent(new ToastEvent(`${one.name} revoked`))
        this.#tokens.retry()
      },
      (error) => this.dispatchEvent(new ToastEvent(`Could not revoke: ${faultOf(error).message}`, "warning"))
    )
  }
}
customElements.define("settings-tokens", SettingsTokens)
