/** Lines that open: `details` with a chevron that turns. */
import { css } from "lit"

export const disclosure = css`
  details { border-top: var(--hair) solid var(--line); }
  summary { align-items: baseline; min-height: var(--row); padding: var(--s-2) var(--s-5); cursor: pointer; list-style: none; }
  summary:hover { background: var(--raised); }
  summary:focus-visible { outline-offset: -2px; }
  summary::before { content: ""; width: 6px; height: 6px; border: solid var(--muted); border-width: 0 1px 1px 0; transform: rotate(-45deg); flex: none; }
  details[open] > summary::before { transform: rotate(45deg); }
`
