/** Shift and drag: a rectangle over the map, and which nodes lie in it. Shift and click adds one or takes it out. */
import type { Place } from "./layout.ts"

export interface Rect {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** Less than this is a click, px. */
const least = 4

const rectOf = (from: Place, to: Place): Rect => ({
  left: Math.min(from.x, to.x),
  top: Math.min(from.y, to.y),
  width: Math.abs(to.x - from.x),
  height: Math.abs(to.y - from.y)
})

const isClick = ({ height, width }: Rect): boolean => width < least && height < least

export const within = ({ height, left, top, width }: Rect, at: Place): boolean =>
  at.x >= left && at.x <= left + width && at.y >= top && at.y <= top + height

export interface Lassoing {
  readonly pointOf: (event: MouseEvent) => Place
  /** The rectangle while it is drawn; undefined: done. */
  readonly draw: (rect: Rect | undefined) => void
  readonly clicked: (at: Place) => void
  readonly drawn: (rect: Rect) => void
}

/** Listener of `pointerdown`: takes the pointer, when shift is held, before the canvas sees it, which would pan. */
export const lassoing = ({ clicked, draw, drawn, pointOf }: Lassoing) => ({
  capture: true,
  handleEvent: (event: PointerEvent) => {
    if (!event.shiftKey || event.button !== 0) return
    event.stopPropagation()
    const stage = event.currentTarget as HTMLElement
    stage.setPointerCapture(event.pointerId)
    const from = pointOf(event)
    let rect = rectOf(from, from)
    draw(rect)
    const drag = (moved: PointerEvent) => {
      rect = rectOf(from, pointOf(moved))
      draw(rect)
    }
    const release = () => {
      stage.removeEventListener("pointermove", drag)
      draw(undefined)
      if (isClick(rect)) clicked(from)
      else drawn(rect)
    }
    stage.addEventListener("pointermove", drag)
    stage.addEventListener("lostpointercapture", release, { once: true })
  }
})
