/**
 * Times as people on the phone say them: `14:05:32`, with the day when it is not today. Ages only under an hour. The zone is said
 * once, in the status line; `zoneName` is what it says there.
 */
import type { DateTime } from "effect"

export type Zone = "local" | "utc"

/** Milliseconds since 1970, a `Date`, or an Effect instant. */
export type Moment = number | Date | DateTime.Utc

export const millisOf = (at: Moment): number =>
  typeof at === "number" ? at : at instanceof Date ? at.getTime() : at.epochMilliseconds

const two = (value: number): string => String(value).padStart(2, "0")

interface Parts {
  readonly day: string
  readonly clock: string
  readonly seconds: string
}

const partsOf = (millis: number, zone: Zone): Parts => {
  const date = new Date(millis)
  return zone === "utc"
    ? {
        day: `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`,
        clock: `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`,
        seconds: two(date.getUTCSeconds())
      }
    : {
        day: `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
        clock: `${two(date.getHours())}:${two(date.getMinutes())}`,
        seconds: two(date.getSeconds())
      }
}

/** `14:05:32`, or `2026-11-20 14:05` when that is not today. */
export const timeText = (at: Moment, now: number, zone: Zone): string => {
  const then = partsOf(millisOf(at), zone)
  return then.day === partsOf(now, zone).day ? `${then.clock}:${then.seconds}` : `${then.day} ${then.clock}`
}

/** `14:05`, or with the day when that is not today: for windows, which have no seconds. */
export const windowText = (at: Moment, now: number, zone: Zone): string => {
  const then = partsOf(millisOf(at), zone)
  return then.day === partsOf(now, zone).day ? then.clock : `${then.day} ${then.clock}`
}

export const clockText = (at: Moment, zone: Zone): string => partsOf(millisOf(at), zone).clock
export const dayText = (at: Moment, zone: Zone): string => partsOf(millisOf(at), zone).day

/** `8 s ago`, `12 min ago`; undefined from an hour on: then the time itself says more. */
export const ageText = (at: Moment, now: number): string | undefined => {
  const seconds = Math.floor((now - millisOf(at)) / 1000)
  if (seconds < -1) return undefined
  if (seconds < 60) return `${Math.max(0, seconds)} s ago`
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min ago` : undefined
}

/** Exact, with zone, for titles and for copying: `2026-11-21T14:05:32.123Z`. */
export const exactTime = (at: Moment): string => new Date(millisOf(at)).toISOString()

/** A length of time in its two largest units: `3 d 4 h`, `12 min 5 s`, `240 ms`. */
export const durationText = (millis: number): string => {
  const size = Math.abs(millis)
  const sign = millis < 0 ? "−" : ""
  if (size < 1000) return `${sign}${Math.round(size)} ms`
  const seconds = Math.floor(size / 1000)
  const units = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"]
  ] as const
  const first = units.findIndex(([length]) => seconds >= length)
  const [length, name] = units[first]!
  const next = units[first + 1]
  const rest = next === undefined ? 0 : Math.floor((seconds % length) / next[0])
  return `${sign}${Math.floor(seconds / length)} ${name}${next !== undefined && rest > 0 ? ` ${rest} ${next[1]}` : ""}`
}

/** `UTC`, `CET`, `GMT+5:30`: the short name of the zone that times are shown in. */
export const zoneName = (zone: Zone, now: number): string => {
  if (zone === "utc") return "UTC"
  const part = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" }).formatToParts(now).find((p) => p.type === "timeZoneName")
  return part?.value ?? "local"
}
