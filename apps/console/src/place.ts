/**
 * Where we are is the URL and nothing else: path, then filter, sort, selection and time as its query. Elements read `place`, change
 * it with `go` or `revise`, and are drawn again; Back therefore always goes back.
 */
import { Cell } from "./Cell.ts"

export interface Place {
  readonly path: string
  readonly query: URLSearchParams
}

const read = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search) })

export const place = new Cell<Place>(typeof location === "undefined" ? { path: "/", query: new URLSearchParams() } : read())

export interface GoOptions {
  /** Takes the place of the present history entry: for what a person would not go back to (typing in a filter). */
  readonly replace?: boolean
}

export const go = (href: string, options: GoOptions = {}): void => {
  if (href === location.pathname + location.search) return
  if (options.replace === true) history.replaceState(history.state, "", href)
  else history.pushState({ within: true }, "", href)
  place.set(read())
}

/** The query with the given parameters set, or left out where undefined; the order of the others stays. */
export const revised = (query: URLSearchParams, change: Readonly<Record<string, string | undefined>>): URLSearchParams => {
  const next = new URLSearchParams(query)
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined || value === "") next.delete(key)
    else next.set(key, value)
  }
  return next
}

/** A query as it is written behind a path: `?…` or nothing. Colons, slashes and commas stay readable: RFC 3986 §3.4 allows them. */
export const queryText = (query: URLSearchParams): string => {
  const text = query.toString().replaceAll("%3A", ":").replaceAll("%2F", "/").replaceAll("%2C", ",")
  return text === "" ? "" : `?${text}`
}

export const revise = (change: Readonly<Record<string, string | undefined>>, options: GoOptions = {}): void => {
  const { path, query } = place.value
  go(path + queryText(revised(query, change)), options)
}

/** True when Back stays within the console. */
export const canGoBack = (): boolean => (history.state as { within?: boolean } | null)?.within === true

/** Follows the browser's own Back and Forward, and turns clicks on links of ours into `go`. The answer stops both. */
export const followPlace = (root: HTMLElement): (() => void) => {
  const onPop = () => place.set(read())
  const onClick = (event: MouseEvent) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const anchor = event.composedPath().find((target): target is HTMLAnchorElement => target instanceof HTMLAnchorElement)
    if (anchor === undefined || anchor.target !== "" || anchor.hasAttribute("download")) return
    const url = new URL(anchor.href, location.href)
    // `data-outside` marks a link to the appliance that is no page of ours, such as /docs
    if (url.origin !== location.origin || anchor.dataset["outside"] !== undefined) return
    event.preventDefault()
    go(url.pathname + url.search)
  }
  addEventListener("popstate", onPop)
  root.addEventListener("click", onClick)
  return () => {
    removeEventListener("popstate", onPop)
    root.removeEventListener("click", onClick)
  }
}
