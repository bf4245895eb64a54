/** What the map's menu offers, for what was clicked, for the selection, or for the map itself. Pure; `does` carries it out. */

import { nameOf } from "../../map/names.ts"
import type { Scene } from "../../map/scene.ts"
import { neighboursOf, resolveSelection, selectionKeys } from "../../map/select.ts"
import { paths } from "../../paths.ts"
import type { MenuEntry } from "../../ui/net-menu.ts"

export interface MapDeeds {
  readonly open: (key: string) => void
  readonly close: (key: string) => void
  readonly select: (keys: ReadonlyArray<string>) => void
  readonly isolate: (keys: ReadonlyArray<string>) => void
  readonly copy: (keys: ReadonlyArray<string>) => void
  readonly table: (keys: ReadonlyArray<string>) => void
  readonly show: (href: string) => void
  readonly fit: () => void
  readonly showAll: (() => void) | undefined
  readonly closeAll: (() => void) | undefined
}

export interface MapMenu {
  readonly heading: string
  readonly entries: ReadonlyArray<MenuEntry>
}

export const mapMenu = (scene: Scene, text: string | undefined, does: MapDeeds): MapMenu => {
  const keys = selectionKeys(text).filter((key) => resolveSelection(scene, key) !== undefined)
  const back: ReadonlyArray<MenuEntry> = [
    ...(does.showAll === undefined ? [] : [{ label: "Show what is hidden", keys: "esc", run: does.showAll }]),
    ...(does.closeAll === undefined ? [] : [{ label: "Close all groups", run: does.closeAll }])
  ]
  if (keys.length === 0) {
    return {
      heading: "Map",
      entries: [
        { label: "Fit", keys: "f", run: does.fit },
        { label: "Show as table", keys: "l", run: () => does.table([]) },
        ...back
      ]
    }
  }
  const only = keys.length === 1 ? resolveSelection(scene, keys[0]) : undefined
  const node = only?.node
  const entries: Array<MenuEntry> = []
  if (node?.kind === "group") {
    const refused = node.rest ? "the quietest of an opened group stay together so that the map stays readable" : undefined
    entries.push({ label: "Open group", detail: `${node.members.length} assets`, refused, run: () => does.open(node.id) })
  }
  const parent = node?.parent
  if (parent !== undefined) {
    const label = scene.opened.find(({ id }) => id === parent.slice(2))?.label ?? ""
    entries.push({ label: "Close its group", detail: label, run: () => does.close(parent) })
  }
  const near = only?.edge === undefined ? keys : [only.edge.from, only.edge.to]
  const more = (label: string, way: "upstream" | "downstream" | "both"): MenuEntry => {
    const found = neighboursOf(scene, near, way)
    return {
      label,
      detail: found.length === 0 ? undefined : String(found.length),
      refused: found.length === 0 ? "there is none on this map" : undefined,
      run: () => does.select([...near, ...found])
    }
  }
  entries.push(
    { ...more("Select its neighbours", "both"), parted: entries.length > 0 },
    more("Select what it needs", "upstream"),
    more("Select what needs it", "downstream"),
    { label: "Isolate", parted: true, run: () => does.isolate(keys) },
    ...back
  )
  const asset = node?.kind === "asset" ? node.members[0]! : undefined
  const dependency = only?.edge?.dependencies.length === 1 ? only.edge.dependencies[0]! : undefined
  const sheet = asset !== undefined ? paths.asset(asset.id) : dependency !== undefined ? paths.dependency(dependency.id) : undefined
  entries.push(
    {
      label: "Open sheet",
      parted: true,
      refused: sheet === undefined ? "only one asset or one dependency has a sheet" : undefined,
      run: () => sheet !== undefined && does.show(sheet)
    },
    { label: "Show as table", keys: "l", run: () => does.table(keys) },
    { label: keys.length > 1 ? "Copy identities" : "Copy identity", keys: "y", run: () => does.copy(keys) }
  )
  return { heading: nameOf(scene, keys.join(",")) ?? "", entries }
}
