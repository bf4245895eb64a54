/** How a table looks; apart from net-table.ts, which says how it behaves. */
import { css } from "lit"

export const tableStyle = css`
  :host { display: flex; flex-direction: column; min-height: 0; flex: 1 1 auto; }
  :host([fit]) { flex: none; }
  .scroll { flex: 1 1 auto; min-height: 0; overflow: auto; position: relative; scrollbar-width: thin; scrollbar-color: var(--edge) transparent; overflow-anchor: none; }
  :host([fit]) .scroll { overflow: visible; }
  .grid { min-width: min-content; }
  .grid:focus-visible { outline: none; }
  .scroll:has(.grid:focus-visible) { outline: 2px solid var(--focus); outline-offset: -2px; }
  .row { display: grid; grid-template-columns: var(--tracks); column-gap: var(--s-5); padding: 0 var(--s-5); align-items: center; height: var(--height); min-width: min-content; border-bottom: var(--hair) solid var(--line); }
  .head { position: sticky; top: 0; z-index: 2; background: var(--canvas); font: var(--t-11); color: var(--muted); }
  :host([fit]) .head { position: static; }
  .head .row { height: 24px; border-bottom-color: var(--edge); }
  .head .cell { display: flex; min-width: 0; }
  .head .end { justify-content: flex-end; }
  .head button { all: unset; box-sizing: border-box; display: inline-flex; align-items: center; gap: var(--s-1); min-height: 24px; min-width: 24px; max-width: 100%; cursor: pointer; font: var(--t-11); color: inherit; }
  .head button:hover { color: var(--text); }
  .head button:focus-visible { outline: 2px solid var(--focus); outline-offset: -2px; border-radius: var(--radius); }
  .head .end button { flex-direction: row-reverse; margin-left: -10px; }
  .head [aria-sort="ascending"], .head [aria-sort="descending"] { color: var(--text); font-weight: 500; }
  .unit { color: var(--faint); }
  .arrow { width: 8px; height: 8px; flex: none; fill: currentColor; }
  .body { position: relative; }
  .virtual .row { position: absolute; inset: 0 0 auto 0; }
  .body .row { cursor: default; }
  .body .row:hover { background: var(--raised); }
  .body .row.selected { background: var(--select); box-shadow: inset 2px 0 0 var(--accent); }
  .body .row.cursor { box-shadow: inset 2px 0 0 var(--edge); }
  .body .row.selected.cursor { box-shadow: inset 2px 0 0 var(--accent); }
  .cell { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
  .cell.end { text-align: right; }
  .value { cursor: default; }
  .pad { visibility: hidden; font-style: normal; }
  .narrow-unit { display: none; }
  .name { font-weight: 500; }
  .sub { color: var(--muted); }
  .two { display: inline-flex; gap: var(--s-3); align-items: center; max-width: 100%; vertical-align: bottom; min-width: 0; }
  .two > .clip { flex: 0 1 auto; }
  .two:has(.guides) { height: var(--height); }
  .guides { height: var(--height); margin: 0 -4px 0 0; flex: none; }
  .guides path { stroke: var(--edge); fill: none; shape-rendering: crispEdges; }
  a { display: inline; }
  .newer { position: sticky; top: 24px; z-index: 1; display: flex; justify-content: center; background: var(--raised); border-bottom: var(--hair) solid var(--line); font: var(--t-12); }
  .foot { display: flex; gap: var(--s-4); align-items: center; min-height: var(--height); padding: 0 var(--s-5); font: var(--t-12); color: var(--muted); }
  .foot button { font: var(--t-12); }
  :host([stale]) net-status { opacity: 0.6; }
  net-empty { white-space: normal; }

  :host([list]) .head { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  :host([list]) .newer { top: 0; }
  :host([list]) .body .row { display: flex; flex-wrap: wrap; column-gap: var(--s-3); row-gap: 0; align-content: center; overflow: hidden; }
  :host([list]) .row:has(.guides) .n-line { padding-left: 30px; }
  :host([list]) .n-title:has(.guides) { overflow: visible; }
  :host([list]) .two:has(.guides) { height: auto; }
  :host([list]) .guides { height: calc(2 * var(--height)); margin-block: calc(9px - var(--height)); }
  :host([list]) .n-title { order: 0; flex: 1 1 55%; }
  :host([list]) .n-end { order: 1; flex: 0 0 auto; max-width: 42%; margin-left: auto; }
  :host([list]) .body .row::after { content: ""; order: 2; flex-basis: 100%; height: 0; }
  :host([list]) .n-line { order: 3; flex: 0 1 auto; color: var(--muted); font: var(--t-12); text-align: left; }
  :host([list]) .n-drop { display: none; }
  :host([list]) .narrow-unit { display: inline; color: var(--faint); }
  :host([list]) .pad { display: none; }
  @media (forced-colors: active) {
    .body .row.cursor { outline: 1px dashed CanvasText; outline-offset: -2px; }
    .body .row.selected { outline: 2px solid Highlight; outline-offset: -2px; }
  }
  @media print { :host { display: block; } .scroll { overflow: visible; } .row { break-inside: avoid; } .foot button { display: none; } .head { position: static; } .newer { display: none; } }
`
