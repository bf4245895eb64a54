import { css } from "lit"

/** The Overview's own: readouts in one ruled row, not tiles. */
export const overviewStyle = css`
  .readouts { display: grid; grid-template-columns: 1.4fr repeat(5, 1fr); border-bottom: var(--hair) solid var(--line); }
  .readouts a { display: grid; grid-template: 16px 36px 16px / minmax(0, 1fr); align-content: start; padding: var(--s-4) var(--s-5); border-right: var(--hair) solid var(--line); min-width: 0; }
  .readouts a:last-child { border-right: 0; }
  .readouts a:hover { background: var(--raised); text-decoration: none; }
  .readouts a:focus-visible { outline-offset: -3px; }
  .what, .sub { grid-column: 1 / -1; font: var(--t-12); color: var(--muted); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
  .big { font: var(--t-28); align-self: end; grid-column: 1 / -1; white-space: nowrap; }
  .figure { font: var(--t-20); align-self: end; padding-bottom: 2px; white-space: nowrap; }
  .of { font: var(--t-13); color: var(--muted); }
  .looking { display: flex; align-items: center; gap: var(--s-3); padding: var(--s-3) var(--s-5); border-bottom: var(--hair) solid var(--line); }
  .quiet { display: flex; align-items: center; gap: var(--s-3); padding: 0 var(--s-5) var(--s-4); color: var(--muted); }
  .warnings li { display: grid; grid-template-columns: 5rem minmax(0, 1fr) auto; gap: var(--s-4); padding: 5px var(--s-5); border-top: var(--hair) solid var(--line); align-items: baseline; }
  .warnings b { font-weight: 500; }
  .warnings net-time { color: var(--muted); }
  .chart { padding: var(--s-3) var(--s-5) var(--s-4); }
  .columns section { border-bottom: 0; }
  table.plain .name { font-weight: 500; }
  td.clip { max-width: 12rem; }
  @media (max-width: 1000px) { .readouts { grid-template-columns: repeat(3, 1fr); } .readouts a { border-bottom: var(--hair) solid var(--line); } }
  @media (max-width: 480px) {
    .readouts { grid-template-columns: repeat(2, 1fr); } .readouts a { padding-block: var(--s-3); }
    .warnings li { grid-template-columns: minmax(0, 1fr) auto; row-gap: 0; } .warnings li > span { grid-column: 1 / -1; grid-row: 2; }
  }
`
