/** Who did what, newest first, and whether the chain of hashes still holds. */
import { css, html, LitElement, nothing } from "lit"
import type { AuditEntry } from "#domain/Audit.ts"
import { plural } from "../../format/number.ts"
import { act } from "../../rpc/client.ts"
import { faultOf } from "../../rpc/Fault.ts"
import { Subject } from "../../rpc/Subject.ts"
import { show, staleLine } from "../../rpc/show.ts"
import { sheet } from "../../style/sheet.ts"
import type { Column } from "../../ui/column.ts"
import { ToastEvent } from "../../ui/events.ts"
import type { ListPage } from "../Listing.ts"
import { pageStyle } from "../page-style.ts"
import { settingsStyle } from "./settings-style.ts"
import "../../ui/net-address.ts"
import "../../ui/net-status.ts"
import "../../ui/net-table.ts"
import "../../ui/net-time.ts"
import "../../ui/net-empty.ts"

const details = (entry: AuditEntry): string =>
  Object.entries(entry.detail)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ")

const columns: ReadonlyArray<Column<AuditEntry>> = [
  {
    key: "sequence",
    label: "No.",
    track: "4rem",
    align: "end",
    cell: (entry) => html`<span class="mono">${String(entry.sequence)}</span>`
  },
  { key: "at", label: "When", track: "8.5rem", narrow: "end", cell: (entry) => html`<net-time .at=${entry.at}></net-time>` },
  {
    key: "actor",
    label: "Who",
    track: "minmax(6rem, 0.8fr)",
    narrow: "line",
    cell: (entry) => html`<span class="name">${entry.actor}</span>`
  },
  {
    key: "action",
    label: "Did",
    track: "minmax(8rem, 1fr)",
    narrow: "title",
    cell: (entry) => html`<span class="mono">${entry.action}</span>`
  },
  {
    key: "subject",
    label: "To",
    track: "minmax(6rem, 1fr)",
    narrow: "line",
    cell: (entry) => entry.subject ?? html`<span class="sub">–</span>`
  },
  {
    key: "outcome",
    label: "Outcome",
    track: "6rem",
    narrow: "line",
    cell: (entry) => html`<net-status status=${entry.outcome === "done" ? "up" : "degraded"} label=${entry.outcome}></net-status>`
  },
  {
    key: "detail",
    label: "Detail",
    track: "minmax(7rem, 1.4fr)",
    cell: (entry) => html`<span class="sub" title=${details(entry)}>${details(entry)}</span>`
  },
  {
    key: "source",
    label: "From",
    track: "minmax(7rem, 1fr)",
    cell: (entry) =>
      entry.source === null
        ? html`<span class="sub">this machine, ${entry.via}</span>`
        : html`<net-address text=${entry.source} longest="25"></net-address>`
  },
  { key: "hash", label: "Hash", track: "7rem", cell: (entry) => html`<net-address text=${entry.hash} longest="13"></net-address>` }
]

type Verdict = { readonly entries: number; readonly brokenAt: string | null } | "checking" | undefined

export class SettingsAudit extends LitElement {
  static override readonly properties = { verdict: { state: true }, more: { state: true } }
  declare verdict: Verdict
  /** Pages after the first, as they were loaded. */
  declare more: ReadonlyArray<AuditEntry>
  #next: string | undefined

  readonly #audit = Subject.call<ListPage<AuditEntry>, unknown>(
    this,
    {
      what: "the audit log",
      isEmpty: (page) => page.total === 0,
      onValue: (page) => {
        this.more = []
        this.#next = page.next
      }
    },
    () => (api) => api.AuditList({ sort: "sequence", order: "descending", limit: 200 })
  )

  static override readonly styles = [
    sheet,
    pageStyle,
    settingsStyle,
    css`.verdict { display: inline-flex; gap: 6px; align-items: center; }`
  ]

  constructor() {
    super()
    this.more = []
  }

  override render() {
    const page = this.#audit.value
    const rows = page === undefined || this.#audit.reading._tag === "waiting" ? [] : [...page.items, ...this.more]
    return html`<div class="bar"><span class="muted">Append-only; every entry holds the hash of the one before.</span><span class="gap"></span>${this.#said()}
        <button @click=${this.#verify} aria-disabled=${this.verdict === "checking" ? "true" : "false"}>Verify the chain</button></div>${staleLine(this.#audit)}
      <net-table primary label="Audit log" .columns=${columns as ReadonlyArray<Column<unknown>>} .rows=${rows} .keyOf=${(entry: AuditEntry) => String(entry.sequence)} .identity=${(entry: AuditEntry) => entry.hash}
        .total=${page?.total} ?more=${this.#next !== undefined} @net-more=${this.#load}>
        <div slot="empty">${show(this.#audit, { rows: 12, quiet: true, live: () => nothing, empty: () => html`<net-empty kind="yet" heading="No entries yet">The first login writes the first one.</net-empty>` })}</div>
      </net-table>`
  }

  #said() {
    const verdict = this.verdict
    if (verdict === undefined) return nothing
    if (verdict === "checking") return html`<span class="verdict muted" role="status">recomputing every hash</span>`
    return verdict.brokenAt === null
      ? html`<span class="verdict" role="status"><net-status status="up" loud mark-only label="intact"></net-status>${plural(verdict.entries, "entry", "entries")}, unbroken</span>`
      : html`<span class="verdict" role="alert"><net-status status="critical" mark-only label="broken"></net-status>broken: ${verdict.brokenAt}</span>`
  }

  readonly #verify = () => {
    if (this.verdict === "checking") return
    this.verdict = "checking"
    act((api) => api.AuditVerify()).then(
      (verdict) => (this.verdict = verdict),
      (error) => {
        this.verdict = undefined
        this.dispatchEvent(new ToastEvent(`Could not verify: ${faultOf(error).message}`, "warning"))
      }
    )
  }

  readonly #load = () => {
    const after = this.#next
    if (after === undefined) return
    act((api) => api.AuditList({ sort: "sequence", order: "descending", limit: 200, after })).then(
      (page) => {
        this.more = [...this.more, ...page.items]
        this.#next = page.next
      },
      (error) => this.dispatchEvent(new ToastEvent(`Could not load more: ${faultOf(error).message}`, "warning"))
    )
  }
}
customElements.define("settings-audit", SettingsAudit)
