/**
 * What the map draws: topology, grouping, opened groups and legend in, nodes and lines out. Pure; positions are layout.ts's, colours
 * net-map.ts's. Never more than `mostNodes` at once: beyond, the quieter members of the largest opened groups stay together, and
 * `folded` says which and how many.
 */
import { type AssetFamily, assetTypes, families } from "#domain/AssetFamily.ts"
import type { Blindness } from "#domain/CoverageReport.ts"
import type { Topology, TopologyEdge, TopologyNode } from "#domain/Topology.ts"
import { type Grouping, type GroupKey, groupPaths } from "./grouping.ts"

export const mostNodes = 400

export interface SceneOptions {
  readonly grouping: Grouping
  /** Ids of opened groups. */
  readonly open: ReadonlySet<string>
  /** Only this family, or only what is external; absent: all. */
  readonly only?: AssetFamily | "external" | undefined
  readonly mostNodes?: number
  /** Tell what nobody looks at from the rest; default true. */
  readonly coverage?: boolean
}

export interface SceneNode {
  /** `a:12` an asset, `g:net:10.2.30.0/24` a group. */
  readonly id: string
  readonly kind: "asset" | "group"
  readonly label: string
  readonly external: boolean
  readonly family: AssetFamily
  readonly letters: string
  /** 0 for an asset; 1 to 3 for a group, by members. */
  readonly size: 0 | 1 | 2 | 3
  readonly members: ReadonlyArray<TopologyNode>
  /** The opened group that it stands in. */
  readonly parent: string | undefined
  /** Dependencies among the members of a closed group. */
  readonly inside: ReadonlyArray<TopologyEdge>
  /** A group that holds what the limit folded together: it cannot be opened further. */
  readonly rest: boolean
  /** Nobody looks at the networks of any of its members. */
  readonly blind: boolean
}

export interface SceneEdge {
  /** `d:99` a dependency, `m:a:1>g:net:…` several between the same two. */
  readonly id: string
  /** Scene ids of the side that needs and the side that serves. */
  readonly from: string
  readonly to: string
  readonly dependencies: ReadonlyArray<TopologyEdge>
  readonly rateBps: number
  readonly bytes: bigint
  readonly stale: boolean
  /** None of what is not stale is looked at. */
  readonly blind: boolean
  readonly sampled: boolean
  /** Four steps of log rate: below 10 kbit/s, 1 Mbit/s, 100 Mbit/s, above. */
  readonly width: 1 | 2 | 3 | 4
}

export interface LegendCount {
  readonly family: AssetFamily | "external"
  readonly count: number
}

export interface Folded {
  readonly group: string
  readonly label: string
  readonly count: number
}

export interface Scene {
  readonly nodes: ReadonlyArray<SceneNode>
  readonly edges: ReadonlyArray<SceneEdge>
  readonly nodeById: ReadonlyMap<string, SceneNode>
  readonly edgeById: ReadonlyMap<string, SceneEdge>
  /** Scene node of each asset id. */
  readonly standsAs: ReadonlyMap<string, string>
  /** Opened groups that have members here, outermost first, with how many assets each holds. */
  readonly opened: ReadonlyArray<{ readonly id: string; readonly label: string; readonly count: number }>
  readonly legend: ReadonlyArray<LegendCount>
  readonly folded: ReadonlyArray<Folded>
  readonly assets: number
  readonly dependencies: number
  /** Why nobody looks where nodes and dependencies are blind. */
  readonly blindness: ReadonlyArray<Blindness>
}

export const assetKey = (id: string): string => `a:${id}`
export const groupKey = (id: string): string => `g:${id}`

export const widthOf = (rateBps: number): 1 | 2 | 3 | 4 => (rateBps < 1e4 ? 1 : rateBps < 1e6 ? 2 : rateBps < 1e8 ? 3 : 4)

const sizeOf = (members: number): 1 | 2 | 3 => (members < 10 ? 1 : members < 50 ? 2 : 3)

/** The family most members have, by count, then by the order of families: a group has one colour and shape, its commonest. */
const familyOf = (members: ReadonlyArray<TopologyNode>): AssetFamily => {
  const counts = new Map<AssetFamily, number>()
  for (const { type } of members) counts.set(assetTypes[type].family, (counts.get(assetTypes[type].family) ?? 0) + 1)
  let best: AssetFamily = "unknown"
  for (const family of families) if ((counts.get(family) ?? 0) > (counts.get(best) ?? 0)) best = family
  return best
}

