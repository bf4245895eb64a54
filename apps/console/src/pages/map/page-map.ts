/** The map: what talks to what, grouped first. Everything it shows is in its URL: filter, group, open, only, select, isolate, view. */
import { DateTime, Effect } from "effect"
import { html, LitElement, nothing, type PropertyValues } from "lit"
import type { Exporter } from "#domain/Exporter.ts"
import type { FilterInvalid, Topology } from "#domain/Topology.ts"
import { rowsOf } from "#domain/TopologyColumns.ts"
import { Following } from "../../Cell.ts"
import { filterWords } from "../../filter-words.ts"
import { plural } from "../../format/number.ts"
import { ActionEvent } from "../../keys.ts"
import { groupings, groupingWords } from "../../map/grouping.ts"
import { type Isolated, isolate } from "../../map/isolate.ts"
import type { LegendEvent } from "../../map/legend.ts"
import { nameOf } from "../../map/names.ts"
import type { NetMap } from "../../map/net-map.ts"
import { Placement } from "../../map/Placement.ts"
import { makeScene, type Scene } from "../../map/scene.ts"
import { identityOf, resolveSelection, selectionKeys } from "../../map/select.ts"
import { go, type Place, revise } from "../../place.ts"
import { prefer, preferences } from "../../preferences.ts"
import { Subject } from "../../rpc/Subject.ts"
import { sheet } from "../../style/sheet.ts"
import { copy } from "../../ui/copy.ts"
import type { FilterEvent, MenuEvent, MoveEvent, OpenEvent, SelectEvent, WidthEvent } from "../../ui/events.ts"
import { pageStyle } from "../page-style.ts"
import { mapEmpty } from "./map-empty.ts"
import { mapInspector } from "./map-inspector.ts"
import { type MapMenu, mapMenu } from "./map-menu.ts"
import { mapHint, mapNotes } from "./map-notes.ts"
import { type MapQuestion, readMapQuestion } from "./map-question.ts"
import { mapStyle } from "./map-style.ts"
import "../../map/legend.ts"
import "../../map/net-map.ts"
import "../../ui/net-filter.ts"
import "../../ui/net-menu.ts"
import "../../ui/net-split.ts"
import "../../ui/net-state.ts"
import "./map-table.ts"

const words = filterWords("dependency")

/** What is copied: an address, a prefix, or for a line what it is called. */
const identity = (scene: Scene, key: string): string => {
  const node = resolveSelection(scene, key)?.node
  return node === undefined ? (nameOf(scene, key) ?? key) : identityOf(node)
}

export class PageMap extends LitElement {
  static override readonly properties = { place: { attribute: false }, menu: { state: true } }
  declare place: Place
  declare menu: (MapMenu & { readonly x: number; readonly y: number }) | undefined

  static override readonly styles = [sheet, pageStyle, mapStyle]

  readonly #topology = Subject.call<Topology, unknown>(
    this,
    {
      what: "the map",
      follow: "map",
      key: () => JSON.stringify([this.#asked.filter, this.#asked.at]),
      isEmpty: (topology) => topology.nodes.length === 0
    },
    () => {
      const { at, filter } = this.#asked
      const query = {
        ...(filter === "" ? {} : { filter }),
        ...(at === undefined ? {} : { at: DateTime.makeUnsafe(at) })
      }
      return (api) => Effect.map(api.TopologyGet(query), rowsOf)
    }
  )
  /** Asked only while the map is empty: who could fill it. */
  readonly #exporters = Subject.watch<ReadonlyArray<Exporter>, unknown>(
    this,
    { what: "the exporters", key: () => this.#topology.reading._tag },
    () => (this.#topology.reading._tag === "empty" ? (api) => api.ExportersWatch() : undefined)
  )
  readonly #placement = new Placement(() => this.requestUpdate())
  /** Everything the filter left, grouped; `#scene` is what of it is drawn. */
  #whole: Scene | undefined
  #scene: Scene | undefined
  #isolated: Isolated | undefined
  #isolatedOf: ReadonlyArray<unknown> = []
  #sceneOf: ReadonlyArray<unknown> = []
  #fitWhenPlaced = false
  /** A group just opened: its members are brought in sight once they stand. */
  #revealed: string | undefined

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

  get #asked(): MapQuestion {
    return readMapQuestion(this.place.query)
  }
  get #map(): NetMap | null {
    return this.renderRoot.querySelector("net-map")
  }

