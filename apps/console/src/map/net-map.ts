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
import { MenuEvent, OpenEvent, SelectEvent } from "../ui/events.ts"
import { type Drawn, type Items, loadCanvas, type View } from "./canvas.ts"
import { drawEdges, edgeAt, type Segment, segmentsOf } from "./draw-edges.ts"
import { drawLabels, drawNode, forgetWidths, halfSide } from "./draw-nodes.ts"
import { isClick, type Rect, rectOf, within } from "./lasso.ts"
import type { Place } from "./layout.ts"
import { boundsOf, nameOf } from "./names.ts"
import { netMapStyle } from "./net-map-style.ts"
import { type Palette, readPalette } from "./palette.ts"
import type { Scene } from "./scene.ts"
import { type Highlight, highlight, noHighlight, resolveSelection, toggled, walk } from "./select.ts"

export class MoveEvent extends Event {
  static readonly type = "net-move"
  readonly id: string
  readonly at: Place
  constructor(id: string, at: Place) {
    super(MoveEvent.type, { bubbles: true, composed: true })
    this.id = id
    this.at = at
  }
}

/** What labels, marks and the hint take around the outermost nodes, px on screen. */
const labelRoom = { aside: 66, above: 52, below: 56 } as const
const smallest = 0.05
const largest = 4

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
    const looks = [matchMedia("(forced-colors: active)"), matchMedia("print")]
    // the tokens follow `data-theme`, which is set before the cell
    const recolour = () => {
      this.#palette = undefined
      this.#draw()
    }
    for (const look of looks) look.addEventListener("change", recolour)
    this.#stop = [
      theme.follow(recolour),
      () => {
        for (const look of looks) look.removeEventListener("change", recolour)
      }
    ]
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
    const network = new vis.Network(stage, { nodes: this.#items, edges: [] }, {
      physics: false,
      layout: { improvedLayout: false, randomSeed: 1 },
      interaction: { hover: false, selectable: false, dragNodes: true, keyboard: false, tooltipDelay: 3_600_000, zoomSpeed: 1 },
      nodes: { shape: "custom", ctxRenderer: this.#paint }
    } as never)
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
    network.on("zoom", () => this.#bound())
    this.#sync()
  }

  /** Nodes of the scene into vis; edges stay ours. The view is fitted once, when the first picture stands. */
  #sync(): void {
    const items = this.#items
    if (items === undefined || this.#network === undefined) return
    const next: Array<{ readonly id: string; readonly x: number; readonly y: number }> = []
    for (const { id } of this.scene.nodes) {
      const at = this.places.get(id)
      if (at !== undefined) next.push({ id, x: at.x, y: at.y })
    }
    const wanted = new Set(next.map((item) => item.id))
    const gone = items.getIds().filter((id) => !wanted.has(id))
    if (gone.length > 0) items.remove(gone)
    const changed = next.filter((item) => {
      const known = items.get(item.id)
      return known === null || known.x !== item.x || known.y !== item.y
    })
    if (changed.length > 0) items.update(changed)
    if (!this.#fitted && next.length > 0) {
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
    const left = Math.min(this.#pointer.x + 14, box.width - name.offsetWidth - 4)
    const top =
      this.#pointer.y + 18 + name.offsetHeight > box.height ? this.#pointer.y - name.offsetHeight - 8 : this.#pointer.y + 18
    name.style.transform = `translate(${Math.max(4, left)}px, ${top}px)`
  }

  readonly #leave = () => {
    if (this.hovered !== undefined) this.hovered = undefined
  }

  /** Lines follow a node while it is dragged. */
  #carry(ids: ReadonlyArray<string>): void {
    const at = this.#network?.getPositions(ids) ?? {}
    this.places = new Map([...this.places, ...Object.entries(at)])
  }

  #bound(): void {
    const zoom = this.#zoom
    if (zoom < smallest || zoom > largest) this.#network?.moveTo({ scale: Math.min(largest, Math.max(smallest, zoom)) })
  }

  #within(event: MouseEvent): Place {
    const box = this.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }

  /** With shift: a rectangle selects, a click adds or takes out. Taken before vis sees it, which would pan. */
  readonly #grab = {
    capture: true,
    handleEvent: (event: PointerEvent) => {
      if (!event.shiftKey || event.button !== 0) return
      event.stopPropagation()
      const stage = event.currentTarget as HTMLElement
      stage.setPointerCapture(event.pointerId)
      const from = this.#within(event)
      this.lasso = rectOf(from, from)
      const drag = (moved: PointerEvent) => {
        this.lasso = rectOf(from, this.#within(moved))
      }
      const release = () => {
        stage.removeEventListener("pointermove", drag)
        const rect = this.lasso
        this.lasso = undefined
        if (rect === undefined) return
        const keys = isClick(rect) ? [this.#keyAt(from)].filter((key) => key !== undefined) : this.#nodesIn(rect)
        if (isClick(rect)) {
          if (keys.length > 0) this.dispatchEvent(new SelectEvent(toggled(this.selected, keys)))
        } else this.dispatchEvent(new SelectEvent(keys.length === 0 ? undefined : keys.join(",")))
      }
      stage.addEventListener("pointermove", drag)
      stage.addEventListener("lostpointercapture", release, { once: true })
    }
  }

  #nodesIn(rect: Rect): ReadonlyArray<string> {
    return this.scene.nodes.flatMap(({ id }) => {
      const on = this.screenOf(id)
      return on !== undefined && within(rect, on) ? [id] : []
    })
  }

  readonly #context = (event: MouseEvent) => {
    event.preventDefault()
    this.hovered = undefined
    this.dispatchEvent(new MenuEvent(this.#keyAt(this.#within(event)), event.clientX, event.clientY))
  }

  /** Where the menu of the selection opens, px of the window: beside it, or in the middle. */
  menuPlace(): Place {
    const box = this.getBoundingClientRect()
    const found = resolveSelection(this.scene, this.selected)
    const ends = found?.node === undefined ? [found?.edge?.from, found?.edge?.to] : [found.node.id]
    const on = ends.flatMap((id) => (id === undefined ? [] : (this.screenOf(id) ?? [])))
    if (on.length === 0) return { x: box.left + box.width / 2, y: box.top + box.height / 2 }
    const x = on.reduce((sum, at) => sum + at.x, 0) / on.length
    const y = on.reduce((sum, at) => sum + at.y, 0) / on.length
    return { x: box.left + Math.min(box.width, Math.max(0, x)) + 16, y: box.top + Math.min(box.height, Math.max(0, y)) }
  }

  /** All of it in sight, never larger than 1.4. */
  fit(): void {
    const network = this.#network
    if (network === undefined) return
    const bounds = boundsOf(this.scene, this.places)
    if (bounds === undefined) return
    const { bottom, left, right, top } = bounds
    // labels keep their size on screen: their room does not shrink with the picture
    const across = Math.max(80, this.clientWidth - 2 * labelRoom.aside) / Math.max(1, right - left)
    const down = Math.max(80, this.clientHeight - labelRoom.above - labelRoom.below) / Math.max(1, bottom - top)
    const scale = Math.max(smallest, Math.min(1.4, across, down))
    const lower = (labelRoom.below - labelRoom.above) / 2 / scale
    network.moveTo({ position: { x: (left + right) / 2, y: (top + bottom) / 2 + lower }, scale })
  }

  /** Zooms about a point of the element, its middle by default. */
  zoomBy(factor: number, about: Place = { x: this.clientWidth / 2, y: this.clientHeight / 2 }): void {
    const network = this.#network
    if (network === undefined) return
    const scale = Math.min(largest, Math.max(smallest, this.#zoom * factor))
    const before = network.DOMtoCanvas(about)
    const view = network.getViewPosition()
    const share = 1 - this.#zoom / scale
    network.moveTo({ scale, position: { x: view.x + (before.x - view.x) * share, y: view.y + (before.y - view.y) * share } })
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
    const on = this.screenOf(next)
    if (on === undefined || on.x < 40 || on.y < 40 || on.x > this.clientWidth - 40 || on.y > this.clientHeight - 40) {
      const at = this.places.get(next)
      if (at !== undefined) this.#network?.moveTo({ position: { ...at } })
    }
  }

  /** Whether all of these stand inside the frame. */
  inSight(ids: ReadonlyArray<string>): boolean {
    return ids.every((id) => {
      const on = this.screenOf(id)
      return on !== undefined && within({ left: 20, top: 20, width: this.clientWidth - 40, height: this.clientHeight - 60 }, on)
    })
  }

  /** Where a node is drawn, px from the element's corner. */
  screenOf(id: string): Place | undefined {
    const at = this.places.get(id)
    return at === undefined ? undefined : this.#network?.canvasToDOM({ ...at })
  }
}
customElements.define("net-map", NetMap)
