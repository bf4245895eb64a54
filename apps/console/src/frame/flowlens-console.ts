/** The root: who is there decides what is drawn — set-up, login, or the frame. */
import { Effect } from "effect"
import { css, html, LitElement } from "lit"
import { Following } from "../Cell.ts"
import { Keyboard } from "../keys.ts"
import { followPlace } from "../place.ts"
import { preferences } from "../preferences.ts"
import { hangUp } from "../rpc/client.ts"
import { askWho, logOut, session } from "../session.ts"
import { sheet } from "../style/sheet.ts"
import "../ui/net-state.ts"
import "./net-frame.ts"

/** How long a silent appliance is left alone before it is asked again. */
const askAgainMs = 3000

export class FlowlensConsole extends LitElement {
  #stop: ReadonlyArray<() => void> = []
  #again: ReturnType<typeof setTimeout> | undefined

  static override readonly styles = [
    sheet,
    css`
      :host { display: block; height: 100%; }
      net-frame { height: 100%; }
      .boot { padding: var(--s-6); max-width: 48rem; }
      .boot h1 { margin-bottom: var(--s-4); }
    `
  ]

  constructor() {
    super()
    new Following(this, session)
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#stop = [
      followPlace(this),
      new Keyboard(() => preferences.value.keys && session.value._tag === "in").listen(),
      session.follow((now) => {
        // the next socket must be opened with the next cookie
        if (now._tag === "login" || now._tag === "setup") hangUp()
        clearTimeout(this.#again)
        if (now._tag === "silent") this.#again = setTimeout(this.#ask, askAgainMs)
      })
    ]
    this.#ask()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    for (const stop of this.#stop) stop()
    clearTimeout(this.#again)
  }

  readonly #ask = () => void Effect.runFork(askWho(session.value._tag === "in"))

  override render() {
    const now = session.value
    switch (now._tag) {
      case "asking":
        return html`<div class="boot"><h1>FlowLens</h1><net-waiting what="the appliance" .rows=${0}></net-waiting></div>`
      case "silent":
        return html`<main class="boot"><h1>FlowLens</h1><net-failed what="the appliance" why=${now.why} code="ApplianceSilent" .since=${now.since} retrying
          still="The console asks again by itself." @net-retry=${this.#ask}></net-failed></main>`
      case "setup":
        void import("../pages/access/page-setup.ts")
        return html`<page-setup></page-setup>`
      case "login":
        void import("../pages/access/page-login.ts")
        return html`<page-login ?ended=${now.ended}></page-login>`
      case "in":
        return html`<net-frame .caller=${now.caller} @logout=${() => Effect.runFork(Effect.catch(logOut(), () => askWho()))}></net-frame>`
    }
  }
}
customElements.define("flowlens-console", FlowlensConsole)
