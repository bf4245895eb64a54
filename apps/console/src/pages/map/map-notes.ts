/** What the map says above itself: what is isolated, opened, held in a closed group, grouped by the limit or left out; and, before one has done anything, how to read it. */
import { html, nothing } from "lit"
import type { Topology } from "#domain/Topology.ts"
import { plural } from "../../format/number.ts"
import type { Grouping } from "../../map/grouping.ts"
import { foldedText, type Scene } from "../../map/scene.ts"
import { resolveSelection } from "../../map/select.ts"
import { revise } from "../../place.ts"
import { blindNote } from "./blind-words.ts"

export interface MapNotes {
  readonly scene: Scene
  readonly asTable: boolean
  readonly topology: Topology | undefined
  readonly opened: Scene["opened"]
  /** What is hidden, in words. */
  readonly isolated: string | undefined
  readonly selected: string | undefined
  readonly close: (id: string) => void
  readonly open: (group: string) => void
}

export const mapNotes = (notes: MapNotes) => {
  const { asTable, close, isolated, opened, scene, topology } = notes
  const folded = foldedText(scene)
  const left = topology === undefined ? 0 : topology.nodesLeftOut + topology.edgesLeftOut
  const held = heldBy(notes)
  const blind = blindNote(scene, asTable)
  const unhatched = scene.blindness.length === 0 && (topology?.blindness ?? []).length > 0
  const lines = [folded, held, isolated, blind].some((line) => line !== undefined)
  if (!lines && left === 0 && opened.length === 0 && !unhatched) return nothing
  return html`<div class="notes">
      ${
        isolated === undefined
          ? nothing
          : html`<span role="status">${isolated}</span><button class="text" @click=${() => revise({ isolate: undefined })}>Show all</button>`
      }
      ${
        opened.length === 0
          ? nothing
          : html`<span class="muted">Open:</span>${opened.map(
              ({ count, id, label }) => html`<button class="chip" title="Close this group" @click=${() => close(id)}
          ><span class="sr">Close group</span> <span class="mono">${label}</span> ${count}<svg viewBox="0 0 8 8" aria-hidden="true"><path d="m1 1 6 6M7 1 1 7" stroke="currentColor" /></svg></button>`
            )}<button class="text" @click=${() => revise({ open: undefined })}>Close all</button>`
      }
      ${held ?? nothing}
      ${blind === undefined ? nothing : html`<span role="status">${blind}</span>${asTable ? nothing : html`<button class="text" @click=${() => revise({ coverage: "off" })}>Do not hatch</button>`}`}
      ${unhatched ? html`<span>Parts of it nobody looks at.</span><button class="text" @click=${() => revise({ coverage: undefined })}>${asTable ? "Mark" : "Hatch"} them</button>` : nothing}
      ${folded === undefined ? nothing : html`<span role="status">${folded}</span>`}
      ${left === 0 || topology === undefined ? nothing : html`<span role="status">The appliance left out ${plural(topology.nodesLeftOut, "asset")} and ${plural(topology.edgesLeftOut, "dependency", "dependencies")}; a filter shows them.</span>`}
    </div>`
}

/** The selected asset is inside a closed group: which, and the way in. */
const heldBy = ({ open, scene, selected }: MapNotes) => {
  const group = resolveSelection(scene, selected)?.node
  if (selected?.startsWith("a:") !== true || group?.kind !== "group") return undefined
  const name = group.members.find((member) => `a:${member.id}` === selected)?.name
  return html`<span>${name} stands in <span class="mono">${group.label}</span></span>
      ${group.rest ? nothing : html`<button class="text" @click=${() => open(group.id)}>Open that group</button>`}`
}

/** What a mark and a line are, in one line. */
export const mapHint = (grouping: Grouping): string => {
  const marks = {
    network: "Each mark is a network and its number of assets",
    type: "Each mark is all assets of one type",
    environment: "Each mark is an environment and its number of assets",
    none: "Each mark is an asset"
  }[grouping]
  return `${marks}; a line runs from who needs to who serves. Click for the facts${grouping === "none" ? "" : ", double-click opens"}, right-click or . for the menu, shift-drag selects several.`
}
