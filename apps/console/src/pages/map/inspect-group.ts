/**
 * The inspector of a group (its members, the lines that meet it) and of a merged line (its dependencies).
 *
 * Properties: `scene`; `key` of a group node or of a merged line. Event: `OpenEvent` to open the group.
 */
import { html, LitElement, nothing } from "lit"
import { perCent, plural } from "../../format/number.ts"
import { relationMarks } from "../../map/legend.ts"
import { serviceText } from "../../map/names.ts"
import type { Scene, SceneEdge, SceneNode } from "../../map/scene.ts"
import { sheet } from "../../style/sheet.ts"
import { CloseEvent, OpenEvent } from "../../ui/events.ts"
import { pageStyle } from "../page-style.ts"
import { blindFact, subnetOf } from "./blind-words.ts"
import { inspectorStyle } from "./inspector-style.ts"
import { selectHref } from "./map-links.ts"
import "../coverage/coverage-section.ts"
import "../../ui/net-time.ts"
import "../../ui/net-type-mark.ts"
import "../../ui/net-value.ts"

const mostRows = 60

export class InspectGroup extends LitElement {
  static override readonly properties = { scene: { attribute: false }, key: {} }
  declare scene: Scene
  declare key: string

  static override readonly styles = [sheet, pageStyle, inspectorStyle]

  override render() {
    const node = this.scene.nodeById.get(this.key)
    if (node !== undefined) return this.#group(node)
    const edge = this.scene.edgeById.get(this.key)
    return edge === undefined ? nothing : this.#line(edge)
  }

  #head(title: string) {
    return html`<div class="inspector-head"><h2>${title}</h2><button class="plain" @click=${() => this.dispatchEvent(new CloseEvent())}>Close</button></div>`
  }

  #group(node: SceneNode) {
    const lines = this.scene.edges.filter((edge) => edge.from === node.id || edge.to === node.id)
    const members = [...node.members].sort((a, b) => (a.name < b.name ? -1 : 1))
    const subnet = subnetOf(node)
    return html`${this.#head(node.label)}
      <dl class="facts">
        <dt>Assets</dt><dd>${node.members.length}${node.external ? ", external" : ""}</dd>
        <dt>Among them</dt><dd>${plural(node.inside.length, "dependency", "dependencies")}</dd>
        <dt>To others</dt><dd>${plural(
          lines.reduce((sum, line) => sum + line.dependencies.length, 0),
          "dependency",
          "dependencies"
        )}</dd>
        <dt>Rate</dt><dd><net-value .value=${lines.reduce((sum, line) => sum + line.rateBps, 0)} quantity="bits"></net-value></dd>
        ${blindFact(this.scene, node.members)}
      </dl>
      ${
        node.rest
          ? html`<p class="sub">The quietest of an opened group, together so that the map stays readable. A filter shows them.</p>`
          : html`<div class="actions"><button @click=${() => this.dispatchEvent(new OpenEvent(node.id))}>Open group</button></div>`
      }
      ${subnet === undefined ? nothing : html`<coverage-section .subnet=${subnet}></coverage-section>`}
      <section><h3><span>Lines</span><span>${lines.length}</span></h3>${this.#lines(node, lines)}</section>
      <section><h3><span>Members</span><span>${members.length}</span></h3>
        <table class="plain" aria-label="Members"><thead><tr><th>Asset</th><th>Address</th></tr></thead><tbody>
        ${members.slice(0, mostRows).map(
          (
            member
          ) => html`<tr><td><a href=${selectHref(`a:${member.id}`)}><net-type-mark .type=${member.type} ?external=${!member.internal}></net-type-mark>&nbsp;<span>${member.name}</span></a></td>
          <td class="mono">${member.address}</td></tr>`
        )}</tbody></table>
        ${members.length > mostRows ? html`<p class="more">${members.length - mostRows} more; the table (l) has all.</p>` : nothing}
      </section>`
  }

  #lines(node: SceneNode, lines: ReadonlyArray<SceneEdge>) {
    if (lines.length === 0) return html`<p class="more">None to others.</p>`
    const sorted = [...lines].sort((a, b) => b.rateBps - a.rateBps)
    return html`<table class="plain" aria-label="Lines"><thead><tr><th>With</th><th>How, dependencies</th><th class="num">Rate</th></tr></thead><tbody>
      ${sorted.slice(0, mostRows).map((line) => {
        const out = line.from === node.id
        const other = this.scene.nodeById.get(out ? line.to : line.from)
        return html`<tr><td><a href=${selectHref(line.id)}><span>${other?.label}</span></a></td>
          <td><svg class="mark" viewBox="0 0 10 10" aria-hidden="true">${out ? relationMarks.upstream : relationMarks.downstream}</svg> ${out ? "serves this" : "needs this"}, ${line.dependencies.length}</td>
          <td class="num"><net-value .value=${line.rateBps} quantity="bits" .sampling=${line.sampled ? 2 : 1} plain></net-value></td></tr>`
      })}</tbody></table>`
  }

  #line(edge: SceneEdge) {
    const from = this.scene.nodeById.get(edge.from)
    const to = this.scene.nodeById.get(edge.to)
    const names = new Map([...(from?.members ?? []), ...(to?.members ?? [])].map((member) => [member.id, member.name]))
    const sorted = [...edge.dependencies].sort((a, b) => b.rateBps - a.rateBps)
    return html`${this.#head(plural(edge.dependencies.length, "dependency", "dependencies"))}
      <dl class="facts">
        <dt>From</dt><dd><a class="link" href=${selectHref(edge.from)}>${from?.label}</a></dd>
        <dt>To</dt><dd><a class="link" href=${selectHref(edge.to)}>${to?.label}</a></dd>
        <dt>Rate</dt><dd>${edge.sampled ? "≈" : ""}<net-value .value=${edge.rateBps} quantity="bits"></net-value></dd>
        <dt>Volume</dt><dd>${edge.sampled ? "≈" : ""}<net-value .value=${edge.bytes} quantity="bytes"></net-value></dd>
        ${blindFact(this.scene, edge.dependencies)}
        <dt>Stale</dt><dd>${edge.dependencies.filter((d) => d.stale).length} of ${edge.dependencies.length}</dd>
      </dl>
      <section><h3><span>Dependencies</span><span>${edge.dependencies.length}</span></h3>
        <table class="plain" aria-label="Dependencies"><thead><tr><th>Client → server</th><th>Service</th><th class="num">Sure</th></tr></thead><tbody>
        ${sorted.slice(0, mostRows).map(
          (
            d
          ) => html`<tr><td title=${`${names.get(d.client)} → ${names.get(d.server)}`}>${names.get(d.client)} → ${names.get(d.server)}</td>
          <td><a class="link" href=${selectHref(`d:${d.id}`)}><span>${serviceText(d)}</span></a></td><td class="num">${perCent(d.confidence)}</td></tr>`
        )}</tbody></table>
        ${sorted.length > mostRows ? html`<p class="more">${sorted.length - mostRows} more, slower; the table (l) has all.</p>` : nothing}
      </section>`
  }
}
customElements.define("inspect-group", InspectGroup)
