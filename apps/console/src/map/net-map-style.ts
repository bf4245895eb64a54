/** How the map's canvas and what lies on it look. */
import { css } from "lit"

export const netMapStyle = css`
      :host { display: block; position: relative; overflow: hidden; background: var(--canvas); min-height: 0; }
      #stage { position: absolute; inset: 0; cursor: default; }
      #stage.over { cursor: pointer; }
      #stage:focus-visible { outline: 2px solid var(--focus); outline-offset: -3px; }
      :host([stale]) #stage { opacity: 0.6; }
      #name { position: absolute; left: 0; top: 0; pointer-events: none; max-width: 320px; padding: var(--s-2) var(--s-3); background: var(--raised);
        border: var(--hair) solid var(--edge); border-radius: var(--radius); font: var(--t-12); z-index: 2; }
      #name b { font-weight: 500; }
      p { position: absolute; left: 0; top: 0; padding: var(--s-5); }
      /* a wait shorter than this is none */
      .wait { color: var(--muted); visibility: hidden; animation: appear 0s 300ms forwards; }
      @keyframes appear { to { visibility: visible; } }
    `
