/** In which order exporters stand: what wants somebody first, first. */
import type { Exporter } from "#domain/Exporter.ts"
import { millisOf } from "../../format/time.ts"

const rank: Record<Exporter["state"], number> = { silent: 0, waiting: 1, expected: 3, heard: 4 }

/** What wants somebody first: silent, waiting, new; the blocked ones last. */
const urgency = ({ policy, state }: Exporter): number =>
  policy.approval === "blocked" ? 5 : state === "heard" && policy.approval === "new" ? 2 : rank[state]

const worst = ({ findings }: Exporter): number =>
  findings.reduce((sum, { severity }) => sum + (severity === "warning" ? 100 : 1), 0)

export type SortKey = "state" | "name" | "address" | "protocol" | "rate" | "lost" | "malformed" | "templates" | "coach" | "lastSeen"

/** What a column sorts by. */
const sortValue: Record<SortKey, (one: Exporter) => string | number> = {
  state: urgency,
  name: (one) => one.name ?? one.address,
  address: (one) => one.address,
  protocol: (one) => one.protocol,
  rate: (one) => one.recordsPerSecond,
  lost: (one) => Number(one.sequenceLost),
  malformed: (one) => Number(one.malformed),
  templates: (one) => one.templates,
  coach: worst,
  lastSeen: (one) => millisOf(one.lastSeen)
}

const compare = new Intl.Collator("en", { numeric: true }).compare

/** Sorted by a column, then by address so that equal rows keep their places from one reading to the next. */
export const sortExporters = (
  all: ReadonlyArray<Exporter>,
  key: SortKey,
  order: "ascending" | "descending"
): ReadonlyArray<Exporter> => {
  const way = order === "ascending" ? 1 : -1
  const of = sortValue[key]
  return all.toSorted((a, b) => {
    const [x, y] = [of(a), of(b)]
    const by = typeof x === "number" && typeof y === "number" ? x - y : compare(String(x), String(y))
    return by === 0 ? compare(a.address, b.address) || compare(a.protocol, b.protocol) : by * way
  })
}

export const isSortKey = (text: string | null): text is SortKey => text !== null && text in sortValue
