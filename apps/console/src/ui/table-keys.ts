/** Keys that a table answers itself when it has the focus, also where the page's shortcuts are switched off (WAI-ARIA grid). */
export const tableKeys: Readonly<Record<string, string>> = {
  ArrowDown: "row.next",
  ArrowUp: "row.previous",
  PageDown: "row.page-down",
  PageUp: "row.page-up",
  Home: "row.first",
  End: "row.last",
  Enter: "row.open",
  " ": "row.select"
}

/** How many rows an action moves by; undefined for actions that move nothing. `page` is what fits on the screen. */
export const rowSteps = (action: string, page: number): number | undefined =>
  ({
    "row.next": 1,
    "row.previous": -1,
    "row.page-down": page,
    "row.page-up": -page,
    "row.first": Number.NEGATIVE_INFINITY,
    "row.last": Number.POSITIVE_INFINITY
  })[action]
