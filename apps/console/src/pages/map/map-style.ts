/** The map's page, on top of page-style.ts. */
import { css } from "lit"

export const mapStyle = css`
  .head { gap: var(--s-3) var(--s-4); }
  .head .count { white-space: nowrap; }
  net-filter { flex: 1 1 14rem; }
  .group { display: inline-flex; align-items: center; gap: var(--s-3); color: var(--muted); white-space: nowrap; }
  .tools { display: flex; gap: var(--s-2); flex-wrap: wrap; }
  .tools button { padding: 0 var(--s-3); }
  .tools button[aria-pressed="true"] { background: var(--select); border-color: var(--accent); }
  .notes { flex: none; display: flex; flex-wrap: wrap; align-items: center; gap: var(--s-1) var(--s-3); padding: var(--s-2) var(--s-5); border-bottom: var(--hair) solid var(--line); font: var(--t-12); }
  .chip { display: inline-flex; align-items: center; gap: var(--s-2); height: 24px; padding: 0 var(--s-3); font: var(--t-12); border-color: var(--line); }
  .chip svg { width: 8px; height: 8px; color: var(--muted); }
  net-map, map-table { flex: 1 1 0; min-height: 0; }
  net-legend { flex: none; }
  p + p { margin-top: var(--s-3); }
  @media print { .group, .tools { display: none; } }
  @media (max-width: 480px) { .head .count { display: none; } .tools { width: 100%; } }
`
