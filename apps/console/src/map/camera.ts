/** Where the map's view stands: what fits, how far it zooms, where a menu opens. */
import type { View } from "./canvas.ts"
import type { Place } from "./layout.ts"
import type { Bounds } from "./names.ts"

const smallest = 0.05
const largest = 4
/** What labels, marks and the hint take around the outermost nodes, px on screen: they keep their size, whatever the zoom. */
const labelRoom = { aside: 66, above: 52, below: 56 } as const

export const clamped = (scale: number): number => Math.min(largest, Math.max(smallest, scale))

/** The view that shows all of `bounds` in so many px, never so large that its lines are all there is: 2. */
export const fitted = (
  { bottom, left, right, top }: Bounds,
  width: number,
  height: number
): { readonly position: Place; readonly scale: number } => {
  const across = Math.max(80, width - 2 * labelRoom.aside) / Math.max(1, right - left)
  const down = Math.max(80, height - labelRoom.above - labelRoom.below) / Math.max(1, bottom - top)
  const scale = Math.max(smallest, Math.min(2, across, down))
  const lower = (labelRoom.below - labelRoom.above) / 2 / scale
  return { position: { x: (left + right) / 2, y: (top + bottom) / 2 + lower }, scale }
}

/** Zooms so that what is under `about` (px of the element) stays there. */
export const zoomAbout = (network: View, factor: number, about: Place): void => {
  const scale = clamped(network.getScale() * factor)
  const under = network.DOMtoCanvas(about)
  const view = network.getViewPosition()
  const share = 1 - network.getScale() / scale
  network.moveTo({ scale, position: { x: view.x + (under.x - view.x) * share, y: view.y + (under.y - view.y) * share } })
}

/** Beside the middle of these points of the element, px of the window; without any, in the element's middle. */
export const beside = (box: DOMRect, on: ReadonlyArray<Place>): Place => {
  if (on.length === 0) return { x: box.left + box.width / 2, y: box.top + box.height / 2 }
  const x = on.reduce((sum, at) => sum + at.x, 0) / on.length
  const y = on.reduce((sum, at) => sum + at.y, 0) / on.length
  return { x: box.left + Math.min(box.width, Math.max(0, x)) + 16, y: box.top + Math.min(box.height, Math.max(0, y)) }
}

/** Where a name stands beside the pointer without leaving the element. */
export const besidePointer = (at: Place, box: DOMRect, name: HTMLElement): Place => ({
  x: Math.max(4, Math.min(at.x + 14, box.width - name.offsetWidth - 4)),
  y: at.y + 18 + name.offsetHeight > box.height ? at.y - name.offsetHeight - 8 : at.y + 18
})
