/**
 * Until when everything that was seen is written: what somebody saw later may be on its way, and is not missing yet. A record counts as
 * folded when it enters a window; once as many are written (or lost, and counted so) as were folded by then, that time is done with.
 */
export const makeWrittenUpTo = () => {
  const marks: Array<{ at: number; folded: number }> = []
  let upTo: number | undefined
  return {
    /** Answers the time, ms since 1970; undefined before the first slice of this run is through. */
    take: (
      now: number,
      totals: { readonly folded: number; readonly written: number; readonly lost: number }
    ): number | undefined => {
      const last = marks.at(-1)
      // while nothing comes in, the last mark moves on
      if (last !== undefined && last.folded === totals.folded && marks.length > 1) last.at = now
      else marks.push({ at: now, folded: totals.folded })
      const done = totals.written + totals.lost
      while (marks[0] !== undefined && marks[0].folded <= done) {
        upTo = marks[0].at
        if (marks.length === 1) break
        marks.shift()
      }
      // a database that is away for days: what is told then is only later, never wrong
      if (marks.length > MOST_MARKS) marks.splice(0, marks.length - MOST_MARKS)
      return upTo
    }
  }
}

const MOST_MARKS = 100_000
