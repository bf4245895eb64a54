/** Who sends flows, and how well each is heard: live, all of them, sorted and filtered here since they are few. Property: `place`. */
import { html, LitElement, nothing } from "lit"
import { type Exporter, type ExporterHistory, exporterProtocolNames } from "#domain/Exporter.ts"
import { Following } from "../../Cell.ts"
import { inUnit, plain } from "../../format/number.ts"
import { millisOf } from "../../format/time.ts"
import { ActionEvent } from "../../keys.ts"
import { paths } from "../../paths.ts"
import { go, type Place, revise } from "../../place.ts"
import { prefer, preferences } from "../../preferences.ts"
import { Subject } from "../../rpc/Subject.ts"
import { show, staleLine } from "../../rpc/show.ts"
import { refusal } from "../../session.ts"
import { sheet } from "../../style/sheet.ts"
import type { Column } from "../../ui/column.ts"
import type { FilterEvent, OpenEvent, SelectEvent, SortEvent, WidthEvent } from "../../ui/events.ts"
import type { NetFilter } from "../../ui/net-filter.ts"
import { pageStyle } from "../page-style.ts"
import { samplingText, skewIsOff, skewText, standingOf } from "./exporter-words.ts"
import "../../ui/net-address.ts"
import "../../ui/net-filter.ts"
import "../../ui/net-split.ts"
import "../../ui/net-status.ts"
import "../../ui/net-table.ts"
import "../../ui/net-time.ts"
import "../../chart/net-spark.ts"
import "./add-exporter.ts"
import "./exporter-sheet.ts"
import "./listener-lines.ts"
import "../../ui/net-empty.ts"

const rank: Record<Exporter["state"], number> = { silent: 0, waiting: 1, expected: 3, heard: 4 }

/** What wants somebody first: silent, waiting, new; the blocked ones last. */
const urgency = ({ policy, state }: Exporter): number =>
  policy.approval === "blocked" ? 5 : state === "heard" && policy.approval === "new" ? 2 : rank[state]

const worst = ({ findings }: Exporter): number =>
  findings.reduce((sum, { severity }) => sum + (severity === "warning" ? 100 : 1), 0)

type SortKey = "state" | "name" | "address" | "protocol" | "rate" | "lost" | "malformed" | "templates" | "coach" | "lastSeen"

/** What a column sorts by. */
const sortValue: Record<SortKey, (one: Exporter) => string | number> = {
  state: urgency,
  name: (one) => one.name ?? one.address,
  address: (one) => one.address,
  protocol: (one) => one.protocol,
  rate: (one) => one.recordsPerSecond,
  lost: (one) => Number(one.sequenceLost),
  malformed: (one) => Number(one.malformed),
  templates: (one) => one.templates,
  coach: worst,
  lastSeen: (one) => millisOf(one.lastSeen)
}

const compare = new Intl.Collator("en", { numeric: true }).compare

/** Sorted by a column, then by address so that equal rows keep their places from one reading to the next. */
export const sortExporters = (
  all: ReadonlyArray<Exporter>,
  key: SortKey,
  order: "ascending" | "descending"
): ReadonlyArray<Exporter> => {
  const way = order === "ascending" ? 1 : -1
  const of = sortValue[key]
  return all.toSorted((a, b) => {
    const [x, y] = [of(a), of(b)]
    const by = typeof x === "number" && typeof y === "number" ? x - y : compare(String(x), String(y))
    return by === 0 ? compare(a.address, b.address) || compare(a.protocol, b.protocol) : by * way
  })
}

