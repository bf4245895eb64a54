/**
 * Lines on the canvas, drawn in batches of one style: four widths, dashed when stale, a taper and an arrow where direction matters.
 * Ten thousand lines are some twenty strokes.
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
  const thin = Math.min(1, Math.max(0.6, zoom))
  const batches = new Map<number, Array<Segment>>()
  const marked: Array<Segment> = []
  for (const segment of segments) {
    if (highlight.edges.has(segment.edge.id) || segment.edge.id === look.hovered) {
      marked.push(segment)
      continue
    }
    const style = segment.edge.width * 2 + (segment.edge.stale ? 1 : 0)
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
  for (const [style, batch] of [...batches].sort(([a], [b]) => a - b)) {
    ctx.globalAlpha = selected ? ink * 0.27 : ink
    ctx.lineWidth = (broad.has(style) ? widths[style >> 1]! * thin : Math.min(0.9, widths[style >> 1]!)) / zoom
    ctx.setLineDash(style & 1 ? [4 / zoom, 4 / zoom] : [])
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

/** Broad where the connection begins, narrow where it is served, with an arrow head there. */
const drawDirected = (
  ctx: CanvasRenderingContext2D,
  { edge, x1, x2, y1, y2 }: Segment,
  relation: Relation,
  look: EdgeLook
): void => {
  const { palette, zoom } = look
  const length = Math.hypot(x2 - x1, y2 - y1) || 1
  const ux = (x2 - x1) / length
  const uy = (y2 - y1) / length
  const start = look.radiusOf(edge.from)
  const end = length - look.radiusOf(edge.to) - 2 / zoom
  if (end <= start) return
  const at = (along: number, aside: number): readonly [number, number] => [
    x1 + ux * along - uy * aside,
    y1 + uy * along + ux * aside
  ]
  const wide = (widths[edge.width]! + 1.6) / 2 / zoom
  const head = 9 / zoom
  ctx.fillStyle = relation === "downstream" ? palette.text : palette.accent
  ctx.strokeStyle = ctx.fillStyle
  ctx.beginPath()
  if (edge.stale) {
    ctx.setLineDash([5 / zoom, 4 / zoom])
    ctx.lineWidth = (widths[edge.width]! + 0.6) / zoom
    ctx.moveTo(...at(start, 0))
    ctx.lineTo(...at(end - head, 0))
    ctx.stroke()
    ctx.setLineDash([])
    ctx.beginPath()
  } else {
    ctx.moveTo(...at(start, wide))
    ctx.lineTo(...at(end - head * 0.6, 0.5 / zoom))
    ctx.lineTo(...at(end - head * 0.6, -0.5 / zoom))
    ctx.lineTo(...at(start, -wide))
    ctx.fill()
    // a path of its own: two that overlap would cut each other out
    ctx.beginPath()
  }
  ctx.moveTo(...at(end, 0))
  ctx.lineTo(...at(end - head, head * 0.42))
  ctx.lineTo(...at(end - head, -head * 0.42))
  ctx.closePath()
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
