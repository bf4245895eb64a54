/** One actor: its state, its mailbox, its numbers, its last error in full, and a restart where that is permitted. Property: `actor`. */
import { css, html, LitElement, nothing } from "lit"
import type { ActorReading, MailboxPolicy } from "#domain/Health.ts"
import { act } from "../../rpc/client.ts"
import { faultOf } from "../../rpc/Fault.ts"
import { refusal } from "../../session.ts"
import { sheet } from "../../style/sheet.ts"
import { ToastEvent } from "../../ui/events.ts"
import { inspectorHead } from "../inspector.ts"
import { pageStyle } from "../page-style.ts"
import { actorStates } from "./actor-columns.ts"
import "../../ui/net-dialog.ts"
import "../../ui/net-address.ts"
import "../../ui/net-status.ts"
import "../../ui/net-time.ts"
import "../../ui/net-value.ts"

const policies: Record<MailboxPolicy, string> = {
  refuse: "refuses the newest, and counts it",
  slide: "keeps the latest, and counts what it drops",
  wait: "makes the sender wait"
}

/** `kernelDropped` → `kernel dropped`. */
const words = (gauge: string): string =>
  gauge
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase()

export class ActorSheet extends LitElement {
  static override readonly properties = { actor: { attribute: false }, asking: { state: true } }
  declare actor: ActorReading
  declare asking: boolean

  static override readonly styles = [
    sheet,
    pageStyle,
    css`
      .error { padding: 0 var(--s-5) var(--s-4); overflow-wrap: anywhere; }
      .restart { padding: var(--s-4) var(--s-5); display: grid; gap: var(--s-2); justify-items: start; }
      .path { padding: var(--s-3) var(--s-5) 0; }
    `
  ]

  override render() {
    const { gauges, lastError, mailbox, path, restarts, since, state } = this.actor
    const [mark, word] = actorStates[state]
    const why = refusal("actors.restart")
    return html`${inspectorHead(path.split("/").at(-1)!, undefined)}
      <section><p class="path"><net-address text=${path}></net-address></p><dl class="facts">
        <dt>State</dt><dd><net-status status=${mark} label=${word}></net-status></dd>
        <dt>Since</dt><dd><net-time .at=${since}></net-time></dd>
        <dt>Restarts</dt><dd>${restarts}</dd></dl></section>
      ${
        lastError === null
          ? nothing
          : html`<section><div class="section-head"><h2>Last error</h2><net-time .at=${lastError.at}></net-time></div><p class="error mono">${lastError.message}</p></section>`
      }
      ${
        mailbox === null
          ? nothing
          : html`<section><div class="section-head"><h2>Mailbox</h2><span class="muted">${mailbox.name}</span></div><dl class="facts"><dt>Waiting</dt><dd>${mailbox.depth} of ${mailbox.capacity}</dd>
            <dt>When full</dt><dd>${policies[mailbox.policy]}</dd><dt>Offered</dt><dd><net-value exact .value=${mailbox.offered}></net-value></dd><dt>Refused</dt><dd><net-value exact .value=${mailbox.refused}></net-value></dd></dl></section>`
      }
      ${
        Object.keys(gauges).length === 0
          ? nothing
          : html`<section><h2>Numbers</h2><table class="plain"><tbody>${Object.entries(gauges).map(([name, value]) => html`<tr><td>${words(name)}</td><td class="num"><net-value .value=${value}></net-value></td></tr>`)}</tbody></table></section>`
      }
      <div class="restart"><button aria-disabled=${why === undefined ? "false" : "true"} @click=${() => (this.asking = why === undefined)}>Restart this actor</button>
        <span class="muted">${why ?? "What waits in its mailbox is kept; what it is at work on is lost and counted."}</span></div>
      <net-dialog heading="Restart this actor?" ?open=${this.asking} @net-close=${(event: Event) => {
        event.stopPropagation()
        this.asking = false
      }}><p><span class="mono">${path}</span> is stopped and started again at once. The audit log keeps who asked.</p>
        <button slot="foot" @click=${() => (this.asking = false)}>Leave it</button><button slot="foot" class="primary" @click=${this.#restart}>Restart</button></net-dialog>`
  }

  readonly #restart = () => {
    const { path } = this.actor
    this.asking = false
    act((api) => api.ActorRestart({ path })).then(
      () => this.dispatchEvent(new ToastEvent(`Restarting ${path}`)),
      (error) => this.dispatchEvent(new ToastEvent(`Could not restart: ${faultOf(error).message}`, "warning"))
    )
  }
}
customElements.define("actor-sheet", ActorSheet)
