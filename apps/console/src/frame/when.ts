/** The window that a timed page shows: stepping, and what it says. Pure; the frame keeps `at` in the URL as an absolute instant. */

/** The start of the window before or after; undefined is live. Past the newest window is live again. */
export const stepWindow = (at: number | undefined, step: -1 | 1, seconds: number, now: number): number | undefined => {
  const span = seconds * 1000
  const current = Math.floor(now / span) * span
  const from = at === undefined ? current : Math.floor(at / span) * span
  const next = from + step * span
  return next >= current ? undefined : next
}

/** `at` of a query: an instant with zone, or undefined when it is none; such a link shows what is live and says nothing else. */
export const readAt = (text: string | null): number | undefined => {
  if (text === null || !/^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:\d{2})$/.test(text)) return undefined
  const millis = Date.parse(text)
  return Number.isNaN(millis) ? undefined : millis
}

export const writeAt = (at: number): string => new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z")
