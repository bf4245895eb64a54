/** Which of the nothings an empty map shows, and what would make something appear. */
import { html } from "lit"
import type { Exporter } from "#domain/Exporter.ts"
import { plural } from "../../format/number.ts"
import { revise } from "../../place.ts"
import "../../ui/net-empty.ts"
import "../exporters/listener-lines.ts"

export interface EmptyMap {
  readonly filter: string
  readonly past: boolean
  readonly exporters: ReadonlyArray<Exporter>
}

export const mapEmpty = ({ exporters, filter, past }: EmptyMap) => {
  if (filter !== "") {
    return html`<net-empty kind="match" heading="Nothing matches">No asset with a dependency matches <span class="mono">${filter}</span>.
        <button slot="action" @click=${() => revise({ filter: undefined })}>Clear the filter</button></net-empty>`
  }
  if (past) {
    return html`<net-empty kind="match" heading="Nothing was on the map then">No dependency known now was valid at that moment.
        <button slot="action" @click=${() => revise({ at: undefined })}>Back to live</button></net-empty>`
  }
  const heard = exporters.filter((exporter) => exporter.state !== "silent").length
  return html`<net-empty kind="yet" heading="Nothing on the map yet">
      <p>${exporters.length === 0 ? "No exporter has sent anything." : heard === 0 ? `${plural(exporters.length, "exporter")} known, all silent.` : `${plural(heard, "exporter")} heard; the first window is still open.`}</p>
      <p>Point a router's flow export at this appliance, or start it with <span class="mono">npm start -- --demo</span>. The first dependencies appear within a minute of the first flows.</p>
      <listener-lines slot="action"></listener-lines></net-empty>`
}