  protected override willUpdate(_changed: PropertyValues<this>): void {
    const topology = this.#topology.value
    if (topology === undefined || topology.nodes.length === 0) {
      this.#scene = undefined
      this.#whole = undefined
      this.#isolated = undefined
      this.#isolatedOf = []
      this.#sceneOf = []
      return
    }
    const { coverage, grouping, isolating, only, open } = this.#asked
    const inputs = [topology, grouping, open.join(","), only, coverage]
    if (!inputs.every((input, i) => input === this.#sceneOf[i])) {
      this.#sceneOf = inputs
      this.#whole = makeScene(topology, { grouping, open: new Set(open), only, coverage })
      // the whole of it is laid out: what comes back from hiding stands where it stood
      const stands = this.#placement.arrange(grouping, this.#whole)
      // the first picture is fitted once all of it stands
      if (!stands && this.#isolatedOf.length === 0) this.#fitWhenPlaced = true
    }
    const wanted = [this.#whole, isolating]
    if (wanted.every((input, i) => input === this.#isolatedOf[i])) return
    if (this.#isolatedOf.length > 0 && wanted[1] !== this.#isolatedOf[1]) this.#fitWhenPlaced = true
    this.#isolatedOf = wanted
    this.#isolated = this.#whole === undefined ? undefined : isolate(this.#whole, isolating)
    this.#scene = this.#isolated?.scene ?? this.#whole
  }

  protected override updated(): void {
    const scene = this.#scene
    if ((!this.#fitWhenPlaced && this.#revealed === undefined) || scene === undefined) return
    if (scene.nodes.some(({ id }) => !this.#placement.places.has(id))) return
    const always = this.#fitWhenPlaced
    const inside = scene.nodes.filter(({ parent }) => parent !== undefined && parent === this.#revealed).map(({ id }) => id)
    this.#fitWhenPlaced = false
    this.#revealed = undefined
    void this.updateComplete
      .then(() => this.#map?.updateComplete)
      .then(() => {
        if (always || this.#map?.inSight(inside) === false) this.#map?.fit()
      })
  }

  override render() {
    const { reading } = this.#topology
    const scene = this.#scene
    return html`<div class="head"><h1>Map</h1>
        <span class="count">${scene === undefined ? nothing : `${plural(scene.assets, "asset")}, ${plural(scene.dependencies, "dependency", "dependencies")}`}</span>
        <net-filter label="Filter the map" placeholder="type:db seen:<1h 10.2.0.0/16" .value=${this.#asked.filter} .complete=${words.complete} .check=${words.check} .fault=${this.#fault} @net-filter=${this.#filtered}></net-filter>
        ${this.#tools()}</div>
      ${reading._tag === "stale" ? html`<net-stale .since=${reading.since} .why=${reading.fault.message} ?retrying=${reading.retrying}></net-stale>` : nothing}
      ${scene === undefined ? nothing : this.#notes(scene)}
      ${this.#body(scene)}
      ${scene === undefined ? nothing : html`<net-legend .counts=${scene.legend} .only=${this.#asked.only} ?blind=${scene.blindness.length > 0} ?lines=${!this.#asked.asTable} ?marks=${resolveSelection(scene, this.#asked.selected)?.node !== undefined} @net-legend=${this.#legend}></net-legend>`}
      <net-menu .entries=${this.menu?.entries} heading=${this.menu?.heading ?? ""} x=${this.menu?.x ?? 0} y=${this.menu?.y ?? 0} @net-close=${() => (this.menu = undefined)}></net-menu>`
  }

  #tools() {
    const off = this.#scene === undefined
    return html`<label class="group">Group by <select .value=${this.#asked.grouping} @change=${this.#regroup}>
        ${groupings.map((grouping) => html`<option value=${grouping} ?selected=${grouping === this.#asked.grouping}>${groupingWords[grouping]}</option>`)}</select></label>
      <div class="tools" role="group" aria-label="View">
        <button ?disabled=${off || this.#asked.asTable} title="Fit (f)" @click=${() => this.#map?.fit()}>Fit</button>
        <button ?disabled=${off || this.#asked.asTable} title="Forget where nodes stand and lay them out anew" @click=${this.#reset}>Lay out anew</button>
        <button ?disabled=${this.#asked.selected === undefined && this.#asked.isolating === undefined} title="Clear the selection, and show what is hidden (esc)" @click=${() => revise({ select: undefined, isolate: undefined })}>Clear</button>
        <button aria-pressed=${this.#asked.asTable} ?disabled=${off} title="The same as a table (l)" @click=${this.#toggleTable}>Table</button>
      </div>`
  }

  #notes(scene: Scene) {
    return mapNotes({
      scene,
      asTable: this.#asked.asTable,
      topology: this.#topology.value,
      opened: this.#asked.grouping === "none" ? [] : scene.opened.filter(({ id }) => this.#asked.open.includes(id)),
      isolated:
        this.#asked.isolating === undefined
          ? undefined
          : (this.#isolated?.text ?? "What was isolated is not on this map; all is shown."),
      selected: this.#asked.selected,
      close: (id) => this.#close(id),
      open: (group) => this.#openGroup(group, this.#asked.selected)
    })
  }

  #body(scene: Scene | undefined) {
    const { reading } = this.#topology
    if (scene === undefined) return html`<div class="body">${this.#nothing()}</div>`
    const inspector =
      this.#asked.selected !== undefined && preferences.value.inspectorOpen ? mapInspector(scene, this.#asked.selected) : undefined
    return html`<net-split ?open=${inspector !== undefined} .width=${preferences.value.inspectorWidth} label="Selection"
        @net-width=${(event: WidthEvent) => prefer({ inspectorWidth: event.width })} @net-close=${() => revise({ select: undefined })}>
      ${
        this.#asked.asTable
          ? html`<map-table .scene=${scene} .selected=${this.#asked.selected} @net-select=${this.#select} @net-open=${this.#select}></map-table>`
          : html`<net-map .scene=${scene} .places=${this.#placement.places} .selected=${this.#asked.selected} ?stale=${reading._tag === "stale"} .hint=${this.#hint} @net-menu=${this.#contextMenu}
              @net-select=${this.#select} @net-open=${this.#opened} @net-move=${(event: MoveEvent) => this.#placement.move(event.id, event.at)}></net-map>`
      }
      <div slot="aside" @net-open=${this.#opened} @net-isolate=${() => revise({ isolate: this.#asked.selected })}>${inspector ?? nothing}</div>
    </net-split>`
  }

  get #hint(): string | undefined {
    const touched = this.#asked.selected !== undefined || this.#asked.open.length > 0 || this.#asked.isolating !== undefined
    return touched ? undefined : mapHint(this.#asked.grouping)
  }

  /** Waiting, failed, or which of the nothings. */
  #nothing() {
    const { reading } = this.#topology
    if (reading._tag === "waiting") return html`<net-waiting what="the map"></net-waiting>`
    if (reading._tag === "failed" && reading.fault.code !== "FilterInvalid") {
      return html`<net-failed what="the map" .why=${reading.fault.message} .code=${reading.fault.code} .since=${reading.since} ?retrying=${reading.retrying}
        still="Assets, exporters and health have their own pages and go on." @net-retry=${() => this.#topology.retry()}></net-failed>`
    }
    return mapEmpty({ filter: this.#asked.filter, past: this.#asked.at !== undefined, exporters: this.#exporters.value ?? [] })
  }

  get #fault() {
    const { reading } = this.#topology
    if (reading._tag !== "failed" || reading.fault.code !== "FilterInvalid") return undefined
    const { message, position } = reading.fault.error as FilterInvalid
    return { message, position }
  }

  readonly #filtered = (event: FilterEvent) => revise({ filter: event.filter, select: undefined, isolate: undefined })
  readonly #legend = (event: LegendEvent) => revise({ only: event.only })
  readonly #regroup = (event: Event) => {
    const { value } = event.target as HTMLSelectElement
    this.#fitWhenPlaced = true
    revise({
      group: value === "network" ? undefined : value,
      open: undefined,
      isolate: undefined,
      select: this.#asked.selected?.startsWith("a:") === true ? this.#asked.selected : undefined
    })
  }
  readonly #select = (event: SelectEvent | OpenEvent) =>
    revise({ select: event.key }, { replace: this.#asked.selected !== undefined })
  readonly #opened = (event: OpenEvent) => this.#openGroup(event.key, undefined)
  #openGroup(key: string, select: string | undefined): void {
    const id = key.slice(2)
    if (this.#scene?.nodeById.get(key)?.rest === true || this.#asked.open.includes(id)) return
    this.#revealed = key
    revise({ open: [...this.#asked.open, id].join(","), select })
  }
  #close(id: string): void {
    revise({ open: this.#asked.open.filter((one) => one !== id).join(",") })
  }
  readonly #reset = () => {
    if (this.#whole === undefined) return
    this.#placement.forget()
    this.#fitWhenPlaced = true
    this.#placement.arrange(this.#asked.grouping, this.#whole)
    this.requestUpdate()
  }
  readonly #contextMenu = (event: MenuEvent) => {
    // on one of several selected: the menu of them all
    const several = selectionKeys(this.#asked.selected)
    const key = event.key !== undefined && several.includes(event.key) ? this.#asked.selected : event.key
    this.#openMenu(key, event.x, event.y)
  }

  #openMenu(key: string | undefined, x: number, y: number): void {
    const scene = this.#scene
    if (scene === undefined) return
    const written = (keys: ReadonlyArray<string>) => (keys.length === 0 ? undefined : keys.join(","))
    const opened = this.#asked.grouping !== "none" && this.#asked.open.length > 0
    const menu = mapMenu(scene, key, {
      open: (group) => this.#openGroup(group, undefined),
      close: (group) => this.#close(group.slice(2)),
      select: (keys) => revise({ select: written(keys) }),
      isolate: (keys) => revise({ isolate: written(keys), select: written(keys) }),
      copy: (keys) => copy(this, keys.map((one) => identity(scene, one)).join("\n")),
      table: (keys) => revise({ view: "table", ...(keys.length === 0 ? {} : { select: written(keys) }) }),
      show: (href) => go(href),
      fit: () => this.#map?.fit(),
      showAll: this.#asked.isolating === undefined ? undefined : () => revise({ isolate: undefined }),
      closeAll: opened ? () => revise({ open: undefined }) : undefined
    })
    this.menu = { ...menu, x, y }
  }

  readonly #toggleTable = () => revise({ view: this.#asked.asTable ? undefined : "table" })

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
    else if (action === "map.menu") {
      const { x, y } = map.menuPlace()
      this.#openMenu(this.#asked.selected, x, y)
    } else if (action === "copy.identity") {
      if (this.#asked.selected === undefined) return false
      copy(
        this,
        selectionKeys(this.#asked.selected)
          .map((key) => identity(scene, key))
          .join("\n")
      )
    } else return false
    return true
  }
}
customElements.define("page-map", PageMap)
