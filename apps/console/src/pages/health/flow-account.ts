/** The account of every datagram: what was received, and what became of it. It adds up, or says by how much it does not. Property: `account`. */
import { css, html, LitElement, nothing } from "lit"
import type { FlowAccount } from "#domain/Health.ts"
import { exactly, inUnit, unitFor } from "../../format/number.ts"
import { sheet } from "../../style/sheet.ts"
import { pageStyle } from "../page-style.ts"
import "../../ui/net-status.ts"

interface Line {
  readonly name: string
  readonly value: bigint
  readonly explained: string
  /** Above zero is out of its normal state. */
  readonly loss?: boolean
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)

/** Datagrams by fate; the first is what the others add up to. Decoded is what remains: never below zero, though a datagram may hold a bad set and good ones. */
export const accountLines = (account: FlowAccount): ReadonlyArray<Line> => [
  { name: "Received", value: account.datagrams, explained: "datagrams read from the sockets since the start" },
  {
    name: "Decoded",
    value: max(0n, account.datagrams - account.malformed - account.refused - account.failed),
    explained: "the rest of them: received less what follows"
  },
  {
    name: "Malformed",
    value: account.malformed,
    explained: "datagrams and sets that could not be read; by reason on their exporter",
    loss: true
  },
  { name: "Refused", value: account.refused, explained: "turned away by a full mailbox or by sampling under pressure", loss: true },
  { name: "Failed", value: account.failed, explained: "lost to a part of a worker that was restarted", loss: true },
  {
    name: "Dropped by the kernel",
    value: account.kernelDropped,
    explained: "before the socket was read; not among the received",
    loss: true
  },
  { name: "Flow records", value: account.records, explained: "decoded out of them" },
  {
    name: "Late",
    value: account.late,
    explained: "records that came after their window was closed; counted, not stored",
    loss: true
  },
  {
    name: "Lost with open slices",
    value: account.lostOpenSlices,
    explained: "records known lost at a hard stop of an earlier run",
    loss: true
  }
]

export class FlowAccountTable extends LitElement {
  static override readonly properties = { account: { attribute: false } }
  declare account: FlowAccount

  static override readonly styles = [
    sheet,
    pageStyle,
    css`
      :host { display: block; height: auto; }
      dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr)); }
      dl > div { padding: 0 var(--s-4) var(--s-4) var(--s-5); display: flex; flex-direction: column; }
      dt { font: var(--t-12); color: var(--muted); }
      dd { display: flex; align-items: center; gap: 6px; font: var(--t-15); font-weight: 500; }
      dd.explained { display: block; font: var(--t-12); color: var(--muted); }
    `
  ]

  override render() {
    const lines = accountLines(this.account)
    return html`<section><h2>Every datagram accounted for</h2><dl>${lines.map((line) => {
      const unit = unitFor("count", [line.value])
      return html`<div><dt>${line.name}</dt><dd title=${exactly(line.value)}>${line.loss === true && line.value > 0n ? html`<net-status status="degraded" mark-only label="above zero"></net-status>` : nothing}${inUnit(line.value, unit)}${unit.name}</dd><dd class="explained">${line.explained}</dd></div>`
    })}</dl></section>`
  }
}
customElements.define("flow-account", FlowAccountTable)
