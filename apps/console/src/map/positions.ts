/** Where nodes stand, remembered per view in this browser: a person finds a server where it was yesterday. */
import type { Place } from "./layout.ts"

/** A view's memory holds so many nodes; the oldest leave first. */
const mostRemembered = 5_000

export interface Memory {
  readonly read: (view: string) => Map<string, Place>
  readonly write: (view: string, places: ReadonlyMap<string, Place>) => void
  readonly forget: (view: string) => void
}

const keyOf = (view: string): string => `flowlens.map.${view}`

/** Stored text → places; what cannot be read counts as never stored. */
export const parsePlaces = (text: string | null): Map<string, Place> => {
  const places = new Map<string, Place>()
  if (text === null) return places
  try {
    const found: unknown = JSON.parse(text)
    if (typeof found !== "object" || found === null) return places
    for (const [id, at] of Object.entries(found)) {
      if (Array.isArray(at) && Number.isFinite(at[0]) && Number.isFinite(at[1])) places.set(id, { x: at[0], y: at[1] })
    }
  } catch {
    places.clear()
  }
  return places
}

export const makeMemory = (storage: Pick<Storage, "getItem" | "setItem" | "removeItem"> | undefined): Memory => ({
  read: (view) => {
    try {
      return parsePlaces(storage?.getItem(keyOf(view)) ?? null)
    } catch {
      return new Map()
    }
  },
  write: (view, places) => {
    const entries = [...places].slice(-mostRemembered).map(([id, { x, y }]) => [id, [Math.round(x), Math.round(y)]])
    try {
      storage?.setItem(keyOf(view), JSON.stringify(Object.fromEntries(entries)))
    } catch {
      // a full or refused storage: the places last until the page is closed
    }
  },
  forget: (view) => {
    try {
      storage?.removeItem(keyOf(view))
    } catch {
      // nothing was kept
    }
  }
})
