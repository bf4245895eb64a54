/** Remembers since when each warning holds. */
import type { DateTime } from "effect"
import { HealthWarning } from "#domain/Health.ts"
import type { RaisedWarning } from "./derive-warnings.ts"
import { warningKinds } from "./warnings.ts"

const severityOrder = ["critical", "warning", "info"]

export const makeWarningLedger = () => {
  let since = new Map<string, DateTime.Utc>()
  return {
    /** The warnings that hold now, worst first, each with its beginning. One that went away and comes back begins anew. */
    take: (raised: ReadonlyArray<RaisedWarning>, now: DateTime.Utc): ReadonlyArray<HealthWarning> => {
      const next = new Map<string, DateTime.Utc>()
      const warnings = raised.map(({ code, subject, detail, since: told }) => {
        const key = `${code} ${subject ?? ""}`
        const began = told ?? since.get(key) ?? now
        next.set(key, began)
        return new HealthWarning({ code, ...warningKinds[code], detail, subject, since: began })
      })
      since = next
      return warnings.sort((a, b) => severityOrder.indexOf(a.severity) - severityOrder.indexOf(b.severity))
    }
  }
}