const allColumns = (histories: ReadonlyMap<string, ExporterHistory>): ReadonlyArray<Column<Exporter>> => [
  {
    key: "name",
    label: "Exporter",
    track: "minmax(9rem, 1.6fr)",
    sort: true,
    narrow: "title",
    cell: (one) =>
      html`<a class="name" href=${paths.exporter(one.id)} tabindex="-1">${one.name ?? html`<span class="mono">${one.address}</span>`}</a>`
  },
  {
    key: "state",
    label: "State",
    track: "minmax(8rem, 1fr)",
    sort: true,
    narrow: "line",
    cell: (one) => {
      const [mark, word, title] = standingOf(one)
      return html`<net-status status=${mark} label=${word} title=${title}></net-status>`
    }
  },
  {
    key: "address",
    label: "Address",
    from: 980,
    track: "minmax(8rem, 1.2fr)",
    sort: true,
    cell: (one) => html`<net-address text=${one.address} longest="25"></net-address>`
  },
  {
    key: "protocol",
    label: "Protocol",
    track: "6rem",
    sort: true,
    narrow: "line",
    cell: (one) => exporterProtocolNames[one.protocol]
  },
  {
    key: "rate",
    label: "Records",
    title: "Flow records a second over the last minute",
    track: "6rem",
    sort: true,
    narrow: "end",
    number: { quantity: "rate", of: (one) => one.recordsPerSecond }
  },
  {
    key: "hour",
    label: "Last hour",
    title: "Flow records a minute",
    from: 860,
    track: "6rem",
    cell: (one) => html`<net-spark .values=${histories.get(one.id)?.records.slice(0, -1) ?? []}></net-spark>`
  },
  {
    key: "coach",
    label: "Coach",
    title: "What could be better about this exporter",
    track: "4.5rem",
    align: "end",
    sort: true,
    first: "descending",
    narrow: "line",
    cell: ({ findings }) =>
      findings.length === 0
        ? html`<span class="muted">–</span>`
        : html`<net-status status=${findings[0]!.severity} label=${String(findings.length)} title=${findings.map(({ text }) => text).join("\n")}></net-status>`
  },
  {
    key: "lost",
    label: "Lost",
    from: 700,
    title: "What the exporter's own sequence numbers say we did not get",
    track: "4.5rem",
    sort: true,
    number: { quantity: "count", of: (one) => one.sequenceLost }
  },
  {
    key: "malformed",
    label: "Malformed",
    from: 760,
    track: "5.5rem",
    sort: true,
    number: { quantity: "count", of: (one) => one.malformed }
  },
  {
    key: "templates",
    label: "Templates",
    from: 900,
    track: "5.5rem",
    sort: true,
    number: { quantity: "count", of: (one) => one.templates }
  },
  {
    key: "sampling",
    label: "Sampling",
    from: 1000,
    track: "5.5rem",
    align: "end",
    cell: (one) =>
      one.policy.sampling === null
        ? samplingText(one.sampling)
        : html`<span title=${`announced: ${samplingText(one.sampling)}`}>${samplingText(one.policy.sampling.mode === "replaces" || one.sampling === 0 ? one.policy.sampling.rate : one.sampling)} set</span>`
  },
  {
    key: "skew",
    label: "Clock",
    from: 1080,
    title: "Arrival minus export time, smoothed: how far the exporter's clock is behind ours",
    track: "6rem",
    align: "end",
    cell: (one) =>
      html`${skewIsOff(one.clockSkewMs) ? html`<net-status status="degraded" mark-only label="off"></net-status> ` : nothing}${skewText(one.clockSkewMs)}`
  },
  {
    key: "lastSeen",
    label: "Last heard",
    track: "8rem",
    align: "end",
    sort: true,
    first: "descending",
    narrow: "line",
    cell: (one) =>
      one.state === "expected" ? html`<span class="muted">never</span>` : html`<net-time .at=${one.lastSeen}></net-time>`
  }
]

/** Until one has a name, the first column is the address already. */
const columnsFor = (
  all: ReadonlyArray<Exporter>,
  histories: ReadonlyMap<string, ExporterHistory>
): ReadonlyArray<Column<Exporter>> =>
  all.some((one) => one.name !== null) ? allColumns(histories) : allColumns(histories).filter((column) => column.key !== "address")

export class PageExporters extends LitElement {
  static override readonly properties = { place: { attribute: false }, adding: { state: true } }
  declare place: Place
  declare adding: boolean
  #histories: ReadonlyMap<string, ExporterHistory> = new Map()

