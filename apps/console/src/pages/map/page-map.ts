/** The map: what talks to what, grouped first. Everything it shows is in its URL: filter, group, open, only, select, view. */
import { DateTime } from "effect"
import { html, LitElement, nothing, type PropertyValues } from "lit"
import type { Exporter } from "#domain/Exporter.ts"
import type { FilterInvalid, Topology } from "#domain/Topology.ts"
import { Following } from "../../Cell.ts"
import { filterWords } from "../../filter-words.ts"
import { plural } from "../../format/number.ts"
import { readAt } from "../../frame/when.ts"
import { ActionEvent } from "../../keys.ts"
import { type Grouping, groupings, groupingWords, isGrouping } from "../../map/grouping.ts"
import type { LegendEvent } from "../../map/legend.ts"
import type { MoveEvent, NetMap } from "../../map/net-map.ts"
import { Placement } from "../../map/Placement.ts"
import { foldedText, makeScene, type Scene, type SceneOptions } from "../../map/scene.ts"
import { identityOf, resolveSelection } from "../../map/select.ts"
import { type Place, revise } from "../../place.ts"
import { prefer, preferences } from "../../preferences.ts"
import { Subject } from "../../rpc/Subject.ts"
import { sheet } from "../../style/sheet.ts"
import { copy } from "../../ui/copy.ts"
import type { FilterEvent, OpenEvent, SelectEvent, WidthEvent } from "../../ui/events.ts"
import { pageStyle } from "../page-style.ts"
import { mapStyle } from "./map-style.ts"
import "../../map/legend.ts"
import "../../map/net-map.ts"
import "../../ui/net-empty.ts"
import "../../ui/net-filter.ts"
import "../../ui/net-split.ts"
import "../../ui/net-state.ts"
import "../assets/asset-sheet.ts"
import "../dependencies/dependency-sheet.ts"
import "./inspect-group.ts"
import "./map-table.ts"

const words = filterWords("dependency")
const only = (text: string | null): SceneOptions["only"] =>
  text === null || text === "" ? undefined : (text as SceneOptions["only"])

export class PageMap extends LitElement {
  static override readonly properties = { place: { attribute: false } }
  declare place: Place

  static override readonly styles = [sheet, pageStyle, mapStyle]

