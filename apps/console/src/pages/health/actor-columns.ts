/** The supervision tree as a table: one line an actor, indented by its place. */
import { html, nothing } from "lit"
import type { ActorReading } from "#domain/Health.ts"
import type { Column } from "../../ui/column.ts"
import type { StatusName } from "../../ui/net-status.ts"
import type { TreeLine } from "./tree.ts"
import "../../ui/net-status.ts"
import "../../ui/net-time.ts"
import "../../ui/net-value.ts"

export const actorStates: Record<ActorReading["state"], readonly [StatusName, string]> = {
  starting: ["unknown", "starting"],
  running: ["up", "running"],
  restarting: ["degraded", "restarting"],
  "given-up": ["down", "given up"],
  stopped: ["maintenance", "stopped"]
}

/** Indentation by guides, drawn rather than padded, so that the tree is seen. */
const guides = (depth: number) =>
  depth === 0
    ? nothing
    : html`<svg class="guides" width=${depth * 14} aria-hidden="true"><path d=${Array.from({ length: depth }, (_, i) => `M${i * 14 + 5.5} 0v120`).join("")} /></svg>`

export const actorColumns: ReadonlyArray<Column<TreeLine>> = [
  {
    key: "path",
    label: "Actor",
    track: "minmax(13rem, 2.2fr)",
    narrow: "title",
    cell: (line) =>
      html`<span class="two">${guides(line.depth)}<span class=${line.actor === undefined ? "sub" : "name"} title=${line.path}>${line.name}</span></span>`
  },
  {
    key: "state",
    label: "State",
    track: "6.5rem",
    narrow: "end",
    cell: (line) => {
      if (line.actor === undefined) return nothing
      const [mark, word] = actorStates[line.actor.state]
      return html`<net-status status=${mark} label=${word}></net-status>`
    }
  },
  {
    key: "since",
    label: "Since",
    from: 700,
    track: "8rem",
    cell: (line) => (line.actor === undefined ? nothing : html`<net-time .at=${line.actor.since}></net-time>`)
  },
  {
    key: "restarts",
    label: "Restarts",
    from: 620,
    track: "4.5rem",
    align: "end",
    cell: (line) => (line.actor === undefined ? nothing : String(line.actor.restarts))
  },
  {
    key: "mailbox",
    label: "Mailbox",
    title: "Waiting of capacity",
    track: "6.5rem",
    align: "end",
    cell: (line) => {
      const box = line.actor?.mailbox
      return box === null || box === undefined
        ? nothing
        : html`<span title=${`${box.name}: ${box.depth} of ${box.capacity} waiting; when full: ${box.policy}`}>${box.depth}<span class="sub"> / ${box.capacity}</span></span>`
    }
  },
  {
    key: "refused",
    label: "Refused",
    track: "5rem",
    align: "end",
    cell: (line) => {
      const box = line.actor?.mailbox
      if (box === null || box === undefined) return nothing
      return html`${box.refused > 0n ? html`<net-status status="degraded" mark-only label="refused some"></net-status> ` : nothing}<net-value .value=${box.refused}></net-value>`
    }
  },
  {
    key: "error",
    label: "Last error",
    track: "minmax(8rem, 2fr)",
    narrow: "line",
    cell: (line) => {
      const error = line.actor?.lastError
      return error === null || error === undefined
        ? nothing
        : html`<span title=${error.message}><net-time .at=${error.at}></net-time> ${error.message}</span>`
    }
  }
]
