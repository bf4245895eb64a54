import { html, svg } from "lit"

/** The appliance's name and mark. */
export const accessMark = html`<div class="mark"><svg viewBox="0 0 16 16" aria-hidden="true">${svg`<circle cx="8" cy="8" r="5" fill="none" stroke="var(--accent)" stroke-width="1.5"/><path d="M.5 8h15" stroke="currentColor" stroke-width="1.3"/><path d="M10.6 5.6 13 8l-2.4 2.4" fill="none" stroke="currentColor" stroke-width="1.3"/>`}</svg><span>FlowLens</span><span class="muted mono">${globalThis.location?.host ?? ""}</span></div>`
