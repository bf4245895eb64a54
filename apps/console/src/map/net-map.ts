/**
 * The map's canvas. vis-network holds the view (pan, zoom, drag) and calls us to draw; it is loaded when the first map is shown.
 * Positions are ours: nothing moves unless the network did or a person moved it.
 *
 * Properties: `scene`; `places` of its nodes; `selected` key or keys; `stale` dims; `hint` for who sees it first. Events: `SelectEvent`,
 * `OpenEvent` (double click on a group), `MenuEvent` (right click), `MoveEvent` (a node was dragged). Methods: `fit`, `zoomBy`,
 * `centre`, `walk`, `screenOf`, `menuPlace`.
 */
import { html, LitElement, nothing, type PropertyValues } from "lit"
import { theme } from "../preferences.ts"
import { sheet } from "../style/sheet.ts"
import { MenuEvent, MoveEvent, OpenEvent, SelectEvent } from "../ui/events.ts"
import { beside, besidePointer, clamped, fitted, zoomAbout } from "./camera.ts"
import { type Drawn, type Items, loadCanvas, syncItems, type View, viewOptions } from "./canvas.ts"
import { drawEdges, edgeAt, type Segment, segmentsOf } from "./draw-edges.ts"
import { drawLabels, drawNode, forgetWidths, halfSide } from "./draw-nodes.ts"
import { lassoing, type Rect, within } from "./lasso.ts"
import type { Place } from "./layout.ts"
import { boundsOf, nameOf } from "./names.ts"
import { netMapStyle } from "./net-map-style.ts"
import { followLooks, type Palette, readPalette } from "./palette.ts"
import type { Scene } from "./scene.ts"
import { type Highlight, highlight, noHighlight, resolveSelection, toggled, walk } from "./select.ts"

export class NetMap extends LitElement {
  static override readonly properties = {
    scene: { attribute: false },
    places: { attribute: false },
    selected: {},
    stale: { type: Boolean, reflect: true },
    hint: {},
    hovered: { state: true },
    lasso: { state: true },
    failed: { state: true }
  }
  declare scene: Scene
  declare places: ReadonlyMap<string, Place>
  declare selected: string | undefined
  declare stale: boolean
  declare hint: string | undefined
  declare hovered: string | undefined
  /** The rectangle being drawn, px of the element. */
  declare lasso: Rect | undefined
  declare failed: boolean

  static override readonly styles = [sheet, netMapStyle]

  #network: View | undefined
  #items: Items | undefined
  #palette: Palette | undefined
  #segments: ReadonlyArray<Segment> = []
  #highlight: Highlight = noHighlight
  #frame: number | undefined
  #fitted = false
  #pointer: { readonly x: number; readonly y: number } | undefined
  #stop: ReadonlyArray<() => void> = []

  constructor() {
    super()
    this.stale = false
    this.failed = false
  }

