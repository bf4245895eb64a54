/** Every shortcut, from the table in keys.ts. Property: `open`; `enabled` says whether they are switched on. */
import { css, html, LitElement, nothing } from "lit"
import { keyWords, type Shortcut, shortcuts } from "../keys.ts"
import { paths } from "../paths.ts"
import { sheet } from "../style/sheet.ts"
import "../ui/net-dialog.ts"

const groups: ReadonlyArray<Shortcut["group"]> = ["Everywhere", "Go to", "Lists", "Time", "Map"]

export class HelpSheet extends LitElement {
  static override readonly properties = { open: { type: Boolean }, enabled: { type: Boolean } }
  declare open: boolean
  declare enabled: boolean

  static override readonly styles = [
    sheet,
    css`
      .groups { columns: 2; column-gap: var(--s-7); }
      section { break-inside: avoid; margin-bottom: var(--s-5); }
      h3 { padding-bottom: var(--s-2); border-bottom: var(--hair) solid var(--line); }
      dl { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr); }
      dt, dd { min-height: 24px; display: flex; align-items: center; gap: var(--s-2); }
      p { color: var(--muted); margin-bottom: var(--s-4); }
      @media (max-width: 600px) { .groups { columns: 1; } }
    `
  ]

  override render() {
    return html`<net-dialog heading="Keys" wide ?open=${this.open}>
      ${this.enabled ? nothing : html`<p>Shortcuts are switched off; <a class="link" href=${paths.settings("appearance")}>Settings, Appearance</a> switches them on.</p>`}
      <div class="groups">
        ${groups.map(
          (group) => html`<section><h3>${group}</h3><dl>
            ${group === "Everywhere" ? html`<dt><kbd>ctrl</kbd><kbd>k</kbd></dt><dd>Commands: pages, actions, assets, dependencies</dd>` : nothing}
            ${shortcuts.filter((shortcut) => shortcut.group === group).map((shortcut) => html`<dt>${keyWords(shortcut.keys).map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${shortcut.does}</dd>`)}
            ${group === "Map" ? html`<dt><kbd>shift</kbd>drag</dt><dd>Select what lies within; shift and click adds one</dd>` : nothing}
          </dl></section>`
        )}
      </div>
    </net-dialog>`
  }
}
customElements.define("help-sheet", HelpSheet)
