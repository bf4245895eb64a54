/** What warnings are derived from while there is nothing to warn of. */
import type { WarningInputs } from "./derive-warnings.ts"

export const well: WarningInputs = {
  now: 1_000_000,
  actors: [],
  flow: [],
  exporters: [],
  requireApproval: false,
  databaseReachable: true,
  diskFreeBytes: 50e9,
  diskTotalBytes: 100e9,
  storage: { classes: [], hoursUpTo: null, daysUpTo: null, dropped: [], reserveBytes: 1e9, mostBytes: 0, exhausted: false },
  uncleanStop: undefined
}
