/** The map's colours, read from the CSS tokens at the start and on each change of theme: a canvas has no stylesheet. */
import { type AssetFamily, families } from "#domain/AssetFamily.ts"

export interface Palette {
  readonly canvas: string
  readonly panel: string
  readonly text: string
  readonly muted: string
  readonly faint: string
  readonly line: string
  readonly edge: string
  readonly accent: string
  readonly family: Record<AssetFamily, string>
  /** What is legible on the family's colour. */
  readonly ink: Record<AssetFamily, string>
  readonly font: string
  readonly mono: string
}

const channel = (byte: number): number => {
  const share = byte / 255
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
}

/** Relative luminance of `#rrggbb` (WCAG 2.2); 0.5 for anything else, such as a system colour. */
export const luminance = (colour: string): number => {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour.trim())
  if (match === null) return 0.5
  const [r, g, b] = [match[1]!, match[2]!, match[3]!].map((pair) => channel(Number.parseInt(pair, 16))) as [number, number, number]
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

export const contrast = (a: string, b: string): number => {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

const black = "#0c1417"
const white = "#ffffff"

/** In forced colours the operator's own: shapes and letters carry the meaning. */
const forced = (font: string, mono: string): Palette => {
  const each = <A>(value: A) => Object.fromEntries(families.map((family) => [family, value])) as Record<AssetFamily, A>
  return {
    canvas: "Canvas",
    panel: "Canvas",
    text: "CanvasText",
    muted: "CanvasText",
    faint: "CanvasText",
    line: "GrayText",
    edge: "CanvasText",
    accent: "Highlight",
    family: each("CanvasText"),
    ink: each("Canvas"),
    font,
    mono
  }
}

export const readPalette = (element: Element): Palette => {
  const style = getComputedStyle(element)
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  if (matchMedia("(forced-colors: active)").matches) return forced(token("font"), token("mono"))
  const family = Object.fromEntries(families.map((name) => [name, token(name)])) as Record<AssetFamily, string>
  const ink = Object.fromEntries(
    families.map((name) => [name, contrast(family[name], black) >= contrast(family[name], white) ? black : white])
  ) as Record<AssetFamily, string>
  return {
    canvas: token("canvas"),
    panel: token("panel"),
    text: token("text"),
    muted: token("muted"),
    faint: token("faint"),
    line: token("line"),
    edge: token("edge"),
    accent: token("accent"),
    family,
    ink,
    font: token("font"),
    mono: token("mono")
  }
}

/** Calls back when the colours change otherwise than by the theme: forced colours, paper. The answer stops it. */
export const followLooks = (changed: () => void): (() => void) => {
  const looks = [matchMedia("(forced-colors: active)"), matchMedia("print")]
  for (const look of looks) look.addEventListener("change", changed)
  return () => {
    for (const look of looks) look.removeEventListener("change", changed)
  }
}
