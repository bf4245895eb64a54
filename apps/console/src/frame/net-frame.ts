/** The frame of every page: nav, header (where, find, when), the page, the status line; palette, help and toasts above them. */
import { html, LitElement, nothing } from "lit"
import type { Caller } from "#domain/Operator.ts"
import type { Status } from "#domain/Status.ts"
import { Following } from "../Cell.ts"
import { clockText, exactTime, timeText, windowText, zoneName } from "../format/time.ts"
import { ActionEvent } from "../keys.ts"
import { canGoBack, go, place, revise } from "../place.ts"
import { prefer, preferences } from "../preferences.ts"
import { type Matched, matchPath, nav } from "../routes.ts"
import { Subject } from "../rpc/Subject.ts"
import { refusal } from "../session.ts"
import { sheet } from "../style/sheet.ts"
import { MinuteHand, zone } from "../ui/clock.ts"
import type { ToastEvent } from "../ui/events.ts"
import type { PaletteEntry, PickEvent } from "../ui/net-palette.ts"
import type { NetToast } from "../ui/net-toast.ts"
import { commands, found, recent, remember } from "./commands.ts"
import { frameStyle } from "./frame-style.ts"
import { followPrinting } from "./page-foot.ts"
import { TitleEvent } from "./title.ts"
import { readAt, stepWindow, writeAt } from "./when.ts"
import "../ui/net-palette.ts"
import "../ui/net-state.ts"
import "../ui/net-status.ts"
import "../ui/net-toast.ts"
import "./help-sheet.ts"
import "./nav-rail.ts"
import "./status-line.ts"

export class NetFrame extends LitElement {
  static override readonly properties = {
    caller: { attribute: false },
    palette: { state: true },
    help: { state: true },
    name: { state: true },
    loaded: { state: true },
    broken: { state: true }
  }
  declare caller: Caller
  declare palette: boolean
  declare help: boolean
  /** What the page says it shows. */
  declare name: string | undefined
  declare loaded: ReadonlySet<string>
  declare broken: string | undefined
  #stop: ReadonlyArray<() => void> = []
  #path = ""

  readonly #status = Subject.watch<Status, unknown>(this, { what: "the status" }, () => (api) => api.StatusWatch())

  static override readonly styles = [sheet, frameStyle]

  constructor() {
    super()
    this.palette = false
    this.help = false
    this.loaded = new Set()
    new Following(this, place, preferences)
    new MinuteHand(this)
  }

