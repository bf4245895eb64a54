/** The part of vis-network and vis-data that the map uses. Their declarations do not resolve under Node's module rules, so ours say it. */
import type { Place } from "./layout.ts"

export interface Item {
  readonly id: string
  readonly x: number
  readonly y: number
}

export interface Items {
  readonly update: (items: ReadonlyArray<Item>) => unknown
  readonly remove: (ids: ReadonlyArray<string>) => unknown
  readonly getIds: () => ReadonlyArray<string>
  readonly get: (id: string) => Item | null
}

/** What vis hands to the function that draws a node. */
export interface Drawn {
  readonly ctx: CanvasRenderingContext2D
  readonly id: string
  readonly x: number
  readonly y: number
}

export interface PointerParameters {
  readonly nodes: ReadonlyArray<string>
  readonly pointer: { readonly DOM: Place }
}

export interface View {
  readonly destroy: () => void
  readonly redraw: () => void
  readonly getScale: () => number
  readonly getViewPosition: () => Place
  readonly moveTo: (to: { readonly position?: Place; readonly scale?: number }) => void
  readonly getNodeAt: (dom: Place) => string | undefined
  readonly getPositions: (ids: ReadonlyArray<string>) => Record<string, Place>
  readonly DOMtoCanvas: (dom: Place) => Place
  readonly canvasToDOM: (at: Place) => Place
  on(event: "beforeDrawing" | "afterDrawing", listener: (ctx: CanvasRenderingContext2D) => void): void
  on(event: "click" | "doubleClick" | "dragging" | "dragEnd", listener: (parameters: PointerParameters) => void): void
  on(event: "zoom", listener: () => void): void
}

interface Vis {
  readonly Network: new (
    stage: HTMLElement,
    data: { readonly nodes: Items; readonly edges: ReadonlyArray<never> },
    options: object
  ) => View
  readonly DataSet: new (items: ReadonlyArray<Item>) => Items
}

/** Loads the canvas: once, when the first map is shown. */
export const loadCanvas = async (): Promise<Vis> => {
  const [network, data] = await Promise.all([import("vis-network/esnext"), import("vis-data/esnext")])
  return { ...(network as unknown as Pick<Vis, "Network">), ...(data as unknown as Pick<Vis, "DataSet">) }
}

/** Nothing of vis moves, selects or listens to keys: it draws, pans and zooms. */
export const viewOptions = (ctxRenderer: (drawn: Drawn) => object): object => ({
  physics: false,
  layout: { improvedLayout: false, randomSeed: 1 },
  interaction: { hover: false, selectable: false, dragNodes: true, keyboard: false, tooltipDelay: 3_600_000, zoomSpeed: 1 },
  nodes: { shape: "custom", ctxRenderer }
})

/** Nodes that have a place into vis, what is gone out of it; only what differs is touched. The answer is how many are shown. */
export const syncItems = (
  items: Items,
  nodes: ReadonlyArray<{ readonly id: string }>,
  places: ReadonlyMap<string, Place>
): number => {
  const next = nodes.flatMap(({ id }): ReadonlyArray<Item> => {
    const at = places.get(id)
    return at === undefined ? [] : [{ id, x: at.x, y: at.y }]
  })
  const wanted = new Set(next.map(({ id }) => id))
  const gone = items.getIds().filter((id) => !wanted.has(id))
  if (gone.length > 0) items.remove(gone)
  const changed = next.filter(({ id, x, y }) => {
    const known = items.get(id)
    return known === null || known.x !== x || known.y !== y
  })
  if (changed.length > 0) items.update(changed)
  return next.length
}
