/** The two pages before the frame: one column, the name of the thing, nothing to sell. */
import { css } from "lit"

export const accessStyle = css`
  :host { display: grid; grid-template-rows: 1fr auto 2fr; min-height: 100%; overflow: auto; padding: var(--s-5); }
  main { grid-row: 2; width: min(24rem, 100%); margin: 0 auto; }
  .mark { display: flex; align-items: center; gap: var(--s-3); margin-bottom: var(--s-6); font: var(--t-15); }
  .mark svg { width: 22px; height: 22px; }
  h1 { margin-bottom: var(--s-4); }
  .mark .mono { font-weight: 400; font-size: 0.8125rem; }
  form + .hint { margin-top: var(--s-5); }
  .lead { color: var(--muted); margin-bottom: var(--s-5); }
  form { display: grid; gap: var(--s-4); }
  label { display: grid; gap: var(--s-2); font: var(--t-12); font-weight: 500; color: var(--muted); }
  input { height: 32px; width: 100%; }
  .hint { font: var(--t-12); color: var(--muted); font-weight: 400; }
  .row { display: flex; align-items: center; gap: var(--s-4); min-height: 32px; }
  button { height: 32px; }
  .fault { display: flex; gap: var(--s-3); align-items: baseline; border-left: 2px solid var(--down); padding: var(--s-2) var(--s-3); }
  .note { border-left: 2px solid var(--edge); padding: var(--s-2) var(--s-4); margin-bottom: var(--s-5); color: var(--muted); }
  .note code { color: var(--text); overflow-wrap: anywhere; }
  .foot { grid-row: 3; align-self: end; text-align: center; color: var(--faint); font: var(--t-12); padding-top: var(--s-6); }
`