const countLegend = (nodes: ReadonlyArray<TopologyNode>): ReadonlyArray<LegendCount> => {
  const counts = new Map<AssetFamily | "external", number>()
  for (const node of nodes) {
    const { family } = assetTypes[node.type]
    counts.set(family, (counts.get(family) ?? 0) + 1)
    if (!node.internal) counts.set("external", (counts.get("external") ?? 0) + 1)
  }
  return [...families, "external" as const].map((family) => ({ family, count: counts.get(family) ?? 0 }))
}

export const isAmong = (node: TopologyNode, only: SceneOptions["only"]): boolean =>
  only === undefined || (only === "external" ? !node.internal : assetTypes[node.type].family === only)

/** Octets of each asset over all its dependencies: who is folded away first is who is quietest. */
const volumes = (edges: ReadonlyArray<TopologyEdge>): ReadonlyMap<string, bigint> => {
  const sums = new Map<string, bigint>()
  for (const { client, server, bytes } of edges) {
    sums.set(client, (sums.get(client) ?? 0n) + bytes)
    sums.set(server, (sums.get(server) ?? 0n) + bytes)
  }
  return sums
}

interface Standing {
  readonly key: GroupKey | undefined
  readonly parent: GroupKey | undefined
}

/** Members of opened groups that stay together so that at most `limit` nodes are drawn: largest group first, quietest members first. */
const fold = (
  standing: Map<string, Standing>,
  shown: ReadonlyArray<TopologyNode>,
  edges: ReadonlyArray<TopologyEdge>,
  limit: number
) => {
  const folded: Array<Folded> = []
  const closed = new Set<string>()
  const loose = new Map<string, Array<TopologyNode>>()
  for (const node of shown) {
    const { key, parent } = standing.get(node.id)!
    if (key !== undefined) closed.add(key.id)
    else {
      const members = loose.get(parent?.id ?? "")
      if (members === undefined) loose.set(parent?.id ?? "", [node])
      else members.push(node)
    }
  }
  let visible = closed.size + [...loose.values()].reduce((sum, members) => sum + members.length, 0)
  if (visible <= limit) return folded
  const volume = volumes(edges)
  const order = [...loose].sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
  // every opened group keeps a fair share, and gets one node that stands for the rest
  const share = Math.max(4, Math.floor((limit - closed.size) / Math.max(1, order.length)) - 1)
  for (const [group, members] of order) {
    if (visible <= limit) break
    const away = Math.min(members.length - share, visible - limit + 1)
    if (away < 2) continue
    const quiet = [...members]
      .sort((x, y) => {
        const a = volume.get(x.id) ?? 0n
        const b = volume.get(y.id) ?? 0n
        return a < b ? -1 : a > b ? 1 : Number(x.id) - Number(y.id)
      })
      .slice(0, away)
    const parent = standing.get(members[0]!.id)!.parent
    const rest: GroupKey = {
      id: `rest:${group}`,
      label: `rest of ${parent?.label ?? "the map"}`,
      external: parent?.external ?? false
    }
    for (const node of quiet) standing.set(node.id, { key: rest, parent })
    folded.push({ group: groupKey(rest.id), label: parent?.label ?? "the map", count: away })
    visible -= away - 1
  }
  return folded
}

