/** Sorting and paging of the mock's lists: by key, `after` is the position in the sorted list. */
interface Query {
  readonly order?: "ascending" | "descending"
  readonly limit?: number
  readonly after?: string
}

export const pageOf = <A>(
  all: ReadonlyArray<A>,
  query: Query,
  key: (item: A) => number | bigint | string,
  fallback: "ascending" | "descending"
) => {
  const way = (query.order ?? fallback) === "ascending" ? 1 : -1
  const sorted = [...all].sort((x, y) => {
    const a = key(x)
    const b = key(y)
    return a < b ? -way : a > b ? way : 0
  })
  const from = query.after === undefined ? 0 : Number(query.after)
  const to = from + (query.limit ?? 100)
  const items = sorted.slice(from, to)
  return to < sorted.length ? { items, total: sorted.length, next: String(to) } : { items, total: sorted.length }
}