  override connectedCallback(): void {
    super.connectedCallback()
    // the tokens follow `data-theme`, which is set before the cell
    const recolour = () => {
      this.#palette = undefined
      this.#draw()
    }
    this.#stop = [theme.follow(recolour), followLooks(recolour)]
    void document.fonts?.ready.then(() => {
      forgetWidths()
      this.#draw()
    })
    if (this.hasUpdated) void this.#begin()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    for (const stop of this.#stop) stop()
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame)
    this.#frame = undefined
    this.#network?.destroy()
    this.#network = undefined
    this.#items = undefined
  }

  override render() {
    const { edges, nodes } = this.scene
    const said =
      this.selected === undefined
        ? "nothing selected"
        : `${nameOf(this.scene, this.selected) ?? "what was selected is not shown"} selected`
    return html`<div id="stage" class=${this.hovered === undefined ? "" : "over"} role="application" tabindex="0"
        aria-label=${`Map: ${nodes.length} nodes, ${edges.length} lines, ${said}. Arrow keys walk along lines, l shows it as a table.`}
        @pointerdown=${this.#grab} @pointermove=${this.#move} @pointerleave=${this.#leave} @wheel=${this.#leave} @contextmenu=${this.#context}></div>
      ${this.hint === undefined ? nothing : html`<p class="hint">${this.hint}</p>`}
      ${this.lasso === undefined ? nothing : html`<div id="lasso"></div>`}
      ${this.failed ? html`<p role="alert">The map's canvas could not be loaded from the appliance; the table (l) shows the same.</p>` : nothing}
      ${this.failed || nodes.some(({ id }) => this.places.has(id)) ? nothing : html`<p class="wait" role="status">Laying out ${nodes.length} nodes</p>`}
      ${this.#readout()}`
  }

  protected override firstUpdated(): void {
    void this.#begin()
  }

  protected override updated(changed: PropertyValues<this>): void {
    const lasso = this.renderRoot.querySelector<HTMLElement>("#lasso")
    if (lasso !== null && this.lasso !== undefined) {
      // not as an attribute: the appliance's policy allows none
      for (const side of ["left", "top", "width", "height"] as const) lasso.style[side] = `${this.lasso[side]}px`
    }
    if (changed.has("scene") || changed.has("places")) {
      this.#segments = segmentsOf(this.scene, this.places)
      this.#sync()
    }
    if (changed.has("scene") || changed.has("selected")) this.#highlight = highlight(this.scene, this.selected)
    this.#draw()
  }

  async #begin(): Promise<void> {
    let vis: Awaited<ReturnType<typeof loadCanvas>>
    try {
      vis = await loadCanvas()
    } catch {
      this.failed = true
      return
    }
    const stage = this.renderRoot.querySelector<HTMLElement>("#stage")
    if (stage === null || !this.isConnected || this.#network !== undefined) return
    this.#items = new vis.DataSet([])
    const network = new vis.Network(stage, { nodes: this.#items, edges: [] }, viewOptions(this.#paint))
    this.#network = network
    // vis makes its frame focusable without a name; ours has both
    for (const child of stage.children) child.removeAttribute("tabindex")
    stage.querySelector("canvas")?.setAttribute("aria-hidden", "true")
    network.on("beforeDrawing", (ctx) => this.#paintLines(ctx))
    network.on("afterDrawing", (ctx) => this.#paintLabels(ctx))
    network.on("click", ({ pointer }) => this.dispatchEvent(new SelectEvent(this.#keyAt(pointer.DOM))))
    network.on("doubleClick", ({ pointer }) => {
      const key = this.#keyAt(pointer.DOM)
      const node = key === undefined ? undefined : this.scene.nodeById.get(key)
      if (node?.kind === "group" && !node.rest) this.dispatchEvent(new OpenEvent(node.id))
      else if (key === undefined) this.zoomBy(1.6, pointer.DOM)
    })
    network.on("dragging", ({ nodes }) => {
      if (nodes.length > 0) this.#carry(nodes)
    })
    network.on("dragEnd", ({ nodes }) => {
      const id = nodes[0]
      const at = id === undefined ? undefined : network.getPositions([id])[id]
      if (id !== undefined && at !== undefined) this.dispatchEvent(new MoveEvent(id, { x: Math.round(at.x), y: Math.round(at.y) }))
    })
    network.on("zoom", () => {
      if (clamped(this.#zoom) !== this.#zoom) network.moveTo({ scale: clamped(this.#zoom) })
    })
    this.#sync()
  }

  /** Nodes of the scene into vis; edges stay ours. The view is fitted once, when the first picture stands. */
  #sync(): void {
    const items = this.#items
    if (items === undefined || this.#network === undefined) return
    const shown = syncItems(items, this.scene.nodes, this.places)
    if (!this.#fitted && shown > 0) {
      this.#fitted = true
      this.fit()
    }
    this.#draw()
  }

  #draw(): void {
    if (this.#frame !== undefined || this.#network === undefined) return
    this.#frame = requestAnimationFrame(() => {
      this.#frame = undefined
      this.#network?.redraw()
    })
  }

  get #colours(): Palette {
    return (this.#palette ??= readPalette(this))
  }

  get #zoom(): number {
    return this.#network?.getScale() ?? 1
  }

  readonly #relationOf = (id: string) => (this.#highlight.nodes.size === 0 ? undefined : (this.#highlight.nodes.get(id) ?? "other"))

  readonly #radiusOf = (id: string): number => {
    const node = this.scene.nodeById.get(id)
    return node === undefined ? 0 : halfSide(node, this.#zoom)
  }

  /** Called by vis for each node in sight. */
  readonly #paint = ({ ctx, id, x, y }: Drawn) => {
    const node = this.scene.nodeById.get(id)
    const half = node === undefined ? 0 : halfSide(node, this.#zoom)
    return {
      drawNode: () => {
        if (node === undefined) return
        drawNode(ctx, node, x, y, {
          palette: this.#colours,
          zoom: this.#zoom,
          relation: this.#relationOf(id),
          hovered: this.hovered === id
        })
      },
      nodeDimensions: { width: half * 2, height: half * 2 }
    }
  }

  #paintLines(ctx: CanvasRenderingContext2D): void {
    drawEdges(ctx, this.#segments, {
      palette: this.#colours,
      zoom: this.#zoom,
      highlight: this.#highlight,
      hovered: this.hovered,
      radiusOf: this.#radiusOf
    })
  }

  #paintLabels(ctx: CanvasRenderingContext2D): void {
    drawLabels(ctx, this.scene.nodes, this.places, {
      palette: this.#colours,
      zoom: this.#zoom,
      relationOf: this.#relationOf,
      hovered: this.hovered
    })
  }

  #readout() {
    if (this.hovered === undefined || this.#pointer === undefined) return nothing
    const name = nameOf(this.scene, this.hovered)
    return name === undefined ? nothing : html`<div id="name" aria-hidden="true">${name}</div>`
  }

  #keyAt(dom: Place): string | undefined {
    const network = this.#network
    if (network === undefined) return undefined
    const node = network.getNodeAt(dom)
    if (node !== undefined) return String(node)
    const { x, y } = network.DOMtoCanvas(dom)
    return edgeAt(this.#segments, x, y, 5 / this.#zoom)?.id
  }

  readonly #move = (event: PointerEvent) => {
    if (event.buttons !== 0) return this.#leave()
    const box = this.getBoundingClientRect()
    this.#pointer = { x: event.clientX - box.left, y: event.clientY - box.top }
    const key = this.#keyAt(this.#pointer)
    if (key !== this.hovered) this.hovered = key
    const name = this.renderRoot.querySelector<HTMLElement>("#name")
    if (name === null) return
    const { x, y } = besidePointer(this.#pointer, box, name)
    name.style.transform = `translate(${x}px, ${y}px)`
  }

  readonly #leave = () => {
    if (this.hovered !== undefined) this.hovered = undefined
  }

  /** Lines follow a node while it is dragged. */
  #carry(ids: ReadonlyArray<string>): void {
    const at = this.#network?.getPositions(ids) ?? {}
    this.places = new Map([...this.places, ...Object.entries(at)])
  }

  #within(event: MouseEvent): Place {
    const box = this.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }

  readonly #grab = lassoing({
    pointOf: (event) => this.#within(event),
    draw: (rect) => {
      this.lasso = rect
    },
    clicked: (at) => {
      const key = this.#keyAt(at)
      if (key !== undefined) this.dispatchEvent(new SelectEvent(toggled(this.selected, [key])))
    },
    drawn: (rect) => {
      const keys = this.scene.nodes.flatMap(({ id }) => {
        const on = this.screenOf(id)
        return on !== undefined && within(rect, on) ? [id] : []
      })
      this.dispatchEvent(new SelectEvent(keys.length === 0 ? undefined : keys.join(",")))
    }
  })

  readonly #context = (event: MouseEvent) => {
    event.preventDefault()
    this.hovered = undefined
    this.dispatchEvent(new MenuEvent(this.#keyAt(this.#within(event)), event.clientX, event.clientY))
  }

  /** Where the menu of the selection opens, px of the window: beside it, or in the middle. */
  menuPlace(): Place {
    const found = resolveSelection(this.scene, this.selected)
    const ends = found?.node === undefined ? [found?.edge?.from, found?.edge?.to] : [found.node.id]
    const on = ends.flatMap((id) => (id === undefined ? [] : (this.screenOf(id) ?? [])))
    return beside(this.getBoundingClientRect(), on)
  }

  /** All of it in sight. */
  fit(): void {
    const network = this.#network
    if (network === undefined) return
    const bounds = boundsOf(this.scene, this.places)
    if (bounds === undefined) return
    network.moveTo(fitted(bounds, this.clientWidth, this.clientHeight))
  }

  /** Zooms about a point of the element, its middle by default. */
  zoomBy(factor: number, about: Place = { x: this.clientWidth / 2, y: this.clientHeight / 2 }): void {
    if (this.#network !== undefined) zoomAbout(this.#network, factor, about)
  }

  centre(key: string | undefined = this.selected): void {
    const found = resolveSelection(this.scene, key)
    const at = found?.node === undefined ? undefined : this.places.get(found.node.id)
    if (at !== undefined) this.#network?.moveTo({ position: { ...at }, scale: Math.max(1, this.#zoom) })
  }

  /** Selects the neighbour in that direction and keeps it in sight. */
  walk(way: "left" | "right" | "up" | "down"): void {
    const node = resolveSelection(this.scene, this.selected)?.node
    const next = walk(this.scene, this.places, node?.id, way)
    if (next === undefined) return
    this.dispatchEvent(new SelectEvent(next))
    const at = this.places.get(next)
    if (at !== undefined && !this.inSight([next])) this.#network?.moveTo({ position: { ...at } })
  }

  /** Whether all of these stand inside the frame. */
  inSight(ids: ReadonlyArray<string>): boolean {
    const frame = { left: 20, top: 20, width: this.clientWidth - 40, height: this.clientHeight - 60 }
    return ids.map((id) => this.screenOf(id)).every((on) => on !== undefined && within(frame, on))
  }

  /** Where a node is drawn, px from the element's corner. */
  screenOf(id: string): Place | undefined {
    const at = this.places.get(id)
    return at === undefined ? undefined : this.#network?.canvasToDOM({ ...at })
  }
}
customElements.define("net-map", NetMap)
