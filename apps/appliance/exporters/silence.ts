/**
 * Since when an exporter is silent: pure. One silence has one beginning, its last datagram, whichever run of the appliance saw it; a run
 * that begins gives everybody the limit again, and does not take back what was silent before.
 */
import { DateTime } from "effect"
import type { Exporter } from "#domain/Exporter.ts"

export interface SilenceInputs {
  /** The stored row. */
  readonly exporter: Exporter
  /** Its last datagram in this run, ms since 1970; undefined when there was none. */
  readonly heardAt: number | undefined
  readonly now: number
  readonly startedAt: number
  readonly defaultSeconds: number
}

/** ms since 1970, or null while it is heard, blocked or only expected. */
export const silentSince = ({ exporter, heardAt, now, startedAt, defaultSeconds }: SilenceInputs): number | null => {
  const { policy } = exporter
  if (policy.approval === "blocked") return null
  const limitMs = (policy.silenceSeconds ?? defaultSeconds) * 1000
  if (heardAt !== undefined) return now - heardAt > limitMs ? heardAt : null
  if (exporter.state === "expected") return null
  const lastSeen = DateTime.toEpochMillis(exporter.lastSeen)
  if (exporter.silentSince !== null) return DateTime.toEpochMillis(exporter.silentSince)
  return now - Math.max(lastSeen, startedAt) > limitMs ? lastSeen : null
}

/** Heard for so long, an exporter that nobody decided on is missed too. */
const LONG_KNOWN_MS = 3600_000

/** Its silence is somebody's business. */
export const silenceAlarms = ({
  firstSeen,
  lastSeen,
  policy,
  state
}: Pick<Exporter, "firstSeen" | "lastSeen" | "policy" | "state">): boolean =>
  policy.silentAlarm &&
  state !== "expected" &&
  (policy.approval === "approved" ||
    (policy.approval === "new" && DateTime.toEpochMillis(lastSeen) - DateTime.toEpochMillis(firstSeen) >= LONG_KNOWN_MS))
