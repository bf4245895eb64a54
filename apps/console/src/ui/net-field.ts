/**
 * One labelled text field with its hint and its fault under it.
 *
 * Properties: `label`, `hint`, `fault`, `value`, `type`, `name`, `autocomplete`, `required`, `disabled`, `mono`, `maxlength`, `invalid` is
 * set by `fault`. Event: `input` as of a native field; read `value`. `focus()` goes to the field.
 */
import { css, html, LitElement, nothing } from "lit"
import { ifDefined } from "lit/directives/if-defined.js"
import { sheet } from "../style/sheet.ts"
import "./net-status.ts"

export class NetField extends LitElement {
  static override readonly properties = {
    label: {},
    hint: {},
    fault: {},
    value: {},
    type: {},
    name: {},
    autocomplete: {},
    required: { type: Boolean },
    disabled: { type: Boolean },
    mono: { type: Boolean },
    maxlength: { type: Number }
  }
  declare label: string
  declare hint: string | undefined
  declare fault: string | undefined
  declare value: string
  declare type: "text" | "password" | "number"
  declare name: string
  declare autocomplete: string | undefined
  declare required: boolean
  declare disabled: boolean
  declare mono: boolean
  declare maxlength: number | undefined

  static override readonly shadowRootOptions: ShadowRootInit = { mode: "open", delegatesFocus: true }

  static override readonly styles = [
    sheet,
    css`
      :host { display: grid; gap: var(--s-2); }
      label { font: var(--t-12); font-weight: 500; color: var(--muted); }
      input { width: 100%; }
      input.mono { font-family: var(--mono); font-size: 0.92em; }
      input[aria-invalid="true"] { border-color: var(--down); }
      .hint { font: var(--t-12); color: var(--muted); }
      .fault { font: var(--t-12); color: var(--text); display: flex; gap: 6px; align-items: baseline; }
    `
  ]

  constructor() {
    super()
    this.value = ""
    this.type = "text"
    this.name = ""
  }

  override render() {
    const said = this.fault !== undefined ? "fault" : this.hint !== undefined ? "hint" : undefined
    return html`<label for="field">${this.label}</label>
      <input id="field" class=${this.mono ? "mono" : ""} type=${this.type} name=${this.name} .value=${this.value} ?required=${this.required}
        ?disabled=${this.disabled} autocomplete=${ifDefined(this.autocomplete) as "on"} maxlength=${ifDefined(this.maxlength)} spellcheck="false"
        autocapitalize="off" aria-invalid=${this.fault === undefined ? "false" : "true"} aria-describedby=${ifDefined(said)} @input=${this.#input} />
      ${
        this.fault !== undefined
          ? html`<div class="fault" id="fault" role="alert"><net-status status="down" mark-only label="wrong:"></net-status><span>${this.fault}</span></div>`
          : this.hint !== undefined
            ? html`<div class="hint" id="hint">${this.hint}</div>`
            : nothing
      }`
  }

  readonly #input = (event: Event) => {
    this.value = (event.target as HTMLInputElement).value
  }
}
customElements.define("net-field", NetField)
