/** Nodes and their labels on the canvas. Shapes keep about one size on screen, whatever the zoom; labels appear where there is room. */

import type { AssetFamily } from "#domain/AssetFamily.ts"
import { middleCut } from "../format/identity.ts"
import { familyShapes } from "../ui/shapes.ts"
import type { Place } from "./layout.ts"
import type { Palette } from "./palette.ts"
import type { SceneNode } from "./scene.ts"
import type { Relation } from "./select.ts"

/** Half the side of the box a shape is drawn in, px on screen at zoom 1. */
const halfSides = [13, 18, 22, 27] as const

/** How large one px of the picture is on screen: shapes stop growing at 1.25 and stop shrinking at 0.55. */
export const shapeScale = (zoom: number): number => Math.min(1.25, Math.max(0.55, zoom)) / zoom

/** Half side of a node in the picture's own px. */
export const halfSide = (node: SceneNode, zoom: number): number => halfSides[node.size] * shapeScale(zoom)

const outlines = new Map<AssetFamily, Path2D>()
const outlineOf = (family: AssetFamily): Path2D => {
  let path = outlines.get(family)
  if (path === undefined) outlines.set(family, (path = new Path2D(familyShapes[family])))
  return path
}

export interface NodeLook {
  readonly palette: Palette
  readonly zoom: number
  /** None: nothing is selected. */
  readonly relation: Relation | "other" | undefined
  readonly hovered: boolean
}

/** Strokes across a shape's box of 16: nobody looks here. On the shape in its ink, around it in its own colour. */
const hatching = new Path2D("M-9 9 9-9M-9 16 16-9M-9 23 23-9M-9 30 30-9M-2 30 30-2M5 30 30 5M12 30 30 12")

export const drawNode = (ctx: CanvasRenderingContext2D, node: SceneNode, x: number, y: number, look: NodeLook): void => {
  const { palette, relation, zoom } = look
  const half = halfSide(node, zoom)
  const colour = palette.family[node.family]
  const outline = outlineOf(node.family)
  ctx.save()
  ctx.translate(x, y)
  if (relation === "self" || look.hovered) {
    ctx.beginPath()
    ctx.arc(0, 0, half + 5 / zoom, 0, 2 * Math.PI)
    ctx.strokeStyle = relation === "self" ? palette.accent : palette.muted
    ctx.lineWidth = (relation === "self" ? 2 : 1) / zoom
    ctx.stroke()
  }
  // what lies under a node is no part of it
  ctx.globalAlpha = 1
  const unit = half / 8
  const base = ctx.getTransform()
  ctx.save()
  ctx.scale(unit, unit)
  ctx.translate(-8, -8)
  ctx.fillStyle = palette.canvas
  ctx.fill(outline)
  if (relation === "other") ctx.globalAlpha = 0.25
  const stroke = (width: number) => {
    ctx.strokeStyle = colour
    ctx.lineWidth = width / (unit * zoom)
    ctx.stroke(outline)
  }
  const hollow = node.kind === "group" || node.external || node.family === "unknown"
  if (hollow) {
    ctx.fillStyle = palette.panel
    ctx.fill(outline)
    if (node.family === "unknown" && !node.external) ctx.setLineDash([2.6, 2.1])
    stroke(node.kind === "group" ? 2 : 1.5)
    ctx.setLineDash([])
    if (node.external) {
      // the second outline lies outside: the letters keep their room
      ctx.translate(8, 8)
      const outer = node.kind === "group" ? 1.2 : 1.3
      ctx.scale(outer, outer)
      ctx.translate(-8, -8)
      stroke(0.8)
    }
  } else {
    ctx.fillStyle = colour
    ctx.fill(outline)
  }
  if (node.blind) {
    // a ring of strokes around the shape: what it is stays legible
    ctx.setTransform(base)
    ctx.globalAlpha = relation === "other" ? 0.2 : 0.9
    ctx.scale(unit * 1.25, unit * 1.25)
    ctx.translate(-8, -8)
    const ring = new Path2D()
    ring.arc(8, 8, 13, 0, 2 * Math.PI)
    ring.arc(8, 8, node.external ? 10.5 : 8.2, 0, 2 * Math.PI, true)
    ctx.clip(ring)
    ctx.strokeStyle = palette.muted
    ctx.lineWidth = 1.2 / (unit * 1.25 * zoom)
    ctx.stroke(hatching)
  }
  ctx.restore()
  ctx.globalAlpha = relation === "other" ? 0.25 : 1
  const triangular = node.family === "netsvc" || node.family === "comms"
  const size = (node.kind === "group" ? 12.5 : triangular ? 8 : 10) * shapeScale(zoom)
  if (size * zoom >= (triangular ? 5.5 : 6.5)) {
    ctx.font = `500 ${size}px ${node.kind === "group" ? palette.font : palette.mono}`
    ctx.textAlign = "center"
    ctx.textBaseline = "middle"
    ctx.fillStyle = hollow ? palette.text : palette.ink[node.family]
    const shift = node.family === "netsvc" ? 0.3 : node.family === "comms" ? -0.26 : node.family === "data" ? 0.1 : 0.04
    ctx.fillText(node.letters, 0, half * shift)
  }
  if (relation === "upstream" || relation === "downstream" || relation === "both") drawRelation(ctx, relation, half, zoom, palette)
  ctx.restore()
}

