/** Rows of senders that were heard for a moment: addresses are easily invented, so there are only so many of them. Pure. */
import { DateTime } from "effect"
import type { Exporter } from "#domain/Exporter.ts"

/** Rows of exporters of all kinds before strangers go: twice what a worker follows. */
export const MOST_ROWS = 8192
const BRIEF_MS = 60_000

/** Those that go so that at most `most` are left, longest unheard first: undecided, unnamed, heard for less than a minute and not any more. */
export const strangersOf = (
  rows: ReadonlyArray<Exporter>,
  isFollowed: (one: Exporter) => boolean,
  most = MOST_ROWS
): ReadonlyArray<Exporter> => {
  if (rows.length <= most) return []
  const brief = ({ firstSeen, lastSeen }: Exporter) =>
    DateTime.toEpochMillis(lastSeen) - DateTime.toEpochMillis(firstSeen) < BRIEF_MS
  return rows
    .filter((one) => one.policy.decidedAt === null && one.name === null && brief(one) && !isFollowed(one))
    .sort((a, b) => DateTime.toEpochMillis(a.lastSeen) - DateTime.toEpochMillis(b.lastSeen))
    .slice(0, rows.length - most)
}