export const makeScene = (topology: Topology, options: SceneOptions): Scene => {
  const { coverage = true } = options
  const shown = topology.nodes.filter((node) => isAmong(node, options.only))
  const paths = groupPaths(shown, options.grouping)
  const isOpen = (group: GroupKey) => options.grouping === "none" || options.open.has(group.id)
  const standing = new Map<string, Standing>()
  const opened = new Map<string, { readonly id: string; readonly label: string; count: number }>()
  for (const node of shown) {
    let parent: GroupKey | undefined
    let key: GroupKey | undefined
    for (const group of paths.get(node.id)!) {
      if (!isOpen(group)) {
        key = group
        break
      }
      parent = group
      const known = opened.get(group.id)
      if (known === undefined) opened.set(group.id, { id: group.id, label: group.label, count: 1 })
      else known.count++
    }
    standing.set(node.id, { key, parent })
  }
  const known = new Set<string>(shown.map((node) => node.id))
  const dependencies = topology.edges.filter((edge) => known.has(edge.client) && known.has(edge.server))
  const folded = fold(standing, shown, dependencies, options.mostNodes ?? mostNodes)

  const groups = new Map<
    string,
    { key: GroupKey; parent: GroupKey | undefined; members: Array<TopologyNode>; inside: Array<TopologyEdge> }
  >()
  const standsAs = new Map<string, string>()
  const nodes: Array<SceneNode> = []
  for (const node of shown) {
    const { key, parent } = standing.get(node.id)!
    if (key === undefined) {
      const { family, letters } = assetTypes[node.type]
      const id = assetKey(node.id)
      standsAs.set(node.id, id)
      nodes.push({
        id,
        kind: "asset",
        label: node.name,
        external: !node.internal,
        family,
        letters,
        size: 0,
        members: [node],
        parent: parent === undefined ? undefined : groupKey(parent.id),
        inside: [],
        rest: false,
        blind: coverage && node.blind !== undefined
      })
      continue
    }
    standsAs.set(node.id, groupKey(key.id))
    const group = groups.get(key.id)
    if (group === undefined) groups.set(key.id, { key, parent, members: [node], inside: [] })
    else group.members.push(node)
  }
  const lines = new Map<string, { from: string; to: string; dependencies: Array<TopologyEdge> }>()
  for (const edge of dependencies) {
    const from = standsAs.get(edge.client)!
    const to = standsAs.get(edge.server)!
    if (from === to) {
      if (from.startsWith("g:")) groups.get(from.slice(2))!.inside.push(edge)
      continue
    }
    const line = lines.get(`${from}>${to}`)
    if (line === undefined) lines.set(`${from}>${to}`, { from, to, dependencies: [edge] })
    else line.dependencies.push(edge)
  }
  for (const { key, parent, members, inside } of groups.values()) {
    nodes.push({
      id: groupKey(key.id),
      kind: "group",
      label: key.label,
      external: key.external,
      family: familyOf(members),
      letters: String(members.length),
      size: sizeOf(members.length),
      members,
      parent: parent === undefined ? undefined : groupKey(parent.id),
      inside,
      rest: key.id.startsWith("rest:"),
      blind: coverage && members.every(({ blind }) => blind !== undefined)
    })
  }
  // a picture depends on what is there, not on the order in which the appliance told it
  nodes.sort((a, b) => (a.id < b.id ? -1 : 1))
  const edges = [...lines.values()]
    .map(({ from, to, dependencies }): SceneEdge => {
      const rateBps = dependencies.reduce((sum, d) => sum + d.rateBps, 0)
      return {
        id: dependencies.length === 1 ? `d:${dependencies[0]!.id}` : `m:${from}>${to}`,
        from,
        to,
        dependencies,
        rateBps,
        bytes: dependencies.reduce((sum, d) => sum + d.bytes, 0n),
        stale: dependencies.every((d) => d.stale),
        blind:
          coverage &&
          dependencies.every((d) => d.stale || d.blind !== undefined) &&
          dependencies.some((d) => d.blind !== undefined),
        sampled: dependencies.some((d) => d.sampled),
        width: widthOf(rateBps)
      }
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  return {
    nodes,
    edges,
    nodeById: new Map(nodes.map((node) => [node.id, node])),
    edgeById: new Map(edges.map((edge) => [edge.id, edge])),
    standsAs,
    opened: [...opened.values()],
    legend: countLegend(topology.nodes),
    folded,
    assets: shown.length,
    dependencies: dependencies.length,
    blindness: coverage ? (topology.blindness ?? []) : []
  }
}

/** The words for what was grouped because of the limit; undefined when nothing was. */
export const foldedText = (scene: Scene): string | undefined => {
  if (scene.folded.length === 0) return undefined
  const parts = scene.folded.map(({ count, label }) => `${count} of ${label}`)
  const listed = parts.length > 3 ? `${parts.slice(0, 3).join(", ")} and ${parts.length - 3} more groups` : parts.join(", ")
  return `Grouped to stay below ${mostNodes} nodes: the quietest ${listed}. A filter shows them.`
}