  readonly #topology = Subject.call<Topology, unknown>(
    this,
    {
      what: "the map",
      follow: "map",
      key: () => JSON.stringify([this.#filter, this.#at]),
      isEmpty: (topology) => topology.nodes.length === 0
    },
    () => {
      const at = this.#at
      const query = {
        ...(this.#filter === "" ? {} : { filter: this.#filter }),
        ...(at === undefined ? {} : { at: DateTime.makeUnsafe(at) })
      }
      return (api) => api.TopologyGet(query)
    }
  )
  /** Asked only while the map is empty: who could fill it. */
  readonly #exporters = Subject.watch<ReadonlyArray<Exporter>, unknown>(
    this,
    { what: "the exporters", key: () => this.#topology.reading._tag },
    () => (this.#topology.reading._tag === "empty" ? (api) => api.ExportersWatch() : undefined)
  )
  readonly #placement = new Placement(() => this.requestUpdate())
  #scene: Scene | undefined
  #sceneOf: ReadonlyArray<unknown> = []
  #fitWhenPlaced = false

  constructor() {
    super()
    new Following(this, preferences)
  }

  override connectedCallback(): void {
    super.connectedCallback()
    addEventListener(ActionEvent.type, this.#act)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    removeEventListener(ActionEvent.type, this.#act)
    this.#placement.stop()
  }

  get #filter(): string {
    return this.place.query.get("filter") ?? ""
  }
  /** The frame's own reading of the moment in the URL, so that what it says of the past is true. */
  get #at(): number | undefined {
    return readAt(this.place.query.get("at"))
  }
  get #grouping(): Grouping {
    const asked = this.place.query.get("group")
    return isGrouping(asked) ? asked : "network"
  }
  get #open(): ReadonlyArray<string> {
    return (this.place.query.get("open") ?? "").split(",").filter((id) => id !== "")
  }
  get #selected(): string | undefined {
    const key = this.place.query.get("select") ?? undefined
    // other pages link with an asset's id alone
    return key !== undefined && /^\d+$/.test(key) ? `a:${key}` : key
  }
  get #asTable(): boolean {
    return this.place.query.get("view") === "table"
  }
  get #map(): NetMap | null {
    return this.renderRoot.querySelector("net-map")
  }

  protected override willUpdate(_changed: PropertyValues<this>): void {
    const topology = this.#topology.value
    if (topology === undefined || topology.nodes.length === 0) {
      this.#scene = undefined
      this.#sceneOf = []
      return
    }
    const shown = only(this.place.query.get("only"))
    const inputs = [topology, this.#grouping, this.place.query.get("open"), shown]
    if (inputs.every((input, i) => input === this.#sceneOf[i])) return
    this.#sceneOf = inputs
    this.#scene = makeScene(topology, { grouping: this.#grouping, open: new Set(this.#open), only: shown })
    this.#placement.arrange(this.#grouping, this.#scene)
  }

  protected override updated(): void {
    if (!this.#fitWhenPlaced || this.#scene === undefined) return
    if (this.#scene.nodes.some(({ id }) => !this.#placement.places.has(id))) return
    this.#fitWhenPlaced = false
    void this.updateComplete.then(() => this.#map?.updateComplete).then(() => this.#map?.fit())
  }

  override render() {
    const { reading } = this.#topology
    const scene = this.#scene
    return html`<div class="head"><h1>Map</h1>
        <span class="count">${scene === undefined ? nothing : `${plural(scene.assets, "asset")}, ${plural(scene.dependencies, "dependency", "dependencies")}`}</span>
        <net-filter label="Filter the map" placeholder="type:db seen:<1h 10.2.0.0/16" .value=${this.#filter} .complete=${words.complete} .check=${words.check} .fault=${this.#fault} @net-filter=${this.#filtered}></net-filter>
        ${this.#tools()}</div>
      ${reading._tag === "stale" ? html`<net-stale .since=${reading.since} .why=${reading.fault.message} ?retrying=${reading.retrying}></net-stale>` : nothing}
      ${scene === undefined ? nothing : this.#notes(scene)}
      ${this.#body(scene)}
      ${scene === undefined ? nothing : html`<net-legend .counts=${scene.legend} .only=${only(this.place.query.get("only"))} ?marks=${this.#selected !== undefined} @net-legend=${this.#legend}></net-legend>`}`
  }

  #tools() {
    const off = this.#scene === undefined
    return html`<label class="group">Group by <select .value=${this.#grouping} @change=${this.#regroup}>
        ${groupings.map((grouping) => html`<option value=${grouping} ?selected=${grouping === this.#grouping}>${groupingWords[grouping]}</option>`)}</select></label>
      <div class="tools" role="group" aria-label="View">
        <button ?disabled=${off || this.#asTable} title="Fit (f)" @click=${() => this.#map?.fit()}>Fit</button>
        <button ?disabled=${off || this.#asTable} title="Forget where nodes stand and lay them out anew" @click=${this.#reset}>Lay out anew</button>
        <button ?disabled=${this.#selected === undefined} title="Clear the selection (esc)" @click=${() => revise({ select: undefined })}>Clear selection</button>
        <button aria-pressed=${this.#asTable} ?disabled=${off} title="The same as a table (l)" @click=${this.#toggleTable}>Table</button>
      </div>`
  }

  /** What is opened, and what the limit grouped or left out. */
  #notes(scene: Scene) {
    const folded = foldedText(scene)
    const topology = this.#topology.value
    const left = topology === undefined ? 0 : topology.nodesLeftOut + topology.edgesLeftOut
    const opened = this.#grouping === "none" ? [] : scene.opened.filter(({ id }) => this.#open.includes(id))
    const held = this.#heldBy(scene)
    if (folded === undefined && left === 0 && opened.length === 0 && held === undefined) return nothing
    return html`<div class="notes">
      ${
        opened.length === 0
          ? nothing
          : html`<span class="muted">Open:</span>${opened.map(
              ({ count, id, label }) => html`<button class="chip" title="Close this group" @click=${() => this.#close(id)}
          ><span class="sr">Close group</span> <span class="mono">${label}</span> ${count}<svg viewBox="0 0 8 8" aria-hidden="true"><path d="m1 1 6 6M7 1 1 7" stroke="currentColor" /></svg></button>`
            )}<button class="text" @click=${() => revise({ open: undefined })}>Close all</button>`
      }
      ${held ?? nothing}
      ${folded === undefined ? nothing : html`<span role="status">${folded}</span>`}
      ${left === 0 || topology === undefined ? nothing : html`<span role="status">The appliance left out ${plural(topology.nodesLeftOut, "asset")} and ${plural(topology.edgesLeftOut, "dependency", "dependencies")}; a filter shows them.</span>`}
    </div>`
  }

  /** The selected asset is inside a closed group: which, and the way in. */
  #heldBy(scene: Scene) {
    const group = resolveSelection(scene, this.#selected)?.node
    if (this.#selected?.startsWith("a:") !== true || group?.kind !== "group") return undefined
    const name = group.members.find((member) => `a:${member.id}` === this.#selected)?.name
    return html`<span>${name} stands in <span class="mono">${group.label}</span></span>
      ${group.rest ? nothing : html`<button class="text" @click=${() => this.#openGroup(group.id, this.#selected)}>Open that group</button>`}`
  }

  #body(scene: Scene | undefined) {
    const { reading } = this.#topology
    if (scene === undefined) return html`<div class="body">${this.#nothing()}</div>`
    const inspector =
      this.#selected !== undefined && preferences.value.inspectorOpen ? this.#inspector(scene, this.#selected) : undefined
    return html`<net-split ?open=${inspector !== undefined} .width=${preferences.value.inspectorWidth} label="Selection"
        @net-width=${(event: WidthEvent) => prefer({ inspectorWidth: event.width })} @net-close=${() => revise({ select: undefined })}>
      ${
        this.#asTable
          ? html`<map-table .scene=${scene} .selected=${this.#selected} @net-select=${this.#select} @net-open=${this.#select}></map-table>`
          : html`<net-map .scene=${scene} .places=${this.#placement.places} .selected=${this.#selected} ?stale=${reading._tag === "stale"}
              @net-select=${this.#select} @net-open=${this.#opened} @net-move=${(event: MoveEvent) => this.#placement.move(event.id, event.at)}></net-map>`
      }
      <div slot="aside" @net-open=${this.#opened}>${inspector ?? nothing}</div>
    </net-split>`
  }

  #inspector(scene: Scene, key: string) {
    const found = resolveSelection(scene, key)
    if (key.startsWith("a:")) return html`<asset-sheet compact .key=${key.slice(2)}></asset-sheet>`
    if (key.startsWith("d:")) return html`<dependency-sheet compact .key=${key.slice(2)}></dependency-sheet>`
    const shown = found?.node?.id ?? found?.edge?.id
    return shown === undefined
      ? html`<net-empty kind="match" heading="Not shown">What was selected is not on this map: its group was opened or closed, or the filter leaves it out.
          <button slot="action" @click=${() => revise({ select: undefined })}>Clear selection</button></net-empty>`
      : html`<inspect-group .scene=${scene} .key=${shown}></inspect-group>`
  }

  /** Waiting, failed, or which of the nothings. */
  #nothing() {
    const { reading } = this.#topology
    if (reading._tag === "waiting") return html`<net-waiting what="the map"></net-waiting>`
    if (reading._tag === "failed" && reading.fault.code !== "FilterInvalid") {
      return html`<net-failed what="the map" .why=${reading.fault.message} .code=${reading.fault.code} .since=${reading.since} ?retrying=${reading.retrying}
        still="Assets, exporters and health have their own pages and go on." @net-retry=${() => this.#topology.retry()}></net-failed>`
    }
    if (this.#filter !== "") {
      return html`<net-empty kind="match" heading="Nothing matches">No asset with a dependency matches <span class="mono">${this.#filter}</span>.
        <button slot="action" @click=${() => revise({ filter: undefined })}>Clear the filter</button></net-empty>`
    }
    if (this.#at !== undefined) {
      return html`<net-empty kind="match" heading="Nothing was on the map then">No dependency known now was valid at that moment.
        <button slot="action" @click=${() => revise({ at: undefined })}>Back to live</button></net-empty>`
    }
    const known = this.#exporters.value ?? []
    const heard = known.filter((exporter) => exporter.state !== "silent").length
    return html`<net-empty kind="yet" heading="Nothing on the map yet">
      <p>Listening on <span class="mono">udp/2055</span> (NetFlow), <span class="mono">udp/4739</span> (IPFIX) and <span class="mono">udp/6343</span> (sFlow).
        ${known.length === 0 ? "No exporter has sent anything." : heard === 0 ? `${plural(known.length, "exporter")} known, all silent.` : `${plural(heard, "exporter")} heard; the first window is still open.`}</p>
      <p>Point a router's flow export at this appliance, or start it with <span class="mono">npm start -- --demo</span>. The first dependencies appear within a minute of the first flows.</p>
      <a slot="action" class="link" href="/exporters">Exporters, and what they sent</a></net-empty>`
  }

  get #fault() {
    const { reading } = this.#topology
    if (reading._tag !== "failed" || reading.fault.code !== "FilterInvalid") return undefined
    const { message, position } = reading.fault.error as FilterInvalid
    return { message, position }
  }

  readonly #filtered = (event: FilterEvent) => revise({ filter: event.filter, select: undefined })
  readonly #legend = (event: LegendEvent) => revise({ only: event.only })
  readonly #regroup = (event: Event) => {
    const { value } = event.target as HTMLSelectElement
    this.#fitWhenPlaced = true
    revise({
      group: value === "network" ? undefined : value,
      open: undefined,
      select: this.#selected?.startsWith("a:") === true ? this.#selected : undefined
    })
  }
  readonly #select = (event: SelectEvent | OpenEvent) => revise({ select: event.key }, { replace: this.#selected !== undefined })
  readonly #opened = (event: OpenEvent) => this.#openGroup(event.key, undefined)
  #openGroup(key: string, select: string | undefined): void {
    const id = key.slice(2)
    if (this.#scene?.nodeById.get(key)?.rest === true || this.#open.includes(id)) return
    revise({ open: [...this.#open, id].join(","), select })
  }
  #close(id: string): void {
    revise({ open: this.#open.filter((one) => one !== id).join(",") })
  }
  readonly #reset = () => {
    if (this.#scene === undefined) return
    this.#placement.forget()
    this.#fitWhenPlaced = true
    this.#placement.arrange(this.#grouping, this.#scene)
  }
  readonly #toggleTable = () => revise({ view: this.#asTable ? undefined : "table" })

  readonly #act = (event: Event) => {
    if (!event.defaultPrevented && this.#perform((event as ActionEvent).action)) event.preventDefault()
  }

  #perform(action: string): boolean {
    const scene = this.#scene
    if (scene === undefined) return false
    if (action === "map.table") {
      this.#toggleTable()
      return true
    }
    const map = this.#map
    if (map === null) return false
    if (action === "map.fit") map.fit()
    else if (action === "map.zoom-in") map.zoomBy(1.25)
    else if (action === "map.zoom-out") map.zoomBy(0.8)
    else if (action === "map.centre") map.centre()
    else if (action.startsWith("map.walk-")) map.walk(action.slice(9) as "up" | "down" | "left" | "right")
    else if (action === "copy.identity") {
      const node = resolveSelection(scene, this.#selected)?.node
      if (node === undefined) return false
      copy(this, identityOf(node))
    } else return false
    return true
  }
}
customElements.define("page-map", PageMap)
