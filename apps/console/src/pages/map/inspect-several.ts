/**
 * The inspector of several things selected at once: who they are, what runs among them and to others.
 *
 * Properties: `scene`; `selected`, keys parted by commas. Events: `CloseEvent`; `IsolateEvent`.
 */
import { html, LitElement, nothing } from "lit"
import { plural } from "../../format/number.ts"
import type { Scene } from "../../map/scene.ts"
import { resolveSelection, selectionKeys } from "../../map/select.ts"
import { sheet } from "../../style/sheet.ts"
import { CloseEvent } from "../../ui/events.ts"
import { pageStyle } from "../page-style.ts"
import { inspectorStyle } from "./inspector-style.ts"
import { selectHref } from "./map-links.ts"
import "../../ui/net-type-mark.ts"
import "../../ui/net-value.ts"

const mostRows = 60

export class IsolateEvent extends Event {
  static readonly type = "net-isolate"
  constructor() {
    super(IsolateEvent.type, { bubbles: true, composed: true })
  }
}

export class InspectSeveral extends LitElement {
  static override readonly properties = { scene: { attribute: false }, selected: {} }
  declare scene: Scene
  declare selected: string

  static override readonly styles = [sheet, pageStyle, inspectorStyle]

  override render() {
    const found = selectionKeys(this.selected).flatMap((key) => resolveSelection(this.scene, key) ?? [])
    const nodes = [...new Set(found.flatMap(({ node }) => node ?? []))].sort((a, b) => (a.label < b.label ? -1 : 1))
    const ids = new Set(nodes.map(({ id }) => id))
    const among = this.scene.edges.filter(({ from, to }) => ids.has(from) && ids.has(to))
    const others = this.scene.edges.filter(({ from, to }) => ids.has(from) !== ids.has(to))
    const sum = (lines: typeof among) => lines.reduce((all, line) => all + line.dependencies.length, 0)
    const within = nodes.reduce((all, node) => all + node.inside.length, 0)
    return html`<div class="inspector-head"><h2>${found.length} selected</h2><button class="plain" @click=${() => this.dispatchEvent(new CloseEvent())}>Close</button></div>
      <dl class="facts">
        <dt>Assets</dt><dd>${nodes.reduce((all, node) => all + node.members.length, 0)}</dd>
        <dt>Among them</dt><dd>${plural(sum(among) + within, "dependency", "dependencies")}</dd>
        <dt>To others</dt><dd>${plural(sum(others), "dependency", "dependencies")}</dd>
        <dt>Rate</dt><dd><net-value .value=${[...among, ...others].reduce((all, line) => all + line.rateBps, 0)} quantity="bits"></net-value></dd>
      </dl>
      <div class="actions"><button @click=${() => this.dispatchEvent(new IsolateEvent())}>Isolate</button></div>
      <section><h3><span>Selected</span><span>${nodes.length}</span></h3>
        <table class="plain" aria-label="Selected"><thead><tr><th>Name</th><th>Address, or assets</th></tr></thead><tbody>
        ${nodes.slice(0, mostRows).map(
          (node) => html`<tr><td><a href=${selectHref(node.id)}>${
            node.kind === "group"
              ? nothing
              : html`<net-type-mark .type=${node.members[0]!.type} ?external=${node.external}></net-type-mark>&nbsp;`
          }<span>${node.label}</span></a></td>
            <td class=${node.kind === "group" ? "" : "mono"}>${node.kind === "group" ? plural(node.members.length, "asset") : node.members[0]!.address}</td></tr>`
        )}</tbody></table>
        ${nodes.length > mostRows ? html`<p class="more">${nodes.length - mostRows} more; the table (l) has all.</p>` : nothing}
      </section>`
  }
}
customElements.define("inspect-several", InspectSeveral)
