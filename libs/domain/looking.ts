/**
 * Time in which somebody looked, and what may be concluded from it. A dependency that was not seen is stale after so much time *of
 * looking*; what passes while nobody looks does not count (design: absence means something). All times are ms since 1970.
 */

/** From `since` up to `until`, in which an exporter was heard well enough. */
export interface LookingSpan {
  readonly since: number
  readonly until: number
}

/** Spans of several exporters as one, in order, without overlap: one of them looking is enough. */
export const uniteSpans = (spans: ReadonlyArray<LookingSpan>): ReadonlyArray<LookingSpan> => {
  const united: Array<{ since: number; until: number }> = []
  for (const { since, until } of [...spans].sort((a, b) => a.since - b.since)) {
    if (until <= since) continue
    const last = united.at(-1)
    if (last !== undefined && since <= last.until) last.until = Math.max(last.until, until)
    else united.push({ since, until })
  }
  return united
}

/** How long was looked between two instants. `united` as `uniteSpans` makes it. */
export const lookedBetween = (united: ReadonlyArray<LookingSpan>, from: number, to: number): number =>
  united.reduce((sum, span) => sum + Math.max(0, Math.min(span.until, to) - Math.max(span.since, from)), 0)

/**
 * The latest instant from which up to `to` was looked for `enough`: whatever was last seen then or before is stale at `to`. Undefined
 * when nobody looked that long.
 */
export const unseenSince = (united: ReadonlyArray<LookingSpan>, to: number, enough: number): number | undefined => {
  let missing = enough
  for (let i = united.length - 1; i >= 0; i--) {
    const { since, until } = united[i]!
    const end = Math.min(until, to)
    if (end <= since) continue
    if (end - since >= missing) return end - missing
    missing -= end - since
  }
  return undefined
}

/** When `enough` had been looked for what was last seen at `from`; undefined when that is not so yet. */
export const staleAt = (united: ReadonlyArray<LookingSpan>, from: number, enough: number): number | undefined => {
  let missing = enough
  for (const { since, until } of united) {
    const begin = Math.max(since, from)
    if (until <= begin) continue
    if (until - begin >= missing) return begin + missing
    missing -= until - begin
  }
  return undefined
}
