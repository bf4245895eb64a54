/** Cells that several tables draw alike: what a thing is, its name, its ends, its state, its evidence. */
import { html, nothing } from "lit"
import type { AssetType } from "#domain/Asset.ts"
import type { Dependency, DependencyEnd } from "#domain/Dependency.ts"
import { portText } from "#domain/protocol.ts"
import type { StatusName } from "../ui/net-status.ts"
import { blindText } from "./blind-text.ts"
import "../ui/net-address.ts"
import "../ui/net-status.ts"
import "../ui/net-time.ts"
import "../ui/net-type-mark.ts"
import "../ui/net-value.ts"

/** Mark, then the name as the row's link, then the first address where the name is not it. */
export const identity = (
  one: { readonly type: AssetType; readonly internal: boolean; readonly name: string; readonly address: string | undefined },
  href: string
) =>
  html`<span class="two"><net-type-mark type=${one.type} ?external=${!one.internal}></net-type-mark><a class="clip name" href=${href} tabindex="-1" title=${one.name}>${
    one.name === one.address ? html`<span class="mono">${one.name}</span>` : one.name
  }</a></span>`

export const endCell = (end: DependencyEnd, href?: string) =>
  html`<span class="two"><net-type-mark type=${end.type} ?external=${!end.internal}></net-type-mark>${
    href === undefined
      ? html`<span class="clip" title=${`${end.name}, ${end.address}`}>${end.name === end.address ? html`<span class="mono">${end.name}</span>` : end.name}</span>`
      : html`<a class="clip name" href=${href} tabindex="-1" title=${`${end.name}, ${end.address}`}>${end.name === end.address ? html`<span class="mono">${end.name}</span>` : end.name}</a>`
  }</span>`

export const serviceCell = (one: { readonly service: string | null; readonly port: number; readonly protocol: number }) =>
  html`<span class="service">${one.service === null ? nothing : html`<span class="clip" title=${one.service}>${one.service}</span>`}<span class="mono sub">${portText(one.port, one.protocol)}</span></span>`

const states: Record<Dependency["state"], readonly [StatusName, string, string]> = {
  active: ["up", "active", "seen lately"],
  stale: ["stale", "stale", "not seen for a while, and we were looking"],
  weak: ["unknown", "weak", "too little evidence to rely on"]
}

/** What nobody looks at has no state of its own: whether it still happens is not known. */
export const stateCell = ({ blind, state }: Pick<Dependency, "blind" | "state">) => {
  const [mark, word, title] = states[state]
  return blind === null
    ? html`<net-status status=${mark} label=${word} title=${title}></net-status>`
    : html`<net-status status="blind" label="not looked at" title=${`${blindText(blind)}; before that ${word}: ${title}`}></net-status>`
}