  override connectedCallback(): void {
    super.connectedCallback()
    document.addEventListener(ActionEvent.type, this.#late)
    this.addEventListener(TitleEvent.type, this.#titled)
    this.addEventListener("net-toast", this.#toast as EventListener)
    this.#stop = [place.follow(() => this.#arrive()), followPrinting()]
    this.#arrive()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    document.removeEventListener(ActionEvent.type, this.#late)
    for (const stop of this.#stop) stop()
  }

  #arrive(): void {
    const { path } = place.value
    if (path !== this.#path) {
      this.#path = path
      this.name = undefined
      this.palette = false
      this.help = false
      this.#announce = true
    }
    const matched = matchPath(path)
    document.title = `${matched?.route.title ?? "Not found"} · FlowLens`
    if (matched !== undefined) this.#load(matched)
  }
  #announce = false

  #load(matched: Matched): void {
    const { name } = matched.route
    if (this.loaded.has(name)) return
    matched.route.load().then(
      () => {
        this.loaded = new Set([...this.loaded, name])
        if (this.broken === name) this.broken = undefined
      },
      () => (this.broken = name)
    )
  }

  override render() {
    const matched = matchPath(place.value.path)
    return html`
      <nav aria-label="Skip"><a class="skip" href="#main" @click=${this.#skip}>Skip to the page</a></nav>
      <nav-rail current=${matched?.route.nav ?? ""} .caller=${this.caller} @logout=${() => this.dispatchEvent(new Event("logout", { bubbles: true, composed: true }))}></nav-rail>
      <div class="column">
        <header>${this.#where(matched)}
          <button class="find" @click=${() => (this.palette = true)} aria-keyshortcuts="/ Control+K"
            ><svg viewBox="0 0 12 12" aria-hidden="true"><circle cx="5" cy="5" r="3.5" fill="none" stroke="currentColor"/><path d="m7.8 7.8 3 3" stroke="currentColor"/></svg
            ><span>Search</span><kbd>/</kbd></button>
          ${this.#when(matched)}
        </header>
        ${this.#past(matched)}
        <main id="main" tabindex="-1" class=${matched?.route.name ?? ""}>${this.#page(matched)}</main>
      </div>
      <footer class="printed" aria-hidden="true"><span>FlowLens ${location.host}</span><span>${document.title}</span><span class="url">${location.pathname}${location.search}</span><span>${timeText(Date.now(), Date.now(), zone.value)} ${zoneName(zone.value, Date.now())}</span></footer>
      <status-line .reading=${this.#status.reading} role="contentinfo" aria-label="Status line"></status-line>
      <div class="sr" role="status">${this.#announce ? `${this.name ?? matched?.route.title ?? "Not found"}` : nothing}</div>
      <net-palette ?open=${this.palette} .entries=${this.palette ? commands() : []} .recent=${this.palette ? recent() : []} .search=${found}
        @net-close=${() => (this.palette = false)} @net-pick=${this.#picked}></net-palette>
      <help-sheet ?open=${this.help} ?enabled=${preferences.value.keys} @net-close=${() => (this.help = false)}></help-sheet>
      <net-toast></net-toast>`
  }

  #where(matched: Matched | undefined) {
    const entry = nav.find((one) => one.name === matched?.route.nav)
    const here = place.value.path
    const deeper = matched !== undefined && entry !== undefined && matched.route.pattern !== entry.href.split("?")[0]
    const last = this.name ?? (matched?.route.name === "settings" ? undefined : matched?.params["id"])
    return html`<nav class="where clip" aria-label="Where">${
      entry === undefined
        ? html`<span>Not found</span>`
        : html`<a href=${entry.href} aria-current=${here === entry.href ? "page" : nothing}>${entry.label}</a>`
    }${deeper && last !== undefined ? html`<span class="faint" aria-hidden="true"> / </span><span class="clip">${last}</span>` : nothing}</nav>`
  }

  #when(matched: Matched | undefined) {
    const reading = this.#status.reading
    const at = matched?.route.timed === true ? readAt(place.value.query.get("at")) : undefined
    const state =
      reading._tag === "live" || reading._tag === "empty"
        ? html`<span class="live" title=${`last heard ${exactTime(reading.at)}`}><net-status status="up" mark-only label="connected"></net-status>live</span>`
        : reading._tag === "waiting"
          ? html`<span class="live muted"><net-status status="unknown" mark-only label="not yet connected"></net-status>connecting</span>`
          : html`<span class="live"><net-status status="stale" mark-only label="not connected"></net-status>${reading.retrying ? "reconnecting" : "stale"}, since ${clockText(reading.since, zone.value)}</span>`
    if (matched?.route.timed !== true) return state
    const seconds = this.#windowSeconds
    return html`<div class="when" role="group" aria-label="Time">
      <button class="plain" @click=${() => this.#step(-1)} title="Previous window ([)" aria-label="Previous window">${chevron("m7.5 2-4 4 4 4")}</button>
      <span class="window">${at === undefined ? "now" : `${windowText(at, Date.now(), zone.value)}–${clockText(at + seconds * 1000, zone.value)}`}</span>
      <button class="plain" ?disabled=${at === undefined} @click=${() => this.#step(1)} title="Next window (])" aria-label="Next window">${chevron("m4.5 2 4 4-4 4")}</button>
      ${at === undefined ? state : html`<button class="text" @click=${() => revise({ at: undefined })}>live</button>`}
    </div>`
  }

