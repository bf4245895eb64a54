/**
 * Isolate: only what was asked for stays on the map, and the map says how much it hides. One thing stays with what it talks to, a line
 * with its two ends, several exactly as they are. Pure; places are not touched, so what comes back stands where it stood.
 */
import { plural } from "../format/number.ts"
import { nameOf } from "./names.ts"
import type { Scene, SceneNode } from "./scene.ts"
import { resolveSelection, selectionKeys } from "./select.ts"

export interface Isolated {
  readonly scene: Scene
  /** How much of the whole scene is hidden. */
  readonly assets: number
  readonly dependencies: number
  readonly text: string
}

/** Nodes that a key stands for: of an opened group, its members. */
const nodesOf = (scene: Scene, key: string): ReadonlyArray<SceneNode> => {
  const found = resolveSelection(scene, key)
  if (found?.node !== undefined) return [found.node]
  if (found?.edge !== undefined) return [found.edge.from, found.edge.to].flatMap((id) => scene.nodeById.get(id) ?? [])
  return scene.nodes.filter((node) => node.parent === key)
}

const dependenciesOf = ({ edges, nodes }: Pick<Scene, "edges" | "nodes">): number =>
  edges.reduce((sum, edge) => sum + edge.dependencies.length, 0) + nodes.reduce((sum, node) => sum + node.inside.length, 0)

const assetsOf = (nodes: ReadonlyArray<SceneNode>): number => nodes.reduce((sum, node) => sum + node.members.length, 0)

/** The part of the scene that stays; undefined: nothing is isolated, or what was is not on this map. */
export const isolate = (scene: Scene, text: string | undefined): Isolated | undefined => {
  const keys = selectionKeys(text)
  const kept = new Set(keys.flatMap((key) => nodesOf(scene, key)).map((node) => node.id))
  if (kept.size === 0) return undefined
  const only = keys.length === 1 ? keys[0]! : undefined
  const withNeighbours = only !== undefined && resolveSelection(scene, only)?.edge === undefined
  if (withNeighbours) {
    const seeds = new Set(kept)
    for (const { from, to } of scene.edges) {
      if (seeds.has(from)) kept.add(to)
      if (seeds.has(to)) kept.add(from)
    }
  }
  const nodes = scene.nodes.filter((node) => kept.has(node.id))
  const edges = scene.edges.filter((edge) => kept.has(edge.from) && kept.has(edge.to))
  const shown: Scene = {
    ...scene,
    nodes,
    edges,
    nodeById: new Map(nodes.map((node) => [node.id, node])),
    edgeById: new Map(edges.map((edge) => [edge.id, edge])),
    assets: assetsOf(nodes),
    dependencies: dependenciesOf({ nodes, edges })
  }
  const assets = scene.assets - shown.assets
  const dependencies = scene.dependencies - shown.dependencies
  const what =
    only === undefined
      ? `${keys.length} selected`
      : `${nameOf(scene, only) ?? only.replace(/^[agdm]:(net:|type:|env:)?/, "")}${withNeighbours ? " and what it talks to" : ""}`
  return {
    scene: shown,
    assets,
    dependencies,
    text: `Isolated: ${what}. Hidden: ${plural(assets, "asset")} of ${scene.assets}, ${plural(dependencies, "dependency", "dependencies")} of ${scene.dependencies}.`
  }
}
