/** What the three inspectors of the map share, on top of page-style.ts. */
import { css } from "lit"

export const inspectorStyle = css`
  :host { display: block; height: auto; }
  h2 { display: flex; align-items: center; gap: var(--s-3); }
  .sub { padding: 0 var(--s-5) var(--s-3); color: var(--muted); }
  section h3 { padding: var(--s-3) var(--s-5) var(--s-1); display: flex; justify-content: space-between; gap: var(--s-3); }
  table.plain { font: var(--t-12); table-layout: fixed; }
  table.plain td { height: 24px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  table.plain a { display: inline-flex; align-items: center; min-height: 24px; max-width: 100%; }
  table.plain a span { overflow: hidden; text-overflow: ellipsis; }
  table.plain tr:hover td { background: var(--raised); }
  .against { color: var(--degraded); }
  .total td { border-top: var(--hair) solid var(--edge); font-weight: 500; }
  .actions { display: flex; flex-wrap: wrap; gap: var(--s-3); padding: var(--s-3) var(--s-5) var(--s-4); }
  .more { padding: var(--s-3) var(--s-5); color: var(--muted); }
  svg.mark { width: 10px; height: 10px; flex: none; vertical-align: -1px; }
  .link { color: var(--accent); }
`
