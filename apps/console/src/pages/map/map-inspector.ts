/** What the inspector shows for a selection: a sheet, a group or line, several, or that it is not on this map. */
import { html } from "lit"
import type { Scene } from "../../map/scene.ts"
import { resolveSelection, selectionKeys } from "../../map/select.ts"
import { revise } from "../../place.ts"
import "../../ui/net-empty.ts"
import "../assets/asset-sheet.ts"
import "../dependencies/dependency-sheet.ts"
import "./inspect-group.ts"
import "./inspect-several.ts"

export const mapInspector = (scene: Scene, key: string) => {
  if (selectionKeys(key).length > 1) return html`<inspect-several .scene=${scene} .selected=${key}></inspect-several>`
  const found = resolveSelection(scene, key)
  if (key.startsWith("a:")) return html`<asset-sheet compact .key=${key.slice(2)}></asset-sheet>`
  if (key.startsWith("d:")) return html`<dependency-sheet compact .key=${key.slice(2)}></dependency-sheet>`
  const shown = found?.node?.id ?? found?.edge?.id
  return shown === undefined
    ? html`<net-empty kind="match" heading="Not shown">What was selected is not on this map: its group was opened or closed, or the filter leaves it out.
          <button slot="action" @click=${() => revise({ select: undefined })}>Clear selection</button></net-empty>`
    : html`<inspect-group .scene=${scene} .key=${shown}></inspect-group>`
}
