/** How this browser shows the console: theme, density, zone, keys. Kept here, sent nowhere. */
import { css, html, LitElement } from "lit"
import { Following } from "../../Cell.ts"
import { zoneName } from "../../format/time.ts"
import { perform } from "../../keys.ts"
import { type Preferences, prefer, preferences } from "../../preferences.ts"
import { sheet } from "../../style/sheet.ts"
import { pageStyle } from "../page-style.ts"

interface Choice<K extends keyof Preferences> {
  readonly knob: K
  readonly label: string
  readonly options: ReadonlyArray<readonly [value: Preferences[K], label: string, detail: string]>
}

const local = zoneName("local", Date.now())

const choices = [
  {
    knob: "theme",
    label: "Theme",
    options: [
      ["system", "As the system", "changes with it"],
      ["dark", "Dark", "for the night"],
      ["light", "Light", "for daylight and beamers"]
    ]
  } satisfies Choice<"theme">,
  {
    knob: "density",
    label: "Density",
    options: [
      ["compact", "Compact", "rows of 24 px"],
      ["normal", "Normal", "rows of 28 px"],
      ["touch", "Touch", "rows of 40 px, for fingers"]
    ]
  } satisfies Choice<"density">,
  {
    knob: "zone",
    label: "Times",
    options: [
      ["local", `This machine's zone, ${local}`, "said once, in the status line"],
      ["utc", "UTC", "as in logs"]
    ]
  } satisfies Choice<"zone">,
  {
    knob: "nav",
    label: "Navigation",
    options: [
      ["auto", "As there is room", "words from 1200 px on"],
      ["wide", "Always with words", ""],
      ["narrow", "Narrow", "words under the pointer"]
    ]
  } satisfies Choice<"nav">
]

export class SettingsAppearance extends LitElement {
  static override readonly styles = [
    sheet,
    pageStyle,
    css`
      fieldset { border: 0; border-bottom: var(--hair) solid var(--line); margin: 0; padding: var(--s-4) var(--s-5); display: grid; grid-template-columns: 8rem minmax(0, 1fr); }
      legend { float: left; padding: 4px 0; font-weight: 500; grid-column: 1; }
      .options { grid-column: 2; display: grid; gap: var(--s-1); }
      label { display: flex; align-items: center; gap: var(--s-3); min-height: 26px; width: fit-content; }
      .detail { color: var(--muted); }
      @media (max-width: 480px) { fieldset { grid-template-columns: 1fr; } .options { grid-column: 1; } }
    `
  ]

  constructor() {
    super()
    new Following(this, preferences)
  }

  override render() {
    const chosen = preferences.value
    return html`<div class="body">
      ${choices.map(
        ({ knob, label, options }) =>
          html`<fieldset><legend>${label}</legend><div class="options">${options.map(
            ([value, text, detail]) =>
              html`<label><input type="radio" name=${knob} .checked=${chosen[knob] === value} @change=${() => prefer({ [knob]: value })} /><span>${text}</span><span class="detail">${detail}</span></label>`
          )}</div></fieldset>`
      )}
      <fieldset><legend>Keys</legend><div class="options"><label><input type="checkbox" .checked=${chosen.keys} @change=${() => prefer({ keys: !chosen.keys })} /><span>Shortcuts of one key</span>
        <span class="detail">tables keep their arrow keys, dialogs their Escape</span></label><div><button class="text" @click=${() => perform("help")}>Show all keys</button></div></div></fieldset>
      <p class="pad muted">These choices stay in this browser.</p>
    </div>`
  }
}
customElements.define("settings-appearance", SettingsAppearance)
