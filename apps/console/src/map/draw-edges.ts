/**
 * Lines on the canvas, drawn in batches of one style: four widths, dashed when stale, dotted when nobody looks. Few lines all taper to an arrow at who serves;
 * of many, only those that belong to the selection. Ten thousand lines are some twenty strokes.
 */
import type { Place } from "./layout.ts"
import type { Palette } from "./palette.ts"
import type { Scene, SceneEdge } from "./scene.ts"
import type { Highlight, Relation } from "./select.ts"

const widths = [0, 0.8, 1.4, 2.4, 3.8] as const

/**
 * So many lines are drawn broader than a px; the others as hairlines, the busiest last to lose their width. Without a GPU a broad line
 * costs six times a hairline: 4,300 hairlines take 35 ms.
 */
const mostBroad = 700

/** Up to so many lines each shows its direction; more would only be ink. */
const mostTapered = 260

export interface Segment {
  readonly edge: SceneEdge
  readonly x1: number
  readonly y1: number
  readonly x2: number
  readonly y2: number
}

/** Where each line runs, from centre to centre; the two of a pair that goes both ways run side by side. */
export const segmentsOf = (scene: Scene, places: ReadonlyMap<string, Place>): ReadonlyArray<Segment> => {
  const pairs = new Set(scene.edges.map((edge) => `${edge.from}>${edge.to}`))
  const segments: Array<Segment> = []
  for (const edge of scene.edges) {
    const from = places.get(edge.from)
    const to = places.get(edge.to)
    if (from === undefined || to === undefined) continue
    let ox = 0
    let oy = 0
    if (pairs.has(`${edge.to}>${edge.from}`)) {
      const length = Math.hypot(to.x - from.x, to.y - from.y) || 1
      ox = (-(to.y - from.y) / length) * 4
      oy = ((to.x - from.x) / length) * 4
    }
    segments.push({ edge, x1: from.x + ox, y1: from.y + oy, x2: to.x + ox, y2: to.y + oy })
  }
  return segments
}

/** How a line is broken: not, as stale, as not looked at. */
const dashes = { whole: 0, stale: 1, blind: 2 } as const
const patterns: ReadonlyArray<ReadonlyArray<number>> = [[], [4, 4], [1.5, 3]]
const styles = 3

const dashOf = (edge: SceneEdge): number => (edge.blind ? dashes.blind : edge.stale ? dashes.stale : dashes.whole)

export interface EdgeLook {
  readonly palette: Palette
  readonly zoom: number
  readonly highlight: Highlight
  readonly hovered: string | undefined
  /** Radius of a node in the picture's px: an arrow ends before it. */
  readonly radiusOf: (id: string) => number
}

export const drawEdges = (ctx: CanvasRenderingContext2D, segments: ReadonlyArray<Segment>, look: EdgeLook): void => {
  const { highlight, palette, zoom } = look
  const selected = highlight.nodes.size > 0
  // many lines share the ink of a hundred, so that what lies under them stays legible
  const ink = Math.max(0.12, Math.min(0.6, 0.6 * Math.sqrt(110 / Math.max(1, segments.length))))
  const few = Math.max(0.5, Math.min(0.9, 0.9 * Math.sqrt(60 / Math.max(1, segments.length))))
  const thin = Math.min(1, Math.max(0.6, zoom))
  const batches = new Map<number, Array<Segment>>()
  const marked: Array<Segment> = []
  for (const segment of segments) {
    if (highlight.edges.has(segment.edge.id) || segment.edge.id === look.hovered) {
      marked.push(segment)
      continue
    }
    const style = segment.edge.width * styles + dashOf(segment.edge)
    const batch = batches.get(style)
    if (batch === undefined) batches.set(style, [segment])
    else batch.push(segment)
  }
  ctx.save()
  ctx.lineCap = "butt"
  ctx.strokeStyle = palette.edge
  let room = mostBroad
  const broad = new Set<number>()
  for (const [style, batch] of [...batches].sort(([a], [b]) => b - a)) {
    if (batch.length > room) break
    room -= batch.length
    broad.add(style)
  }
  const tapered = segments.length <= mostTapered
  if (tapered) {
    ctx.fillStyle = palette.edge
    for (const [style, batch] of [...batches].sort(([a], [b]) => a - b)) {
      if (style % styles !== dashes.whole) continue
      ctx.globalAlpha = selected ? 0.22 : few
      ctx.beginPath()
      for (const segment of batch) taper(ctx, segment, look)
      ctx.fill()
      ctx.beginPath()
      for (const segment of batch) arrowHead(ctx, segment, 6 / zoom, look)
      ctx.fill()
    }
  }
  for (const [style, batch] of [...batches].sort(([a], [b]) => a - b)) {
    if (tapered && style % styles === dashes.whole) continue
    const width = widths[Math.floor(style / styles)]!
    ctx.globalAlpha = selected ? ink * 0.27 : ink
    ctx.lineWidth = (broad.has(style) ? width * thin : Math.min(0.9, width)) / zoom
    ctx.setLineDash(patterns[style % styles]!.map((length) => length / zoom))
    ctx.beginPath()
    for (const { x1, x2, y1, y2 } of batch) {
      ctx.moveTo(x1, y1)
      ctx.lineTo(x2, y2)
    }
    ctx.stroke()
  }
  ctx.globalAlpha = 1
  for (const segment of marked) drawDirected(ctx, segment, highlight.edges.get(segment.edge.id) ?? "self", look)
  ctx.restore()
}

