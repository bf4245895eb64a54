import { css } from "lit"

/** One panel for every *why*: the conclusion, its terms with a bar each, how they add up. */
export const whyStyle = css`
  .chart { padding: var(--s-3) var(--s-5) var(--s-4); }
  .arrow { color: var(--faint); font-weight: 400; }
  .port { color: var(--muted); font-weight: 400; font-size: 0.85em; }
  .lead { padding: 0 var(--s-5) var(--s-3); color: var(--muted); }
  .lead b { color: var(--text); font-weight: 500; }
  .terms { width: 100%; border-collapse: collapse; }
  .terms th { font: var(--t-11); color: var(--muted); text-align: left; height: 24px; border-bottom: var(--hair) solid var(--edge); }
  .terms td { border-bottom: var(--hair) solid var(--line); padding-block: 3px; vertical-align: top; }
  .terms th, .terms td { padding-inline: var(--s-3); }
  .terms :is(th, td):first-child { padding-left: var(--s-5); width: 8.5rem; }
  .terms :is(th, td):last-child { padding-right: var(--s-5); width: 4.5rem; text-align: right; }
  .terms .bar { width: 74px; }
  .terms .seen { color: var(--muted); }
  .terms .zero { color: var(--faint); }
  .terms svg { display: block; margin-top: 5px; }
  .terms rect.for { fill: var(--seq-4); }
  .terms rect.against { fill: var(--data); }
  .terms .mid { stroke: var(--edge); }
  .terms tfoot td { border-bottom: 0; font-weight: 500; }
  .note { padding: var(--s-3) var(--s-5) var(--s-4); font: var(--t-12); color: var(--muted); }
  .actions { display: flex; flex-wrap: wrap; align-items: center; gap: var(--s-3); padding: 0 var(--s-5) var(--s-4); }
  code { overflow-wrap: anywhere; }
`
