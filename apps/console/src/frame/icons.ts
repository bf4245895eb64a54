/** Marks of the nav, drawn on a 16 grid with one stroke; each always has its word beside or under the pointer. */
import { svg } from "lit"

export const icons = {
  overview: svg`<path d="M1.5 2.5h13v11h-13zM1.5 6h13M6.5 6v7.5"/>`,
  map: svg`<circle cx="3.5" cy="4" r="2"/><circle cx="12.5" cy="5.5" r="2"/><circle cx="6.5" cy="12.5" r="2"/><path d="m5.5 4.4 5 .8M4.2 5.9l1.7 4.7m1.9.5 3.5-4"/>`,
  assets: svg`<path d="M2 2.5h12v4H2zM2 9.5h12v4H2zM4.5 4.5h.01M4.5 11.5h.01M7 4.5h4.5M7 11.5h4.5"/>`,
  dependencies: svg`<path d="M1.5 5.5h4v5h-4zM10.5 5.5h4v5h-4zM5.5 8h4M8 6.3 9.8 8 8 9.7"/>`,
  flows: svg`<path d="M1.5 4h9M13 4h1.5M1.5 8h3M7 8h7.5M1.5 12h7M11 12h3.5"/>`,
  exporters: svg`<path d="M8 14.5V7M5 14.5h6M5.2 9.8a4 4 0 1 1 5.6 0M3 12a7 7 0 1 1 10 0"/>`,
  health: svg`<path d="M1 8.5h3.2L6 3.5l3.4 9 2-4H15"/>`,
  settings: svg`<path d="M2 4.5h7M12 4.5h2M2 11.5h2M7 11.5h7"/><circle cx="10.5" cy="4.5" r="1.6"/><circle cx="5.5" cy="11.5" r="1.6"/>`,
  wider: svg`<path d="m6 4 4 4-4 4"/>`,
  narrower: svg`<path d="m10 4-4 4 4 4"/>`
} as const
