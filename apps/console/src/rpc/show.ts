/** A subject's reading as a page draws it: the four states are drawn here, so that no page forgets one. */
import { html, nothing, type TemplateResult } from "lit"
import type { Subject } from "./Subject.ts"
import "../ui/net-empty.ts"
import "../ui/net-state.ts"

export interface Drawing<A> {
  readonly live: (value: A, stale: boolean) => TemplateResult | typeof nothing
  /** What is drawn for an answer that holds nothing; without it, `live` draws that too. */
  readonly empty?: (value: A) => TemplateResult
  /** Placeholder rows while waiting. */
  readonly rows?: number
  /** What still works when this part does not. */
  readonly still?: string
  /** Part of a page whose frame already says that updates were lost. */
  readonly quiet?: boolean
}

export const show = <A>(subject: Subject<A>, draw: Drawing<A>): TemplateResult | typeof nothing => {
  const reading = subject.reading
  switch (reading._tag) {
    case "waiting":
      return html`<net-waiting what=${subject.what} .rows=${draw.rows ?? 6}></net-waiting>`
    case "failed":
      return html`<net-failed what=${subject.what} why=${reading.fault.message} code=${reading.fault.code} .since=${reading.since} .still=${draw.still}
        ?retrying=${reading.retrying} @net-retry=${() => subject.retry()}></net-failed>`
    case "stale":
      return html`${draw.quiet === true ? nothing : staleLine(subject)}${draw.live(reading.value, true)}`
    case "empty":
      return draw.empty?.(reading.value) ?? draw.live(reading.value, false)
    case "live":
      return draw.live(reading.value, false)
  }
}

/** One line above what is no longer live. */
export const staleLine = <A>(subject: Subject<A>) =>
  subject.reading._tag === "stale"
    ? html`<net-stale .since=${subject.reading.since} why=${subject.reading.fault.message} ?retrying=${subject.reading.retrying}></net-stale>`
    : nothing
