/** Single flow records as they were exported, where they are kept: looked up by host, peer, port, exporter and time. Property: `place`. */

import { DateTime } from "effect"
import { css, html, LitElement, nothing } from "lit"
import { protocolName, protocolNumber } from "#domain/protocol.ts"
import type { RawFlow, RawFlowPage, RawFlowQuery } from "#domain/RawFlow.ts"
import { exactly } from "../../format/number.ts"
import { type Place, revise } from "../../place.ts"
import { act } from "../../rpc/client.ts"
import { faultOf } from "../../rpc/Fault.ts"
import { Subject } from "../../rpc/Subject.ts"
import { show, staleLine } from "../../rpc/show.ts"
import { sheet } from "../../style/sheet.ts"
import type { Column } from "../../ui/column.ts"
import { ToastEvent } from "../../ui/events.ts"
import { pageStyle } from "../page-style.ts"
import "../../ui/net-address.ts"
import "../../ui/net-empty.ts"
import "../../ui/net-table.ts"
import "../../ui/net-time.ts"

const terms = ["host", "peer", "port", "protocol", "exporter", "from", "to"] as const
type Term = (typeof terms)[number]

const fields: ReadonlyArray<{ readonly term: Term; readonly label: string; readonly placeholder: string; readonly size: number }> =
  [
    { term: "host", label: "Host or network", placeholder: "10.2.0.14", size: 16 },
    { term: "peer", label: "Other end", placeholder: "10.2.1.0/24", size: 16 },
    { term: "port", label: "Port", placeholder: "5432", size: 6 },
    { term: "protocol", label: "Protocol", placeholder: "tcp", size: 5 },
    { term: "exporter", label: "Exporter", placeholder: "192.0.2.1", size: 14 },
    { term: "from", label: "From", placeholder: "2026-11-21T10:00Z", size: 18 },
    { term: "to", label: "To", placeholder: "2026-11-21T11:00Z", size: 18 }
  ]

/** The query of an address, or the first term that cannot be read. */
const queryOf = (query: URLSearchParams): RawFlowQuery | { readonly wrong: string } => {
  const asked: Record<string, unknown> = {}
  for (const term of terms) {
    const text = query.get(term)?.trim()
    if (!text) continue
    if (term === "port") {
      if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) return { wrong: "port is a number from 0 to 65535" }
      asked[term] = Number(text)
    } else if (term === "protocol") {
      const protocol = protocolNumber(text)
      if (protocol === undefined) return { wrong: "protocol is a name such as tcp, or a number from 0 to 255" }
      asked[term] = protocol
    } else if (term === "from" || term === "to") {
      const at = Date.parse(text)
      if (Number.isNaN(at)) return { wrong: `${term} is an instant such as 2026-11-21T10:00Z` }
      asked[term] = DateTime.makeUnsafe(at)
    } else asked[term] = text
  }
  return asked as RawFlowQuery
}

const end = (address: string | null, port: number) =>
  address === null
    ? html`<span class="sub">–</span>`
    : html`<span class="two"><net-address text=${address} longest="25"></net-address><span class="mono sub">${port}</span></span>`

const flagNames = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"]
const flagsText = (flags: number): string => flagNames.filter((_, bit) => (flags & (1 << bit)) !== 0).join(" ")

const columns: ReadonlyArray<Column<RawFlow>> = [
  {
    key: "received",
    label: "Received",
    track: "8.5rem",
    narrow: "end",
    cell: (flow) => html`<net-time .at=${flow.received}></net-time>`
  },
  {
    key: "source",
    label: "Source",
    track: "minmax(9rem, 1.4fr)",
    narrow: "title",
    cell: (flow) => end(flow.source, flow.sourcePort)
  },
  {
    key: "destination",
    label: "Destination",
    track: "minmax(9rem, 1.4fr)",
    narrow: "line",
    cell: (flow) => end(flow.destination, flow.destinationPort)
  },
  { key: "protocol", label: "Protocol", track: "4.5rem", narrow: "line", cell: (flow) => protocolName(flow.protocol) },
  {
    key: "octets",
    label: "Octets",
    title: "As exported, not scaled",
    track: "6rem",
    narrow: "line",
    number: { quantity: "bytes", of: (flow) => flow.octets + flow.reverseOctets }
  },
  {
    key: "packets",
    label: "Packets",
    title: "As exported, not scaled",
    from: 700,
    track: "5rem",
    number: { quantity: "count", of: (flow) => flow.packets + flow.reversePackets }
  },
  {
    key: "flags",
    label: "TCP flags",
    from: 860,
    track: "minmax(6rem, 0.7fr)",
    cell: (flow) =>
      flow.tcpFlags === 0 ? html`<span class="sub">–</span>` : html`<span class="mono sub">${flagsText(flow.tcpFlags)}</span>`
  },
  {
    key: "lasted",
    label: "Lasted",
    unit: "s",
    from: 980,
    track: "5rem",
    align: "end",
    cell: (flow) => ((DateTime.toEpochMillis(flow.end) - DateTime.toEpochMillis(flow.start)) / 1000).toFixed(1)
  },
  {
    key: "exporter",
    label: "Exporter",
    from: 760,
    track: "minmax(7rem, 1fr)",
    cell: (flow) =>
      html`<net-address text=${flow.exporter} longest="25"></net-address>${flow.sampling > 1 ? html` <span class="sub" title="Sampled: one of ${flow.sampling}">1:${exactly(flow.sampling)}</span>` : nothing}`
  }
]

