/** Whether a page of this very site made the request. */
type HeaderRecord = Readonly<Record<string, string | undefined>>

/**
 * `same`: the Origin header is this site's; `other`: it is not; `none`: there is none (RFC 6454 §7.3), as in calls of programs and in a
 * browser's plain GET.
 */
export const sameOrigin = (headers: HeaderRecord): "same" | "other" | "none" => {
  const { origin, host } = headers
  if (origin === undefined) return "none"
  return host !== undefined && origin.toLowerCase() === `https://${host.toLowerCase().replace(/:443$/, "")}` ? "same" : "other"
}
