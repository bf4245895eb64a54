/**
 * The map as a table: the same scene, filter, legend and selection; what a line is on the map is a row here. Whole map: all
 * dependencies shown; with a selection: its own.
 *
 * Properties: `scene`; `selected`. Events of `net-table` pass through: `SelectEvent`, `OpenEvent`.
 */
import { css, html, LitElement } from "lit"
import type { Blindness } from "#domain/CoverageReport.ts"
import { portText } from "#domain/protocol.ts"
import type { TopologyEdge, TopologyNode } from "#domain/Topology.ts"
import { perCent } from "../../format/number.ts"
import type { Scene } from "../../map/scene.ts"
import { resolveSelection, selectionKeys } from "../../map/select.ts"
import { sheet } from "../../style/sheet.ts"
import type { Column } from "../../ui/column.ts"
import type { SortEvent } from "../../ui/events.ts"
import "../../ui/net-empty.ts"
import "../../ui/net-table.ts"
import "../../ui/net-type-mark.ts"
import { stateCell } from "../table-cells.ts"
import { reasonOf } from "./blind-words.ts"
import { selectHref } from "./map-links.ts"

interface Row {
  readonly id: string
  readonly client: TopologyNode
  readonly server: TopologyNode
  readonly edge: TopologyEdge
  readonly blind: Blindness | null
}

const side = (node: TopologyNode) =>
  html`<net-type-mark .type=${node.type} ?external=${!node.internal}></net-type-mark>&nbsp;<a href=${selectHref(`a:${node.id}`)} title=${node.address}>${node.name}</a>`

const columns: ReadonlyArray<Column<Row>> = [
  { key: "client", label: "Client", track: "minmax(9rem, 2fr)", sort: true, cell: (row) => side(row.client), narrow: "title" },
  { key: "server", label: "Server", track: "minmax(9rem, 2fr)", sort: true, cell: (row) => side(row.server), narrow: "line" },
  {
    key: "port",
    label: "Port",
    track: "6rem",
    sort: true,
    cell: ({ edge }) => html`<span class="mono">${portText(edge.port, edge.protocol)}</span>`,
    narrow: "line"
  },
  {
    key: "service",
    label: "Service",
    track: "minmax(5rem, 1fr)",
    sort: true,
    cell: ({ edge }) => edge.service ?? "–",
    narrow: "drop"
  },
  {
    key: "rate",
    label: "Rate",
    track: "6.5rem",
    align: "end",
    sort: true,
    first: "descending",
    number: { quantity: "bits", of: ({ edge }) => edge.rateBps, sampling: ({ edge }) => (edge.sampled ? 2 : 1) },
    narrow: "end"
  },
  {
    key: "bytes",
    label: "Volume",
    track: "6rem",
    align: "end",
    sort: true,
    first: "descending",
    number: { quantity: "bytes", of: ({ edge }) => edge.bytes, sampling: ({ edge }) => (edge.sampled ? 2 : 1) },
    narrow: "drop"
  },
  {
    key: "confidence",
    label: "Sure",
    title: "Confidence",
    track: "4.5rem",
    align: "end",
    sort: true,
    first: "descending",
    cell: ({ edge }) => perCent(edge.confidence),
    narrow: "drop"
  },
  {
    key: "state",
    label: "State",
    track: "6.5rem",
    cell: ({ blind, edge }) => stateCell({ state: edge.stale ? "stale" : "active", blind }),
    narrow: "line"
  }
]

const orders: Record<string, (row: Row) => string | number | bigint> = {
  client: (row) => row.client.name,
  server: (row) => row.server.name,
  port: (row) => row.edge.port,
  service: (row) => row.edge.service ?? "",
  rate: (row) => row.edge.rateBps,
  bytes: (row) => row.edge.bytes,
  confidence: (row) => row.edge.confidence
}

export class MapTable extends LitElement {
  static override readonly properties = { scene: { attribute: false }, selected: {}, sort: { state: true }, order: { state: true } }
  declare scene: Scene
  declare selected: string | undefined
  declare sort: string
  declare order: "ascending" | "descending"

  static override readonly styles = [
    sheet,
    css`:host { display: flex; flex-direction: column; min-height: 0; } net-table { flex: 1 1 0; min-height: 0; }`
  ]

  constructor() {
    super()
    this.sort = "rate"
    this.order = "descending"
  }

  #rows(): ReadonlyArray<Row> {
    const nodes = new Map(this.scene.nodes.flatMap((node) => node.members.map((member) => [member.id as string, member])))
    const all = [...this.scene.edges.flatMap((line) => line.dependencies), ...this.scene.nodes.flatMap((node) => node.inside)]
    const shown = this.#selection()
    const edges =
      shown === undefined
        ? all
        : all.filter((d) => shown.lines.has(d) || shown.members.has(d.client) || shown.members.has(d.server))
    const key = orders[this.sort] ?? orders["rate"]!
    const way = this.order === "ascending" ? 1 : -1
    return edges
      .map(
        (edge): Row => ({
          id: `d:${edge.id}`,
          client: nodes.get(edge.client)!,
          server: nodes.get(edge.server)!,
          edge,
          blind: reasonOf(this.scene, edge) ?? null
        })
      )
      .sort((a, b) => {
        const x = key(a)
        const y = key(b)
        return x < y ? -way : x > y ? way : Number(a.edge.id) - Number(b.edge.id)
      })
  }

  /** What the selection narrows the table to; one dependency alone stays a row among the others. */
  #selection(): { readonly members: ReadonlySet<string>; readonly lines: ReadonlySet<TopologyEdge> } | undefined {
    const members = new Set<string>()
    const lines = new Set<TopologyEdge>()
    const keys = selectionKeys(this.selected)
    for (const key of keys) {
      const found = resolveSelection(this.scene, key)
      if (key.startsWith("a:")) members.add(key.slice(2))
      else if (found?.node !== undefined) for (const member of found.node.members) members.add(member.id)
      else if (found?.edge !== undefined && (keys.length > 1 || key.startsWith("m:")))
        for (const dependency of found.edge.dependencies) lines.add(dependency)
    }
    return members.size + lines.size === 0 ? undefined : { members, lines }
  }

  override render() {
    const rows = this.#rows()
    return html`<net-table .columns=${columns} .rows=${rows} .keyOf=${(row: Row) => row.id} .identity=${(row: Row) => `${row.client.address} → ${row.server.address}`}
      label="Dependencies on the map" .sort=${this.sort} .order=${this.order} .selected=${this.selected} .total=${rows.length} primary @net-sort=${this.#sorted}>
      <net-empty slot="empty" kind="match" heading="No dependencies">Nothing that is selected here depends on anything.</net-empty></net-table>`
  }

  readonly #sorted = (event: SortEvent) => {
    this.sort = event.key
    this.order = event.order
  }
}
customElements.define("map-table", MapTable)
