/** How the map's canvas and what lies on it look. */
import { css } from "lit"

export const netMapStyle = css`
      :host { display: block; position: relative; overflow: hidden; background: var(--canvas); min-height: 0; }
      #stage { position: absolute; inset: 0; cursor: default; user-select: none; }
      #stage.over { cursor: pointer; }
      #stage:focus-visible { outline: 2px solid var(--focus); outline-offset: -3px; }
      :host([stale]) #stage { opacity: 0.6; }
      #name { position: absolute; left: 0; top: 0; pointer-events: none; max-width: 320px; padding: var(--s-2) var(--s-3); background: var(--raised);
        border: var(--hair) solid var(--edge); border-radius: var(--radius); font: var(--t-12); z-index: 2; }
      #name b { font-weight: 500; }
      #lasso { position: absolute; pointer-events: none; border: var(--hair) solid var(--accent); z-index: 1; }
      #lasso::before { content: ""; position: absolute; inset: 0; background: var(--accent); opacity: 0.12; }
      .hint { pointer-events: none; right: 0; padding: var(--s-3) var(--s-5); font: var(--t-12); color: var(--muted); }
      @media (max-width: 720px) { .hint { display: none; } }
      @media print { :host { height: 150mm; border-bottom: var(--hair) solid var(--line); } .hint { display: none; } }
      p { position: absolute; left: 0; top: 0; padding: var(--s-5); }
      /* a wait shorter than this is none */
      .wait { color: var(--muted); visibility: hidden; animation: appear 0s 300ms forwards; }
      @keyframes appear { to { visibility: visible; } }
    `
