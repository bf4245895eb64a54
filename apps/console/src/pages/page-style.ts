/** What all pages share: head, body, sections with hairlines, facts in two columns, the inspector's head. */
import { css } from "lit"

export const pageStyle = css`
  :host { display: flex; flex-direction: column; min-height: 0; min-width: 0; height: 100%; }
  .head { flex: none; display: flex; align-items: center; gap: var(--s-3) var(--s-5); flex-wrap: wrap; min-height: 44px; padding: var(--s-3) var(--s-5); border-bottom: var(--hair) solid var(--line); }
  .head h1 { flex: none; max-width: 100%; overflow-wrap: anywhere; }
  .head .count { color: var(--muted); margin-left: calc(-1 * var(--s-3)); }
  .head .gap { flex: 1 1 0; }
  .body { flex: 1 1 0; min-height: 0; overflow: auto; scrollbar-width: thin; scrollbar-color: var(--edge) transparent; }
  net-split { flex: 1 1 0; min-height: 0; }
  section { border-bottom: var(--hair) solid var(--line); }
  section > h2, .section-head { padding: var(--s-4) var(--s-5) var(--s-3); }
  .section-head { display: flex; align-items: baseline; gap: var(--s-4); flex-wrap: wrap; }
  .section-head .gap { flex: 1; }
  .pad { padding: 0 var(--s-5) var(--s-5); }
  .facts { display: grid; grid-template-columns: minmax(7rem, max-content) minmax(0, 1fr); align-items: baseline; column-gap: var(--s-5); padding: var(--s-2) var(--s-5) var(--s-4); }
  .facts dt { color: var(--muted); padding: 3px 0; }
  .facts dd { padding: 3px 0; min-height: 24px; display: flex; align-items: baseline; flex-wrap: wrap; column-gap: var(--s-3); overflow-wrap: anywhere; min-width: 0; }
  .facts button.text { min-height: 0; line-height: 1.125rem; }
  .inspector-head { display: flex; align-items: baseline; gap: var(--s-3); padding: var(--s-4) var(--s-3) var(--s-3) var(--s-5); position: sticky; top: 0; background: var(--panel); z-index: 2; border-bottom: var(--hair) solid var(--line); }
  .inspector-head h2 { flex: 1 1 auto; min-width: 0; overflow-wrap: anywhere; }
  .inspector-head button, .inspector-head .open { flex: none; height: 24px; }
  .open { display: inline-flex; align-items: center; color: var(--accent); padding: 0 var(--s-3); }
  .tag { border: var(--hair) solid var(--line); border-radius: var(--radius); padding: 0 var(--s-2); font: var(--t-12); color: var(--muted); }
  .why { color: var(--muted); }
  .columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); overflow-x: clip; }
  .columns > * { border-left: var(--hair) solid var(--line); margin-left: -1px; min-width: 0; }
  table.plain { width: 100%; border-collapse: collapse; }
  table.plain th { font: var(--t-11); color: var(--muted); text-align: left; height: 24px; border-bottom: var(--hair) solid var(--edge); font-weight: 400; white-space: nowrap; }
  table.plain td { height: var(--row); border-bottom: var(--hair) solid var(--line); vertical-align: middle; }
  table.plain th, table.plain td { padding: 0 var(--s-3); }
  table.plain :is(th, td):first-child { padding-left: var(--s-5); }
  table.plain :is(th, td):last-child { padding-right: var(--s-5); }
  table.plain .num { text-align: right; }
  table.plain tr:last-child td { border-bottom: 0; }
  table.controls td { height: calc(var(--control) + 8px); }
  .scroll-x { overflow-x: auto; }
  @media (max-width: 480px) { .facts { grid-template-columns: 6.5rem minmax(0, 1fr); } }
  @media print { :host { display: block; height: auto; } .body { overflow: visible; } button { display: none; } }
`
