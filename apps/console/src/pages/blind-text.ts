/** Since when nobody looks and whose silence it is, in one line: `not looking since 14:05: exporter r2 silent`. */
import type { Blindness } from "#domain/CoverageReport.ts"
import { windowText } from "../format/time.ts"
import { zone } from "../ui/clock.ts"

export const blindText = ({ since, why }: Blindness): string =>
  `not looking${since === null ? "" : ` since ${windowText(since, Date.now(), zone.value)}`}: ${why}`