export class PageFlows extends LitElement {
  static override readonly properties = { place: { attribute: false }, wrong: { state: true }, more: { state: true } }
  declare place: Place
  declare wrong: string | undefined
  declare more: ReadonlyArray<RawFlow>
  #last: RawFlowPage | undefined

  readonly #flows = Subject.call<RawFlowPage, unknown>(
    this,
    {
      what: "the flow records",
      key: () => this.#key,
      forget: true,
      isEmpty: (page) => page.items.length === 0,
      onValue: (page) => {
        this.more = []
        this.#last = page
      }
    },
    () => {
      const query = queryOf(this.place.query)
      return "wrong" in query ? undefined : (api) => api.FlowSearch({ ...query, limit: 200 })
    }
  )

  static override readonly styles = [
    sheet,
    pageStyle,
    css`
      form { flex: none; display: flex; flex-wrap: wrap; gap: var(--s-3) var(--s-4); align-items: end; padding: var(--s-3) var(--s-5); border-bottom: var(--hair) solid var(--line); }
      label { display: grid; gap: var(--s-1); font: var(--t-12); color: var(--muted); }
      input { font-family: var(--mono); }
      .wrong { color: var(--down); font: var(--t-12); align-self: center; }
      .foot { flex: none; display: flex; gap: var(--s-4); align-items: center; padding: var(--s-3) var(--s-5); border-top: var(--hair) solid var(--line); color: var(--muted); }
      net-table { flex: 1 1 0; min-height: 0; }
    `
  ]

  constructor() {
    super()
    this.more = []
  }

  get #key(): string {
    return terms.map((term) => this.place.query.get(term) ?? "").join("\n")
  }

  override render() {
    const query = queryOf(this.place.query)
    const fault = this.wrong ?? ("wrong" in query ? query.wrong : undefined)
    const page = this.#flows.value
    const rows = page === undefined ? [] : [...page.items, ...this.more]
    return html`<div class="head"><h1>Flows</h1><span class="muted">single records as they were exported, newest first</span></div>
      <form role="search" aria-label="Look up flow records" @submit=${this.#submit}>
        ${fields.map(({ label, placeholder, size, term }) => html`<label>${label}<input name=${term} size=${size} placeholder=${placeholder} spellcheck="false" autocomplete="off" .value=${this.place.query.get(term) ?? ""} /></label>`)}
        <button class="primary">Look up</button><button type="button" @click=${this.#clear}>Clear</button>
        ${fault === undefined ? nothing : html`<span class="wrong" role="alert">${fault}</span>`}
      </form>${staleLine(this.#flows)}
      <net-table primary label="Flow records" .columns=${columns as ReadonlyArray<Column<unknown>>} .rows=${rows} .keyOf=${(flow: RawFlow) => String(flow.id)}
        .identity=${(flow: RawFlow) => flow.source ?? ""} ?more=${this.#last?.next !== undefined} @net-more=${this.#load}>
        <div slot="empty">${show(this.#flows, { rows: 14, quiet: true, live: () => nothing, empty: (none) => this.#empty(none) })}</div>
      </net-table>
      ${this.#last?.searchedTo == null || rows.length === 0 ? nothing : html`<div class="foot">Searched back to <net-time .at=${this.#last.searchedTo}></net-time>.<button @click=${this.#earlier}>Search earlier</button></div>`}`
  }

  #empty(page: RawFlowPage) {
    if (!page.kept)
      return html`<net-empty kind="yet" heading="Flow records are not kept">The map is made of windows and does not need them. To look single records up, set
        <span class="mono">flow_raw.keep: true</span> in flowlens.yaml and start again; they are kept for seven days.</net-empty>`
    if (page.searchedTo !== null)
      return html`<net-empty kind="match" heading="Nothing found so far">Searched back to <net-time .at=${page.searchedTo}></net-time>.
        <button slot="action" @click=${this.#earlier}>Search earlier</button></net-empty>`
    return html`<net-empty kind="match" heading="No record matches">Nothing that is kept fits all of this.
      <button slot="action" @click=${this.#clear}>Clear</button></net-empty>`
  }

  readonly #submit = (event: SubmitEvent) => {
    event.preventDefault()
    const given = new FormData(event.target as HTMLFormElement)
    const asked = Object.fromEntries(terms.map((term) => [term, String(given.get(term) ?? "").trim() || undefined]))
    const query = queryOf(
      new URLSearchParams(Object.entries(asked).flatMap(([term, text]) => (text === undefined ? [] : [[term, text]])))
    )
    this.wrong = "wrong" in query ? query.wrong : undefined
    if (this.wrong === undefined) revise(asked)
  }
  readonly #clear = () => {
    this.wrong = undefined
    this.renderRoot.querySelector("form")?.reset()
    revise(Object.fromEntries(terms.map((term) => [term, undefined])))
  }
  readonly #earlier = () => {
    const at = this.#last?.searchedTo
    if (at != null) revise({ to: DateTime.formatIso(at) })
  }
  readonly #load = () => {
    const after = this.#last?.next
    const query = queryOf(this.place.query)
    const key = this.#key
    if (after === undefined || "wrong" in query) return
    act((api) => api.FlowSearch({ ...query, limit: 200, after })).then(
      (page) => {
        if (key !== this.#key) return
        this.more = [...this.more, ...page.items]
        this.#last = page
      },
      (error) => this.dispatchEvent(new ToastEvent(`Could not load more: ${faultOf(error).message}`, "warning"))
    )
  }
}
customElements.define("page-flows", PageFlows)
