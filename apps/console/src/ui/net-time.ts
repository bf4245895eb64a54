/**
 * A moment: `14:05:32`, with the day when it is not today; exact with zone, and its age under an hour, in the title; click copies.
 *
 * Properties: `at` (ms, Date or Effect instant; null for never); `age` shows the age instead while it is under an hour; `minutes`
 * leaves the seconds out (windows); `never` is said for null.
 */
import { css, html, LitElement } from "lit"
import { ageText, exactTime, type Moment, timeText, windowText } from "../format/time.ts"
import { sheet } from "../style/sheet.ts"
import { MinuteHand, zone } from "./clock.ts"
import { copy } from "./copy.ts"

export class NetTime extends LitElement {
  static override readonly properties = {
    at: { attribute: false },
    age: { type: Boolean },
    minutes: { type: Boolean },
    never: {}
  }
  declare at: Moment | null | undefined
  declare age: boolean
  declare minutes: boolean
  declare never: string | undefined

  static override readonly styles = [
    sheet,
    css`:host { display: inline; font: inherit; color: inherit; white-space: nowrap; } time { cursor: copy; }`
  ]

  constructor() {
    super()
    new MinuteHand(this)
  }

  override render() {
    const at = this.at
    if (at === null || at === undefined) return html`<span>${this.never ?? "–"}</span>`
    const now = Date.now()
    const exact = exactTime(at)
    const age = ageText(at, now)
    const shown = this.minutes ? windowText(at, now, zone.value) : timeText(at, now, zone.value)
    return html`<time datetime=${exact} title=${age === undefined ? exact : `${exact}, ${age}`} @click=${() => copy(this, exact)}
      >${this.age && age !== undefined ? age : shown}</time
    >`
  }
}
customElements.define("net-time", NetTime)
