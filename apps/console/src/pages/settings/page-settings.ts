/** Settings, by section; a section that the caller may not use keeps its place and says why. Property: `section`. */
import { css, html, LitElement, nothing } from "lit"
import type { Capability } from "#domain/Role.ts"
import { TitleEvent } from "../../frame/title.ts"
import { paths, type SettingsSection, settingsSections } from "../../paths.ts"
import { refusal } from "../../session.ts"
import { sheet } from "../../style/sheet.ts"
import { pageStyle } from "../page-style.ts"
import "../dependencies/declared-ends.ts"
import "./settings-appearance.ts"
import "./settings-audit.ts"
import "./settings-configuration.ts"
import "./settings-operators.ts"
import "./settings-tokens.ts"

const sections: Record<
  SettingsSection,
  { readonly label: string; readonly needs: Capability | undefined; readonly draw: () => unknown }
> = {
  configuration: {
    label: "Configuration",
    needs: "settings.read",
    draw: () => html`<settings-configuration></settings-configuration>`
  },
  appearance: { label: "Appearance and keys", needs: undefined, draw: () => html`<settings-appearance></settings-appearance>` },
  declarations: {
    label: "Declarations",
    needs: "map.read",
    draw: () => html`<div class="scroll"><declared-ends></declared-ends></div>`
  },
  operators: { label: "Operators", needs: "operators.write", draw: () => html`<settings-operators></settings-operators>` },
  tokens: { label: "Tokens", needs: "tokens.own", draw: () => html`<settings-tokens></settings-tokens>` },
  audit: { label: "Audit log", needs: "audit.read", draw: () => html`<settings-audit></settings-audit>` }
}

export class PageSettings extends LitElement {
  static override readonly properties = { section: {} }
  declare section: string | undefined

  static override readonly styles = [
    sheet,
    pageStyle,
    css`
      .tabs { display: flex; gap: var(--s-5); padding: 0 var(--s-5); border-bottom: var(--hair) solid var(--line); overflow-x: auto; scrollbar-width: none; flex: none; }
      .tabs a { display: flex; align-items: center; min-height: 32px; color: var(--muted); white-space: nowrap; }
      .tabs a:hover { color: var(--text); text-decoration: none; }
      .tabs a:focus-visible { outline-offset: -3px; }
      .tabs a[aria-current] { color: var(--text); box-shadow: inset 0 -2px 0 var(--accent); }
      .tabs a.refused { color: var(--faint); }
      .refusal { padding: var(--s-6) var(--s-5); color: var(--muted); }
      .scroll { overflow: auto; min-height: 0; }
      .slot { flex: 1 1 0; min-height: 0; display: flex; flex-direction: column; }
    `
  ]

  get #current(): SettingsSection | undefined {
    return settingsSections.find((one) => one === this.section)
  }

  protected override updated(): void {
    const current = this.#current
    if (current !== undefined) this.dispatchEvent(new TitleEvent(sections[current].label))
  }

  override render() {
    const current = this.#current
    const needs = current === undefined ? undefined : sections[current].needs
    const why = needs === undefined ? undefined : refusal(needs)
    return html`<div class="head"><h1>Settings</h1></div>
      <nav class="tabs" aria-label="Sections of settings">${settingsSections.map((name) => {
        const { label, needs } = sections[name]
        const why = needs === undefined ? undefined : refusal(needs)
        return html`<a href=${paths.settings(name)} class=${why === undefined ? "" : "refused"} title=${why ?? label} aria-current=${name === current ? "page" : nothing}>${label}</a>`
      })}</nav>
      <div class="slot">${
        current === undefined
          ? html`<p class="refusal">There is no such section.</p>`
          : why !== undefined
            ? html`<p class="refusal">${why}.</p>`
            : sections[current].draw()
      }</div>`
  }
}
customElements.define("page-settings", PageSettings)
