/**
 * What belongs to a selection: who needs it, whom it needs, and the lines between. Upstream serves the selected, downstream is served
 * by it; the map marks the two by shape and colour. Pure.
 */
import type { Scene, SceneEdge, SceneNode } from "./scene.ts"

export type Relation = "self" | "upstream" | "downstream" | "both"

export interface Highlight {
  readonly nodes: ReadonlyMap<string, Relation>
  readonly edges: ReadonlyMap<string, Relation>
}

export const noHighlight: Highlight = { nodes: new Map(), edges: new Map() }

/** A selection as the URL writes it: one key, or several parted by commas. */
export const selectionKeys = (text: string | undefined): ReadonlyArray<string> =>
  text === undefined ? [] : text.split(",").filter((key) => key !== "")

/** `more` added to a selection, or taken out of it when all of it is in. */
export const toggled = (text: string | undefined, more: ReadonlyArray<string>): string | undefined => {
  const keys = new Set(selectionKeys(text))
  const away = more.every((key) => keys.has(key))
  for (const key of more) away ? keys.delete(key) : keys.add(key)
  return keys.size === 0 ? undefined : [...keys].join(",")
}

/** What a key stands for in this scene: an asset inside a closed group is shown by its group, a dependency by the line that holds it. */
export const resolveSelection = (
  scene: Scene,
  key: string | undefined
): { readonly node?: SceneNode; readonly edge?: SceneEdge } | undefined => {
  if (key === undefined) return undefined
  const node =
    scene.nodeById.get(key) ?? (key.startsWith("a:") ? scene.nodeById.get(scene.standsAs.get(key.slice(2)) ?? "") : undefined)
  if (node !== undefined) return { node }
  const edge =
    scene.edgeById.get(key) ??
    (key.startsWith("d:") ? scene.edges.find((e) => e.dependencies.some((d) => d.id === key.slice(2))) : undefined)
  return edge === undefined ? undefined : { edge }
}

/** Several selected: they, and the lines among them. */
const highlightSeveral = (scene: Scene, keys: ReadonlyArray<string>): Highlight => {
  const nodes = new Map<string, Relation>()
  const edges = new Map<string, Relation>()
  for (const key of keys) {
    const found = resolveSelection(scene, key)
    if (found?.node !== undefined) nodes.set(found.node.id, "self")
    if (found?.edge !== undefined) edges.set(found.edge.id, "self")
  }
  for (const { from, id, to } of scene.edges) if (nodes.has(from) && nodes.has(to)) edges.set(id, "downstream")
  return { nodes, edges }
}

export const highlight = (scene: Scene, key: string | undefined): Highlight => {
  const keys = selectionKeys(key)
  if (keys.length > 1) return highlightSeveral(scene, keys)
  const found = resolveSelection(scene, key)
  if (found === undefined) return noHighlight
  const nodes = new Map<string, Relation>()
  const edges = new Map<string, Relation>()
  if (found.edge !== undefined) {
    edges.set(found.edge.id, "self")
    // the arrow says which end serves
    nodes.set(found.edge.from, "self")
    nodes.set(found.edge.to, "self")
    return { nodes, edges }
  }
  const id = found.node!.id
  const mark = (other: string, relation: "upstream" | "downstream") => {
    const before = nodes.get(other)
    nodes.set(other, before === undefined || before === relation ? relation : "both")
  }
  for (const edge of scene.edges) {
    if (edge.from === id) {
      edges.set(edge.id, "upstream")
      mark(edge.to, "upstream")
    } else if (edge.to === id) {
      edges.set(edge.id, "downstream")
      mark(edge.from, "downstream")
    }
  }
  nodes.set(id, "self")
  return { nodes, edges }
}

/** Scene nodes that talk to any of the keys; `upstream` is what they need, `downstream` what needs them. */
export const neighboursOf = (
  scene: Scene,
  keys: ReadonlyArray<string>,
  way: "upstream" | "downstream" | "both"
): ReadonlyArray<string> => {
  const own = new Set(keys.flatMap((key) => resolveSelection(scene, key)?.node?.id ?? []))
  const found = new Set<string>()
  for (const { from, to } of scene.edges) {
    if (way !== "downstream" && own.has(from) && !own.has(to)) found.add(to)
    if (way !== "upstream" && own.has(to) && !own.has(from)) found.add(from)
  }
  return [...found]
}

interface Point {
  readonly x: number
  readonly y: number
}

/** The neighbour along a line whose direction from `id` is nearest to `way`; undefined when none lies within 75° of it. */
export const walk = (
  scene: Scene,
  positions: ReadonlyMap<string, Point>,
  id: string | undefined,
  way: "left" | "right" | "up" | "down"
): string | undefined => {
  const from = id === undefined ? undefined : positions.get(id)
  if (id === undefined || from === undefined) return firstOf(scene, positions)
  const axis = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] }[way] as [number, number]
  let best: string | undefined
  let bestScore = Math.cos((75 * Math.PI) / 180)
  const seen = new Set<string>()
  for (const edge of scene.edges) {
    const other = edge.from === id ? edge.to : edge.to === id ? edge.from : undefined
    if (other === undefined || seen.has(other)) continue
    seen.add(other)
    const to = positions.get(other)
    if (to === undefined) continue
    const dx = to.x - from.x
    const dy = to.y - from.y
    const score = (dx * axis[0] + dy * axis[1]) / (Math.hypot(dx, dy) || 1)
    if (score > bestScore) {
      bestScore = score
      best = other
    }
  }
  return best
}

/** Where a walk begins: the node in the upper left. */
const firstOf = (scene: Scene, positions: ReadonlyMap<string, Point>): string | undefined => {
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const { id } of scene.nodes) {
    const at = positions.get(id)
    if (at !== undefined && at.x + at.y < least) {
      least = at.x + at.y
      best = id
    }
  }
  return best
}

/** The identity that is copied: an address for an asset, a prefix or name for a group. */
export const identityOf = (node: SceneNode): string => (node.kind === "asset" ? node.members[0]!.address : node.label)
