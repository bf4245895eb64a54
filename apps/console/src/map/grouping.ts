/**
 * Under which groups a node stands, outermost first. What is outside stands apart, under one group that opens to its networks;
 * what is inside stands under its network, type or environment. Pure.
 */
import { assetTypes } from "#domain/AssetFamily.ts"
import type { TopologyNode } from "#domain/Topology.ts"

export const groupings = ["network", "type", "environment", "none"] as const
export type Grouping = (typeof groupings)[number]
export const isGrouping = (text: string | undefined | null): text is Grouping => groupings.some((known) => known === text)

export const groupingWords: Record<Grouping, string> = {
  network: "network",
  type: "type",
  environment: "environment",
  none: "nothing"
}

export interface GroupKey {
  readonly id: string
  readonly label: string
  readonly external: boolean
}

/** More groups than this on the outermost level are grouped again, by shorter prefixes. */
export const mostOuterGroups = 64

/** Bits of the prefixes tried in turn when there are too many networks. */
const coarser4 = [20, 16, 12, 8] as const
const coarser6 = [56, 48, 40, 32] as const

/** `10.2.30.0/24` → `10.2.0.0/16`; undefined when the network is already that coarse. */
export const widened = (network: string, step: number): string | undefined => {
  const [address = "", length = ""] = network.split("/")
  if (address.includes(":")) {
    const bits = coarser6[step]
    if (bits === undefined || Number(length) <= bits) return undefined
    const [head = ""] = address.split("::")
    const words = head === "" ? [] : head.split(":").map((word) => Number.parseInt(word, 16))
    const kept = Array.from({ length: Math.ceil(bits / 16) }, (_, i) => {
      const word = words[i] ?? 0
      const over = (i + 1) * 16 - bits
      return (over > 0 ? word & (0xffff << over) & 0xffff : word).toString(16)
    })
    return `${kept.join(":")}::/${bits}`
  }
  const bits = coarser4[step]
  if (bits === undefined || Number(length) <= bits) return undefined
  const value = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0)
  const masked = (value & ((0xffffffff << (32 - bits)) >>> 0)) >>> 0
  return `${masked >>> 24}.${(masked >>> 16) & 255}.${(masked >>> 8) & 255}.${masked & 255}/${bits}`
}

const networkKey = (network: string, external: boolean): GroupKey => ({ id: `net:${network}`, label: network, external })
const outside: GroupKey = { id: "outside", label: "Outside", external: true }

const innerKey = (node: TopologyNode, grouping: Grouping): GroupKey => {
  if (grouping === "type") return { id: `type:${node.type}`, label: assetTypes[node.type].label, external: false }
  if (grouping === "environment") {
    return { id: `env:${encodeURIComponent(node.environment ?? "")}`, label: node.environment ?? "no environment", external: false }
  }
  return networkKey(node.network, false)
}

/** Wider groups over `keys` until at most `mostOuterGroups` remain; the answer maps a key's id to the wider group over it. */
const widen = (keys: ReadonlyArray<GroupKey>): ReadonlyMap<string, GroupKey> => {
  const over = new Map<string, GroupKey>()
  const nets = keys.filter((key) => key.id.startsWith("net:"))
  for (let step = 0; step < coarser4.length; step++) {
    const outer = new Set(nets.map((key) => over.get(key.id)?.id ?? key.id))
    if (outer.size <= mostOuterGroups) break
    for (const key of nets) {
      const wider = widened(key.label, step)
      if (wider !== undefined) over.set(key.id, networkKey(wider, key.external))
    }
  }
  return over
}

/** Group paths of all nodes, outermost first. A group that would hold one node only is left out: the node itself says more. */
export const groupPaths = (
  nodes: ReadonlyArray<TopologyNode>,
  grouping: Grouping
): ReadonlyMap<string, ReadonlyArray<GroupKey>> => {
  const inner = new Map(
    nodes.map((node) => [node.id as string, node.internal ? innerKey(node, grouping) : networkKey(node.network, true)])
  )
  const distinct = [...new Map([...inner.values()].map((key) => [key.id, key])).values()]
  const wider = widen(distinct.filter((key) => !key.external))
  const paths = new Map<string, Array<GroupKey>>()
  const sizes = new Map<string, number>()
  for (const node of nodes) {
    const key = inner.get(node.id)!
    const above = node.internal ? wider.get(key.id) : outside
    const path = above === undefined || above.id === key.id ? [key] : [above, key]
    for (const group of path) sizes.set(group.id, (sizes.get(group.id) ?? 0) + 1)
    paths.set(node.id, path)
  }
  for (const [id, path] of paths) {
    paths.set(
      id,
      path.filter((group) => sizes.get(group.id)! > 1)
    )
  }
  return paths
}
