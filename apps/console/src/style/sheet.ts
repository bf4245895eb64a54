/**
 * What every shadow root of the console shares: boxes, links, controls, headings and the few words of layout (`.mono`, `.num`,
 * `.muted`, `.service`, `.sr`). An element puts it first in its `static styles` and adds only what is its own.
 */
import { css } from "lit"

export const sheet = css`
  :host { box-sizing: border-box; font: var(--t-13); color: var(--text); font-variant-numeric: tabular-nums; }
  :host([hidden]) { display: none !important; }
  *, *::before, *::after { box-sizing: border-box; }
  [hidden] { display: none !important; }
  :focus-visible { outline: 2px solid var(--focus); outline-offset: 1px; }
  h1, h2, h3, p, dl, dd, ul, ol, figure { margin: 0; padding: 0; }
  h1 { font: var(--t-20); }
  h2 { font: var(--t-15); }
  h3 { font: var(--t-12); font-weight: 500; color: var(--muted); }
  ul, ol { list-style: none; }
  a { color: inherit; text-decoration: none; border-radius: var(--radius); }
  a:hover { text-decoration: underline; text-underline-offset: 2px; }
  a.link { color: var(--accent); }
  p a { color: var(--accent); text-decoration: underline; text-underline-offset: 2px; }
  code, .mono { font-family: var(--mono); font-size: 0.92em; }
  .num { text-align: right; white-space: nowrap; }
  .muted { color: var(--muted); }
  .faint { color: var(--faint); }
  .clip { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
  .service { display: inline-flex; align-items: baseline; gap: var(--s-2); max-width: 100%; min-width: 0; vertical-align: bottom; }
  .sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  button { font: var(--t-13); font-weight: 500; color: var(--text); height: var(--control); min-width: 24px; padding: 0 var(--s-4); background: transparent;
    border: var(--hair) solid var(--edge); border-radius: var(--radius); cursor: pointer; white-space: nowrap; touch-action: manipulation; }
  button:hover:not(:disabled, [aria-disabled="true"]) { background: var(--raised); border-color: var(--muted); }
  button:active:not(:disabled, [aria-disabled="true"]) { background: var(--select); }
  button.primary { background: var(--accent); border-color: var(--accent); color: var(--accent-ink); }
  button.primary:hover:not(:disabled, [aria-disabled="true"]) { background: var(--accent); border-color: var(--text); }
  button.plain { border-color: transparent; padding: 0 var(--s-3); }
  button.text { border: 0; padding: 0 var(--s-1); height: auto; min-height: 24px; color: var(--accent); font-weight: 400; }
  button.text:hover { text-decoration: underline; background: none !important; }
  button:disabled, button[aria-disabled="true"] { color: var(--faint); border-color: var(--line); cursor: not-allowed; }
  button.primary:disabled, button.primary[aria-disabled="true"] { background: transparent; }
  input, select, textarea { font: var(--t-13); color: var(--text); background: var(--canvas); height: var(--control); padding: 0 var(--s-3);
    border: var(--hair) solid var(--edge); border-radius: var(--radius); min-width: 0; max-width: 100%; }
  input::placeholder { color: var(--faint); opacity: 1; }
  input[type="checkbox"], input[type="radio"] { height: 16px; width: 16px; margin: 0; accent-color: var(--accent); flex: none; }
  input:disabled, select:disabled { color: var(--faint); border-color: var(--line); }
  kbd { font-family: var(--mono); font-size: 0.6875rem; line-height: 1rem; padding: 0 var(--s-2); border: var(--hair) solid var(--edge);
    border-radius: var(--radius); color: var(--muted); white-space: nowrap; }
  @media (forced-colors: active) {
    button, input, select { border-color: ButtonBorder; }
    button[aria-pressed="true"] { border-color: Highlight; outline: 1px solid Highlight; }
  }
`
