/** What the appliance listens on, and what came in since: `udp/2055, 0 datagrams since 13:40`. Read from the supervision tree. */
import { css, html, LitElement, nothing } from "lit"
import type { ActorReading, HealthDetail } from "#domain/Health.ts"
import { plural } from "../../format/number.ts"
import { paths } from "../../paths.ts"
import { Subject } from "../../rpc/Subject.ts"
import { granted } from "../../session.ts"
import { sheet } from "../../style/sheet.ts"
import "../../ui/net-status.ts"
import "../../ui/net-time.ts"

export interface Listener {
  readonly actor: ActorReading
  readonly port: string
  readonly datagrams: number | undefined
}

/** Listeners are the actors named after their port, `udp:2055`. */
export const listenersOf = (actors: ReadonlyArray<ActorReading>): ReadonlyArray<Listener> =>
  actors.flatMap((actor) => {
    const port = /(?:^|\/)udp:(\d+)$/.exec(actor.path)?.[1]
    return port === undefined ? [] : [{ actor, port, datagrams: actor.gauges["datagrams"] }]
  })

export class ListenerLines extends LitElement {
  readonly #health = Subject.watch<HealthDetail, unknown>(this, { what: "the listeners" }, () =>
    granted("health.read") ? (api) => api.HealthWatch() : undefined
  )

  static override readonly styles = [
    sheet,
    css`
      :host { display: block; }
      ul { padding-bottom: var(--s-3); }
      li { display: flex; align-items: center; gap: var(--s-3); min-height: 24px; flex-wrap: wrap; }
    `
  ]

  override render() {
    const listeners = listenersOf(this.#health.value?.actors ?? [])
    return html`<ul>${listeners.map(
      ({
        actor,
        datagrams,
        port
      }) => html`<li><net-status status=${actor.state === "running" ? "up" : "down"} label=${actor.state === "running" ? "listening on" : `not listening (${actor.state}) on`}></net-status>
        <span class="mono">udp/${port}</span>${datagrams === undefined ? nothing : html`<span>${plural(datagrams, "datagram")}</span>`}<span class="muted">since <net-time .at=${actor.since}></net-time></span></li>`
    )}</ul><a class="link" href=${paths.health()}>All parts of the appliance</a>`
  }
}
customElements.define("listener-lines", ListenerLines)