interface Run {
  readonly start: number
  readonly end: number
  /** A point so far along the line, so far beside it. */
  readonly at: (along: number, aside: number) => readonly [number, number]
}

/** The visible part of a line, from border to border; undefined when its ends touch. */
const runOf = ({ edge, x1, x2, y1, y2 }: Segment, { radiusOf, zoom }: EdgeLook): Run | undefined => {
  const length = Math.hypot(x2 - x1, y2 - y1) || 1
  const ux = (x2 - x1) / length
  const uy = (y2 - y1) / length
  const start = radiusOf(edge.from)
  const end = length - radiusOf(edge.to) - 3 / zoom
  if (end <= start) return undefined
  return { start, end, at: (along, aside) => [x1 + ux * along - uy * aside, y1 + uy * along + ux * aside] }
}

/** Adds the taper of a line to the path: broad where the connection begins, narrow where it is served. */
const taper = (ctx: CanvasRenderingContext2D, segment: Segment, look: EdgeLook, more = 0.6): void => {
  const run = runOf(segment, look)
  if (run === undefined) return
  const { at, end, start } = run
  const wide = (widths[segment.edge.width]! + more) / 2 / look.zoom
  const thin = Math.max(0.35, widths[segment.edge.width]! / 6) / look.zoom
  ctx.moveTo(...at(start, wide))
  ctx.lineTo(...at(end, thin))
  ctx.lineTo(...at(end, -thin))
  ctx.lineTo(...at(start, -wide))
  ctx.closePath()
}

const arrowHead = (ctx: CanvasRenderingContext2D, segment: Segment, head: number, look: EdgeLook): void => {
  const run = runOf(segment, look)
  if (run === undefined) return
  const { at, end } = run
  ctx.moveTo(...at(end, 0))
  ctx.lineTo(...at(end - head, head * 0.42))
  ctx.lineTo(...at(end - head, -head * 0.42))
  ctx.closePath()
}

/** A line of the selection: the same taper, broader, in the colour of its relation. */
const drawDirected = (ctx: CanvasRenderingContext2D, segment: Segment, relation: Relation, look: EdgeLook): void => {
  const { palette, zoom } = look
  const head = 9 / zoom
  ctx.fillStyle = relation === "downstream" ? palette.text : palette.accent
  ctx.strokeStyle = ctx.fillStyle
  ctx.beginPath()
  const dash = dashOf(segment.edge)
  if (dash !== dashes.whole) {
    const run = runOf(segment, look)
    if (run === undefined) return
    ctx.setLineDash(patterns[dash]!.map((length) => (length + 1) / zoom))
    ctx.lineWidth = (widths[segment.edge.width]! + 0.6) / zoom
    ctx.moveTo(...run.at(run.start, 0))
    ctx.lineTo(...run.at(run.end - head, 0))
    ctx.stroke()
    ctx.setLineDash([])
  } else {
    taper(ctx, segment, look, 1.6)
    ctx.fill()
  }
  // a path of its own: two that overlap would cut each other out
  ctx.beginPath()
  arrowHead(ctx, segment, head, look)
  ctx.fill()
}

/** The line nearest to a point, within `reach` of it. */
export const edgeAt = (segments: ReadonlyArray<Segment>, x: number, y: number, reach: number): SceneEdge | undefined => {
  let best: SceneEdge | undefined
  let least = reach * reach
  for (const { edge, x1, x2, y1, y2 } of segments) {
    if (
      x < Math.min(x1, x2) - reach ||
      x > Math.max(x1, x2) + reach ||
      y < Math.min(y1, y2) - reach ||
      y > Math.max(y1, y2) + reach
    )
      continue
    const dx = x2 - x1
    const dy = y2 - y1
    const t = Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1)))
    const d = (x - x1 - t * dx) ** 2 + (y - y1 - t * dy) ** 2
    if (d < least) {
      least = d
      best = edge
    }
  }
  return best
}
