import { css } from "lit"

export const healthStyle = css`
  .warnings li { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr) auto; gap: var(--s-4); padding: var(--s-3) var(--s-5); border-top: var(--hair) solid var(--line); align-items: baseline; }
  .warnings b { font-weight: 500; }
  .since { display: grid; justify-items: end; gap: var(--s-1); }
  .machine { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); }
  .machine > div { padding: var(--s-4) var(--s-5); border-right: var(--hair) solid var(--line); }
  .machine > div:last-child { border-right: 0; }
  .figure { font: var(--t-15); font-weight: 500; margin: var(--s-1) 0; }
  .machine .muted { font: var(--t-12); }
  @media (max-width: 480px) { .warnings li { grid-template-columns: minmax(0, 1fr) auto; row-gap: 0; } .since { grid-auto-flow: column; gap: var(--s-3); } .warnings li > div:not(.since) { grid-column: 1 / -1; grid-row: 2; } }
`
