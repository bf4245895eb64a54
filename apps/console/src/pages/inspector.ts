/** The head of every inspector: what is selected, the way to its own page, the way out. */
import { html, nothing, type TemplateResult } from "lit"
import { CloseEvent } from "../ui/events.ts"

export const inspectorHead = (
  heading: TemplateResult | string,
  href: string | undefined
) => html`<div class="inspector-head"><h2>${heading}</h2>
  ${href === undefined ? nothing : html`<a class="open" href=${href}>Open</a>`}
  <button class="plain" @click=${(event: Event) => event.target?.dispatchEvent(new CloseEvent())}>Close</button></div>`
