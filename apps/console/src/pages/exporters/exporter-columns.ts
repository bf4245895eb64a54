/** The list of exporters, column by column. */
import { html, nothing } from "lit"
import { type Exporter, type ExporterHistory, exporterProtocolNames } from "#domain/Exporter.ts"
import { paths } from "../../paths.ts"
import type { Column } from "../../ui/column.ts"
import { samplingText, skewIsOff, skewText, standingOf } from "./exporter-words.ts"
import "../../chart/net-spark.ts"
import "../../ui/net-address.ts"
import "../../ui/net-status.ts"
import "../../ui/net-time.ts"

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
export const exporterColumns = (
  all: ReadonlyArray<Exporter>,
  histories: ReadonlyMap<string, ExporterHistory>
): ReadonlyArray<Column<Exporter>> =>
  all.some((one) => one.name !== null) ? allColumns(histories) : allColumns(histories).filter((column) => column.key !== "address")
