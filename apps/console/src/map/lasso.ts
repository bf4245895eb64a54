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

export const rectOf = (from: Place, to: Place): Rect => ({
  left: Math.min(from.x, to.x),
  top: Math.min(from.y, to.y),
  width: Math.abs(to.x - from.x),
  height: Math.abs(to.y - from.y)
})

export const isClick = ({ height, width }: Rect): boolean => width < least && height < least

export const within = ({ height, left, top, width }: Rect, at: Place): boolean =>
  at.x >= left && at.x <= left + width && at.y >= top && at.y <= top + height