  readonly #exporters = Subject.watch<ReadonlyArray<Exporter>, unknown>(
    this,
    { what: "the list of exporters", isEmpty: (all) => all.length === 0 },
    () => (api) => api.ExportersWatch()
  )

  /** Drawn with the next reading of the exporters. */
  readonly history = Subject.watch<ReadonlyArray<ExporterHistory>, unknown>(
    this,
    {
      what: "the last hour",
      onValue: (all) => {
        this.#histories = new Map(all.map((one) => [one.id, one]))
      }
    },
    () => (api) => api.ExporterHistoryWatch()
  )

  static override readonly styles = [sheet, pageStyle]

  constructor() {
    super()
    new Following(this, preferences)
  }

  override connectedCallback(): void {
    super.connectedCallback()
    addEventListener(ActionEvent.type, this.#act)
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback()
    removeEventListener(ActionEvent.type, this.#act)
  }

  override render() {
    const { query } = this.place
    const filter = query.get("filter") ?? ""
    const asked = query.get("sort") as SortKey | null
    const sort: SortKey = asked !== null && asked in sortValue ? asked : "state"
    const order = query.get("order") === "descending" ? "descending" : "ascending"
    const selected = query.get("select") ?? undefined
    const all = this.#exporters.value ?? []
    const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
    const matched = all.filter((one) => {
      const text =
        `${one.name ?? ""} ${one.address} ${exporterProtocolNames[one.protocol]} ${standingOf(one)[1]} ${one.policy.approval}`.toLowerCase()
      return words.every((word) => text.includes(word))
    })
    const rows = sortExporters(matched, sort, order)
    const { inspectorOpen, inspectorWidth } = preferences.value
    const chosen = all.find((one) => one.id === selected)
    const open = chosen !== undefined && inspectorOpen
    const reading = this.#exporters.reading
    const why = refusal("exporters.write")
    return html`<div class="head"><h1>Exporters</h1><span class="count">${this.#exporters.value === undefined ? nothing : inUnit(all.length, plain)}</span>
        <net-filter label="Filter exporters" placeholder="name, address, protocol or state, e.g. new" .value=${filter} @net-filter=${(event: FilterEvent) => revise({ filter: event.filter })}></net-filter>
        <button aria-disabled=${why === undefined ? "false" : "true"} title=${why ?? "An exporter that has not sent yet"} @click=${() => {
          if (why === undefined) this.adding = true
        }}>Add an exporter</button></div>
      ${staleLine(this.#exporters)}
      <net-split label="Selected exporter" ?open=${open} .width=${inspectorWidth} @net-width=${(event: WidthEvent) => prefer({ inspectorWidth: event.width })} @net-close=${() => revise({ select: undefined })}>
        <net-table primary label="Exporters" .columns=${columnsFor(rows, this.#histories) as ReadonlyArray<Column<unknown>>} .rows=${rows} .keyOf=${(one: Exporter) => one.id} .identity=${(one: Exporter) => one.address}
          sort=${sort} order=${order} .selected=${selected} ?stale=${reading._tag === "stale"}
          @net-sort=${(event: SortEvent) => revise({ sort: event.key, order: event.order }, { replace: true })}
          @net-select=${(event: SelectEvent) => revise({ select: event.key }, { replace: selected !== undefined })} @net-open=${(event: OpenEvent) => go(paths.exporter(event.key))}>
          <div slot="empty">${show(this.#exporters, {
            rows: 8,
            quiet: true,
            live: () =>
              all.length > 0
                ? html`<net-empty kind="match" heading="Nothing matches">No exporter matches <span class="mono">${filter}</span>. <button slot="action" @click=${() => revise({ filter: undefined })}>Clear the filter</button></net-empty>`
                : nothing,
            empty:
              () => html`<net-empty kind="yet" heading="No exporter heard yet">An exporter appears with its first datagram. Point a router, switch or firewall at this appliance: NetFlow v5 or v9, IPFIX or sFlow v5 over UDP. What you expect can be added by hand before.
                <listener-lines slot="action"></listener-lines></net-empty>`
          })}</div>
        </net-table>
        ${open ? html`<exporter-sheet slot="aside" .exporter=${chosen} .history=${this.#histories.get(chosen.id)} compact></exporter-sheet>` : nothing}
      </net-split><add-exporter ?open=${this.adding} @net-close=${() => (this.adding = false)}></add-exporter>`
  }

  readonly #act = (event: Event) => {
    if ((event as ActionEvent).action !== "filter") return
    event.preventDefault()
    this.renderRoot.querySelector<NetFilter>("net-filter")?.focus()
  }
}
customElements.define("page-exporters", PageExporters)