  /** Anything not live says so across the whole width. */
  #past(matched: Matched | undefined) {
    const at = matched?.route.timed === true ? readAt(place.value.query.get("at")) : undefined
    if (at === undefined) return nothing
    return html`<div class="past" role="status"><span>Not live: the network as it was at <time datetime=${exactTime(at)}>${timeText(at, Date.now(), zone.value)}</time></span>
      <button class="text" @click=${() => revise({ at: undefined })}>Back to live</button></div>`
  }

  #page(matched: Matched | undefined) {
    if (matched === undefined) {
      return html`<div class="lost"><h1>No such page</h1><p class="muted">Nothing is at <span class="mono">${place.value.path}</span>. <a class="link" href="/">Overview</a></p></div>`
    }
    const why = refusal(matched.route.needs)
    if (why !== undefined) return html`<div class="lost"><h1>${matched.route.title}</h1><p class="muted">${why}</p></div>`
    if (this.broken === matched.route.name) {
      return html`<div class="lost"><h1>${matched.route.title}</h1><net-failed what="the page" why="this page's program could not be loaded; the appliance may have been updated"
        code="PageLoad" .since=${Date.now()} @net-retry=${() => location.reload()}></net-failed></div>`
    }
    if (!this.loaded.has(matched.route.name))
      return html`<div class="lost"><h1>${matched.route.title}</h1></div><net-waiting what="the page"></net-waiting>`
    return matched.route.render({ place: place.value, params: matched.params })
  }

  get #windowSeconds(): number {
    return this.#status.value?.window?.seconds ?? 300
  }

  #step(step: -1 | 1): void {
    const at = stepWindow(readAt(place.value.query.get("at")), step, this.#windowSeconds, Date.now())
    revise({ at: at === undefined ? undefined : writeAt(at) })
  }

  /** What nobody on the page wanted. */
  readonly #late = (event: Event) => {
    if (event.defaultPrevented) return
    if (this.#perform((event as ActionEvent).action)) event.preventDefault()
  }

  #perform(action: string): boolean {
    const matched = matchPath(place.value.path)
    const timed = matched?.route.timed === true
    if (action.startsWith("go.")) {
      const entry = nav.find((one) => one.name === action.slice(3))
      if (entry === undefined) return false
      go(entry.href)
    } else if (action === "find" || action === "palette") this.palette = true
    else if (action === "help") this.help = !this.help
    else if (action === "inspector") prefer({ inspectorOpen: !preferences.value.inspectorOpen })
    else if (action === "close") return this.#close(matched)
    else if (action === "window.previous" && timed) this.#step(-1)
    else if (action === "window.next" && timed) this.#step(1)
    else if (action === "window.live" && timed) revise({ at: undefined })
    else return false
    return true
  }

  /** Escape: what lies above, then the selection, then back. */
  #close(matched: Matched | undefined): boolean {
    if (this.palette || this.help) {
      this.palette = false
      this.help = false
    } else if (place.value.query.has("select")) revise({ select: undefined })
    else if (place.value.query.has("isolate")) revise({ isolate: undefined })
    else if (place.value.query.has("actor")) revise({ actor: undefined })
    else if (matched?.params["id"] !== undefined) {
      if (canGoBack()) history.back()
      else go(nav.find((one) => one.name === matched.route.nav)?.href ?? "/")
    } else return false
    return true
  }

  readonly #titled = (event: Event) => {
    this.name = (event as TitleEvent).name
    document.title = `${this.name} · FlowLens`
  }
  readonly #toast = (event: ToastEvent) => this.renderRoot.querySelector<NetToast>("net-toast")?.say(event)
  readonly #skip = (event: Event) => {
    event.preventDefault()
    this.renderRoot.querySelector<HTMLElement>("main")?.focus()
  }
  readonly #picked = (event: PickEvent) => {
    const entry: PaletteEntry = event.entry
    remember(entry)
    if (entry.href !== undefined) go(entry.href)
    else if (entry.run !== undefined) entry.run()
  }
}
customElements.define("net-frame", NetFrame)

const chevron = (d: string) =>
  html`<svg viewBox="0 0 12 12" aria-hidden="true"><path d=${d} fill="none" stroke="currentColor" stroke-width="1.3" /></svg>`