/** A filled triangle down: it serves the selected. An open one up: it needs the selected. By shape first, then by colour. */
const drawRelation = (ctx: CanvasRenderingContext2D, relation: Relation, half: number, zoom: number, palette: Palette): void => {
  const s = 4.5 / zoom
  const at = half * 0.9 + 2 / zoom
  const triangle = (cx: number, way: 1 | -1, fill: boolean) => {
    ctx.beginPath()
    ctx.moveTo(cx - s, -at - way * s * 0.8)
    ctx.lineTo(cx + s, -at - way * s * 0.8)
    ctx.lineTo(cx, -at + way * s * 0.9)
    ctx.closePath()
    ctx.fillStyle = fill ? palette.accent : palette.canvas
    ctx.strokeStyle = fill ? palette.accent : palette.text
    ctx.lineWidth = 1.4 / zoom
    ctx.fill()
    ctx.stroke()
  }
  if (relation !== "downstream") triangle(at, 1, true)
  if (relation !== "upstream") triangle(relation === "both" ? -at : at, -1, false)
}

interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

export interface LabelLook {
  readonly palette: Palette
  readonly zoom: number
  readonly relationOf: (id: string) => Relation | "other" | undefined
  readonly hovered: string | undefined
}

const widths = new Map<string, number>()

/**
 * Labels in one size on screen, most important first (selected, its neighbours, groups by members, assets); one that would cover
 * another label or a node is left out until there is room. From zoom 1.3 on the address stands under the name.
 */
export const drawLabels = (
  ctx: CanvasRenderingContext2D,
  nodes: ReadonlyArray<SceneNode>,
  places: ReadonlyMap<string, Place>,
  look: LabelLook
): void => {
  const { palette, zoom } = look
  const grid = new Map<number, Array<Box>>()
  const cell = 160 / zoom
  const cellsOf = (box: Box): ReadonlyArray<number> => {
    const keys: Array<number> = []
    for (let cx = Math.floor(box.left / cell); cx <= Math.floor(box.right / cell); cx++) {
      for (let cy = Math.floor(box.top / cell); cy <= Math.floor(box.bottom / cell); cy++) keys.push(cx * 65_536 + cy)
    }
    return keys
  }
  const isFree = (box: Box): boolean =>
    cellsOf(box).every((key) =>
      (grid.get(key) ?? []).every((b) => b.right <= box.left || b.left >= box.right || b.bottom <= box.top || b.top >= box.bottom)
    )
  const take = (box: Box) => {
    for (const key of cellsOf(box)) {
      const there = grid.get(key)
      if (there === undefined) grid.set(key, [box])
      else there.push(box)
    }
  }
  for (const node of nodes) {
    const at = places.get(node.id)
    if (at === undefined) continue
    const half = halfSide(node, zoom) * 0.9
    take({ left: at.x - half, right: at.x + half, top: at.y - half, bottom: at.y + half })
  }
  const rank = (node: SceneNode): number => {
    const relation = look.relationOf(node.id)
    return (
      (relation === "self" || node.id === look.hovered ? 4e6 : relation !== undefined && relation !== "other" ? 2e6 : 0) +
      node.size * 1e5 +
      node.members.length
    )
  }
  const order = [...nodes].sort((a, b) => rank(b) - rank(a))
  const large = 12 / zoom
  const small = 11 / zoom
  ctx.save()
  ctx.textAlign = "center"
  ctx.textBaseline = "alphabetic"
  ctx.lineJoin = "round"
  for (const node of order) {
    const at = places.get(node.id)
    if (at === undefined) continue
    const text = middleCut(node.label, 24)
    const relation = look.relationOf(node.id)
    const wanted = relation === "self" || node.id === look.hovered
    const mono = node.kind === "group" ? node.label.includes("/") : node.label === node.members[0]!.address
    const font = mono ? palette.mono : palette.font
    const key = `${font}|${text}`
    let width = widths.get(key)
    if (width === undefined) {
      ctx.font = `${mono ? 11 : 12}px ${font}`
      widths.set(key, (width = ctx.measureText(text).width))
    }
    // below the ring of the selected
    const top = at.y + halfSide(node, zoom) + (wanted ? 7 : 3) / zoom
    const box = { left: at.x - width / 2 / zoom, right: at.x + width / 2 / zoom, top, bottom: top + 13 / zoom }
    if (!wanted && !isFree(box)) continue
    take(box)
    ctx.globalAlpha = relation === "other" ? 0.35 : 1
    ctx.font = `${wanted ? 500 : 400} ${mono ? small : large}px ${font}`
    ctx.strokeStyle = palette.canvas
    ctx.lineWidth = 5 / zoom
    ctx.strokeText(text, at.x, top + 10 / zoom)
    ctx.fillStyle = palette.text
    ctx.fillText(text, at.x, top + 10 / zoom)
    const address = node.kind === "asset" && !mono && zoom >= 1.3 ? node.members[0]!.address : undefined
    if (address === undefined) continue
    const below = { ...box, top: box.bottom, bottom: box.bottom + 12 / zoom }
    if (!isFree(below)) continue
    take(below)
    ctx.font = `400 ${10.5 / zoom}px ${palette.mono}`
    ctx.strokeText(address, at.x, below.top + 9 / zoom)
    ctx.fillStyle = palette.muted
    ctx.fillText(address, at.x, below.top + 9 / zoom)
  }
  ctx.restore()
}

/** Fonts arrived: what was measured with another is forgotten. */
export const forgetWidths = (): void => widths.clear()
