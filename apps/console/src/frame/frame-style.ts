/** How the frame is laid out at each width. */
import { css } from "lit"

export const frameStyle = css`
  :host { display: grid; grid-template: minmax(0, 1fr) 24px / auto minmax(0, 1fr); height: 100%; background: var(--canvas); }
  nav-rail { grid-row: 1; }
  .column { grid-row: 1; grid-column: 2; display: flex; flex-direction: column; min-width: 0; min-height: 0; }
  status-line { grid-row: 2; grid-column: 1 / -1; z-index: 9; }
  header { flex: none; height: 36px; display: flex; align-items: center; gap: var(--s-5); padding: 0 var(--s-5); background: var(--panel); border-bottom: var(--hair) solid var(--line); }
  .where { flex: 1 1 0; color: var(--muted); display: flex; gap: var(--s-3); }
  .where > :last-child { color: var(--text); }
  .find { display: inline-flex; align-items: center; gap: var(--s-3); width: 15rem; height: 24px; padding: 0 var(--s-2) 0 var(--s-3); color: var(--muted); font-weight: 400; border-color: var(--edge); background: var(--canvas); }
  .find svg { width: 12px; height: 12px; }
  .find span { flex: 1; text-align: left; }
  .find kbd { border: 0; }
  .live { display: inline-flex; align-items: center; gap: 6px; white-space: nowrap; font: var(--t-12); min-width: 4.5rem; justify-content: flex-end; }
  .when { display: flex; align-items: center; gap: var(--s-1); white-space: nowrap; }
  .when button.plain { height: 24px; width: 24px; padding: 0; display: grid; place-items: center; }
  .when button svg { width: 12px; height: 12px; }
  .when .live { margin-left: var(--s-3); }
  .window { min-width: 3.5rem; text-align: center; font: var(--t-12); }
  .past { flex: none; display: flex; align-items: center; gap: var(--s-4); min-height: 24px; padding: 0 var(--s-5); font: var(--t-12); border-top: 2px solid var(--degraded); border-bottom: var(--hair) solid var(--line); }
  main { flex: 1 1 0; min-height: 0; display: flex; flex-direction: column; overflow: hidden; }
  main:focus { outline: none; }
  main > * { flex: 1 1 0; min-height: 0; }
  .lost { flex: none; padding: var(--s-5); display: grid; gap: var(--s-3); }
  .skip { position: absolute; left: var(--s-3); top: -40px; z-index: 50; background: var(--accent); color: var(--accent-ink); padding: var(--s-3) var(--s-4); border-radius: var(--radius); }
  .skip:focus { top: var(--s-2); }
  @media (max-width: 720px) { .find { width: auto; } .find kbd { display: none; } }
  @media (max-width: 480px) {
    :host { grid-template: 40px minmax(0, 1fr) 24px / minmax(0, 1fr); }
    nav-rail { grid-row: 1; grid-column: 1; }
    .column { grid-row: 2; grid-column: 1; }
    status-line { grid-row: 3; grid-column: 1; }
    header { gap: var(--s-3); }
  }
  .printed { display: none; }
  @media print {
    :host { display: block; height: auto; }
    header, nav, .skip, nav-rail, status-line, net-palette, help-sheet, net-toast { display: none !important; }
    .column, main { display: block; overflow: visible; height: auto; }
    main > * { height: auto; }
    .printed { display: flex; gap: var(--s-5); padding: var(--s-3) var(--s-5); margin-top: var(--s-5); border-top: var(--hair) solid var(--line); font: var(--t-11); background: var(--canvas); }
    .printed span:last-child { margin-left: auto; white-space: nowrap; }
    .printed .url { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
  }
`
