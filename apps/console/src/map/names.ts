/** What a key of the map is called, and the box that holds all of a picture. Pure. */
import { protocolName } from "#domain/protocol.ts"
import type { TopologyEdge } from "#domain/Topology.ts"
import { alone } from "../format/number.ts"
import type { Place } from "./layout.ts"
import type { Scene } from "./scene.ts"
import { resolveSelection, selectionKeys } from "./select.ts"

/** `https`, or `8443/tcp` where the service has no name. */
export const serviceText = ({ port, protocol, service }: Pick<TopologyEdge, "port" | "protocol" | "service">): string =>
  service ?? (port === 0 ? protocolName(protocol) : `${port}/${protocolName(protocol)}`)

export const nameOf = (scene: Scene, key: string): string | undefined => {
  const several = selectionKeys(key)
  if (several.length > 1) return `${several.length} things`
  const found = resolveSelection(scene, key)
  if (found?.node !== undefined) {
    const { kind, label, members } = found.node
    return kind === "group"
      ? `${label}, ${members.length} assets`
      : label === members[0]!.address
        ? label
        : `${label}, ${members[0]!.address}`
  }
  if (found?.edge === undefined) return undefined
  const { dependencies, from, rateBps, sampled, to } = found.edge
  const ends = `${scene.nodeById.get(from)?.label} → ${scene.nodeById.get(to)?.label}`
  const what = dependencies.length === 1 ? serviceText(dependencies[0]!) : `${dependencies.length} dependencies`
  return `${ends}, ${what}, ${sampled ? "≈" : ""}${alone("bits", rateBps)}`
}

export interface Bounds {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** The box of all nodes' middles; undefined when none has a place. */
export const boundsOf = (scene: Scene, places: ReadonlyMap<string, Place>): Bounds | undefined => {
  let bounds: Bounds | undefined
  for (const { id } of scene.nodes) {
    const at = places.get(id)
    if (at === undefined) continue
    const box = { left: at.x, right: at.x, top: at.y, bottom: at.y }
    bounds =
      bounds === undefined
        ? box
        : {
            left: Math.min(bounds.left, box.left),
            right: Math.max(bounds.right, box.right),
            top: Math.min(bounds.top, box.top),
            bottom: Math.max(bounds.bottom, box.bottom)
          }
  }
  return bounds
}
