import { css } from "lit"

export const settingsStyle = css`
  .bar { display: flex; gap: var(--s-4); align-items: center; flex-wrap: wrap; padding: var(--s-3) var(--s-5); border-bottom: var(--hair) solid var(--line); min-height: 44px; flex: none; }
  .bar .gap { flex: 1; }
  .bar a { text-decoration: underline; text-underline-offset: 2px; }
  .form { display: flex; gap: var(--s-4); align-items: end; flex-wrap: wrap; padding: var(--s-4) var(--s-5); border-bottom: var(--hair) solid var(--line); background: var(--panel); }
  .form label { display: grid; gap: var(--s-2); font: var(--t-12); color: var(--muted); }
  .form .fault { flex-basis: 100%; display: flex; gap: var(--s-3); align-items: baseline; }
  .form .hint { flex-basis: 100%; font: var(--t-12); color: var(--muted); }
  .row-actions { display: flex; gap: var(--s-3); justify-content: flex-end; }
  td .off { color: var(--faint); }
`
